// A live market: a hub on a temporary database, two stocked shops, and simulated buyers and sellers at a human pace.
//   npm run demo                 PORT=4000 npm run demo   on this port instead of a free one
//   npm run demo -- --pace 5     five times as fast
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { startHub } from '../scripts/start.hub.mjs';
import { shops } from './books.js';
import { createPause, openShop, pick, sell, shop, signUp } from './people.js';

const PASSWORD = 'demo-books';
const BUYERS = ['小雨', 'Marcus', '王老师', 'Priya', '阿杰', 'Sofia', '陈默', 'Tom'];
/** Short enough to watch an unpaid order expire. */
const UNPAID_TTL_SECONDS = 120;

const { values: options } = parseArgs({ options: { pace: { type: 'string', default: '1' } } });
const pace = Number(options.pace);
if (!(pace > 0)) throw new Error('--pace must be a number above 0');
const folder = mkdtempSync(join(tmpdir(), 'order-hub-demo-'));
let child;
let isShuttingDown = false;

/** Starts the hub and resolves with its URL. A restart passes the port, to keep the URL. */
async function startMarketHub(port) {
  const variables = {
    PORT: port,
    DATABASE_URL: `sqlite:${join(folder, 'demo.sqlite')}`,
    UNPAID_TTL_SECONDS: String(UNPAID_TTL_SECONDS),
    LOG_LEVEL: 'error',
  };
  // Run outside the repository, so that the demo ignores a local `.env`.
  const hub = startHub(variables, { cwd: folder });
  child = hub.child;
  child.once('exit', (code, signal) => {
    if (!isShuttingDown && signal !== 'SIGKILL') shutDown(code ?? 1);
  });
  return new URL(await hub.listening);
}

async function killHub(port) {
  console.log('The hub is killed in the middle of its work (kill -9) …');
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  await startMarketHub(port);
  console.log('… and is back. The pages reconnect and catch up; no order is lost or duplicated.');
}

function shutDown(code = 0) {
  if (isShuttingDown) return;
  isShuttingDown = true;
  child.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(code);
  });
  if (child.exitCode === null && child.signalCode === null) child.kill();
  else child.emit('exit');
}

/** Signs everyone up, with some orders already in progress. */
async function openMarket(url) {
  const pause = createPause(pace);
  for (const each of shops) {
    const owner = await signUp(url, each.owner, PASSWORD);
    await openShop(owner, each);
    sell(owner, { carriers: each.carriers, pause });
  }
  const ada = await signUp(url, 'ada', PASSWORD);
  await ada.api.call('deposit', { amount: 80_000 });
  for (const bookId of ['three-body', 'middlemarch']) {
    const { orderId } = await ada.hub.place({ storeId: 'lin-books', items: [{ bookId, count: 1 }] });
    await ada.hub.pay({ orderId });
  }
  ada.hub.close();
  for (const userId of BUYERS) {
    const buyer = await signUp(url, userId, PASSWORD);
    void shop(buyer, { shops: [shops[0], pick(shops)], pause });
  }
}

process.on('SIGINT', () => shutDown());
process.on('SIGTERM', () => shutDown());
const url = await startMarketHub(process.env.PORT || '0');
console.log(`Opening two bookshops at ${url.origin}…`);
await openMarket(url.origin);
console.log(`
  ${url.origin}

  username    password
  lin         ${PASSWORD}          sells ${shops[0].books.length} books; orders keep coming in
  ada         ${PASSWORD}          buys; has two orders in progress

In the first minute
  1. Log in as lin and open Sell: the board updates live and rings for each paid order. Ship one before lin's simulation
     does.
  2. In a private window, log in as ada: search for 三体 or dark, order, pay, and follow the order. Leave one unpaid: after
     ${UNPAID_TTL_SECONDS / 60} minutes the hub cancels it and puts the copies back in stock.
  3. With both windows open, press k and Enter here: the hub is killed with kill -9 and restarted. Both pages show the lost
     connection, reconnect, and count the changes they missed.
  4. Read the API docs at ${url.origin}/docs.
Press Ctrl+C to end the demo and delete its data.
`);
const lines = createInterface({ input: process.stdin });
for await (const line of lines) if (line.trim() === 'k') await killHub(url.port);
