// Runs `npm start` on an empty database and the examples against it. Their output must be the documented one, except for
// order ids.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const TIMEOUT_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), 'order-hub-examples-'));
// Once the hubs have ended, which would miss their databases.
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const children = [];
const timeout = setTimeout(() => fail(`not done within ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS);

function start(command, args, environment = {}) {
  // A separate process group, because npm does not forward signals to its child.
  const child = spawn(command, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const started = { child, output: '', ended: new Promise((resolve) => child.once('close', resolve)) };
  child.stdout.on('data', (data) => {
    started.output += data;
  });
  children.push(child);
  return started;
}

async function waitForOutput(started, pattern) {
  for (;;) {
    const match = pattern.exec(started.output);
    if (match) return match;
    if (started.child.exitCode !== null) fail(`ended without ${pattern}:\n${started.output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function expectedOutput(script) {
  const documents = ['README.md', 'docs/protocol.md'].map((path) => readFileSync(path, 'utf8')).join('\n');
  const block = new RegExp(`<!-- ${script} prints -->\\n\`\`\`text\\n([\\s\\S]*?)\`\`\``).exec(documents);
  return block?.[1] ?? fail(`no document shows what ${script} prints`);
}

function maskOrderIds(text) {
  return text.replace(/^(\w+ +)[0-9a-f]{6}\b/gm, '$1……');
}

function compare(script, output) {
  if (maskOrderIds(output) === maskOrderIds(expectedOutput(script)))
    return console.log(`${script} prints what is documented`);
  return fail(`${script} printed\n${output}\nand the documents show\n${expectedOutput(script)}`);
}

/** As the README puts the hub behind a shop: the backend orders, somebody pays at the provider's page, the receiver hears of it. */
async function checkShop() {
  const OPERATOR_KEY = crypto.randomUUID();
  const database = `sqlite:${join(folder, 'shop.sqlite')}`;
  const settings = { OPERATOR_KEY, FUNDS: 'provider', PAYMENT_PROVIDER: 'test', WEBHOOKS_PRIVATE: 'true' };
  const own = start('npm', ['start'], { PORT: '0', DATABASE_URL: database, ...settings });
  const [, HUB_URL] = await waitForOutput(own, /listening on (http:\S+)/);
  const backend = start('node', ['examples/shop-backend.js'], { HUB_URL, OPERATOR_KEY });
  const [, page] = await waitForOutput(backend, /pay at +(http:\S+)/);
  const account = { HUB_TOKEN: OPERATOR_KEY, HUB_USER: 'shop-books-owner', WEBHOOK_PORT: '0' };
  const receiver = start('node', ['examples/webhook.js', join(folder, 'webhook.json')], { HUB_URL, ...account });
  await waitForOutput(receiver, /receives/);
  await fetch(page, { method: 'POST', body: new URLSearchParams({ answer: 'yes' }) });
  await waitForOutput(backend, /^paid +46\.00$/m);
  await waitForOutput(receiver, /^paid /m);
  console.log('the backend of a shop and its receiver hear of a paid order');
  return own;
}

function shutDown(status) {
  clearTimeout(timeout);
  for (const { pid, exitCode } of children) if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGTERM');
  process.exitCode = status;
}

function fail(reason) {
  console.error(reason);
  shutDown(1);
  process.exit(1);
}

const hub = start('npm', ['start'], {
  PORT: '0',
  DATABASE_URL: `sqlite:${join(folder, 'hub.sqlite')}`,
  WEBHOOKS_PRIVATE: 'true',
});
const [, url] = await waitForOutput(hub, /listening on (http:\S+)/);
const ready = await fetch(`${url}/health/ready`);
if (ready.status !== 200) fail(`/health/ready returned ${ready.status}`);
console.log(`the hub at ${url} is ready`);

const seller = start('node', ['examples/seller.js'], { HUB_URL: url });
await waitForOutput(seller, /ready/);
const buyer = start('node', ['examples/buyer.js'], { HUB_URL: url });
await Promise.all([seller.ended, buyer.ended]);
compare('examples/seller.js', seller.output);
compare('examples/buyer.js', buyer.output);
const bare = start('node', ['examples/bare.js'], { HUB_URL: url });
await bare.ended;
compare('examples/bare.js', bare.output);
const webhook = start('node', ['examples/webhook.js'], { HUB_URL: url });
await webhook.ended;
compare('examples/webhook.js', webhook.output);
const expiry = start('node', ['--test', 'examples/expiry.test.js']);
if ((await expiry.ended) !== 0) fail(`examples/expiry.test.js failed:\n${expiry.output}`);
console.log('the test of an expiry passes, and waits for nothing');
const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--config', '{"transform":{}}'];
const lost = start('node', [...jest, '--rootDir', 'examples', 'lost.answer']);
if ((await lost.ended) !== 0) fail('examples/lost.answer.spec.js failed');
console.log('the test of a lost answer passes in Jest');
const shop = await checkShop();
shutDown(0);
await Promise.all([hub.ended, shop.ended]);
