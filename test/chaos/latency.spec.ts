import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { report, sized } from '../support/chaos.js';
import { HubProcess } from '../support/hub.process.js';
import type { Person } from '../support/person.js';
import { ServerProcess } from '../support/server.process.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { device, range } from '../support/ways.js';

const ORDERS = sized(30, 200);

/** How long after the acknowledgement at one hub the other party hears of it at another: told, and not asserted. */
describe('a push to a party on another hub', () => {
  let database: TestDatabase;
  let redis: ServerProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await ServerProcess.start('redis');
  }, 120_000);
  afterAll(async () => {
    await redis.stop();
    await database.drop();
  });

  test.each([
    ['with Redis', () => ({ REDIS_URL: redis.url })],
    ['without Redis', () => ({})],
  ] as [string, () => Record<string, string>][])(
    'comes, %s',
    async (how, variables) => {
      const hubs = await Promise.all([1, 2].map(() => HubProcess.start(database, variables())));
      const [here, there] = hubs as [HubProcess, HubProcess];
      const [buyer, seller] = [await here.register(`buyer ${how}`), await here.register(`seller ${how}`)];
      seller.storeId = `store ${how}`;
      await seller.post('/stores', { storeId: seller.storeId });
      const book = { bookId: 'book-1', title: 'Book', price: 1, stock: ORDERS };
      await seller.post(`/stores/${encodeURIComponent(seller.storeId)}/books`, book);
      const elsewhere = device(seller, there.person('').hub);
      await Promise.all([buyer.connect(), elsewhere.connect()]);

      const latencies: number[] = [];
      for (const _ of range(ORDERS)) latencies.push(await latencyOf(buyer, seller, elsewhere));
      expect(elsewhere.events.map(({ seq }) => seq)).toEqual(range(ORDERS).map((index) => index + 1));
      const sorted = latencies.sort((a, b) => a - b).map((ms) => Math.round(ms * 10) / 10);
      const at = (share: number) => sorted[Math.floor(share * (ORDERS - 1))];
      report(`a push to another hub ${how}`, { 'median ms': at(0.5), 'p95 ms': at(0.95), orders: ORDERS });
      for (const person of [buyer, elsewhere]) person.disconnect();
      await Promise.all(hubs.map((hub) => hub.kill()));
    },
    300_000,
  );

  async function latencyOf(buyer: Person, seller: Person, elsewhere: Person): Promise<number> {
    let heardAt = 0;
    elsewhere.socket?.once('order:status', () => {
      heardAt = performance.now();
    });
    const heard = elsewhere.events.length + 1;
    await buyer.place(seller);
    const answeredAt = performance.now();
    await elsewhere.hears(heard);
    // The next order must not fall into the same beat of the hubs' looks.
    await sleep(Math.random() * 300);
    return Math.max(0, heardAt - answeredAt);
  }
});
