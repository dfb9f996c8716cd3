import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestHub, until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { onServer } from '../support/on.server.js';
import { Person } from '../support/person.js';
import { PushEndpoint } from '../support/push.endpoint.js';
import { createTestDatabase } from '../support/test.database.js';
import { device, range, stopBoth, twoHubs } from '../support/ways.js';

const VARIABLES = { WEBHOOKS_PRIVATE: 'true', RATE_LIMITS: 'off' };
const KILLS = 3;
const at = ({ url }: HubProcess, { userId, token }: Person) => new Person({ url } as TestHub, userId, token);

/** Two hubs on one server database; on the embedded database, a single hub must pass the same tests. */
describe('push messages of several hubs', () => {
  let here: TestHub;
  let there: TestHub;
  let endpoint: PushEndpoint;

  beforeAll(async () => {
    ({ here, there } = await twoHubs({ webhooksPrivate: true }));
    endpoint = await PushEndpoint.start();
  });
  afterAll(async () => {
    expect(endpoint.faults).toEqual([]);
    await stopBoth(here, there);
    await endpoint.stop();
  });

  test('are sent by one of them', async () => {
    const [seller, buyer] = [await here.seller([{ stock: 100 }]), await here.buyer()];
    const browser = await endpoint.subscribe(seller);
    const buyerThere = device(buyer, there);
    for (const one of [buyer, buyerThere, buyer, buyerThere]) {
      const { orderId } = await one.does('order:place', {
        storeId: seller.storeId,
        items: [{ bookId: 'book-1', count: 1 }],
      });
      await one.does('order:pay', { orderId });
    }
    await until('all are sent', () => endpoint.sentTo(browser).length >= 4);
    await sleep(4_000);
    const orders = endpoint.sentTo(browser).map(({ message }) => message.orderId);
    expect([orders.length, new Set(orders).size]).toEqual([4, 4]);
  });

  test('are not sent while the user has a socket at another hub', async () => {
    const [seller, buyer] = [await here.seller([{ stock: 100 }]), await here.buyer()];
    const browser = await endpoint.subscribe(buyer);
    const phone = device(buyer, there);
    await phone.connect();
    const isRecorded = async (isLive: number) => {
      const sql = 'SELECT 1 FROM push_presence WHERE user_id = ? AND is_live = ?';
      return (await here.rows(sql, [buyer.userId, isLive])).length === 1;
    };
    await until('the socket is recorded', () => isRecorded(1));
    const shipped = async () => {
      const items = [{ bookId: 'book-1', count: 1 }];
      const { body } = await buyer.post<{ orderId: string }>('/orders', { storeId: seller.storeId, items });
      await buyer.post(`/orders/${body.orderId}/pay`, {});
      await seller.post(`/orders/${body.orderId}/ship`, {});
    };
    await shipped();
    const open = () => here.rows('SELECT 1 FROM push_notices WHERE subscription_id = ?', [browser.subscriptionId]);
    await until('there is a notice', async () => (await open()).length === 1);
    await until('it has come to its end', async () => (await open()).length === 0);
    expect(endpoint.sentTo(browser)).toEqual([]);
    phone.disconnect();
    await until('the end of the socket is recorded', () => isRecorded(0));
    await shipped();
    await until('the next is sent', () => endpoint.sentTo(browser).length === 1);
  }, 60_000);

  onServer(
    'are never lost, whichever hub dies',
    async () => {
      const database = await createTestDatabase();
      const first = await TestHub.start({ webhooksPrivate: true }, database);
      const [seller, buyer] = [await first.seller([{ stock: 1_000, price: 1 }]), await first.buyer(10_000)];
      const browser = await endpoint.subscribe(seller);
      await first.leave();
      const start = () => HubProcess.start(database, VARIABLES);
      const hubs = await Promise.all([start(), start()]);
      const paid: string[] = [];
      for (const kill of range(KILLS)) {
        const victim = hubs[kill % 2] as HubProcess;
        for (const hub of [victim, hubs[(kill + 1) % 2] as HubProcess]) {
          const person = at(hub, buyer);
          const items = [{ bookId: 'book-1', count: 1 }];
          const { body } = await person.post<{ orderId: string }>('/orders', { storeId: seller.storeId, items });
          await person.post(`/orders/${body.orderId}/pay`, {});
          paid.push(body.orderId);
        }
        await sleep(kill * 150);
        await victim.kill();
        hubs[kill % 2] = await start();
      }
      const told = () => new Set(endpoint.sentTo(browser).map(({ message }) => message.orderId));
      await until('every order is told', () => paid.every((orderId) => told().has(orderId)), 60_000);
      // Each hub that died may have repeated one: the browser shows one notification all the same.
      expect(endpoint.sentTo(browser).length).toBeLessThan(paid.length * 3);
      for (const hub of hubs) await hub.kill();
      await database.drop();
    },
    300_000,
  );
});
