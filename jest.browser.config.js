import shared from './jest.config.js';

/** The pages in a real browser, with hubs that are killed. One file at a time: each needs the whole machine. */
export default {
  ...shared,
  roots: ['<rootDir>/test/browser'],
  testPathIgnorePatterns: [],
  testTimeout: 120_000,
  maxWorkers: 1,
};
