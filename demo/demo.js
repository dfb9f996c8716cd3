// A market to look at: a hub on a temporary database, two furnished shops, and people who shop and sell at a human pace.
//   npm run demo                 PORT=4000 npm run demo   at this port rather than at a free one
//   npm run demo -- --pace 5     five times faster than people are
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { startHub } from '../scripts/start.hub.mjs';
import { shops } from './books.js';
import { enter, openShop, pick, sell, shop, thinker } from './people.js';

const PASSWORD = 'demo-books';
const BUYERS = ['小雨', 'Marcus', '王老师', 'Priya', '阿杰', 'Sofia', '陈默', 'Tom'];
/** Soon enough that a newcomer sees what happens to an order that nobody pays. */
const UNPAID_TTL_SECONDS = 120;

const { values: asked } = parseArgs({ options: { pace: { type: 'string', default: '1' } } });
const pace = Number(asked.pace);
if (!(pace > 0)) throw new Error('--pace must be a number above 0');
const folder = mkdtempSync(join(tmpdir(), 'order-hub-demo-'));
let child;
let isEnding = false;

/** Starts the hub; the second time at the same address. */
async function startMarket(port) {
  const variables = {
    PORT: port,
    DATABASE_URL: `sqlite:${join(folder, 'demo.sqlite')}`,
    UNPAID_TTL_SECONDS: String(UNPAID_TTL_SECONDS),
    LOG_LEVEL: 'error',
  };
  // In a folder of its own: a `.env` beside the demo is not meant for it.
  const hub = startHub(variables, { cwd: folder });
  child = hub.child;
  child.once('exit', (code, signal) => {
    if (!isEnding && signal !== 'SIGKILL') end(code ?? 1);
  });
  return new URL(await hub.listening);
}

async function killHub(port) {
  console.log('The hub is killed in the middle of whatever it does (kill -9) …');
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  await startMarket(port);
  console.log('… and is back. The pages catch up by themselves; no order is lost, none is there twice.');
}

function end(code = 0) {
  if (isEnding) return;
  isEnding = true;
  child.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(code);
  });
  if (child.exitCode === null && child.signalCode === null) child.kill();
  else child.emit('exit');
}

/** Everybody comes in; some orders are on their way already when the visitor looks. */
async function openMarket(url) {
  const think = thinker(pace);
  for (const each of shops) {
    const owner = await enter(url, each.owner, PASSWORD);
    await openShop(owner, each);
    sell(owner, { carriers: each.carriers, think });
  }
  const ada = await enter(url, 'ada', PASSWORD);
  await ada.api.call('deposit', { amount: 80_000 });
  for (const bookId of ['three-body', 'middlemarch']) {
    const { orderId } = await ada.hub.place({ storeId: 'lin-books', items: [{ bookId, count: 1 }] });
    await ada.hub.pay({ orderId });
  }
  ada.hub.close();
  for (const userId of BUYERS) {
    const buyer = await enter(url, userId, PASSWORD);
    void shop(buyer, { shops: [shops[0], pick(shops)], think });
  }
}

process.on('SIGINT', () => end());
process.on('SIGTERM', () => end());
const url = await startMarket(process.env.PORT || '0');
console.log(`Opening two bookshops at ${url.origin} …`);
await openMarket(url.origin);
console.log(`
  ${url.origin}

  log in as   with the password
  lin         ${PASSWORD}          sells ${shops[0].books.length} books, and orders keep coming in
  ada         ${PASSWORD}          buys; two orders of hers are on their way

In the first minute
  1. Log in as lin and open Sell: the board moves by itself, and rings for each order that is paid. Ship one yourself
     before lin's simulated hands do.
  2. In a private window, log in as ada: search for 三体 or dark, order, pay, and watch it travel. Leave one order unpaid:
     after ${UNPAID_TTL_SECONDS / 60} minutes the hub cancels it and the copies are back on the shelf.
  3. With both windows open, press k and Enter here: the hub is killed with kill -9 and started again. Both pages say so,
     come back by themselves, and tell what changed meanwhile.
  4. ${url.origin}/docs is the API, to read.
Ctrl+C ends the demo and removes all that it made.
`);
const lines = createInterface({ input: process.stdin });
for await (const line of lines) if (line.trim() === 'k') await killHub(url.port);
