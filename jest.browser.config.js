import shared from './jest.config.js';

/** People at the pages, in a real browser, with a hub that can be killed. One after another: each needs the machine. */
export default {
  ...shared,
  roots: ['<rootDir>/test/browser'],
  testPathIgnorePatterns: [],
  testTimeout: 120_000,
  maxWorkers: 1,
};
