import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createOnEveryNode, whileBehind } from '../support/galera.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import { Person } from '../support/person.js';
import type { TestDatabase } from '../support/test.database.js';
import { device, pick } from '../support/ways.js';

/** Less than the three seconds after which a silent server counts as dead. */
const BEHIND_MS = 1_200;

/** What a hub has acknowledged is known at every other, although the other's node has not applied it yet. */
describe('a hub on a Galera node that is behind', () => {
  let nodes: TestDatabase[];
  let hubs: TestHub[];
  let ahead: TestHub;
  let behind: TestHub;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    nodes = await createOnEveryNode();
    hubs = [];
    for (const node of nodes) hubs.push(await TestHub.start({}, node));
    [ahead, behind] = [pick(hubs, 0), pick(hubs, 2)];
    seller = await ahead.seller([{ stock: 1_000 }]);
    buyer = await ahead.buyer();
    // Its connections exist before the node falls behind.
    await behind.rows('SELECT 1');
  }, 120_000);
  afterAll(async () => {
    for (const hub of hubs) await hub.leave();
    await nodes[0]?.drop();
  });

  const meanwhile = <T>(work: () => Promise<T>) => whileBehind(pick(nodes, 2), BEHIND_MS, work);

  test('replays every event after `last`, and leaves none out', async () => {
    for (const _ of [1, 2, 3]) await buyer.place(seller);
    const { events, head } = await meanwhile(async () => {
      await buyer.place(seller);
      const { head } = await buyer.does('room:read', { role: 'buyer', after: 0 });
      const returning = await device(buyer, behind).connect({ last: { buyer: head - 1 } });
      expect(returning.ready[0]?.rooms.buyer).toEqual({ head, complete: true });
      const again = await device(buyer, behind).connect({ last: { buyer: head } });
      expect(again.ready[0]?.rooms.buyer).toEqual({ head, complete: true });
      const events = [...returning.events];
      for (const socket of [returning, again]) socket.disconnect();
      return { events, head };
    });
    expect(events.map(({ seq }) => seq)).toEqual([head]);
  });

  test('finds an acknowledged order, its events, and the balance that paid for it', async () => {
    await meanwhile(async () => {
      const { orderId } = await buyer.place(seller);
      await buyer.does('order:pay', { orderId });
      const at = device(buyer, behind);
      const answers = await Promise.all([
        at.get<{ status: string }>(`/orders/${orderId}`),
        at.get<{ items: { orderId: string }[] }>('/orders?role=buyer&limit=1'),
        at.get<{ balance: number }>('/wallet'),
        at.get<{ head: number; complete: boolean }>('/rooms/buyer/events?after=0'),
      ]);
      const [order, list, wallet, room] = answers.map(({ body }) => body);
      const { balance } = (await buyer.get<{ balance: number }>('/wallet')).body;
      const { head } = await buyer.does('room:read', { role: 'buyer', after: 0 });
      expect(order).toMatchObject({ orderId, status: 'paid' });
      expect(list).toMatchObject({ items: [{ orderId }] });
      expect(wallet).toEqual({ balance, held: 0 });
      expect(room).toMatchObject({ head, complete: true });
    });
  });

  test('knows a user and a session at once, and at once no longer', async () => {
    await meanwhile(async () => {
      const userId = 'new-here';
      await new Person(ahead, userId, '').post('/auth/register', { userId, password: PASSWORD });
      const login = await new Person(behind, userId, '').post<{ token: string }>('/auth/login', {
        userId,
        password: PASSWORD,
      });
      expect(login.status).toBe(200);
    });
    const left = await ahead.person();
    await meanwhile(async () => {
      expect((await left.post('/auth/logout')).status).toBe(204);
      expect((await device(left, behind).get('/auth/session')).status).toBe(401);
    });
  });

  test('answers a key as another hub has, and orders from what another hub has stocked', async () => {
    await meanwhile(async () => {
      const order = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: 'twice' };
      const first = await buyer.send('order:place', order);
      const second = await device(buyer, behind).send('order:place', order);
      expect(second).toEqual({ ...first, replayed: true });
    });
    await meanwhile(async () => {
      const book = { bookId: 'fresh', title: 'Fresh', price: 1, stock: 1 };
      expect((await seller.post(`/stores/${seller.storeId}/books`, book)).status).toBe(201);
      const placed = await device(buyer, behind).place(seller, [{ bookId: 'fresh', count: 1 }]);
      expect(placed.status).toBe('placed');
    });
  });
});
