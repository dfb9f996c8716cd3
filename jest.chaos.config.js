import shared from './jest.config.js';

/** Hubs and servers that are killed, one scenario at a time: see scripts/chaos.mjs. */
export default { ...shared, roots: ['<rootDir>/test/chaos'], testPathIgnorePatterns: [], maxWorkers: 1 };
