import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomOf, report, sized } from '../support/chaos.js';
import { createOnEveryNode } from '../support/galera.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import { Person } from '../support/person.js';
import type { TestDatabase } from '../support/test.database.js';
import { device, pick, range } from '../support/ways.js';

/** Rounds of each race. Without certification between the two sides, several rounds of ten have two winners. */
const ROUNDS = sized(10, 60);
const JITTER_MS = 8;

/** Sends one side's request so late that either side can win. */
type Late = <T>(request: () => Promise<T>) => Promise<T>;

/** Three hubs, each on a node of its own: rows that one node locks are not locked at the others. */
describe('hubs on three nodes of a Galera cluster', () => {
  let nodes: TestDatabase[];
  let hubs: TestHub[];
  const random = randomOf('galera.races');
  const counts: Record<string, string> = {};

  beforeAll(async () => {
    nodes = await createOnEveryNode();
    hubs = [];
    for (const node of nodes) hubs.push(await TestHub.start({}, node));
  }, 120_000);
  afterAll(async () => {
    for (const hub of hubs) await hub.leave();
    await nodes[0]?.drop();
    report('races between nodes', counts);
  });

  const hubOf = (index: number) => pick(hubs, index);

  /**
   * Runs a race once a round, between two hubs. `contend` says whether the late one won, or throws if both did. The delay of the
   * late one homes in on the moment at which either can win.
   */
  async function races(name: string, contend: (index: number, late: Late) => Promise<boolean>): Promise<void> {
    let [delayMs, won] = [20, 0];
    for (const index of range(ROUNDS)) {
      const late: Late = async (request) => {
        await sleep(delayMs + random() * JITTER_MS);
        return request();
      };
      const hasWon = await contend(index, late);
      delayMs = Math.max(0, delayMs + (hasWon ? JITTER_MS : -JITTER_MS));
      if (hasWon) won++;
    }
    counts[name] = `${won} of ${ROUNDS}`;
  }

  const unregister = (person: Person) => person.post('/auth/unregister', { password: PASSWORD });
  const count = async (sql: string, parameters: unknown[]) => (await hubOf(0).rows(sql, parameters)).length;
  const openOrders = (userId: string) =>
    count("SELECT 1 FROM orders WHERE ? IN (buyer_id, seller_id) AND status IN ('placed', 'paid', 'shipped')", [
      userId,
    ]);
  const isGone = async (userId: string) =>
    (await count('SELECT 1 FROM users WHERE user_id = ? AND unregistered_at IS NOT NULL', [userId])) === 1;

  test('either unregister a buyer or take the order', async () => {
    const seller = await hubOf(0).seller([{ stock: 1_000_000 }]);
    await races('place against a leaving buyer', async (index, late) => {
      const here = await hubOf(1).person(`leaving-buyer-${index}`);
      const there = device(here, hubOf(2));
      const order = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] };
      await Promise.all([unregister(here), late(() => there.post('/orders', order))]);
      const [gone, open] = [await isGone(here.userId), await openOrders(here.userId)];
      expect(gone && open > 0).toBe(false);
      return !gone;
    });
  });

  test('either unregister a seller or take the order', async () => {
    const buyer = await hubOf(0).person();
    await races('place against a leaving seller', async (index, late) => {
      const here = await hubOf(1).seller([{ stock: 100 }], `leaving-seller-${index}`);
      const there = device(buyer, hubOf(2));
      const order = { storeId: here.storeId, items: [{ bookId: 'book-1', count: 1 }] };
      await Promise.all([unregister(here), late(() => there.post('/orders', order))]);
      const [gone, open] = [await isGone(here.userId), await openOrders(here.userId)];
      expect(gone && open > 0).toBe(false);
      return !gone;
    });
  });

  test('either unregister a user or take the money', async () => {
    await races('deposit against a leaving user', async (index, late) => {
      const here = await hubOf(1).person(`leaving-depositor-${index}`);
      const there = device(here, hubOf(2));
      await Promise.all([unregister(here), late(() => there.post('/wallet/deposits', { amount: 1 }))]);
      const gone = await isGone(here.userId);
      const money = await count('SELECT 1 FROM wallets WHERE user_id = ? AND balance > 0', [here.userId]);
      expect(gone && money > 0).toBe(false);
      return !gone;
    });
  });

  test.each(['password', 'unregister'])('leave no session of a login that raced with %s', async (route) => {
    await races(`login against ${route}`, async (index, late) => {
      const here = await hubOf(1).person(`${route}-${index}`);
      const there = new Person(hubOf(2), here.userId, '');
      const change = { oldPassword: PASSWORD, newPassword: `${PASSWORD} 2` };
      const [changed, { status, body }] = await Promise.all([
        here.post(`/auth/${route}`, route === 'password' ? change : { password: PASSWORD }),
        late(() => there.post<{ token: string }>('/auth/login', { userId: here.userId, password: PASSWORD })),
      ]);
      expect(changed.status).toBe(204);
      // Logged in before the change, and ended by it.
      const again = new Person(hubOf(0), here.userId, body.token);
      if (status === 200) expect((await again.get('/auth/session')).status).toBe(401);
      return status === 200;
    });
  });

  test('keep both of two changes to one book', async () => {
    const seller = await hubOf(0).seller();
    await races('changes of a book', async (index) => {
      const path = `/stores/${seller.storeId}/books/book-1`;
      const changes = [{ price: index }, { author: `Author ${index}` }, { title: `Title ${index}` }];
      const answers = await Promise.all(
        changes.map((change, at) => device(seller, hubOf(at)).patch<Record<string, unknown>>(path, change)),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      const stored = (await device(seller, hubOf(1)).get<Record<string, unknown>>(path)).body;
      expect(stored).toMatchObject(Object.assign({}, ...changes));
      // The changes followed one another: the last one has seen all three.
      expect(answers.map(({ body }) => body)).toContainEqual(stored);
      return true;
    });
  });

  test('sell the last copy once', async () => {
    const buyers = await Promise.all(range(3).map(() => hubOf(0).person()));
    await races('last copy', async (index) => {
      const seller = await hubOf(1).seller([{ stock: 1 }], `last-copy-${index}`);
      const order = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] };
      const answers = await Promise.all(buyers.map((buyer, at) => device(buyer, hubOf(at)).post('/orders', order)));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
      return true;
    });
  });

  test('carry a key out once', async () => {
    const seller = await hubOf(0).seller([{ stock: 1_000_000 }]);
    const buyer = await hubOf(1).person();
    await races('one key', async (index) => {
      const order = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: `key-${index}` };
      const answers = await Promise.all(
        hubs.map((hub) => device(buyer, hub).post<{ orderId: string }>('/orders', order)),
      );
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
      expect(new Set(answers.map(({ body }) => body.orderId)).size).toBe(1);
      return true;
    });
  });

  test('give an id to one user', async () => {
    await races('one id', async (index) => {
      const userId = `twin-${index}`;
      const answers = await Promise.all(
        hubs.map((hub) => new Person(hub, userId, '').post('/auth/register', { userId, password: PASSWORD })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
      return true;
    });
  });

  test('either cancel or pay an order', async () => {
    const seller = await hubOf(0).seller([{ stock: 1_000_000 }]);
    const buyer = await hubOf(1).buyer(1_000_000);
    await races('pay against cancel', async () => {
      const { orderId } = await buyer.place(seller);
      const [pay, cancel] = await Promise.all([
        device(buyer, hubOf(2)).post(`/orders/${orderId}/pay`, {}),
        device(seller, hubOf(0)).post(`/orders/${orderId}/cancel`, {}),
      ]);
      // Cancelled after the payment, the money goes back.
      expect([pay?.status, cancel?.status]).toEqual([expect.any(Number), 200]);
      return pay?.status === 200;
    });
    expect(await seller.balance()).toBe(0);
  });
});
