// Overload test: finds a hub's peak, floods it with 1, 2, 5 and 10 times that rate in an open loop from separate processes, and
// prints throughput, rejection latency and recovery time. Then it audits stock, money and rooms against the answers.
//
//   node scripts/overload.mjs                                        on the embedded database
//   node scripts/overload.mjs --on mysql://hub:hub@127.0.0.1:3306    on a server, in a database of its own
//   node scripts/overload.mjs --rounds 5 --seconds 20 --generators 2 --buyers 500
//
// Peak: commands completed per second with 512 in flight in a closed loop, measured in every round. Done: commands that
// succeeded during the flood, per second; later answers do not count. Latency counts from a message's due time, so a late
// sender or connection cannot hide it. Rejected: all other answers. Lone: share of successful orders of a buyer who places one
// every 50 ms during the flood. The table shows medians of the rounds.
// With two cores the hub has one and the generators the other; a database server is not pinned. On a machine with other work,
// "by CPU" is more reliable: commands done per CPU second of the hub, relative to the peak.
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

const { values: options } = parseArgs({
  options: {
    on: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    generators: { type: 'string', default: '1' },
    buyers: { type: 'string', default: '32' },
  },
});
const seconds = Number(options.seconds);
const MULTIPLES = [1, 2, 5, 10];
const STOCK = 1_000_000;
const BALANCE = 10 ** 12;
const PRICE = 100;
const PAY_SHARE = 0.2;
const WARM_UP_SECONDS = 3;
const PEAK_IN_FLIGHT = 512;
const PROBE_EVERY_MS = 50;
/** Recovered: a lone command takes at most this multiple of the median before the flood. */
const RECOVERED_MULTIPLE = 3;
const RECOVERED_MIN_MS = 50;
const RECOVERY_MS = 5_000;

const temp = mkdtempSync(join(tmpdir(), 'order-hub-overload-'));
const database = await createDatabase();
const hub = startHub({ PORT: '0', DATABASE_URL: database.url, LOG_LEVEL: 'error', RATE_LIMITS: 'off' });
const url = await hub.listening;
const isPinned = pin(hub.child.pid, 0) && pin(process.pid, 1);
/** What the clients know of all floods, for the audit. */
const totals = { ok: 0, paid: 0, unknown: 0 };
try {
  const market = await seed();
  const generators = await Promise.all(range(Number(options.generators)).map((index) => startGenerator(index, market)));
  await flood(generators, { inFlight: PEAK_IN_FLIGHT, seconds: WARM_UP_SECONDS });
  const probe = await startProbe(market);
  await sleep(1_000);
  const latencies = probe.samples.map(({ ms }) => ms);
  const normalMs = percentile(latencies, 0.5);
  const cores = isPinned ? 'hub and generators on a core each' : 'hub and generators share the cores';
  console.log(`${database.name}: a lone command ${normalMs.toFixed(1)} ms; ${cores}`);
  const rows = [];
  for (const round of range(Number(options.rounds)))
    rows.push(...(await floodRound(round, generators, probe, normalMs)));
  console.table(medians(rows));
  probe.stop();
  await audit(market, totals, probe);
  for (const generator of generators) generator.kill();
} finally {
  const exited = once(hub.child, 'exit');
  if (hub.child.kill('SIGKILL')) await exited;
  await database.drop();
  rmSync(temp, { recursive: true, force: true });
}

/** Measures the peak, then floods with each multiple of it. Resolves to a table row for each. */
async function floodRound(round, generators, probe, normalMs) {
  const peak = await flood(generators, { inFlight: PEAK_IN_FLIGHT, seconds });
  const rows = [rowOf({ round, times: 'peak' }, peak, peak)];
  for (const multiple of MULTIPLES) {
    const start = performance.now();
    const result = await flood(generators, { perSecond: peak.perSecond * multiple, seconds });
    const end = performance.now() - result.drainMs;
    await sleep(RECOVERY_MS - result.drainMs);
    const lone = probe.samples.filter(({ at }) => at >= start && at < end);
    const extra = {
      'lone %': Math.round((100 * lone.filter(({ ok }) => ok).length) / lone.length),
      'normal ms': Math.round(recoveryMs(probe, end, normalMs)),
    };
    rows.push(rowOf({ round, times: `${multiple} x` }, result, peak, extra));
  }
  return rows;
}

/** Floods the hub from all generators: `perSecond` in an open loop, or `inFlight` in a closed one. */
async function flood(generators, { perSecond, inFlight, seconds }) {
  const share = (count) => (count === undefined ? undefined : Math.ceil(count / generators.length));
  const each = { perSecond: share(perSecond), inFlight: share(inFlight), seconds, payShare: PAY_SHARE };
  const cpuBefore = cpuUsOf(hub.child.pid);
  let hubCpuUs = 0;
  const floodOver = sleep(seconds * 1_000).then(() => {
    hubCpuUs = cpuUsOf(hub.child.pid) - cpuBefore;
  });
  const result = sum(await Promise.all(generators.map((generator) => request(generator, { flood: each }))));
  await floodOver;
  result.hubShare = hubCpuUs / 1e6 / result.seconds;
  result.perSecond = result.okInTime / result.seconds;
  result.perCpuSecond = result.okInTime / (hubCpuUs / 1e6);
  totals.ok += result.ok;
  totals.paid += result.paid;
  totals.unknown += result.unanswered + (result.codes.UNAVAILABLE ?? 0);
  return result;
}

async function createDatabase() {
  if (!options.on) return { name: 'embedded', url: `sqlite:${join(temp, 'hub.sqlite')}`, drop: async () => {} };
  const name = `hub_overload_${process.pid}`;
  const server = await mysql.createConnection(options.on);
  await server.query(`CREATE DATABASE ${name}`);
  const [[{ version }]] = await server.query('SELECT VERSION() AS version');
  const drop = async () => {
    await server.query(`DROP DATABASE ${name}`);
    await server.end();
  };
  const url = new URL(options.on);
  url.pathname = `/${name}`;
  return { name: version, url: url.href, drop };
}

/** Pins a process to a core; false on a single core or without taskset. */
function pin(pid, core) {
  return availableParallelism() > 1 && spawnSync('taskset', ['-a', '-c', '-p', core, pid].map(String)).status === 0;
}

/** CPU time of all threads of a process, from /proc. */
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
  const password = 'a password for the test';
  await http('POST', '/auth/register', undefined, { userId, password });
  return (await http('POST', '/auth/login', undefined, { userId, password })).token;
}

async function seed() {
  const seller = await register('seller');
  await http('POST', '/stores', seller, { storeId: 'store' });
  await http('POST', '/stores/store/books', seller, { bookId: 'book', title: 'Book', price: PRICE, stock: STOCK });
  const buyers = [];
  for (const index of range(Number(options.buyers) + 1)) {
    const token = await register(`buyer-${index}`);
    await http('POST', '/wallet/deposits', token, { amount: BALANCE });
    buyers.push(token);
  }
  return { seller, prober: buyers.pop(), buyers, storeId: 'store', bookId: 'book' };
}

async function startGenerator(index, { buyers, storeId, bookId }) {
  const generator = fork(join('scripts', 'overload.generator.mjs'));
  const share = buyers.filter((_, at) => at % Number(options.generators) === index);
  await request(generator, { connect: { url, buyers: share, storeId, bookId } });
  return generator;
}

async function request(generator, message) {
  generator.send(message);
  const [response] = await once(generator, 'message');
  return response;
}

/** A buyer who places an order at a fixed interval throughout: the latency that other users see. */
async function startProbe({ prober, storeId, bookId }) {
  const socket = io(url, { auth: { token: prober }, transports: ['websocket'] });
  await once(socket, 'room:ready');
  const stop = () => {
    clearInterval(timer);
    socket.disconnect();
  };
  const probe = { samples: [], placed: 0, stop };
  const timer = setInterval(async () => {
    const at = performance.now();
    const answer = await socket
      .timeout(60_000)
      .emitWithAck('order:place', { storeId, items: [{ bookId, count: 1 }] })
      .catch(() => ({ ok: false }));
    probe.samples.push({ at, ms: performance.now() - at, ok: answer.ok });
    if (answer.ok) probe.placed++;
  }, PROBE_EVERY_MS);
  return probe;
}

/** From the end of the flood until no lone command is slow or rejected any more. */
function recoveryMs({ samples }, floodEnd, normalMs) {
  const slow = samples.filter(
    ({ at, ms, ok }) => at >= floodEnd && (!ok || ms > Math.max(RECOVERED_MIN_MS, normalMs * RECOVERED_MULTIPLE)),
  );
  return slow.length === 0 ? 0 : Math.max(...slow.map(({ at }) => at)) - floodEnd + PROBE_EVERY_MS;
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
    rejectedMs: histogram('rejectedMs'),
    drainMs: Math.max(...results.map(({ drainMs }) => drainMs)),
    seconds: Math.max(...results.map((result) => result.seconds)),
  };
}

function rowOf({ round, times }, result, peak, extra = {}) {
  const percent = (part, of) => Math.round((100 * part) / of);
  const rejected = Object.values(result.codes).reduce((total, count) => total + count, 0);
  const row = {
    times,
    'offered/s': Math.round(result.sent / result.seconds),
    'done/s': Math.round(result.perSecond),
    'of peak %': percent(result.perSecond, peak.perSecond),
    'by CPU %': percent(result.perCpuSecond, peak.perCpuSecond),
    'done p50 ms': atShare(result.okMs, 0.5),
    'p99 ms': atShare(result.okMs, 0.99),
    'rejected/s': Math.round(rejected / result.seconds),
    'rejected p50 ms': atShare(result.rejectedMs, 0.5),
    'rejected p99 ms': atShare(result.rejectedMs, 0.99),
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

/** Every acknowledged command took effect, and beyond those only commands without a final answer did; the money balances. */
async function audit({ seller, buyers, prober }, { ok, paid, unknown }, probe) {
  const placed = ok - paid + probe.placed;
  const { stock } = await http('GET', '/stores/store/books/book');
  const { head } = await http('GET', '/rooms/seller/events?after=0&limit=1', seller);
  const { balance } = await http('GET', '/wallet', seller);
  const wallets = await Promise.all([...buyers, prober].map((token) => http('GET', '/wallet', token)));
  const spent = wallets.reduce((total, wallet) => total + BALANCE - wallet.balance, 0);
  const orders = STOCK - stock;
  const unacknowledged = { orders: orders - placed, payments: balance / PRICE - paid };
  const isExact =
    spent === balance &&
    head === orders + balance / PRICE &&
    Object.values(unacknowledged).every((count) => count >= 0 && count <= unknown);
  console.log(
    `${isExact ? 'exact' : 'WRONG'}: ${orders} orders, ${balance / PRICE} paid, ${head} events; of ${unknown} commands ` +
      `without a final answer ${unacknowledged.orders} orders and ${unacknowledged.payments} payments took effect`,
  );
  if (!isExact) process.exitCode = 1;
}

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** A percentile of a histogram with a bucket per millisecond. */
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
