import process from 'node:process';

/**
 * Mutation testing of the heart, an area at a time: `AREA=rooms npm run mutants` changes one thing at a time in its files and
 * runs its tests; a change that no test notices is printed, and the share of those that were noticed is the score. Slow by nature,
 * so not a part of `.ci/run`; `-- --mutate <file>` does one file of an area.
 */
const areas = {
  rules: {
    files: ['src/commands/{order,wallet,stock}.rules.ts', 'src/commands/{decide,world}.ts'],
    tests: ['commands/rules', 'commands/rules.property'],
  },
  batch: {
    files: ['src/commands/{command.batch,batch.load,batch.save}.ts'],
    tests: ['commands/batch.rows'],
  },
  queue: {
    files: ['src/commands/{command.queue,waiting.line}.ts'],
    tests: ['limits/waiting.line', 'commands/queue'],
  },
  // Hubs share servers only: with TEST_DATABASE_URL there is more to notice in `hub.watch.ts`.
  rooms: {
    files: ['src/rooms/*.ts', '!src/rooms/*.{entity,module}.ts'],
    tests: ['rooms/nodes', 'rooms/feeds', 'rooms/keeping', 'commands/stored'],
  },
  adapter: {
    files: ['src/platform/socket.adapter.ts'],
    tests: ['platform/adapter'],
  },
};

const { files, tests } = areas[process.env.AREA ?? 'rules'];
process.env.MUTANT_TESTS = tests.join(' ');
// Histories of the rules that are played for a mutant: a fault in them shows within a few dozen.
process.env.HISTORIES ??= '150';
// What a mutant keeps from coming is not waited for as long as on a busy day.
process.env.PATIENCE_MS ??= '4000';

export default {
  mutate: files,
  testRunner: 'once-loaded',
  plugins: ['./scripts/mutants/runner.mjs'],
  testRunnerNodeArgs: ['--disable-warning=ExperimentalWarning', '--disable-proto=delete'],
  // Which tests reach which mutant is noted in a first run, so that only those are run against it.
  coverageAnalysis: 'perTest',
  // What runs only while a module is loaded would need every test against it.
  ignoreStatic: true,
  concurrency: 1,
  timeoutMS: 15_000,
  timeoutFactor: 1.2,
  ignorePatterns: ['/dist', '/docs', '/web', '/bench', '/examples', '/data'],
  tempDirName: '.stryker-tmp',
  reporters: ['clear-text', 'progress-append-only', 'json'],
  jsonReporter: { fileName: 'reports/mutants.json' },
  clearTextReporter: { allowColor: false, reportTests: false },
  thresholds: { high: 95, low: 90, break: null },
};
