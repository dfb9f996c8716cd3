import process from 'node:process';

/** Where it is to be written down what the tests have reached; see scripts/coverage.mjs. */
const { COVERAGE } = process.env;

/** Jest in ESM mode: the hub and every Nest package are ES modules. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  // They kill servers of their own (`npm run chaos`), or need a browser (`npm run browser`).
  testPathIgnorePatterns: ['<rootDir>/test/chaos/', '<rootDir>/test/browser/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
        },
        module: { type: 'es6' },
      },
    ],
  },
  setupFiles: ['<rootDir>/test/support/setup.ts'],
  // Longer than anything that a test waits for: what never happens is told by its own name.
  testTimeout: 90_000,
  // Tests wait more than they work: three leave two cores idle for a seventh of the time.
  maxWorkers: 4,
  collectCoverage: Boolean(COVERAGE),
  // Babel's counts are of the source; V8 knows nothing of the branches of a function that was never called.
  coverageProvider: 'babel',
  collectCoverageFrom: ['src/**/*.ts'],
  coverageDirectory: COVERAGE ?? 'coverage',
  coverageReporters: ['json'],
  // A test that fails half-way may leave its hub running; the result must come all the same.
  forceExit: true,
};
