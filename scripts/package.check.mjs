// Packs the package and uses it as a stranger would: in an empty folder, a TypeScript client compiles and hears an order of a hub
// that `npx order-hub` started, and the demo opens. publint and attw judge the tarball.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PACKED_BYTES_MAX = 5_000_000;
const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const folder = mkdtempSync(join(tmpdir(), 'order-hub-package-'));
const children = [];

/** The client of the README, in TypeScript: it hears an order that it places itself. */
const CLIENT = `import { connect, createApi, type HubClient } from 'order-hub/client';
import { CONTRACT_VERSION, type Order } from 'order-hub/contract';
const url = process.env.HUB_URL ?? '';
const api = createApi({ url });
const join = async (userId: string) => {
  await api.call('register', { userId, password: 'a password' });
  return api.call('login', { userId, password: 'a password' });
};
const [seller, buyer] = [await join('seller'), await join('buyer')];
const owner = createApi({ url, token: seller.token });
await owner.call('openStore', { storeId: 'corner' });
await owner.call('addBook', { storeId: 'corner', bookId: 'b1', title: 'A book', price: 100, stock: 1 });
const panel: HubClient = connect({ url, token: seller.token });
const hub = connect({ url, token: buyer.token });
panel.on('order', ({ orderId, status }) => {
  console.log(\`heard \${orderId} \${status}, contract \${CONTRACT_VERSION}\`);
  panel.close();
});
await new Promise<void>((resolve) => panel.on('state', (state) => state === 'live' && resolve()));
const order: Order = await hub.place({ storeId: 'corner', items: [{ bookId: 'b1', count: 1 }] });
console.log(\`placed \${order.orderId}\`);
hub.close();
`;

/** A seller's panel on the hooks. */
const PANEL = `import { createElement as h } from 'react';
import { HubProvider, useCommand, useOrders, type LoadedOrder } from 'order-hub/react';
export const App = ({ token }: { token: string }) => h(HubProvider, { url: 'http://127.0.0.1:3000', token }, h(Panel));
function Panel() {
  const { orders } = useOrders('seller', { status: 'paid', all: true });
  const { send, isPending } = useCommand('ship');
  const row = ({ orderId }: LoadedOrder) =>
    h('button', { key: orderId, disabled: isPending, onClick: () => send({ orderId, carrier: 'SF' }) }, orderId);
  // @ts-expect-error A command without its order.
  return h('p', { onClick: () => send({}) }, orders.map(row));
}
`;

function run(command, args, options = {}) {
  return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options });
}

/** Starts the package's command in the folder, and resolves with the URL that it prints. */
async function start(args) {
  const child = spawn('npx', ['order-hub', ...args], {
    cwd: folder,
    env: { ...process.env, DATABASE_URL: '', REDIS_URL: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
    // A process group of its own, because npx does not forward signals.
    detached: true,
  });
  children.push(child);
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    printed += text;
  });
  while (!printed.includes('Ctrl+C')) {
    if (child.exitCode !== null) throw new Error(`order-hub ${args.join(' ')} ended:\n${printed}`);
    await sleep(50);
  }
  const [url] = /http:\/\/[^\s…]+/.exec(printed) ?? [];
  return url;
}

function bytesIn(path) {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

async function check() {
  run('npm', ['pack', '--silent', '--pack-destination', folder]);
  const tarball = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.tgz')),
  );
  const { size } = statSync(tarball);
  if (size > PACKED_BYTES_MAX) throw new Error(`the tarball has ${size} bytes`);
  run(join(bin, 'publint'), ['run', tarball, '--strict'], { stdio: 'inherit' });
  run(join(bin, 'attw'), [tarball, '--profile', 'esm-only', '--quiet'], { stdio: 'inherit' });

  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'a-shop', version: '1.0.0', type: 'module' }));
  run('npm', ['install', tarball, '--prefer-offline', '--no-audit', '--no-fund', '--silent'], { cwd: folder });
  console.log(
    `${(size / 1e6).toFixed(1)} MB packed, ${Math.round(bytesIn(join(folder, 'node_modules')) / 1e6)} MB installed`,
  );

  writeFileSync(join(folder, 'client.ts'), CLIENT);
  const strict = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
  const compile = (file) =>
    run(join(bin, 'tsc'), [...strict, '--typeRoots', join(root, 'node_modules', '@types'), file], {
      cwd: folder,
      stdio: 'inherit',
    });
  compile('client.ts');
  const url = await start(['--port', '0', '--database', `sqlite:${join(folder, 'hub.sqlite')}`]);
  const printed = run('node', ['client.js'], { cwd: folder, env: { ...process.env, HUB_URL: url } });
  const ids = ['placed', 'heard'].map((word) => new RegExp(`^${word} (\\S+)`, 'm').exec(printed)?.[1]);
  if (ids[0] === undefined || ids[0] !== ids[1]) throw new Error(`the client printed:\n${printed}`);
  console.log('a client of the package hears its order');

  writeFileSync(join(folder, 'panel.ts'), PANEL);
  const { react, '@types/react': types } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies;
  const packages = [`react@${react}`, `@types/react@${types}`];
  run('npm', ['install', ...packages, '--prefer-offline', '--no-audit', '--no-fund', '--silent'], { cwd: folder });
  compile('panel.ts');
  run('node', ['panel.js'], { cwd: folder });
  console.log('a panel on the hooks compiles');

  const page = await fetch(await start(['--demo']));
  if (page.status !== 200) throw new Error(`the demo's page answered ${page.status}`);
  console.log('the demo opens');
}

try {
  await check();
} finally {
  for (const child of children) {
    if (child.exitCode !== null) continue;
    // The hub, which npx does not wait for, has ended once its output has.
    const closed = once(child, 'close');
    process.kill(-child.pid, 'SIGTERM');
    await closed;
  }
  rmSync(folder, { recursive: true, force: true });
}
