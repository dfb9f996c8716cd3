// Proves the promises under fault, on the embedded database, on MariaDB and on MySQL: kills hubs, servers and Redis, cuts
// lines and freezes processes under load, and holds what clients were told against what the databases say.
//
//   npm run chaos                                 the long form, about 25 minutes
//   npm run chaos -- --quick                      what is run for every change
//   npm run chaos -- --seed 7 --minutes 60        another course of events; how long the scenarios go on altogether
//   npm run chaos -- --on mariadb --only hubs     one database, one scenario
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const { values: asked } = parseArgs({
  options: {
    seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 999_999)) },
    minutes: { type: 'string', default: '15' },
    quick: { type: 'boolean', default: false },
    on: { type: 'string' },
    only: { type: 'string' },
  },
});

/** Which scenarios make sense where. Those of the embedded database have one hub. */
const onServer = [
  'auditor',
  'proxy',
  'crash.points',
  'commit.cut',
  'hubs',
  'server.kills',
  'frozen',
  'hints',
  'latency',
  'storm',
];
const scenarios = { sqlite: ['auditor', 'crash.points', 'embedded', 'storm'], mariadb: onServer, mysql: onServer };
/** Scenarios that go on for as long as they are given, over all databases. */
const ENDLESS = 5;
const QUICK_SECONDS = 12;

const minutes = Number(asked.minutes);
const seconds = asked.quick ? QUICK_SECONDS : Math.max(QUICK_SECONDS, Math.round((minutes * 60) / ENDLESS));
const temp = mkdtempSync(join(tmpdir(), 'order-hub-chaos-'));
const report = join(temp, 'report');
writeFileSync(report, '');

let running;
let stopServer = async () => {};

/** Runs a program to its end, and gives its exit status. */
async function run(command, parameters, variables = {}) {
  running = spawn(command, parameters, { stdio: 'inherit', env: { ...process.env, ...variables } });
  const [status] = await once(running, 'exit');
  return status ?? 1;
}

/** Runs the scenarios on one database, with a server of its own. */
async function runOn(database) {
  const files = scenarios[database].filter((name) => !asked.only || name === asked.only);
  if (files.length === 0) return 0;
  const variables = {
    CHAOS_SEED: asked.seed,
    CHAOS_SECONDS: String(seconds),
    CHAOS_LONG: asked.quick ? '' : '1',
    CHAOS_REPORT: report,
    CHAOS_SERVER: '',
    TEST_DATABASE_URL: '',
  };
  if (database !== 'sqlite') {
    const script = join('scripts', 'servers', database);
    const folder = join(temp, database);
    const port = String(20_000 + Math.floor(Math.random() * 12_000));
    stopServer = () => run('bash', [script, 'stop', folder, port]);
    if ((await run('bash', [script, 'start', folder, port])) !== 0) return 1;
    variables.CHAOS_SERVER = `${database} ${folder} ${port}`;
    variables.TEST_DATABASE_URL = `mysql://hub:hub@127.0.0.1:${port}/orders`;
  }
  writeFileSync(report, `\nOn ${database}\n`, { flag: 'a' });
  const jest = join('node_modules', 'jest', 'bin', 'jest.js');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const patterns = files.map((name) => `/${name.replaceAll('.', '\\.')}\\.spec`);
  const config = ['--config', 'jest.chaos.config.js'];
  const status = await run(process.execPath, [...flags, jest, ...config, ...patterns], variables);
  await stopServer();
  stopServer = async () => {};
  return status;
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    running?.kill(signal);
    await stopServer();
    rmSync(temp, { recursive: true, force: true });
    process.exit(1);
  });
}

console.log(`Chaos with the seed ${asked.seed}, ${seconds} s for each scenario without an end of its own`);
const started = Date.now();
const databases = asked.on ? asked.on.split(',') : Object.keys(scenarios);
const failed = [];
for (const database of databases) if ((await runOn(database)) !== 0) failed.push(database);
console.log(`\nSeed ${asked.seed}, ${Math.round((Date.now() - started) / 1_000)} s\n${readFileSync(report, 'utf8')}`);
console.log(failed.length > 0 ? `Failed on ${failed.join(', ')}` : 'Nothing was lost, doubled or out of order.');
rmSync(temp, { recursive: true, force: true });
process.exit(failed.length > 0 ? 1 : 0);
