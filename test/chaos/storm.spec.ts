import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import { report, sized } from '../support/chaos.js';
import { freeze } from '../support/frozen.js';
import { until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { memoryOf } from '../support/memory.js';
import type { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { device, range } from '../support/ways.js';

const USERS = 20;
const SOCKETS = sized(400, 5_000);
const CONNECTING_AT_ONCE = 100;
const BACK_WITHIN_MS = 60_000;
const FROZEN = 50;
const ORDERS = sized(150, 1_000);
/** Additional orders at full speed; the long form exceeds the kernels' socket buffers. */
const MORE_ORDERS = sized(1_000, 25_000);
const ORDERS_AT_ONCE = 200;
const GROWTH_MAX_BYTES = 100_000_000;
const MEDIAN_TIMES_MAX = 1.5;
const BOOK = { bookId: 'book-1', title: 'Book', price: 1, stock: 1_000_000 };

/** Mass reconnects and slow consumers. */
describe('many sockets', () => {
  let database: TestDatabase;
  let hub: HubProcess;
  let people: Person[];
  let seller: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await HubProcess.start(database);
    seller = await hub.register('seller');
    seller.storeId = 'store';
    await seller.post('/stores', { storeId: 'store' });
    await seller.post('/stores/store/books', BOOK);
    people = [];
    for (const index of range(USERS)) people.push(await hub.register(`buyer ${index}`));
  }, 120_000);
  afterAll(async () => {
    await hub.kill();
    await database.drop();
  });

  test('reconnect within a minute after a mass disconnect, while commands continue', async () => {
    const sockets = range(SOCKETS).map((index) => device(people[index % USERS] as Person));
    await connectAll(sockets);
    const worker = await device(people[0] as Person).connect();
    for (const each of sockets) each.disconnect();
    const started = performance.now();
    let working = true;
    let done = 0;
    const work = async () => {
      while (working) {
        await worker.place(seller);
        done++;
      }
    };
    const load = work();
    const last = { buyer: 0, seller: 0 };
    await connectAll(sockets, last);
    const ms = performance.now() - started;
    working = false;
    await load;
    report('sockets dropped at once', {
      sockets: SOCKETS,
      'back after ms': Math.round(ms),
      'commands meanwhile': done,
    });
    expect(sockets.every(({ socket }) => socket?.connected)).toBe(true);
    expect(ms).toBeLessThan(BACK_WITHIN_MS);
    expect(done).toBeGreaterThan(0);
    for (const each of [...sockets, worker]) each.disconnect();
  }, 300_000);

  test('that stop reading hot rooms affect neither other clients nor the memory', async () => {
    const buyer = people[1] as Person;
    const listener = await device(seller).connect();
    const worker = await device(buyer).connect();
    const before = await medianOf(worker, listener);
    const memory = memoryOf(hub.pid);
    const frozen = range(FROZEN).map(() => device(seller));
    await connectAll(frozen);
    for (const each of frozen) freeze(each);
    for (let placed = 0; placed < MORE_ORDERS; placed += ORDERS_AT_ONCE) {
      await Promise.all(range(ORDERS_AT_ONCE).map(() => worker.place(seller)));
    }
    await listener.hears(ORDERS + MORE_ORDERS);
    const after = await medianOf(worker, listener);
    const grown = memoryOf(hub.pid) - memory;
    report('frozen clients', {
      frozen: FROZEN,
      events: (ORDERS + MORE_ORDERS) * FROZEN,
      'grown MB': Math.round(grown / 1_000_000),
      'median ms before': before.toFixed(1),
      'median ms': after.toFixed(1),
    });
    expect(grown).toBeLessThan(GROWTH_MAX_BYTES);
    // Frozen sockets cost writes too. The limit holds only on an otherwise idle machine.
    if (process.env.CHAOS_LONG) expect(after).toBeLessThan(before * MEDIAN_TIMES_MAX);
    for (const each of [...frozen, listener, worker]) each.disconnect();
  }, 300_000);

  /** The median time from sending a command to the other party's push. */
  async function medianOf(worker: Person, listener: Person): Promise<number> {
    const latencies: number[] = [];
    for (const _ of range(ORDERS)) {
      const received = new Promise<OrderStatusPush>((resolve) => listener.socket?.once('order:status', resolve));
      const started = performance.now();
      await worker.place(seller);
      await received;
      latencies.push(performance.now() - started);
    }
    return latencies.sort((a, b) => a - b)[ORDERS >> 1] ?? 0;
  }
});

async function connectAll(sockets: Person[], last?: { buyer: number; seller: number }): Promise<void> {
  for (let from = 0; from < sockets.length; from += CONNECTING_AT_ONCE) {
    const batch = sockets.slice(from, from + CONNECTING_AT_ONCE);
    await Promise.all(batch.map((each) => each.connect(last ? { last } : {})));
    await until('all sockets are connected', () => batch.every(({ socket }) => socket?.connected ?? false));
    await sleep(0);
  }
}
