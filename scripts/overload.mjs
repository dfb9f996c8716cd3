// What a hub does when far more is asked of it than it can do: finds its peak, presses with 2, 5 and 10 times as much in an open
// loop from processes of their own, and prints what was done, how fast the rest was refused, and how soon all is normal again.
// Then it holds stock, money and rooms against what the clients were told.
//
//   node scripts/overload.mjs                                        on the embedded database
//   node scripts/overload.mjs --on mysql://hub:hub@127.0.0.1:3306    on a server, in a database of its own
//   node scripts/overload.mjs --seconds 20 --generators 2 --buyers 32
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import mysql from 'mysql2/promise';
import { io } from 'socket.io-client';
import { startHub } from './start.hub.mjs';

const { values: asked } = parseArgs({
  options: {
    on: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    generators: { type: 'string', default: '2' },
    buyers: { type: 'string', default: '32' },
  },
});
const seconds = Number(asked.seconds);
const TIMES = [1, 2, 5, 10];
const STOCK = 1_000_000;
const MONEY = 10 ** 12;
const PRICE = 100;
const PAY_SHARE = 0.2;
const UNDER_WAY_AT_PEAK = 512;
const PROBE_EVERY_MS = 50;
/** Back to normal: a lone command is answered as quickly as this many times the median before the flood. */
const NORMAL_TIMES = 3;

const temp = mkdtempSync(join(tmpdir(), 'order-hub-overload-'));
const database = await ownDatabase();
const hub = startHub({ PORT: '0', DATABASE_URL: database.url, LOG_LEVEL: 'error', RATE_LIMITS: 'off' });
const url = await hub.listening;
try {
  const market = await furnish();
  const generators = await Promise.all(range(Number(asked.generators)).map((index) => startGenerator(index, market)));
  const everybody = (order) => Promise.all(generators.map((generator) => askGenerator(generator, order)));
  const told = { ok: 0, paid: 0, unknown: 0 };
  const press = async (options) => {
    const share = (count) => (count === undefined ? undefined : Math.ceil(count / generators.length));
    const each = {
      ...options,
      perSecond: share(options.perSecond),
      underWay: share(options.underWay),
      payShare: PAY_SHARE,
    };
    const result = sum(await everybody({ press: each }));
    told.ok += result.ok;
    told.paid += result.paid;
    told.unknown += result.unanswered + (result.codes.UNAVAILABLE ?? 0);
    return result;
  };

  await press({ underWay: UNDER_WAY_AT_PEAK, seconds: 3 }); // warms up
  const probe = await startProbe(market);
  await sleep(1_000);
  const normalMs = percentile(
    probe.latencies.map(({ ms }) => ms),
    0.5,
  );
  const peaks = [];
  for (const _ of range(3))
    peaks.push((await press({ underWay: UNDER_WAY_AT_PEAK, seconds: seconds / 2 })).okInTime / (seconds / 2));
  const peak = Math.max(...peaks);
  console.log(
    `${database.name}: peak ${Math.round(peak)} commands/s (${peaks.map(Math.round)}), a lone one ${normalMs.toFixed(1)} ms`,
  );
  for (const times of TIMES) {
    const result = await press({ perSecond: peak * times, seconds });
    const endedAt = performance.now() - result.drainMs;
    await sleep(5_000);
    tell(times, peak, result, normalAgainAfter(probe, endedAt, normalMs));
  }
  probe.stop();
  await audit(market, told, probe);
  for (const generator of generators) generator.kill();
} finally {
  hub.child.kill('SIGKILL');
  await once(hub.child, 'exit');
  await database.drop();
  rmSync(temp, { recursive: true, force: true });
}

async function ownDatabase() {
  if (!asked.on) return { name: 'embedded', url: `sqlite:${join(temp, 'hub.sqlite')}`, drop: async () => {} };
  const name = `hub_overload_${process.pid}`;
  const server = await mysql.createConnection(asked.on);
  await server.query(`CREATE DATABASE ${name}`);
  const [[{ version }]] = await server.query('SELECT VERSION() AS version');
  const drop = async () => {
    await server.query(`DROP DATABASE ${name}`);
    await server.end();
  };
  const url = new URL(asked.on);
  url.pathname = `/${name}`;
  return { name: version, url: url.href, drop };
}

async function http(method, path, token, body) {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

async function register(userId) {
  const password = 'a password of the crowd';
  await http('POST', '/auth/register', undefined, { userId, password });
  return (await http('POST', '/auth/login', undefined, { userId, password })).token;
}

async function furnish() {
  const seller = await register('seller');
  await http('POST', '/stores', seller, { storeId: 'store' });
  await http('POST', '/stores/store/books', seller, { bookId: 'book', title: 'Book', price: PRICE, stock: STOCK });
  const buyers = [];
  for (const index of range(Number(asked.buyers) + 1)) {
    const token = await register(`buyer-${index}`);
    await http('POST', '/wallet/deposits', token, { amount: MONEY });
    buyers.push(token);
  }
  return { seller, prober: buyers.pop(), buyers, storeId: 'store', bookId: 'book' };
}

async function startGenerator(index, { buyers, storeId, bookId }) {
  const generator = fork(join('scripts', 'overload.generator.mjs'));
  const own = buyers.filter((_, at) => at % Number(asked.generators) === index);
  await askGenerator(generator, { connect: { url, buyers: own, storeId, bookId } });
  return generator;
}

async function askGenerator(generator, order) {
  generator.send(order);
  const [answer] = await once(generator, 'message');
  return answer;
}

/** A buyer who gives one command at a time, all the while: what everybody else feels. */
async function startProbe({ prober, storeId, bookId }) {
  const socket = io(url, { auth: { token: prober }, transports: ['websocket'] });
  await once(socket, 'room:ready');
  const probe = { latencies: [], placed: 0, stop: () => clearInterval(timer) };
  const timer = setInterval(async () => {
    const at = performance.now();
    const answer = await socket
      .timeout(60_000)
      .emitWithAck('order:place', { storeId, items: [{ bookId, count: 1 }] })
      .catch(() => ({ ok: false }));
    probe.latencies.push({ at, ms: performance.now() - at, ok: answer.ok });
    if (answer.ok) probe.placed++;
  }, PROBE_EVERY_MS);
  return probe;
}

/** From the end of the flood to the first of the lone commands after which none was slow or refused. */
function normalAgainAfter({ latencies }, endedAt, normalMs) {
  const slow = latencies.filter(
    ({ at, ms, ok }) => at >= endedAt && (!ok || ms > Math.max(50, normalMs * NORMAL_TIMES)),
  );
  return slow.length === 0 ? 0 : Math.max(...slow.map(({ at }) => at)) - endedAt + PROBE_EVERY_MS;
}

function sum(results) {
  const codes = {};
  for (const result of results) {
    for (const [code, count] of Object.entries(result.codes)) codes[code] = (codes[code] ?? 0) + count;
  }
  const add = (field) => results.reduce((total, result) => total + result[field], 0);
  const all = (field) => results.flatMap((result) => result[field]);
  return {
    codes,
    ...Object.fromEntries(['ok', 'okInTime', 'paid', 'sent', 'unanswered'].map((field) => [field, add(field)])),
    okMs: all('okMs'),
    refusedMs: all('refusedMs'),
    drainMs: Math.max(...results.map(({ drainMs }) => drainMs)),
    seconds: Math.max(...results.map((result) => result.seconds)),
  };
}

function tell(times, peak, { okInTime, paid, sent, unanswered, codes, okMs, refusedMs, seconds: took }, normalMs) {
  const rate = okInTime / took;
  const ms = (list, share) => (list.length === 0 ? '-' : Math.round(percentile(list, share)));
  console.log(
    `${String(times).padStart(2)} x: offered ${Math.round(sent / took)}/s, done ${Math.round(rate)}/s (${Math.round((100 * rate) / peak)}%, ` +
      `paid ${paid}), answered in ${ms(okMs, 0.5)}/${ms(okMs, 0.99)} ms, refused ${JSON.stringify(codes)} ` +
      `in ${ms(refusedMs, 0.5)}/${ms(refusedMs, 0.99)} ms, unanswered ${unanswered}, normal after ${Math.round(normalMs)} ms`,
  );
}

/** Everything that somebody was told of is there, and besides only what somebody was not told of; money comes out even. */
async function audit({ seller, buyers, prober }, { ok, paid, unknown }, probe) {
  const placed = ok - paid + probe.placed;
  const { stock } = await http('GET', '/stores/store/books/book');
  const { head } = await http('GET', '/rooms/seller/events?after=0&limit=1', seller);
  const { balance } = await http('GET', '/wallet', seller);
  const wallets = await Promise.all([...buyers, prober].map((token) => http('GET', '/wallet', token)));
  const spent = wallets.reduce((total, wallet) => total + MONEY - wallet.balance, 0);
  const orders = STOCK - stock;
  const untold = { orders: orders - placed, payments: balance / PRICE - paid };
  const isExact =
    spent === balance &&
    head === orders + balance / PRICE &&
    Object.values(untold).every((count) => count >= 0 && count <= unknown);
  console.log(
    `${isExact ? 'exact' : 'WRONG'}: ${orders} orders, ${balance / PRICE} paid, ${head} events; of ${unknown} commands ` +
      `without a final answer ${untold.orders} orders and ${untold.payments} payments took effect`,
  );
  if (!isExact) process.exitCode = 1;
}

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function range(count) {
  return Array.from({ length: count }, (_, index) => index);
}
