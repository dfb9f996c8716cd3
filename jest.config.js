import process from 'node:process';
import { swcOptions } from './scripts/build/swc.options.mjs';

/** COVERAGE names the folder for a coverage report (scripts/coverage.mjs); TEST_WORKERS is how many test files run at a time. */
const { COVERAGE, FUZZ_SEED, TEST_DATABASE_URL, TEST_WORKERS } = process.env;

/** Files with branches for a server only. Instrumenting the others again on a server would tell nothing new. */
const SERVER_FILES = [
  'src/{commands,rooms}/*.ts',
  'src/platform/database/*.ts',
  'src/platform/sockets/socket.adapter.ts',
];
/** These use no database, always the embedded one, or what every database does alike: on a server they would test the same again. */
const DATABASE_INDEPENDENT = [
  ...['client/', 'demo/', 'docs/', 'pages/', 'tidy', 'config', 'commands/rules.*spec'],
  // `npm run fuzz` runs on a server too.
  ...(FUZZ_SEED ? [] : ['input/fuzz']),
  ...['input/handshake', 'limits/(?!reads)', 'platform/embedded.file', 'platform/urls'],
  ...['platform/adapter', 'platform/admin.ui', 'platform/logs'],
].map((path) => `<rootDir>/test/${path}`);
/** Several hubs on one database, and several servers. */
const SERVER_ONLY = ['clocks', 'hosts'].map((name) => `<rootDir>/test/platform/${name}.spec`);

/** Jest in ESM mode: the hub and every Nest package are ES modules. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  testPathIgnorePatterns: [
    // `npm run chaos` and `npm run browser` run these.
    ...['<rootDir>/test/chaos/', '<rootDir>/test/browser/'],
    ...(TEST_DATABASE_URL ? DATABASE_INDEPENDENT : SERVER_ONLY),
  ],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['@swc/jest', swcOptions] },
  setupFiles: ['<rootDir>/test/support/setup.ts'],
  // Longer than any timeout within the tests, so that a failure names what did not happen.
  testTimeout: 90_000,
  // Tests wait more than they compute: four workers keep two cores busy.
  maxWorkers: Number(TEST_WORKERS ?? 4),
  collectCoverage: Boolean(COVERAGE),
  // V8's coverage reports no branches of functions that were never called.
  coverageProvider: 'babel',
  // The hooks run in a browser.
  collectCoverageFrom: TEST_DATABASE_URL ? SERVER_FILES : ['src/**/*.ts', '!src/react/**'],
  coverageDirectory: COVERAGE ?? 'coverage',
  coverageReporters: ['json'],
  // A failed test may leave its hub running.
  forceExit: true,
};
