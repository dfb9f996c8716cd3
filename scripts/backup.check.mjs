// Backs up and restores as compose does: a MySQL of its own with the account that compose's image makes, a hub with orders, the
// command of compose's service `backup`, an empty database, `npm run restored`, and a hub again. Orders, balances and stock must be
// the same, and no program may print a warning or an error. MYSQL_PROGRAMS may name a folder with MySQL's programs.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';

const PASSWORD = 'hub';
const USER_PASSWORD = 'correct horse battery';
const COMPLAINT = /error|denied|warning/i;
const ORDERS = 12;

const { services } = parse(readFileSync('docker-compose.yml', 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'order-hub-backup-'));
const server = join(folder, 'mysql');
const programs = process.env.MYSQL_PROGRAMS ?? join(server, 'root');
const port = await freePort();
const hubs = [];
let isStarted = false;
process.once('exit', () => {
  for (const hub of hubs) hub.kill('SIGKILL');
  if (isStarted) run('bash', ['scripts/servers/mysql', 'stop', server, String(port)]);
  rmSync(folder, { recursive: true, force: true });
});

function freePort() {
  const listener = createServer();
  return new Promise((resolve) => {
    listener.listen(0, '127.0.0.1', () => {
      const { port } = listener.address();
      listener.close(() => resolve(port));
    });
  });
}

/** Runs a program to its end, and returns what it wrote. Throws if it failed or complained. */
function run(command, args, { input, env = {} } = {}) {
  const options = { input, env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: 2 ** 28 };
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (error) throw error;
  if (status !== 0 || COMPLAINT.test(stderr)) throw new Error(`${command} ${args.join(' ')} (${status}):\n${stderr}`);
  return stdout;
}

/** A program of MySQL, with the libraries that were unpacked beside it. */
function mysqlProgram(name, args, options) {
  const libraries = join(programs, 'usr/lib', find(join(programs, 'usr/lib'), /-linux-gnu/));
  const loader = join(libraries, find(libraries, /^ld-linux.*\.so\.\d$/));
  return run(loader, ['--library-path', libraries, join(programs, 'usr/bin', name), '--no-defaults', ...args], options);
}

function find(path, pattern) {
  const name = readdirSync(path).find((entry) => pattern.test(entry));
  if (name === undefined) throw new Error(`${path} has no ${pattern}`);
  return name;
}

const asRoot = (sql) => mysqlProgram('mysql', ['--user=root', `--socket=${join(server, 'socket')}`, '--execute', sql]);
/** Compose's service of that name is this server. */
const here = (args) => args.flatMap((arg) => (arg === '--host=mysql' ? ['--host=127.0.0.1', `--port=${port}`] : [arg]));
const DATABASE_URL = services.hub.environment.DATABASE_URL.replace('mysql:3306', `127.0.0.1:${port}`).replace(
  /\$\{[^}]*\}/,
  PASSWORD,
);

async function startHub() {
  const child = spawn(process.execPath, ['dist/main.js'], {
    env: { PATH: process.env.PATH, PORT: '0', DATABASE_URL, RATE_LIMITS: 'off' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  hubs.push(child);
  let output = '';
  const ended = new Promise((resolve) => child.once('close', resolve));
  const url = await new Promise((resolve, reject) => {
    const read = (data) => {
      output += data;
      const [, found] = /listening on (http:\S+)/.exec(output) ?? [];
      if (found) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => reject(new Error(`The hub has ended:\n${output}`)));
  });
  const { status } = await fetch(`${url}/health/ready`);
  if (status !== 200) throw new Error(`The hub is not ready: ${status}`);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    // A log line is JSON and at most level 30, info.
    if (/"level":[4-6]0/.test(output)) throw new Error(`The hub complained:\n${output}`);
  };
  return { url, stop };
}

async function call({ url }, token, method, path, body) {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

async function login(hub, userId) {
  const { token } = await call(hub, undefined, 'POST', '/auth/login', { userId, password: USER_PASSWORD });
  return (...request) => call(hub, token, ...request);
}

/** What must be the same afterwards. */
async function stateOf(hub) {
  const [buyer, seller] = [await login(hub, 'buyer'), await login(hub, 'seller')];
  const lists = [await buyer('GET', '/orders?role=buyer'), await seller('GET', '/orders?role=seller')];
  const wallets = [await buyer('GET', '/wallet'), await seller('GET', '/wallet')];
  return { lists, wallets, books: await buyer('GET', '/stores/shop/books') };
}

run('bash', ['scripts/servers/mysql', 'start', server, String(port)]);
isStarted = true;
// As the image does with MYSQL_DATABASE and MYSQL_USER.
asRoot("REVOKE ALL ON *.* FROM hub@'%'; GRANT ALL ON orders.* TO hub@'%'");

let hub = await startHub();
for (const userId of ['buyer', 'seller'])
  await call(hub, undefined, 'POST', '/auth/register', { userId, password: USER_PASSWORD });
const [buyer, seller] = [await login(hub, 'buyer'), await login(hub, 'seller')];
await seller('POST', '/stores', { storeId: 'shop' });
await seller('POST', '/stores/shop/books', { bookId: 'book', title: "L'été à 北京 \\ 📚", price: 1_500, stock: 100 });
await buyer('POST', '/wallet/deposits', { amount: 100_000 });
for (let index = 0; index < ORDERS; index++) {
  const order = await buyer('POST', '/orders', {
    storeId: 'shop',
    items: [{ bookId: 'book', count: 1 }],
    key: `k-${index}-key`,
  });
  if (index % 2 === 0) await buyer('POST', `/orders/${order.orderId}/pay`, {});
}
const before = await stateOf(hub);

const { entrypoint, command, environment } = services.backup;
const [program, ...options] = [...entrypoint, ...command];
if (Object.keys(environment).join() !== 'MYSQL_PWD') throw new Error('The backup has other variables than MYSQL_PWD');
// Compose's image has MySQL 8.4. What newer versions dump besides is nothing that the hub has, and its account may not read it.
const isNewer = mysqlProgram(program, ['--help']).includes('--masking-policies');
const besides = isNewer ? ['--skip-masking-policies'] : [];
const dump = mysqlProgram(program, [...besides, ...here(options)], { env: { MYSQL_PWD: PASSWORD } });
console.log(`${program} has written ${dump.length} characters while the hub ran, and no complaint`);
await hub.stop();

asRoot('DROP DATABASE orders; CREATE DATABASE orders');
const client = here(['--host=mysql', '--user=hub', 'orders']);
mysqlProgram('mysql', client, { input: dump, env: { MYSQL_PWD: PASSWORD } });
console.log(run(process.execPath, ['dist/restored.js'], { env: { DATABASE_URL } }).trim());

hub = await startHub();
const after = await stateOf(hub);
if (after.lists[0].items.length !== ORDERS) throw new Error(`There are ${after.lists[0].items.length} orders`);
if (!isDeepStrictEqual(after, before)) {
  throw new Error(`${JSON.stringify(before)} became ${JSON.stringify(after)}`);
}
await (await login(hub, 'buyer'))('POST', '/orders', {
  storeId: 'shop',
  items: [{ bookId: 'book', count: 1 }],
  key: 'after-it',
});
await hub.stop();
console.log(`${ORDERS} orders, two balances and the stock are the same, and the hub takes orders`);
