// Measures what one user's reads cost another user's commands: a buyer places an order every 50 ms, alone and beside a user who
// reads the heaviest pages that the hub can hold.
//
//   node scripts/measure.reads.mjs                                        on the embedded database
//   node scripts/measure.reads.mjs --on mysql://hub:hub@127.0.0.1:3306    on a server, in a database of its own
//
// Twice a second: one page of 100 orders with 100 lines of 500 characters each. Flood: the same over eight sockets at once.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { io } from 'socket.io-client';
import { createDatabase } from './measure.database.mjs';
import { startHub } from './start.hub.mjs';

const ORDERS = 100;
const LINES = 100;
const TITLE = '书'.repeat(500);
const PLACE_EVERY_MS = 50;
const FLOOD_SOCKETS = 8;

const { values: options } = parseArgs({
  options: { on: { type: 'string' }, seconds: { type: 'string', default: '8' }, reader: { type: 'string' } },
});
if (options.reader) await read(JSON.parse(options.reader));
else await measure();

async function measure() {
  const database = await createDatabase(options.on);
  const hub = startHub({ PORT: '0', DATABASE_URL: database.url, LOG_LEVEL: 'error' });
  try {
    const url = await hub.listening;
    const { buyer, reader } = await seed(url);
    const place = () => buyer.emitWithAck('order:place', { storeId: 'light', items: [{ bookId: 'b', count: 1 }] });
    await phase('warm-up', place);
    const alone = await phase('alone', place);
    for (const flood of [false, true]) {
      const child = fork(fileURLToPath(import.meta.url), ['--reader', JSON.stringify({ url, token: reader, flood })]);
      await once(child, 'message');
      const beside = await phase(flood ? 'beside a flood' : 'twice a second', place);
      const ratio = (share) => (percentile(beside, share) / percentile(alone, share)).toFixed(2);
      child.send('stop');
      const [answers] = await once(child, 'message');
      child.kill();
      console.log(`  median × ${ratio(0.5)}, p95 × ${ratio(0.95)}; answers of the reads: ${JSON.stringify(answers)}`);
    }
    buyer.disconnect();
  } finally {
    const exited = once(hub.child, 'exit');
    if (hub.child.kill('SIGKILL')) await exited;
    await database.drop();
  }
}

/** Places at a fixed rate, and returns the latencies in milliseconds. */
async function phase(name, place) {
  const latencies = [];
  const pending = [];
  const end = performance.now() + Number(options.seconds) * 1_000;
  for (let due = performance.now(); due < end; due += PLACE_EVERY_MS) {
    await sleep(due - performance.now());
    const answered = place().then((answer) => {
      if (!answer.ok) throw new Error(JSON.stringify(answer));
      latencies.push(performance.now() - due);
    });
    pending.push(answered);
  }
  await Promise.all(pending);
  const [median, p95] = [0.5, 0.95].map((share) => percentile(latencies, share).toFixed(1));
  console.log(`${name}: place median ${median} ms, p95 ${p95} ms`);
  return latencies;
}

/** The reading user, in a process of its own. */
async function read({ url, token, flood }) {
  const answers = { ok: 0, items: 0 };
  const request = { role: 'buyer', limit: 100 };
  const list = async (socket) => {
    const answer = await socket.emitWithAck('order:list', request);
    if (answer.ok) answers.ok += 1;
    else answers[answer.error.code] = (answers[answer.error.code] ?? 0) + 1;
    answers.items += answer.data?.items.length ?? 0;
  };
  const sockets = await Promise.all(Array.from({ length: flood ? FLOOD_SOCKETS : 1 }, () => connect(url, token)));
  const work = sockets.map(async (socket) => {
    for (;;) await Promise.all([list(socket), sleep(flood ? 5 : 500)]);
  });
  process.once('message', () => process.send(answers));
  process.send('reading');
  await Promise.all(work);
}

async function seed(url) {
  const [seller, heavy, light] = await Promise.all(['seller', 'heavy', 'light'].map((userId) => login(url, userId)));
  const request = (path, body, token) => post(url, path, body, token);
  for (const storeId of ['heavy', 'light']) await request('/stores', { storeId }, seller);
  await request('/stores/light/books', { bookId: 'b', title: 'Light', price: 1, stock: 1_000_000 }, seller);
  const bookIds = Array.from({ length: LINES }, (_, index) => `b${index}`);
  for (const bookId of bookIds)
    await request('/stores/heavy/books', { bookId, title: TITLE, price: 1, stock: 1_000_000 }, seller);
  const socket = await connect(url, heavy);
  for (let order = 0; order < ORDERS; order++) {
    const items = bookIds.map((bookId) => ({ bookId, count: 1 }));
    const answer = await socket.emitWithAck('order:place', { storeId: 'heavy', items });
    if (!answer.ok) throw new Error(JSON.stringify(answer));
  }
  socket.disconnect();
  return { buyer: await connect(url, light), reader: heavy };
}

async function login(url, userId) {
  const credentials = { userId, password: 'correct horse battery' };
  await post(url, '/auth/register', credentials);
  return (await post(url, '/auth/login', credentials)).token;
}

async function post(url, path, body, token) {
  const headers = { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
}

async function connect(url, token) {
  const socket = io(url, { auth: { token }, transports: ['websocket'], forceNew: true });
  await new Promise((resolve, reject) => socket.once('room:ready', resolve).once('connect_error', reject));
  return socket;
}

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))];
}
