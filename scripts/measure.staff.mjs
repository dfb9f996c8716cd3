// Measures what a seller's staff online costs a `place`, by turns on two hubs, and how soon all of them hear that an order is paid.
//
//   node scripts/measure.staff.mjs                                        on the embedded database
//   node scripts/measure.staff.mjs --on mysql://hub:hub@127.0.0.1:3306    on a server, in databases of their own
//   node scripts/measure.staff.mjs --members 100 --orders 2000 --paid 300 --rounds 5
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { io } from 'socket.io-client';
import { createDatabase } from './measure.database.mjs';
import { cpuSeconds, keptConnections, median } from './measure.requests.mjs';
import { startHub } from './start.hub.mjs';

const OPERATOR_KEY = 'the-operators-key-of-this-measurement';
const IN_FLIGHT = 16;
const BUYERS = 64;
const { values: options } = parseArgs({
  options: {
    on: { type: 'string' },
    members: { type: 'string', default: '100' },
    orders: { type: 'string', default: '2000' },
    paid: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '5' },
  },
});
const [orders, paid, rounds] = [options.orders, options.paid, options.rounds].map(Number);
const { post, close } = keptConnections(IN_FLIGHT);

const systems = {};
try {
  systems.alone = await start('alone', 0);
  systems.staff = await start('staff', Number(options.members));
  const samples = { alone: [], staff: [] };
  for (const system of Object.values(systems)) await placeAll(system);
  for (let round = 0; round < rounds; round++) {
    for (const [name, system] of Object.entries(systems)) samples[name].push(await placeAll(system));
  }
  const [alone, staff] = [median(samples.alone), median(samples.staff)];
  console.log(
    `CPU of a place: alone ${alone.toFixed(3)} ms, with ${options.members} members online ${staff.toFixed(3)} ms (× ${(staff / alone).toFixed(3)})`,
  );
  const heard = await payOneByOne(systems.staff);
  console.log(
    `from the ack of a pay until all members have its event: median ${median(heard).toFixed(1)} ms, slowest ${Math.max(...heard).toFixed(1)} ms`,
  );
} finally {
  close();
  for (const { hub, database, sockets } of Object.values(systems)) {
    for (const socket of sockets) socket.close();
    const exited = once(hub.child, 'exit');
    if (hub.child.kill('SIGTERM')) await exited;
    await database.drop();
  }
}

/** A hub with a store, buyers, and members of its owner's staff whose sockets are open. */
async function start(name, members) {
  const database = await createDatabase(options.on, name);
  const hub = startHub({ PORT: '0', DATABASE_URL: database.url, LOG_LEVEL: 'error', RATE_LIMITS: 'off', OPERATOR_KEY });
  const url = await hub.listening;
  const signIn = async (userId) => (await post(`${url}/auth/sessions`, { userId }, OPERATOR_KEY)).token;
  const seller = await signIn('seller');
  await post(`${url}/stores`, { storeId: 'store' }, seller);
  await post(`${url}/stores/store/books`, { bookId: 'book', title: 'Book', price: 1, stock: 1_000_000 }, seller);
  const buyers = [];
  for (let index = 0; index < BUYERS; index++) {
    buyers.push(await signIn(`buyer-${index}`));
    await post(`${url}/wallet/deposits`, { amount: 1_000_000 }, buyers[index]);
  }
  const system = { url, hub, database, buyers, sockets: [], paidBy: new Map(), onPaid: () => {} };
  for (let index = 0; index < members; index++) {
    const token = await signIn(`member-${index}`);
    await post(`${url}/staff`, { userId: `member-${index}`, rights: ['read', 'sell'] }, seller);
    const socket = io(url, { auth: { token, for: 'seller' }, transports: ['websocket'], forceNew: true });
    socket.on('order:status', (event) => event.status === 'paid' && system.onPaid());
    await once(socket, 'room:ready');
    system.sockets.push(socket);
  }
  return system;
}

function placeOne({ url, buyers }, number) {
  const items = [{ bookId: 'book', count: 1 }];
  return post(`${url}/orders`, { storeId: 'store', items }, buyers[number % buyers.length]);
}

/** Places all orders, some at a time. Returns the hub's CPU in milliseconds for each. */
async function placeAll(system) {
  let started = 0;
  const before = await cpuSeconds(system.url);
  const worker = async () => {
    while (started < orders) await placeOne(system, started++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return (((await cpuSeconds(system.url)) - before) / orders) * 1_000;
}

/** Returns for each paid order the milliseconds between the answer and the last member's event; none if that came first. */
async function payOneByOne(system) {
  const heard = [];
  for (let number = 0; number < paid; number++) {
    const { orderId } = await placeOne(system, number);
    let waiting = system.sockets.length;
    const all = new Promise((resolve) => {
      system.onPaid = () => --waiting === 0 && resolve(performance.now());
    });
    await post(`${system.url}/orders/${orderId}/pay`, {}, system.buyers[number % BUYERS]);
    const answeredAt = performance.now();
    heard.push(Math.max(0, (await all) - answeredAt));
  }
  return heard;
}
