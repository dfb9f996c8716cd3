// What a hub does when far more is asked of it than it can do: finds its peak, presses with 1, 2, 5 and 10 times as much in an
// open loop from processes of their own, and prints what was done, how fast the rest was refused, and how soon all is normal
// again. Then it holds stock, money and rooms against what the clients were told.
//
//   node scripts/overload.mjs                                        on the embedded database
//   node scripts/overload.mjs --on mysql://hub:hub@127.0.0.1:3306    on a server, in a database of its own
//   node scripts/overload.mjs --rounds 5 --seconds 20 --generators 2 --buyers 500
//
// Peak: the commands a second that the hub does with 512 under way in a closed loop, found anew in each round. Done: the commands
// that it answered with yes while the flood lasted, a second; what it answers afterwards does not count. The flood is an open
// loop: every message counts from when it was due, also where sender or line were late. Refused: all other answers. "Lone": the
// share of the orders of a buyer who places one every 50 ms that were taken during the flood. The table gives medians of the rounds.
// Where there are two cores the hub has one to itself, the flood the other; a server's place is not this script's to choose. On a
// machine with other work "by CPU" tells more: what was done for a second of the hub's core, beside the same at the peak.
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
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
    rounds: { type: 'string', default: '3' },
    generators: { type: 'string', default: '1' },
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
const NORMAL_WITHIN_MS = 5_000;

const temp = mkdtempSync(join(tmpdir(), 'order-hub-overload-'));
const database = await ownDatabase();
const hub = startHub({ PORT: '0', DATABASE_URL: database.url, LOG_LEVEL: 'error', RATE_LIMITS: 'off' });
const url = await hub.listening;
const isPinned = pin(hub.child.pid, 0) && pin(process.pid, 1);
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
    const before = cpuUsOf(hub.child.pid);
    let hubCpuUs = 0;
    const over = sleep(options.seconds * 1_000).then(() => {
      hubCpuUs = cpuUsOf(hub.child.pid) - before;
    });
    const result = sum(await everybody({ press: each }));
    await over;
    result.hubShare = hubCpuUs / 1e6 / result.seconds;
    result.perSecond = result.okInTime / result.seconds;
    result.perCpuSecond = result.okInTime / (hubCpuUs / 1e6);
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
  console.log(
    `${database.name}: a lone command ${normalMs.toFixed(1)} ms; hub and flood ${isPinned ? 'on a core each' : 'share the cores'}`,
  );
  const rows = [];
  for (const round of range(Number(asked.rounds))) {
    const peak = await press({ underWay: UNDER_WAY_AT_PEAK, seconds });
    rows.push(rowOf({ round, times: 'peak' }, peak, peak));
    for (const times of TIMES) {
      const from = performance.now();
      const result = await press({ perSecond: peak.perSecond * times, seconds });
      const endedAt = performance.now() - result.drainMs;
      await sleep(NORMAL_WITHIN_MS - result.drainMs);
      const lone = probe.latencies.filter(({ at }) => at >= from && at < endedAt);
      const extra = {
        'lone %': Math.round((100 * lone.filter(({ ok }) => ok).length) / lone.length),
        'normal ms': Math.round(normalAgainAfter(probe, endedAt, normalMs)),
      };
      rows.push(rowOf({ round, times: `${times} x` }, result, peak, extra));
    }
  }
  console.table(medians(rows));
  probe.stop();
  await audit(market, told, probe);
  for (const generator of generators) generator.kill();
} finally {
  const gone = once(hub.child, 'exit');
  if (hub.child.kill('SIGKILL')) await gone;
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

/** Gives a process a core of its own, where that can be done. */
function pin(pid, core) {
  return availableParallelism() > 1 && spawnSync('taskset', ['-a', '-c', '-p', core, pid].map(String)).status === 0;
}

/** What a process has used of its core, by the operating system. */
function cpuUsOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
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
  const stop = () => {
    clearInterval(timer);
    socket.disconnect();
  };
  const probe = { latencies: [], placed: 0, stop };
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
  const histogram = (field) => results[0][field].map((_, ms) => results.reduce((total, r) => total + r[field][ms], 0));
  const added = ['ok', 'okInTime', 'paid', 'sent', 'unanswered', 'cpuUs'];
  return {
    codes,
    ...Object.fromEntries(added.map((field) => [field, add(field)])),
    okMs: histogram('okMs'),
    refusedMs: histogram('refusedMs'),
    drainMs: Math.max(...results.map(({ drainMs }) => drainMs)),
    seconds: Math.max(...results.map((result) => result.seconds)),
  };
}

function rowOf({ round, times }, result, peak, extra = {}) {
  const percent = (part, of) => Math.round((100 * part) / of);
  const refused = Object.values(result.codes).reduce((total, count) => total + count, 0);
  const row = {
    times,
    'offered/s': Math.round(result.sent / result.seconds),
    'done/s': Math.round(result.perSecond),
    'of peak %': percent(result.perSecond, peak.perSecond),
    'by CPU %': percent(result.perCpuSecond, peak.perCpuSecond),
    'done p50 ms': atShare(result.okMs, 0.5),
    'p99 ms': atShare(result.okMs, 0.99),
    'refused/s': Math.round(refused / result.seconds),
    'refused p50 ms': atShare(result.refusedMs, 0.5),
    'refused p99 ms': atShare(result.refusedMs, 0.99),
    ...extra,
    'hub core %': percent(result.hubShare, 1),
    'flood core %': percent(result.cpuUs / 1e6, result.seconds),
    'flood µs each': Math.round((10 * result.cpuUs) / result.sent) / 10,
    unanswered: result.unanswered,
  };
  console.log(`round ${round + 1}: ${JSON.stringify(row)} ${JSON.stringify(result.codes)}`);
  return row;
}

function medians(rows) {
  const table = {};
  for (const { times } of rows) {
    const same = rows.filter((row) => row.times === times);
    const columns = Object.keys(same[0]).filter((column) => column !== 'times');
    table[times] = Object.fromEntries(
      columns.map((column) => [
        column,
        percentile(
          same.map((row) => row[column]),
          0.5,
        ),
      ]),
    );
  }
  return table;
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

/** The millisecond at a share of what was counted by milliseconds. */
function atShare(counts, share) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let left = share * (total - 1);
  for (const [ms, count] of counts.entries()) {
    left -= count;
    if (left < 0) return ms;
  }
  return Number.NaN;
}

function range(count) {
  return Array.from({ length: count }, (_, index) => index);
}
