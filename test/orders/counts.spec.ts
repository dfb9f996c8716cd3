import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { StatusCounts } from '../../src/contract/finding.js';
import { audit } from '../support/audit.js';
import { TestHub } from '../support/hub.js';
import { Person } from '../support/person.js';
import { type Failure, faultPaths } from '../support/refused.js';
import { range } from '../support/ways.js';

const none: StatusCounts = { placed: 0, paid: 0, shipped: 0, received: 0, cancelled: 0 };

describe('counting orders', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: 1_000 }]);
    buyer = await hub.buyer(10 ** 6);
  });
  afterAll(() => hub.stop());

  const counts = async (person: Person, role: 'buyer' | 'seller') =>
    (await person.get<StatusCounts>(`/orders/counts?role=${role}`)).body;

  test('follows each order through its life, for both parties', async () => {
    const [first, second, third, fourth] = await Promise.all(range(4).map(() => buyer.place(seller)));
    const ids = [first, second, third, fourth].map((order) => ({ orderId: order?.orderId ?? '' }));
    for (const order of ids.slice(1)) await buyer.does('order:pay', order);
    for (const order of ids.slice(2)) await seller.does('order:ship', order);
    await buyer.does('order:receive', ids[3] as { orderId: string });
    const expected = { placed: 1, paid: 1, shipped: 1, received: 1, cancelled: 0 };
    expect([await counts(buyer, 'buyer'), await counts(seller, 'seller')]).toEqual([expected, expected]);
    expect([await counts(buyer, 'seller'), await counts(seller, 'buyer')]).toEqual([none, none]);
    await buyer.does('order:note', { orderId: ids[1]?.orderId ?? '', text: 'a change without a step' });
    await buyer.does('order:cancel', ids[0] as { orderId: string });
    await seller.does('order:cancel', ids[1] as { orderId: string });
    const later = { ...none, shipped: 1, received: 1, cancelled: 2 };
    expect([await counts(buyer, 'buyer'), await counts(seller, 'seller')]).toEqual([later, later]);
  });

  test('is exact whatever is sent at once', async () => {
    const busy = await hub.buyer(10 ** 6);
    const placed = await Promise.all(range(100).map(() => busy.place(seller)));
    await Promise.all(
      placed.flatMap(({ orderId }) => [
        busy.sendRaw('order:pay', { orderId }),
        seller.sendRaw('order:cancel', { orderId }),
      ]),
    );
    const found = await counts(busy, 'buyer');
    expect(Object.values(found).reduce((sum, count) => sum + count, 0)).toBe(100);
    for (const status of ['placed', 'paid', 'cancelled'] as const) {
      const { items } = await busy.does('order:list', { role: 'buyer', status, limit: 100 });
      expect([status, found[status]]).toEqual([status, items.length]);
    }
  });

  test('is refused to strangers and without a role', async () => {
    expect((await new Person(hub, 'nobody', '').get<Failure>('/orders/counts?role=buyer')).status).toBe(401);
    expect(faultPaths((await buyer.get<Failure>('/orders/counts')).body.error)).toEqual(['role']);
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});

test('orders of earlier releases are counted when the schema is upgraded', async () => {
  const hub = await TestHub.start();
  try {
    const seller = await hub.seller([{ stock: 10 }]);
    const buyer = await hub.buyer(10 ** 6);
    const { orderId } = await buyer.place(seller);
    await buyer.place(seller);
    await buyer.does('order:pay', { orderId });
    await hub.database.writer.undoLastMigration();
    await hub.database.writer.runMigrations();
    const expected = { ...none, placed: 1, paid: 1 };
    expect((await seller.get('/orders/counts?role=seller')).body).toEqual(expected);
    expect((await buyer.get('/orders/counts?role=buyer')).body).toEqual(expected);
    expect((await buyer.get('/orders/counts?role=seller')).body).toEqual(none);
  } finally {
    await hub.stop();
  }
});
