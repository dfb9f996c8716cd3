import process from 'node:process';

/**
 * Mutation testing of the heart: `npm run mutants` changes one thing at a time in rules, batch, queue, rooms and adapter, and
 * runs the tests that reach it; a change that no test notices is printed. `npm run mutants -- --mutate src/rooms/room.feed.ts`
 * does one file. Slow by nature, so not a part of `.ci/run`.
 */
// Histories of the rules that are played for a mutant: a fault in them shows within a few hundred.
process.env.HISTORIES ??= '400';

export default {
  mutate: [
    'src/commands/{order,wallet,stock}.rules.ts',
    'src/commands/{decide,world}.ts',
    'src/commands/{command.batch,batch.load,batch.save,command.queue}.ts',
    'src/rooms/*.ts',
    '!src/rooms/*.{entity,module}.ts',
    'src/platform/socket.adapter.ts',
  ],
  testRunner: 'jest',
  jest: { configFile: 'jest.mutants.config.js' },
  testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  // Which tests reach which mutant is noted in a first run, so that only those are run against it.
  coverageAnalysis: 'perTest',
  // What runs only while a module is loaded would need every test against it.
  ignoreStatic: true,
  concurrency: 1,
  timeoutMS: 10_000,
  ignorePatterns: ['/dist', '/docs', '/web', '/bench', '/examples', '/data'],
  tempDirName: '.stryker-tmp',
  reporters: ['clear-text', 'progress-append-only', 'json'],
  jsonReporter: { fileName: 'reports/mutants.json' },
  clearTextReporter: { allowColor: false, reportTests: false, reportScoreTable: true },
  thresholds: { high: 95, low: 90, break: null },
  allowConsoleColors: false,
};
