// Proves the promises under faults, on the embedded database, MariaDB and MySQL: kills hubs, database servers and Redis, cuts
// connections and freezes processes under load, then checks every answer that clients received against the database.
//
//   npm run chaos                                 the long form, about 25 minutes
//   npm run chaos -- --quick                      the form of `.ci/run`, about ten minutes
//   npm run chaos -- --seed 7 --minutes 60        another seed; the time shared by the scenarios without an end
//   npm run chaos -- --on mariadb --only hubs     one database, one scenario
//   npm run chaos -- --on galera                  three hubs on a cluster whose nodes all take writes
//   npm run cluster                               switches and deaths of the writer: Galera, Group Replication
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { JEST } from './jest.mjs';
import { prepare } from './prepare.mjs';

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 999_999)) },
    minutes: { type: 'string', default: '15' },
    quick: { type: 'boolean', default: false },
    on: { type: 'string' },
    only: { type: 'string' },
  },
});

const onServer = [
  'auditor',
  'proxy',
  'crash.points',
  'commit.cut',
  'hubs',
  'clocks',
  'server.kills',
  'frozen',
  'read.lock',
  'restore',
  'held.rows',
  'hints',
  'ambient',
  'tls',
  'latency',
  'python',
  'shop',
  'storm',
];
/** Three nodes that all take writes. */
const onCluster = ['galera', 'galera.start', 'galera.races', 'galera.reads', 'switches', 'quorum'];
/** The embedded database has a single hub. */
const scenarios = {
  sqlite: ['auditor', 'crash.points', 'embedded', 'restore', 'python', 'shop', 'storm'],
  // Which server it is makes no difference to what stands before the hubs.
  mariadb: [...onServer, 'balancers'],
  mysql: onServer,
  galera: onCluster,
  // One member takes writes.
  group: ['switches', 'quorum'],
};
/** Scenarios without an end of their own, over all databases: they share the minutes. */
const ENDLESS = 10;
const QUICK_SECONDS = 12;
/** Below the ports that tests choose from. */
const PORTS = {
  galera: { from: 17_000, count: 900 },
  group: { from: 16_000, count: 900 },
  mariadb: { from: 18_000, count: 1_000 },
  mysql: { from: 19_000, count: 1_000 },
};

await prepare({ dev: true });
const minutes = Number(options.minutes);
const seconds = options.quick ? QUICK_SECONDS : Math.max(QUICK_SECONDS, Math.round((minutes * 60) / ENDLESS));
const temp = mkdtempSync(join(tmpdir(), 'order-hub-chaos-'));
/** Debian's packages for the Python client, unless they are there. */
const PYTHON = `/usr/bin/python3 -c 'import requests, socketio, websocket' 2>/dev/null ||
  { apt-get update -qq && apt-get install -y -qq python3-requests python3-socketio python3-websocket; }`;
/** Child processes, and how to stop each running database server. */
const running = new Set();
const servers = new Map();

/** Runs a program to its end and returns its exit status. */
async function run(command, parameters, variables = {}) {
  const child = spawn(command, parameters, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...variables },
  });
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

/** The short form tests the auditor itself on the embedded database only: the other scenarios rely on it everywhere. */
function isSelected(name, database) {
  if (options.only) return name === options.only;
  return !options.quick || name !== 'auditor' || database === 'sqlite';
}

/** Runs the scenarios on one database, with its own server. */
async function runOn(database) {
  const files = scenarios[database].filter((name) => isSelected(name, database));
  if (files.length === 0) return 0;
  if (files.includes('python') && (await run('bash', ['-c', PYTHON])) !== 0) return 1;
  const variables = {
    CHAOS_SEED: options.seed,
    CHAOS_SECONDS: String(seconds),
    CHAOS_LONG: options.quick ? '' : '1',
    CHAOS_REPORT: join(temp, `${database}.report`),
    CHAOS_SERVER: '',
    TEST_DATABASE_URL: '',
  };
  if (database !== 'sqlite') {
    const script = join('scripts', 'servers', database);
    const folder = join(temp, database);
    const port = String(await freePort(PORTS[database]));
    servers.set(database, () => run('bash', [script, 'stop', folder, port]));
    if ((await run('bash', [script, 'start', folder, port])) !== 0) return 1;
    variables.CHAOS_SERVER = `${database} ${folder} ${port}`;
    variables.TEST_DATABASE_URL = `mysql://hub:hub@127.0.0.1:${port}/orders`;
  }
  const patterns = files.map((name) => `/${name.replaceAll('.', '\\.')}\\.spec`);
  const config = ['--config', 'jest.chaos.config.js'];
  const status = await run(process.execPath, [...JEST, ...config, ...patterns], variables);
  await servers.get(database)?.();
  servers.delete(database);
  return status;
}

function reported(database) {
  const report = join(temp, `${database}.report`);
  return existsSync(report) ? `\nOn ${database}\n${readFileSync(report, 'utf8')}` : '';
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    for (const child of running) child.kill(signal);
    for (const stop of servers.values()) await stop();
    rmSync(temp, { recursive: true, force: true });
    process.exit(1);
  });
}

console.log(`Chaos with the seed ${options.seed}, ${seconds} s for each scenario without an end`);
const started = Date.now();
const databases = (options.on ?? 'sqlite,mariadb,mysql').split(',');
// In turn: two servers at a time on two cores would exceed the time limits that some scenarios check.
const statuses = [];
for (const database of databases) statuses.push(await runOn(database));
const failed = databases.filter((_, index) => statuses[index] !== 0);
const took = Math.round((Date.now() - started) / 1_000);
console.log(`\nSeed ${options.seed}, ${took} s\n${databases.map(reported).join('')}`);
console.log(failed.length > 0 ? `Failed on ${failed.join(', ')}` : 'Nothing was lost, doubled or out of order.');
rmSync(temp, { recursive: true, force: true });
process.exit(failed.length > 0 ? 1 : 0);
