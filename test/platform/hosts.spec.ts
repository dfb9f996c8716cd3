import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';
import { samplesOf } from '../support/samples.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { codeOf, range } from '../support/ways.js';

const ROUNDS = 4;
const ORDERS_A_ROUND = 20;

/** One database that is reached by two addresses, as a writer that moves is. */
describe('a DATABASE_URL with several hosts', () => {
  let own: TestDatabase;
  let proxies: [TcpProxy, TcpProxy];
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    own = await createTestDatabase();
    proxies = [await TcpProxy.before(own.url), await TcpProxy.before(own.url)];
    await proxies[1].open();
    const [first, second] = proxies.map(({ url }) => new URL(url).host);
    const url = own.url.replace(/@[^/]*/, `@${first},${second}`);
    hub = await TestHub.start({}, { url, drop: own.drop });
    seller = await hub.seller([{ stock: 1_000 }]);
    buyer = await hub.buyer();
    await buyer.connect();
  });
  afterAll(async () => {
    await hub.stop();
    for (const proxy of proxies) await proxy.close();
  });

  test('is tried from its first on: a hub starts at the second while the first is away', async () => {
    expect((await buyer.get('/health/ready')).status).toBe(200);
    expect([proxies[0].connections > 0, proxies[1].connections > 0]).toEqual([false, true]);
  });

  test(`is followed ${ROUNDS} times from one to the other under load, and back`, async () => {
    const place = async (key: string) => {
      const request = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key };
      await until(`the order ${key} is placed`, async () => codeOf(await buyer.send('order:place', request)) === 'OK');
    };
    for (const round of range(ROUNDS)) {
      const [from, to] = round % 2 === 0 ? [proxies[1], proxies[0]] : proxies;
      const placing = range(ORDERS_A_ROUND).map((index) => place(`${round}-${index}`));
      await Promise.all([from.close(), to.open()]);
      await Promise.all(placing);
      expect(to.connections).toBeGreaterThan(0);
    }
    const count = ROUNDS * ORDERS_A_ROUND;
    expect((await buyer.hears(count)).map(({ seq }) => seq)).toEqual(range(count).map((index) => index + 1));
    expect(await seller.stock()).toBe(1_000 - count);
    expect((await samplesOf(hub)).get('order_hub_database_failovers_total')).toBe(ROUNDS);
    expect(await audit(hub)).toEqual([]);
  }, 60_000);
});
