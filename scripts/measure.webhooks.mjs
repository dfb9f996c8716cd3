// Measures what webhooks cost a `place`, by turns on two hubs, and how many events they deliver in a second to a receiver
// that answers at once.
//
//   node scripts/measure.webhooks.mjs                                        on the embedded database
//   node scripts/measure.webhooks.mjs --on mysql://hub:hub@127.0.0.1:3306    on a server, in databases of their own
//   node scripts/measure.webhooks.mjs --webhooks 1000 --orders 4000 --rounds 5 --rate 200
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createDatabase } from './measure.database.mjs';
import { cpuSeconds, keptConnections, median } from './measure.requests.mjs';
import { startHub } from './start.hub.mjs';

const OPERATOR_KEY = 'the-operators-key-of-this-measurement';
const { values: options } = parseArgs({
  options: {
    on: { type: 'string' },
    webhooks: { type: 'string', default: '1000' },
    orders: { type: 'string', default: '4000' },
    rounds: { type: 'string', default: '5' },
    'in-flight': { type: 'string', default: '16' },
    /** Orders a second, or as many as the hub takes. */
    rate: { type: 'string' },
  },
});
const webhooks = Number(options.webhooks);
const orders = Number(options.orders);
const inFlight = Number(options['in-flight']);
const rate = options.rate === undefined ? Number.POSITIVE_INFINITY : Number(options.rate);
const { post, close } = keptConnections(inFlight);

const receiver = await startReceiver();
const systems = {};
try {
  // None, webhooks of rooms without events, and webhooks of the rooms of all orders.
  for (const name of ['none', 'idle', 'busy']) systems[name] = await start(name);
  const samples = { none: [], idle: [], busy: [] };
  for (const system of Object.values(systems)) await run(system);
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [name, system] of Object.entries(systems)) samples[name].push(await run(system));
  }
  for (const [name, all] of Object.entries(samples)) {
    const { cpu, latency, total } = medians(all);
    const of = (value, base) => `${value.toFixed(3)} ms (× ${(value / base).toFixed(3)})`;
    const base = medians(samples.none);
    console.log(
      `${name}: place takes ${of(latency, base.latency)}, CPU ${of(cpu, base.cpu)}, with the deliveries ${of(total, base.total)}`,
    );
  }
  await catchUp(systems.busy, 'all rooms');
  await catchUp(systems.none, 'one room');
} finally {
  close();
  for (const { hub, database } of Object.values(systems)) {
    const exited = once(hub.child, 'exit');
    if (hub.child.kill('SIGTERM')) await exited;
    await database.drop();
  }
  receiver.server.close();
  receiver.server.closeAllConnections();
}

/** A hub with as many buyers as webhooks, and a store. */
async function start(name) {
  const database = await createDatabase(options.on, name);
  const variables = {
    ...{ PORT: '0', DATABASE_URL: database.url, LOG_LEVEL: 'error', RATE_LIMITS: 'off' },
    ...{ OPERATOR_KEY, WEBHOOKS_PRIVATE: 'true' },
  };
  const hub = startHub(variables);
  const url = await hub.listening;
  const signIn = async (userId) => (await post(`${url}/auth/sessions`, { userId }, OPERATOR_KEY)).token;
  const seller = await signIn('seller');
  await post(`${url}/stores`, { storeId: 'store' }, seller);
  await post(`${url}/stores/store/books`, { bookId: 'book', title: 'Book', price: 1, stock: 1_000_000 }, seller);
  const buyers = [];
  for (let index = 0; index < webhooks; index++) buyers.push(await signIn(`buyer-${index}`));
  if (name !== 'none') {
    const role = name === 'busy' ? 'buyer' : 'seller';
    for (const token of buyers) await post(`${url}/webhooks`, { url: receiver.url, role }, token);
  }
  return { name, url, hub, variables, database, buyers, seller };
}

/** Places all orders, some at a time. Returns milliseconds for each order: CPU until the last answer and until the last delivery. */
async function run({ name, url, buyers }) {
  let started = 0;
  let latency = 0;
  const from = performance.now();
  const before = await cpuSeconds(url);
  const deliveredBefore = receiver.events;
  const worker = async () => {
    while (started < orders) {
      const token = buyers[started++ % buyers.length];
      await sleep(Math.max(0, from + (started / rate) * 1_000 - performance.now()));
      const sentAt = performance.now();
      await post(`${url}/orders`, { storeId: 'store', items: [{ bookId: 'book', count: 1 }] }, token);
      latency += performance.now() - sentAt;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const placed = await cpuSeconds(url);
  if (name === 'busy') await receiver.has(deliveredBefore + orders);
  await sleep(300);
  const all = await cpuSeconds(url);
  return {
    latency: latency / orders,
    cpu: ((placed - before) / orders) * 1_000,
    total: ((all - before) / orders) * 1_000,
  };
}

/** Delivers everything again, after a restart: webhooks that are all due at once. */
async function catchUp(system, what) {
  const { url, buyers, seller } = system;
  const owners = what === 'one room' ? [seller] : buyers;
  if (what === 'one room') await post(`${url}/webhooks`, { url: receiver.url, role: 'seller' }, seller);
  receiver.status = 503;
  let [next, expected] = [0, 0];
  const worker = async () => {
    while (next < owners.length) {
      const token = owners[next++];
      const { items } = await fetchJson(`${system.url}/webhooks`, token);
      expected += items[0].head;
      await post(`${system.url}/webhooks/${items[0].webhookId}/rewind`, { after: 0 }, token);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const exited = once(system.hub.child, 'exit');
  if (system.hub.child.kill('SIGTERM')) await exited;
  Object.assign(receiver, { status: 204, events: 0, requests: 0, firstAt: 0 });
  system.hub = startHub(system.variables);
  system.url = await system.hub.listening;
  await receiver.has(expected);
  const seconds = (performance.now() - receiver.firstAt) / 1_000;
  const { events, requests } = receiver;
  const cpu = await cpuSeconds(system.url);
  console.log(
    `${what}: ${events} events in ${requests} requests, ${Math.round(events / seconds)} events a second; CPU with the start ${cpu.toFixed(1)} s`,
  );
}

async function startReceiver() {
  const state = { status: 204, events: 0, requests: 0, firstAt: 0 };
  const server = createServer((message, response) => {
    let text = '';
    message.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    message.on('end', () => {
      response.writeHead(receiver.status).end();
      if (receiver.status !== 204) return;
      receiver.firstAt ||= performance.now();
      receiver.requests++;
      receiver.events += JSON.parse(text).events.length;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(state, {
    server,
    url: `http://127.0.0.1:${server.address().port}/`,
    async has(events) {
      while (receiver.events < events) await sleep(5);
    },
  });
}

async function fetchJson(url, token) {
  return (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).json();
}

function medians(samples) {
  const of = (name) => median(samples.map((sample) => sample[name]));
  return { cpu: of('cpu'), latency: of('latency'), total: of('total') };
}
