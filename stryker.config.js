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
    files: ['src/commands/command.queue.ts'],
    tests: ['commands/queue'],
  },
  // The queue's line by itself: pure, so without a hub.
  line: {
    files: ['src/commands/waiting.line.ts'],
    tests: ['limits/waiting.line'],
  },
  rooms: {
    files: ['src/rooms/{room.feed,room.feeds,rooms.service}.ts'],
    tests: ['rooms/feeds'],
  },
  nodes: {
    files: ['src/rooms/{hub.nodes,hub.watch}.ts'],
    tests: ['rooms/nodes'],
  },
  adapter: {
    files: ['src/platform/socket.adapter.ts'],
    tests: ['auth/handshake', 'contract/errors', 'security/origins', 'security/web', 'limits/door'],
  },
};

const { files, tests } = areas[process.env.AREA ?? 'rules'];
process.env.MUTANT_TESTS = tests.join(' ');
// Histories of the rules that are played for a mutant: a fault in them shows within a few dozen.
process.env.HISTORIES ??= '150';
process.env.PATIENCE_MS ??= '4000';

export default {
  mutate: files,
  testRunner: 'jest',
  // Its search for related tests would read the whole project again for each mutant.
  jest: { configFile: 'jest.mutants.config.js', enableFindRelatedTests: false },
  testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  // Which tests reach which mutant is noted in a first run, so that only those are run against it.
  coverageAnalysis: 'perTest',
  // What runs only while a module is loaded would need every test against it.
  ignoreStatic: true,
  concurrency: 1,
  // Jest keeps what it has loaded for each of them.
  maxTestRunnerReuse: 40,
  timeoutMS: 20_000,
  ignorePatterns: ['/dist', '/docs', '/web', '/bench', '/examples', '/data'],
  tempDirName: '.stryker-tmp',
  reporters: ['clear-text', 'progress-append-only', 'json'],
  jsonReporter: { fileName: 'reports/mutants.json' },
  clearTextReporter: { allowColor: false, reportTests: false },
  thresholds: { high: 95, low: 90, break: null },
};
