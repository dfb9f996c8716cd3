import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BookView } from '../../src/contract/stores.js';
import { audit } from '../support/audit.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type Failure, faultPaths } from '../support/refused.js';

const STOCK_MAX = 1_000_000;

describe('stock', () => {
  let hub: TestHub;
  const add = (seller: Person, body: unknown, headers: Record<string, string> = {}) =>
    seller.post<BookView & Failure>(`/stores/${seller.storeId}/books/book-1/stock`, body, headers);
  const replayed = (headers: Headers) => headers.get('Idempotency-Replayed');

  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  test('is added and removed, with the whole book as the answer', async () => {
    const seller = await hub.seller([{ stock: 10 }]);
    const { body: book } = await seller.get<BookView>(`/stores/${seller.storeId}/books/book-1`);
    const added = await add(seller, { add: 5 });
    expect([added.status, added.body, replayed(added.headers)]).toEqual([200, { ...book, stock: 15 }, null]);
    const removed = await add(seller, { add: -15 });
    expect([removed.status, removed.body]).toEqual([200, { ...book, stock: 0 }]);
    expect(await seller.stock()).toBe(0);
  });

  test.each([-4, -STOCK_MAX, -STOCK_MAX - 1])('of 3 copies changed by %d is OUT_OF_STOCK', async (change) => {
    const seller = await hub.seller([{ stock: 3 }]);
    const { status, body } = await add(seller, { add: change });
    expect(status).toBe(409);
    expect(body.error).toEqual({
      code: 'OUT_OF_STOCK',
      message: expect.any(String),
      retryable: false,
      details: { bookId: 'book-1', wanted: -change, available: 3 },
    });
    expect(await seller.stock()).toBe(3);
  });

  test('is limited to 1,000,000', async () => {
    const seller = await hub.seller([{ stock: 1 }]);
    expect((await add(seller, { add: STOCK_MAX - 1 })).body).toMatchObject({ stock: STOCK_MAX });
    for (const change of [1, STOCK_MAX]) {
      const { status, body } = await add(seller, { add: change, key: `beyond-${change}` });
      expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', ['add']]);
    }
    expect(await seller.stock()).toBe(STOCK_MAX);
    await add(seller, { add: -1 });
    const again = await add(seller, { add: 1, key: 'beyond-1' });
    expect([again.status, replayed(again.headers)]).toEqual([200, null]);
  });

  test('is restored by a cancellation even above the limit, and can then be reduced', async () => {
    const seller = await hub.seller([{ stock: STOCK_MAX, price: 0 }]);
    const buyer = await hub.buyer(0);
    const { orderId } = await buyer.place(seller, [{ bookId: 'book-1', count: STOCK_MAX }]);
    expect((await add(seller, { add: STOCK_MAX })).body).toMatchObject({ stock: STOCK_MAX });
    await buyer.does('order:cancel', { orderId });
    expect(await seller.stock()).toBe(2 * STOCK_MAX);
    expect((await add(seller, { add: 1 })).status).toBe(400);
    expect((await add(seller, { add: -1 })).body).toMatchObject({ stock: 2 * STOCK_MAX - 1 });
    const { status, body } = await add(seller, { add: -(2 * STOCK_MAX - 1) });
    expect([status, body]).toMatchObject([200, { stock: 0 }]);
  });

  test.each<[string, unknown]>([
    ['0', 0],
    ['a fraction', 0.5],
    ['above 1,000,000', STOCK_MAX + 1],
    ['a string', '5'],
    ['null', null],
    ['missing', undefined],
    ['a boolean', true],
  ])('rejects a change that is %s', async (_, change) => {
    const seller = await hub.seller([{ stock: 3 }]);
    const { status, body } = await add(seller, { add: change });
    expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', ['add']]);
    expect(await seller.stock()).toBe(3);
  });

  test('cannot be set, only changed', async () => {
    const seller = await hub.seller([{ stock: 3 }]);
    const { status, body } = await add(seller, { add: 1, stock: 50, bookId: 'book-1' });
    expect([status, faultPaths(body.error)]).toEqual([400, ['bookId', 'stock']]);
    expect(await seller.stock()).toBe(3);
  });

  test('changed with a key changes once, and the first answer is replayed', async () => {
    const seller = await hub.seller([{ stock: 10 }]);
    const first = await add(seller, { add: 5, key: 'delivery-1' });
    expect([first.body.stock, replayed(first.headers)]).toEqual([15, null]);
    await add(seller, { add: 100 });
    await seller.patch(`/stores/${seller.storeId}/books/book-1`, { title: 'Renamed' });
    for (const again of [
      await add(seller, { add: 5, key: 'delivery-1' }),
      await add(seller, { add: 5 }, { 'Idempotency-Key': 'delivery-1' }),
    ]) {
      expect([again.status, again.body, replayed(again.headers)]).toEqual([200, first.body, 'true']);
    }
    expect(await seller.stock()).toBe(115);
    const other = await add(seller, { add: 6, key: 'delivery-1' });
    expect([other.status, other.body.error.code]).toEqual([422, 'KEY_REUSED']);
    const differing = await add(seller, { add: 5, key: 'delivery-1' }, { 'Idempotency-Key': 'delivery-2' });
    expect([differing.status, faultPaths(differing.body.error)]).toEqual([400, ['key']]);
  });

  test('replays a rejected change after restocking', async () => {
    const seller = await hub.seller([{ stock: 0 }]);
    const first = await add(seller, { add: -1, key: 'too-early' });
    await add(seller, { add: 10 });
    const again = await add(seller, { add: -1, key: 'too-early' });
    expect([again.status, again.body, replayed(again.headers)]).toEqual([409, first.body, 'true']);
    expect(await seller.stock()).toBe(10);
  });

  test('answers KEY_REUSED to a key of another book or of a deposit', async () => {
    const seller = await hub.seller([{}, {}]);
    await add(seller, { add: 1, key: 'used' });
    const answers = [
      await seller.post<Failure>(`/stores/${seller.storeId}/books/book-2/stock`, { add: 1, key: 'used' }),
      await seller.post<Failure>('/wallet/deposits', { amount: 1, key: 'used' }),
    ];
    for (const { status, body } of answers) expect([status, body.error.code]).toEqual([422, 'KEY_REUSED']);
  });

  test('is the sum of concurrent changes and orders', async () => {
    const seller = await hub.seller([{ stock: 5 }]);
    const buyer = await hub.buyer();
    await buyer.connect();
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        if (index % 2 === 0) return (await add(seller, { add: 3 })).status === 200;
        return (await buyer.send('order:place', { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 2 }] }))
          .ok;
      }),
    );
    const placed = answers.filter((ok, index) => ok && index % 2 === 1).length;
    expect(answers.filter((ok, index) => ok && index % 2 === 0)).toHaveLength(10);
    expect(await seller.stock()).toBe(5 + 30 - 2 * placed);
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
