// Measures finding, counting and exporting the orders of a seller with a million of them.
//
//   node scripts/measure.finding.mjs                                        on the embedded database
//   node scripts/measure.finding.mjs --on mysql://hub:hub@127.0.0.1:3306    on a server, in a database of its own
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DatabaseSync } from '@photostructure/sqlite';
import mysql from 'mysql2/promise';
import { createDatabase } from './measure.database.mjs';
import { cpuSeconds, median } from './measure.requests.mjs';
import { startHub } from './start.hub.mjs';

const ROUNDS = 9;
const INSERTED_AT_ONCE = 2_000;
const PRICE = 1_000;

const { values: options } = parseArgs({
  options: { on: { type: 'string' }, orders: { type: 'string', default: '1000000' } },
});
const ORDERS = Number(options.orders);

const database = await createDatabase(options.on);
const variables = { PORT: '0', DATABASE_URL: database.url, LOG_LEVEL: 'error', RATE_LIMITS: 'off' };
let hub = startHub(variables);
try {
  const seeded = await seed(await hub.listening);
  await stop();
  const { rare, some } = await fill(seeded);
  hub = startHub(variables);
  const url = await hub.listening;
  const { token } = seeded;
  console.log(
    `${ORDERS} orders of one seller on ${options.on ? new URL(options.on).protocol : 'sqlite'}, ${ROUNDS} rounds`,
  );
  const results = [];
  for (const [what, query] of [
    ['number', some.number],
    ['end of the id, 4', some.orderId.slice(-4)],
    ['end of the id, 8', some.orderId.slice(-8)],
    ['end of the id, 2', some.orderId.slice(-2)],
    ['tracking number', 'SF-RARE'],
    ["buyer's id", 'collector'],
    ['title, common', 'common'],
    ['title, of the oldest order', 'rare bird'],
    ['nothing', 'nothing like this'],
  ])
    results.push(await measure(url, token, what, `/orders?role=seller&q=${encodeURIComponent(query)}`));
  results.push(await measure(url, token, 'an order by its id', `/orders?role=seller&ids=${rare}`));
  results.push(await measure(url, token, 'counts', '/orders/counts?role=seller'));
  const hours = Array.from({ length: 25 }, (_, index) => new Date(Date.now() + (index - 24) * 3_600_000).toISOString());
  results.push(await measure(url, token, 'totals of the ledger, by hour', `/wallet/totals?times=${hours}`));
  console.table(results);
  for (const path of ['/orders/export?role=seller', '/orders/export?role=seller&format=ndjson', '/wallet/export'])
    await download(url, token, path);
} finally {
  await stop();
  await database.drop();
}

async function stop() {
  const exited = once(hub.child, 'exit');
  if (hub.child.kill('SIGTERM')) await exited;
}

/** Times of the whole request, and of the hub's own process. */
async function measure(url, token, what, path) {
  const times = [];
  let found;
  const before = await cpuSeconds(url);
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    const response = await fetch(url + path, { headers: { Authorization: `Bearer ${token}` } });
    const { items, periods, ...rest } = await response.json();
    times.push(performance.now() - started);
    found = (items ?? periods)?.length ?? JSON.stringify(rest);
  }
  const cpuMs = (((await cpuSeconds(url)) - before) / ROUNDS) * 1_000;
  return { what, found, medianMs: Number(median(times).toFixed(1)), hubCpuMs: Number(cpuMs.toFixed(1)) };
}

async function download(url, token, path) {
  // What the requests before have left behind is no part of it.
  await sleep(2_000);
  const before = await residentBytes(url);
  let [most, bytes] = [before, 0];
  const started = performance.now();
  const watching = setInterval(async () => {
    most = Math.max(most, await residentBytes(url).catch(() => 0));
  }, 250);
  const response = await fetch(url + path, { headers: { Authorization: `Bearer ${token}` } });
  let rows = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    for (const byte of chunk) if (byte === 10) rows++;
  }
  clearInterval(watching);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  const megabytes = (count) => (count / 1_048_576).toFixed(0);
  console.log(
    `${path}: ${rows} lines, ${megabytes(bytes)} MB in ${seconds} s; resident memory grew by ${megabytes(most - before)} MB`,
  );
}

async function residentBytes(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)[1]);
}

async function seed(url) {
  const login = async (userId) => {
    const credentials = { userId, password: 'correct horse battery' };
    await post(url, '/auth/register', credentials);
    return (await post(url, '/auth/login', credentials)).token;
  };
  const token = await login('seller');
  await post(url, '/stores', { storeId: 'shop' }, token);
  for (const title of ['Rare Bird', 'Common'])
    await post(url, '/stores/shop/books', { bookId: title, title, price: PRICE, stock: 1_000_000 }, token);
  for (const userId of ['collector', 'crowd']) await login(userId);
  return { token };
}

/** The oldest order is another buyer's, of another book, and was shipped. */
async function fill() {
  const { insert, run, close } = await connect(database.url);
  const at = Date.now() - 86_400_000;
  const row = (index) => {
    const placedAt = at + index * 50;
    const orderId = orderIdAt(placedAt);
    const isRare = index === 0;
    const item = {
      bookNo: isRare ? 1 : 2,
      bookId: isRare ? 'Rare Bird' : 'Common',
      title: isRare ? 'Rare Bird' : 'Common',
    };
    const buyerId = isRare ? 'collector' : 'crowd';
    const timeline = [{ version: 1, status: 'placed', command: 'place', by: buyerId, at: placedAt }];
    return {
      ...{ order_id: orderId, store_id: 'shop', buyer_id: buyerId, seller_id: 'seller', status: 'placed', version: 1 },
      ...{
        total: PRICE,
        items: JSON.stringify([{ ...item, count: 1, price: PRICE }]),
        timeline: JSON.stringify(timeline),
      },
      ...{
        placed_at: placedAt,
        expires_at: placedAt + 10 ** 9,
        due_at: placedAt + 10 ** 9,
        tracking_no: isRare ? 'SF-RARE' : null,
      },
      ...{ number: index + 1 },
    };
  };
  let [rare, some] = [];
  for (let first = 0; first < ORDERS; first += INSERTED_AT_ONCE) {
    const rows = Array.from({ length: INSERTED_AT_ONCE }, (_, index) => row(first + index));
    rare ??= rows[0].order_id;
    if (first <= ORDERS / 2) some = { orderId: rows[7].order_id, number: rows[7].number };
    await insert('orders', rows);
    await insert(
      'wallet_entries',
      rows.map(({ order_id, number, placed_at }) => {
        return {
          ...{ user_id: 'seller', entry_no: number, amount: 1, balance: number, kind: 'sale' },
          order_id,
          at: placed_at,
        };
      }),
    );
  }
  await run(`UPDATE rooms SET head = ${ORDERS}, placed = ${ORDERS} WHERE role = 'seller' AND user_id = 'seller'`);
  await run(`UPDATE wallets SET balance = ${ORDERS}, entries = ${ORDERS} WHERE user_id = 'seller'`);
  await close();
  return { rare, some };
}

function orderIdAt(epochMs) {
  const time = epochMs.toString(16).padStart(12, '0');
  const random = randomBytes(10).toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`;
}

/** The database without the hub, which would take too long to place a million orders. */
async function connect(url) {
  if (url.startsWith('sqlite:')) {
    const file = new DatabaseSync(url.slice('sqlite:'.length));
    const insert = (table, rows) => {
      const names = Object.keys(rows[0]);
      const statement = file.prepare(`INSERT INTO ${table} (${names}) VALUES (${names.map(() => '?')})`);
      file.exec('BEGIN');
      for (const row of rows) statement.run(...Object.values(row));
      file.exec('COMMIT');
    };
    return { insert, run: (sql) => file.exec(sql), close: () => file.close() };
  }
  const server = await mysql.createConnection(url);
  const insert = (table, rows) =>
    server.query(`INSERT INTO ${table} (${Object.keys(rows[0]).map((name) => `\`${name}\``)}) VALUES ?`, [
      rows.map(Object.values),
    ]);
  return { insert, run: (sql) => server.query(sql), close: () => server.end() };
}

async function post(url, path, body, token) {
  const headers = { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
  return answer;
}
