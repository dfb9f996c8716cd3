import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import type { Request } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { contents } from '../support/contents.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { fillTo, movementsOf } from '../support/ledger.js';
import { Person } from '../support/person.js';
import { give, type OrderCommandName, ways } from '../support/two.ways.js';

const BALANCE_MAX = 2 ** 53 - 1;
const PRICE_MAX = 10 ** 12;

describe('paying an order', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;

  const shelf = [
    { bookId: 'three-body', title: '三体', price: 2_300, stock: 1_000 },
    { bookId: 'dark-forest', title: '黑暗森林', price: 3_200, stock: 1_000 },
    { bookId: 'deaths-end', title: '死神永生', price: 4_001, stock: 1_000 },
  ];
  const list = [
    { bookId: 'three-body', count: 2 },
    { bookId: 'dark-forest', count: 1 },
    { bookId: 'deaths-end', count: 3 },
  ];
  const total = 2 * 2_300 + 3_200 + 3 * 4_001;

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller(shelf);
    buyer = await hub.buyer();
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(() => hub.stop());

  /** The error of a command that must be rejected and change nothing. */
  async function rejectionOf<Name extends OrderCommandName>(person: Person, name: Name, request: Request<Name>) {
    const before = await contents(hub);
    const error = await person.isRefused(name, request);
    expect(await contents(hub)).toEqual(before);
    return error;
  }

  test('debits the buyer once, credits the seller once and books both entries', async () => {
    const newSeller = await hub.seller(shelf);
    const newBuyer = await hub.register();
    await newBuyer.deposit(50_000);
    await Promise.all([newSeller.connect(), newBuyer.connect()]);

    const placed = await newBuyer.place(newSeller, list);
    expect(placed).toMatchObject({ status: 'placed', total, paidAt: null });
    expect(placed.items).toMatchObject(
      list.map(({ bookId, count }, index) => ({
        bookId,
        count,
        title: shelf[index]?.title,
        price: shelf[index]?.price,
      })),
    );
    expect([await newBuyer.balance(), await newSeller.balance()]).toEqual([50_000, 0]);

    const { orderId } = placed;
    const paid = await newBuyer.send('order:pay', { orderId });
    expect(paid).toMatchObject({
      ok: true,
      seq: 2,
      data: { orderId, status: 'paid', version: 2, items: placed.items, total, placedAt: placed.placedAt },
    });
    expect([await newBuyer.balance(), await newSeller.balance()]).toEqual([50_000 - total, total]);
    expect(await movementsOf(newBuyer)).toEqual([
      ['payment', -total, 50_000 - total, orderId],
      ['deposit', 50_000, 50_000, null],
    ]);
    expect(await movementsOf(newSeller)).toEqual([['sale', total, total, orderId]]);
    expect(await Promise.all(list.map(({ bookId }) => newSeller.stock(bookId)))).toEqual([998, 999, 997]);
    for (const person of [newBuyer, newSeller]) {
      const events = await person.hears(2);
      expect(events.map(({ status, by }) => [status, by])).toEqual([
        ['placed', newBuyer.userId],
        ['paid', newBuyer.userId],
      ]);
    }
  });

  test.each(['order:place', 'order:pay'] as const)('%s with an unknown token is UNAUTHENTICATED', async (name) => {
    const impostor = new Person(hub, 'impostor', 'not-a-token');
    const { orderId } = await buyer.place(seller, list);
    const before = await contents(hub);
    const path = name === 'order:place' ? '/orders' : `/orders/${orderId}/pay`;
    const body = name === 'order:place' ? { storeId: seller.storeId, items: list } : {};
    expect(await impostor.post(path, body)).toMatchObject({
      status: 401,
      body: { error: { code: 'UNAUTHENTICATED', retryable: false } },
    });
    await expect(impostor.connect()).rejects.toMatchObject({
      message: 'UNAUTHENTICATED',
      data: { code: 'UNAUTHENTICATED', retryable: false },
    });
    expect(await contents(hub)).toEqual(before);
  });

  test('an unregistered user places no order: the token is revoked and the socket disconnected', async () => {
    const former = await hub.person();
    await former.connect();
    expect(await former.post('/auth/unregister', { password: PASSWORD })).toMatchObject({ status: 204 });
    await until('the socket is disconnected', () => former.socket?.connected === false);
    expect(former.endings).toEqual(['unregistered']);
    const before = await contents(hub);
    expect(await former.post('/orders', { storeId: seller.storeId, items: list })).toMatchObject({
      status: 401,
      body: { error: { code: 'UNAUTHENTICATED' } },
    });
    await expect(former.connect()).rejects.toMatchObject({ message: 'UNAUTHENTICATED' });
    expect(await contents(hub)).toEqual(before);
  });

  test('a store whose owner has unregistered accepts no orders', async () => {
    const former = await hub.seller();
    expect(await former.post('/auth/unregister', { password: PASSWORD })).toMatchObject({ status: 204 });
    const request = { storeId: former.storeId, items: [{ bookId: 'book-1', count: 1 }] };
    expect(await rejectionOf(buyer, 'order:place', request)).toMatchObject({
      code: 'USER_NOT_FOUND',
      retryable: false,
    });
  });

  test.each([
    ['no such name', () => 'no-such-store'],
    ['another letter case', () => seller.storeId.toUpperCase()],
    ['a prefix of the name', () => seller.storeId.slice(0, -1)],
    ['the id of a user', () => seller.userId],
  ])('rejects an unknown store with STORE_NOT_FOUND: %s', async (_, storeId) => {
    const error = await rejectionOf(buyer, 'order:place', { storeId: storeId(), items: list });
    expect(error).toMatchObject({ code: 'STORE_NOT_FOUND', retryable: false });
  });

  test.each([
    ['no such id', 'no-such-book'],
    ['another letter case', 'Three-Body'],
    ['a book of another store', 'book-of-another'],
  ])('rejects the whole order with BOOK_NOT_FOUND and the unknown book’s id: %s', async (_, bookId) => {
    await hub.seller([{ bookId: 'book-of-another' }]);
    const items = [...list, { bookId, count: 1 }];
    const error = await rejectionOf(buyer, 'order:place', { storeId: seller.storeId, items });
    expect(error).toMatchObject({ code: 'BOOK_NOT_FOUND', retryable: false, details: { bookId } });
  });

  test.each([
    ['one more than in stock', 4, 3],
    ['a million', 1_000_000, 3],
    ['one of a sold-out book', 1, 0],
  ])('rejects the whole order with OUT_OF_STOCK and the available stock: %s', async (_, wanted, stock) => {
    const store = await hub.seller([{ stock: 5 }, { bookId: 'scarce', stock }, { stock: 5 }]);
    const items = [
      { bookId: 'book-1', count: 1 },
      { bookId: 'scarce', count: wanted },
      { bookId: 'book-3', count: 1 },
    ];
    const error = await rejectionOf(buyer, 'order:place', { storeId: store.storeId, items });
    expect(error).toMatchObject({
      code: 'OUT_OF_STOCK',
      retryable: false,
      details: { bookId: 'scarce', wanted, available: stock },
    });
  });

  test('sells the last copies, and then none', async () => {
    const store = await hub.seller([{ stock: 3 }]);
    await buyer.place(store, [{ bookId: 'book-1', count: 3 }]);
    expect(await store.stock()).toBe(0);
    expect(
      await buyer.isRefused('order:place', { storeId: store.storeId, items: [{ bookId: 'book-1', count: 1 }] }),
    ).toMatchObject({
      code: 'OUT_OF_STOCK',
      details: { bookId: 'book-1', wanted: 1, available: 0 },
    });
  });

  test('rejects anyone but the buyer with FORBIDDEN, whatever their balance', async () => {
    const stranger = await hub.buyer();
    const { orderId } = await buyer.place(seller, list);
    await seller.deposit(1_000_000);
    for (const person of [seller, stranger]) {
      expect(await rejectionOf(person, 'order:pay', { orderId })).toEqual({
        code: 'FORBIDDEN',
        message: expect.any(String),
        retryable: false,
      });
    }
  });

  test('rejects a balance one short with INSUFFICIENT_FUNDS, and accepts the exact total', async () => {
    const poor = await hub.buyer(total - 1);
    const { orderId } = await poor.place(seller, list);
    const error = await rejectionOf(poor, 'order:pay', { orderId });
    expect(error).toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
      retryable: false,
      details: { needed: total, balance: total - 1 },
    });
    await poor.deposit(1);
    expect(await poor.does('order:pay', { orderId })).toMatchObject({ status: 'paid' });
    expect(await poor.balance()).toBe(0);
  });

  test.each([
    ['an id never issued', () => '01890a5d-ac96-774b-bcce-b302099a8057'],
    ['an id in upper case', ({ orderId }: Order) => orderId.toUpperCase()],
    ['an id and a space', ({ orderId }: Order) => `${orderId} `],
    ['the id of a store', ({ storeId }: Order) => storeId],
    ['zero', () => '0'],
    ['64 characters outside the basic plane', () => '𠮷'.repeat(64)],
    ['SQL', () => "' OR order_id LIKE '%"],
  ])('rejects an unknown order with ORDER_NOT_FOUND: %s', async (_, orderIdOf) => {
    const placed = await buyer.place(seller, list);
    const error = await rejectionOf(buyer, 'order:pay', { orderId: orderIdOf(placed) });
    expect(error).toMatchObject({ code: 'ORDER_NOT_FOUND', retryable: false });
  });

  test('rejects an order id of more than 64 characters with BAD_MESSAGE', async () => {
    const error = await rejectionOf(buyer, 'order:pay', { orderId: '0'.repeat(65) });
    expect(error).toMatchObject({ code: 'BAD_MESSAGE', details: [{ path: 'orderId' }] });
  });

  test('rejects a second payment, and one of a cancelled order, with ORDER_STATE', async () => {
    const { orderId } = await buyer.place(seller, list);
    await buyer.does('order:pay', { orderId });
    expect(await rejectionOf(buyer, 'order:pay', { orderId })).toMatchObject({
      code: 'ORDER_STATE',
      retryable: false,
      details: { status: 'paid', allowed: ['cancel'] },
    });
    await buyer.does('order:cancel', { orderId });
    expect(await rejectionOf(buyer, 'order:pay', { orderId })).toMatchObject({
      code: 'ORDER_STATE',
      details: { status: 'cancelled', allowed: [] },
    });
  });

  describe('with expectedTotal', () => {
    test('succeeds over both transports where it matches', async () => {
      for (const way of ways) {
        const placed = await give(way, buyer, 'order:place', {
          storeId: seller.storeId,
          items: list,
          expectedTotal: total,
        });
        if (!placed.ok) throw new Error(`Not placed over ${way}: ${placed.error.code}`);
        const { orderId } = placed.data;
        const paid = await give(way, buyer, 'order:pay', { orderId, expectedTotal: total });
        expect(paid).toMatchObject({ ok: true, data: { status: 'paid', total } });
      }
    });

    test.each([0, total - 1, total + 1, BALANCE_MAX])('rejects %i with PRICE_CHANGED', async (expected) => {
      const details = { expected, actual: total };
      const request = { storeId: seller.storeId, items: list, expectedTotal: expected };
      expect(await rejectionOf(buyer, 'order:place', request)).toMatchObject({
        code: 'PRICE_CHANGED',
        retryable: false,
        details,
      });
      const { orderId } = await buyer.place(seller, list);
      expect(await rejectionOf(buyer, 'order:pay', { orderId, expectedTotal: expected })).toMatchObject({
        code: 'PRICE_CHANGED',
        retryable: false,
        details,
      });
    });
  });

  test('keeps the price and title of the moment of placing', async () => {
    const store = await hub.seller([{ title: 'First edition', price: 1_000 }]);
    const reader = await hub.buyer(5_000);
    const items = [{ bookId: 'book-1', count: 2 }];
    const placed = await reader.place(store, items);
    const path = `/stores/${store.storeId}/books/book-1`;
    expect(await store.patch(path, { title: 'Second edition', price: 1_500 })).toMatchObject({ status: 200 });

    const { orderId } = placed;
    const snapshot = [{ bookId: 'book-1', title: 'First edition', count: 2, price: 1_000 }];
    expect(await reader.does('order:pay', { orderId, expectedTotal: 2_000 })).toMatchObject({
      items: snapshot,
      total: 2_000,
    });
    for (const person of [reader, store]) {
      expect(await person.does('order:get', { orderId })).toMatchObject({ items: snapshot, total: 2_000 });
    }
    expect([await reader.balance(), await store.balance()]).toEqual([3_000, 2_000]);

    const request = { storeId: store.storeId, items, expectedTotal: 2_000 };
    expect(await reader.isRefused('order:place', request)).toMatchObject({
      code: 'PRICE_CHANGED',
      details: { expected: 2_000, actual: 3_000 },
    });
    expect(await reader.place(store, items)).toMatchObject({
      items: [{ bookId: 'book-1', title: 'Second edition', count: 2, price: 1_500 }],
      total: 3_000,
    });
  });

  test('books entries of zero for a free book', async () => {
    const store = await hub.seller([{ price: 0 }]);
    const poor = await hub.buyer(0);
    const { orderId } = await poor.place(store);
    expect(await poor.does('order:pay', { orderId, expectedTotal: 0 })).toMatchObject({ status: 'paid', total: 0 });
    expect(await movementsOf(poor)).toEqual([['payment', 0, 0, orderId]]);
    expect(await movementsOf(store)).toEqual([['sale', 0, 0, orderId]]);
    expect(await store.does('order:ship', { orderId })).toMatchObject({ status: 'shipped' });
  });

  describe('near 2^53−1', () => {
    const stock = 1_000_000;
    let richSeller: Person;

    beforeAll(async () => {
      richSeller = await hub.seller([
        { bookId: 'gold', price: PRICE_MAX, stock },
        { bookId: 'rest', price: BALANCE_MAX % PRICE_MAX, stock },
        { bookId: 'penny', price: 1, stock },
        { bookId: 'silver', price: PRICE_MAX, stock },
      ]);
    });

    const most = [
      { bookId: 'gold', count: Math.floor(BALANCE_MAX / PRICE_MAX) },
      { bookId: 'rest', count: 1 },
    ];
    const penny = { bookId: 'penny', count: 1 };

    test.each([
      ['by one', [...most, penny]],
      ['in one item', [{ bookId: 'gold', count: 9_008 }]],
      ['in the first of two items', [{ bookId: 'gold', count: 1_000_000 }, penny]],
      ['by far', ['gold', 'silver', 'rest'].map((bookId) => ({ bookId, count: 1_000_000 }))],
    ])('rejects a larger total with BAD_MESSAGE and stores nothing under its key: %s', async (excess, items) => {
      const key = `beyond-${excess.replaceAll(' ', '-')}`;
      const { storeId } = richSeller;
      const error = await rejectionOf(buyer, 'order:place', { storeId, items, key });
      expect(error).toMatchObject({
        code: 'BAD_MESSAGE',
        retryable: false,
        details: [{ path: expect.stringContaining('items'), problem: expect.any(String) }],
      });
      const placed = await buyer.send('order:place', { storeId, items: [penny], key });
      expect(placed).toMatchObject({ ok: true, data: { total: 1 } });
      expect(placed.replayed).toBeUndefined();
    });

    test('is exact for a total and a balance of 2^53−1, and rejects one more', async () => {
      const rich = await hub.buyer(0);
      await fillTo(hub, rich, BALANCE_MAX);
      const placed = await rich.place(richSeller, most);
      expect(placed.total).toBe(BALANCE_MAX);
      const paid = await rich.does('order:pay', { orderId: placed.orderId, expectedTotal: BALANCE_MAX });
      expect(paid.total).toBe(BALANCE_MAX);
      expect([await rich.balance(), await richSeller.balance()]).toEqual([0, BALANCE_MAX]);
      expect(await movementsOf(richSeller)).toEqual([['sale', BALANCE_MAX, BALANCE_MAX, placed.orderId]]);
      expect(await audit(hub)).toEqual([]);

      const { orderId } = await buyer.place(richSeller, [penny]);
      const request = { orderId, key: 'a-penny-too-much' };
      expect(await rejectionOf(buyer, 'order:pay', request)).toMatchObject({
        code: 'BAD_MESSAGE',
        retryable: false,
        details: [{ path: expect.any(String), problem: expect.any(String) }],
      });
      expect(await richSeller.post('/wallet/withdrawals', { amount: 1 })).toMatchObject({ status: 200 });
      const after = await buyer.send('order:pay', request);
      expect(after).toMatchObject({ ok: true, data: { status: 'paid' } });
      expect(after.replayed).toBeUndefined();
      expect(await richSeller.balance()).toBe(BALANCE_MAX);
    });

    test('fills the seller’s balance to the limit, and no further', async () => {
      const store = await hub.seller([{ price: 7 }, { price: 8 }]);
      await fillTo(hub, store, BALANCE_MAX - 7);
      const eight = await buyer.place(store, [{ bookId: 'book-2', count: 1 }]);
      expect(await buyer.isRefused('order:pay', { orderId: eight.orderId })).toMatchObject({ code: 'BAD_MESSAGE' });
      const seven = await buyer.place(store, [{ bookId: 'book-1', count: 1 }]);
      expect(await buyer.does('order:pay', { orderId: seven.orderId })).toMatchObject({ status: 'paid' });
      expect(await store.balance()).toBe(BALANCE_MAX);
    });
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
