// Measures the hub's CPU for a paid order over HTTP against the same over sockets, by turns on one hub.
//
//   node scripts/measure.http.mjs                                        on the embedded database
//   node scripts/measure.http.mjs --on mysql://hub:hub@127.0.0.1:3306    on a server, in a database of its own
//   node scripts/measure.http.mjs --orders 1000 --rounds 5 --in-flight 32
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { io } from 'socket.io-client';
import { createDatabase } from './measure.database.mjs';
import { cpuSeconds, keptConnections, median } from './measure.requests.mjs';
import { startHub } from './start.hub.mjs';

const BUYERS = 8;
const { values: options } = parseArgs({
  options: {
    on: { type: 'string' },
    orders: { type: 'string', default: '600' },
    rounds: { type: 'string', default: '5' },
    'in-flight': { type: 'string', default: '16' },
  },
});
const orders = Number(options.orders);
const inFlight = Number(options['in-flight']);
const { post, close } = keptConnections(inFlight);

const database = await createDatabase(options.on);
const hub = startHub({ PORT: '0', DATABASE_URL: database.url, LOG_LEVEL: 'error', RATE_LIMITS: 'off' });
try {
  const url = await hub.listening;
  const buyers = await seed(url);
  const ways = { sockets: overSocket, HTTP: overHttp(url) };
  const samples = { sockets: [], HTTP: [] };
  for (const way of Object.values(ways)) await run(way, buyers);
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [name, way] of Object.entries(ways)) {
      const before = await cpuSeconds(url);
      await run(way, buyers);
      samples[name].push(((await cpuSeconds(url)) - before) / orders);
    }
  }
  const [sockets, http] = [median(samples.sockets), median(samples.HTTP)];
  const ms = (seconds) => (seconds * 1_000).toFixed(2);
  console.log(`CPU of a paid order: sockets ${ms(sockets)} ms, HTTP ${ms(http)} ms, × ${(http / sockets).toFixed(2)}`);
  for (const { socket } of buyers) socket.disconnect();
  close();
} finally {
  const exited = once(hub.child, 'exit');
  if (hub.child.kill('SIGTERM')) await exited;
  await database.drop();
}

/** Places and pays all orders, some at a time. */
async function run(send, buyers) {
  let started = 0;
  const worker = async () => {
    while (started < orders) {
      const buyer = buyers[started++ % buyers.length];
      const { orderId } = await send(buyer, 'place', { storeId: 'store', items: [{ bookId: 'book', count: 1 }] });
      await send(buyer, 'pay', { orderId });
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

async function overSocket({ socket }, command, message) {
  const answer = await socket.emitWithAck(`order:${command}`, message);
  if (!answer.ok) throw new Error(JSON.stringify(answer));
  return answer.data;
}

function overHttp(url) {
  return ({ token }, command, message) =>
    post(`${url}/orders${command === 'place' ? '' : `/${message.orderId}/${command}`}`, message, token);
}

async function seed(url) {
  const seller = await login(url, 'seller');
  await post(`${url}/stores`, { storeId: 'store' }, seller);
  await post(`${url}/stores/store/books`, { bookId: 'book', title: 'Book', price: 1, stock: 1_000_000 }, seller);
  const buyers = [];
  for (let index = 0; index < BUYERS; index++) {
    const token = await login(url, `buyer-${index}`);
    await post(`${url}/wallet/deposits`, { amount: 1_000_000 }, token);
    const socket = io(url, { auth: { token }, transports: ['websocket'], forceNew: true });
    await new Promise((resolve, reject) => socket.once('room:ready', resolve).once('connect_error', reject));
    buyers.push({ token, socket });
  }
  return buyers;
}

async function login(url, userId) {
  const credentials = { userId, password: 'correct horse battery' };
  await post(`${url}/auth/register`, credentials);
  return (await post(`${url}/auth/login`, credentials)).token;
}
