import process from 'node:process';

/**
 * Mutation testing of the core, one area at a time: `AREA=rooms npm run mutants`, or `-- --mutate <file>` for one file of it.
 * Prints the mutants that survive. Too slow for `.ci/run`.
 */
const areas = {
  rules: {
    files: [
      'src/{orders/order,orders/claim,orders/refund,wallets/wallet,stores/stock}.rules.ts',
      'src/orders/order.{lines,steps,settlement,replay}.ts',
      'src/commands/{command.executor,unit.of.work}.ts',
    ],
    tests: [
      ...['commands/rules', 'commands/rules.money', 'commands/rules.lines', 'commands/rules.refunds'],
      ...['commands/rules.staff', 'commands/rules.replays', 'commands/rules.property'],
    ],
  },
  batch: {
    files: [
      'src/commands/{command.batch,batch.loader,batch.writer,idempotency.record}.ts',
      'src/{orders/order,wallets/wallet,stores/store}.handlers.ts',
    ],
    tests: ['commands/batch.rows', 'commands/batch.writes'],
  },
  queue: {
    files: ['src/commands/{command.queue,command.backlog}.ts'],
    tests: ['limits/command.backlog', 'commands/queue'],
  },
  // Several hubs share a server only: TEST_DATABASE_URL kills more mutants of `batch.follower.ts`.
  rooms: {
    files: ['src/rooms/*.ts', '!src/rooms/*.{entity,module}.ts'],
    tests: ['rooms/batch.log', 'rooms/event.publisher', 'rooms/retention', 'commands/stored'],
  },
  adapter: {
    files: [
      'src/platform/sockets/{socket.adapter,handshake}.ts',
      'src/platform/sockets/message.{binding,dispatcher,admission}.ts',
    ],
    tests: ['platform/adapter'],
  },
};

const { files, tests } = areas[process.env.AREA ?? 'rules'];
process.env.MUTANT_TESTS = tests.join(' ');
// Random histories per mutant: a wrong rule fails within a few dozen.
process.env.HISTORIES ??= '150';
// A mutant that prevents an event should fail its test sooner than on a loaded machine.
process.env.PATIENCE_MS ??= '4000';

export default {
  mutate: files,
  testRunner: 'single-process',
  plugins: ['./scripts/mutants/runner.mjs'],
  testRunnerNodeArgs: ['--disable-warning=ExperimentalWarning', '--disable-proto=delete'],
  coverageAnalysis: 'perTest',
  // Code that runs only at import would need every test.
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
