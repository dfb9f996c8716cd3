import shared from './jest.config.js';

/** Fault injection, one scenario at a time. Run by scripts/chaos.mjs. */
export default { ...shared, roots: ['<rootDir>/test/chaos'], testPathIgnorePatterns: [], maxWorkers: 1 };
