import shared from './jest.config.js';

/** What Stryker runs against each mutant: see stryker.config.js. */
export default { ...shared, maxWorkers: 1, testTimeout: 15_000 };
