import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { report, sized } from '../support/chaos.js';
import { HubProcess } from '../support/hub.process.js';
import type { Person } from '../support/person.js';
import { ServerProcess } from '../support/server.process.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { device, range } from '../support/ways.js';

const ORDERS = sized(30, 200);

/** Latency from the acknowledgement on one hub to the push on another: reported, not asserted. */
describe('a push to a client on another hub', () => {
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
    'arrives, %s',
    async (setup, variables) => {
      const hubs = await Promise.all([1, 2].map(() => HubProcess.start(database, variables())));
      const [here, there] = hubs as [HubProcess, HubProcess];
      const [buyer, seller] = [await here.register(`buyer ${setup}`), await here.register(`seller ${setup}`)];
      seller.storeId = `store ${setup}`;
      await seller.post('/stores', { storeId: seller.storeId });
      const book = { bookId: 'book-1', title: 'Book', price: 1, stock: ORDERS };
      await seller.post(`/stores/${encodeURIComponent(seller.storeId)}/books`, book);
      const remoteSeller = device(seller, there.person('').hub);
      await Promise.all([buyer.connect(), remoteSeller.connect()]);

      const latencies: number[] = [];
      for (const _ of range(ORDERS)) latencies.push(await latencyOf(buyer, seller, remoteSeller));
      expect(remoteSeller.events.map(({ seq }) => seq)).toEqual(range(ORDERS).map((index) => index + 1));
      const sorted = latencies.sort((a, b) => a - b).map((ms) => Math.round(ms * 10) / 10);
      const quantile = (share: number) => sorted[Math.floor(share * (ORDERS - 1))];
      report(`a push to another hub ${setup}`, {
        'median ms': quantile(0.5),
        'p95 ms': quantile(0.95),
        orders: ORDERS,
      });
      for (const person of [buyer, remoteSeller]) person.disconnect();
      await Promise.all(hubs.map((hub) => hub.kill()));
    },
    300_000,
  );

  async function latencyOf(buyer: Person, seller: Person, remoteSeller: Person): Promise<number> {
    let receivedAt = 0;
    remoteSeller.socket?.once('order:status', () => {
      receivedAt = performance.now();
    });
    const expected = remoteSeller.events.length + 1;
    await buyer.place(seller);
    const answeredAt = performance.now();
    await remoteSeller.hears(expected);
    // Decouples the orders from the hubs' polling interval.
    await sleep(Math.random() * 300);
    return Math.max(0, receivedAt - answeredAt);
  }
});
