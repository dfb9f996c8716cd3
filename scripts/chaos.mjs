// Proves the promises under fault, on the embedded database, on MariaDB and on MySQL: kills hubs, servers and Redis, cuts
// lines and freezes processes under load, and holds what clients were told against what the databases say.
//
//   npm run chaos                                 the long form, about 25 minutes
//   npm run chaos -- --quick                      what is run for every change, on two databases at a time
//   npm run chaos -- --seed 7 --minutes 60        another course of events; how long the scenarios go on altogether
//   npm run chaos -- --on mariadb --only hubs     one database, one scenario
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
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
/** Below the ports that tests choose from, and apart: both servers start at the same time. */
const PORTS = { mariadb: { from: 18_000, count: 1_000 }, mysql: { from: 19_000, count: 1_000 } };

const minutes = Number(asked.minutes);
const seconds = asked.quick ? QUICK_SECONDS : Math.max(QUICK_SECONDS, Math.round((minutes * 60) / ENDLESS));
const temp = mkdtempSync(join(tmpdir(), 'order-hub-chaos-'));
/** Of which databases it was not shown yet what their scenarios have said. */
const unsaid = new Set();

/** What runs now, and which servers do. */
const running = new Set();
const servers = new Map();

/** Runs a program to its end, and gives its exit status. What it says goes to an open file, or is shown as it comes. */
async function run(command, parameters, variables = {}, said = 'inherit') {
  const stdio = ['ignore', said, said];
  const child = spawn(command, parameters, { stdio, env: { ...process.env, ...variables } });
  running.add(child);
  const [status] = await once(child, 'exit');
  running.delete(child);
  return status ?? 1;
}

async function freePort({ from, count }) {
  for (;;) {
    const port = from + Math.floor(Math.random() * count);
    const probe = createServer().listen(port, '127.0.0.1');
    const isFree = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    probe.close();
    if (isFree) return port;
  }
}

/** Runs the scenarios on one database, with a server of its own. */
async function runOn(database, said) {
  const files = scenarios[database].filter((name) => !asked.only || name === asked.only);
  if (files.length === 0) return 0;
  const variables = {
    CHAOS_SEED: asked.seed,
    CHAOS_SECONDS: String(seconds),
    CHAOS_LONG: asked.quick ? '' : '1',
    CHAOS_REPORT: join(temp, `${database}.report`),
    CHAOS_SERVER: '',
    TEST_DATABASE_URL: '',
  };
  if (database !== 'sqlite') {
    const script = join('scripts', 'servers', database);
    const folder = join(temp, database);
    const port = String(await freePort(PORTS[database]));
    servers.set(database, () => run('bash', [script, 'stop', folder, port], {}, said));
    if ((await run('bash', [script, 'start', folder, port], {}, said)) !== 0) return 1;
    variables.CHAOS_SERVER = `${database} ${folder} ${port}`;
    variables.TEST_DATABASE_URL = `mysql://hub:hub@127.0.0.1:${port}/orders`;
  }
  const jest = join('node_modules', 'jest', 'bin', 'jest.js');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const patterns = files.map((name) => `/${name.replaceAll('.', '\\.')}\\.spec`);
  const config = ['--config', 'jest.chaos.config.js'];
  const status = await run(process.execPath, [...flags, jest, ...config, ...patterns], variables, said);
  await servers.get(database)?.();
  servers.delete(database);
  return status;
}

/** Runs the scenarios on two databases at a time, because they wait half of it, and shows what each said when it is through. */
async function runSideBySide(databases) {
  const statuses = [];
  // Those on servers take longest, so they begin.
  const left = [...databases.keys()].reverse();
  const lane = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const database = databases[next];
      const log = openSync(join(temp, `${database}.log`), 'w');
      unsaid.add(database);
      statuses[next] = await runOn(database, log);
      tell(database);
    }
  };
  await Promise.all([lane(), lane()]);
  return statuses;
}

async function runInTurn(databases) {
  const statuses = [];
  for (const database of databases) statuses.push(await runOn(database));
  return statuses;
}

function tell(database) {
  unsaid.delete(database);
  process.stdout.write(`\n--- On ${database}\n${readFileSync(join(temp, `${database}.log`), 'utf8')}`);
}

function reported(database) {
  const report = join(temp, `${database}.report`);
  return existsSync(report) ? `\nOn ${database}\n${readFileSync(report, 'utf8')}` : '';
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    for (const child of running) child.kill(signal);
    for (const database of unsaid) tell(database);
    for (const stop of servers.values()) await stop();
    rmSync(temp, { recursive: true, force: true });
    process.exit(1);
  });
}

console.log(`Chaos with the seed ${asked.seed}, ${seconds} s for each scenario without an end of its own`);
const started = Date.now();
const databases = asked.on ? asked.on.split(',') : Object.keys(scenarios);
const statuses = await (asked.quick ? runSideBySide : runInTurn)(databases);
const failed = databases.filter((_, index) => statuses[index] !== 0);
const took = Math.round((Date.now() - started) / 1_000);
console.log(`\nSeed ${asked.seed}, ${took} s\n${databases.map(reported).join('')}`);
console.log(failed.length > 0 ? `Failed on ${failed.join(', ')}` : 'Nothing was lost, doubled or out of order.');
rmSync(temp, { recursive: true, force: true });
process.exit(failed.length > 0 ? 1 : 0);
