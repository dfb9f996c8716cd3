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

/** The seed's second test: a list of books, a new buyer, a new order; and every check that the seed names. */
describe('paying', () => {
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

  /** Gives what a command is refused with, the same by both ways, and makes sure that it changed nothing. */
  async function refusalOf<Name extends OrderCommandName>(person: Person, name: Name, request: Request<Name>) {
    const before = await contents(hub);
    const errors = [];
    for (const way of ways) {
      const answer = await give(way, person, name, request);
      if (answer.ok) throw new Error(`${name} was not refused over ${way}`);
      errors.push(answer.error);
    }
    expect(errors[1]).toEqual(errors[0]);
    expect(await contents(hub)).toEqual(before);
    return errors[0];
  }

  test('a new buyer pays for a list of books: debited once, credited once, booked in both ledgers', async () => {
    const newSeller = await hub.seller(shelf);
    const newBuyer = await hub.register();
    await newBuyer.deposit(50_000);
    await Promise.all([newSeller.connect(), newBuyer.connect()]);

    const placed = await newBuyer.place(newSeller, list);
    expect(placed).toMatchObject({ status: 'placed', total, paidAt: null });
    expect(placed.items).toEqual(
      list.map(({ bookId, count }, line) => ({
        bookId,
        count,
        title: shelf[line]?.title,
        price: shelf[line]?.price,
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

  test.each(['order:place', 'order:pay'] as const)('a token of nobody gives no %s', async (name) => {
    const nobody = new Person(hub, 'nobody', 'not-a-token');
    const { orderId } = await buyer.place(seller, list);
    const before = await contents(hub);
    const path = name === 'order:place' ? '/orders' : `/orders/${orderId}/pay`;
    const body = name === 'order:place' ? { storeId: seller.storeId, items: list } : {};
    expect(await nobody.post(path, body)).toMatchObject({
      status: 401,
      body: { error: { code: 'UNAUTHENTICATED', retryable: false } },
    });
    await expect(nobody.connect()).rejects.toMatchObject({
      message: 'UNAUTHENTICATED',
      data: { code: 'UNAUTHENTICATED', retryable: false },
    });
    expect(await contents(hub)).toEqual(before);
  });

  test('a user who has unregistered orders nothing any more: the token is dead and the socket cut', async () => {
    const gone = await hub.person();
    await gone.connect();
    expect(await gone.post('/auth/unregister', { password: PASSWORD })).toMatchObject({ status: 204 });
    await until('the socket of the unregistered user is cut', () => gone.socket?.connected === false);
    expect(gone.endings).toEqual(['unregistered']);
    const before = await contents(hub);
    expect(await gone.post('/orders', { storeId: seller.storeId, items: list })).toMatchObject({
      status: 401,
      body: { error: { code: 'UNAUTHENTICATED' } },
    });
    await expect(gone.connect()).rejects.toMatchObject({ message: 'UNAUTHENTICATED' });
    expect(await contents(hub)).toEqual(before);
  });

  test('a store whose owner has unregistered takes no orders', async () => {
    const gone = await hub.seller();
    expect(await gone.post('/auth/unregister', { password: PASSWORD })).toMatchObject({ status: 204 });
    const request = { storeId: gone.storeId, items: [{ bookId: 'book-1', count: 1 }] };
    expect(await refusalOf(buyer, 'order:place', request)).toMatchObject({
      code: 'USER_NOT_FOUND',
      retryable: false,
    });
  });

  test.each([
    ['there is none of that name', () => 'no-such-store'],
    ['its letter case differs', () => seller.storeId.toUpperCase()],
    ['only its beginning is named', () => seller.storeId.slice(0, -1)],
    ['it is the id of a user', () => seller.userId],
  ])('an unknown store takes no orders: %s', async (_, storeId) => {
    const error = await refusalOf(buyer, 'order:place', { storeId: storeId(), items: list });
    expect(error).toMatchObject({ code: 'STORE_NOT_FOUND', retryable: false });
  });

  test.each([
    ['there is none of that name', 'no-such-book'],
    ['its letter case differs', 'Three-Body'],
    ['it stands on the shelf of another store', 'book-of-another'],
  ])('an unknown book is named and the whole order refused: %s', async (_, bookId) => {
    await hub.seller([{ bookId: 'book-of-another' }]);
    const items = [...list, { bookId, count: 1 }];
    const error = await refusalOf(buyer, 'order:place', { storeId: seller.storeId, items });
    expect(error).toMatchObject({ code: 'BOOK_NOT_FOUND', retryable: false, details: { bookId } });
  });

  test.each([
    ['one more than there are', 4, 3],
    ['a million', 1_000_000, 3],
    ['one of a book that is sold out', 1, 0],
  ])('too little stock is told with what is left, and no line of the order is taken: %s', async (_, wanted, stock) => {
    const store = await hub.seller([{ stock: 5 }, { bookId: 'scarce', stock }, { stock: 5 }]);
    const items = [
      { bookId: 'book-1', count: 1 },
      { bookId: 'scarce', count: wanted },
      { bookId: 'book-3', count: 1 },
    ];
    const error = await refusalOf(buyer, 'order:place', { storeId: store.storeId, items });
    expect(error).toMatchObject({
      code: 'OUT_OF_STOCK',
      retryable: false,
      details: { bookId: 'scarce', wanted, available: stock },
    });
  });

  test('the last copies can be ordered, and then there are none', async () => {
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

  test('nobody but its buyer pays an order, however much money they have', async () => {
    const stranger = await hub.buyer();
    const { orderId } = await buyer.place(seller, list);
    await seller.deposit(1_000_000);
    for (const person of [seller, stranger]) {
      expect(await refusalOf(person, 'order:pay', { orderId })).toEqual({
        code: 'FORBIDDEN',
        message: expect.any(String),
        retryable: false,
      });
    }
  });

  test('too little money is told with what is needed and what is there; exactly enough is enough', async () => {
    const poor = await hub.buyer(total - 1);
    const { orderId } = await poor.place(seller, list);
    const error = await refusalOf(poor, 'order:pay', { orderId });
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
    ['an id that the hub never gave', () => '01890a5d-ac96-774b-bcce-b302099a8057'],
    ['an id in capital letters', ({ orderId }: Order) => orderId.toUpperCase()],
    ['an id with a blank behind it', ({ orderId }: Order) => `${orderId} `],
    ['the id of a store', ({ storeId }: Order) => storeId],
    ['a zero', () => '0'],
    ['64 characters outside of the basic plane', () => '𠮷'.repeat(64)],
    ['a text with a quote and a percent sign', () => "' OR order_id LIKE '%"],
  ])('an order that is not there cannot be paid: %s', async (_, orderIdOf) => {
    const placed = await buyer.place(seller, list);
    const error = await refusalOf(buyer, 'order:pay', { orderId: orderIdOf(placed) });
    expect(error).toMatchObject({ code: 'ORDER_NOT_FOUND', retryable: false });
  });

  test('a text of more than 64 characters is not an order id', async () => {
    const error = await refusalOf(buyer, 'order:pay', { orderId: '0'.repeat(65) });
    expect(error).toMatchObject({ code: 'BAD_MESSAGE', details: [{ path: 'orderId' }] });
  });

  test('an order that is not unpaid cannot be paid', async () => {
    const { orderId } = await buyer.place(seller, list);
    await buyer.does('order:pay', { orderId });
    expect(await refusalOf(buyer, 'order:pay', { orderId })).toMatchObject({
      code: 'ORDER_STATE',
      retryable: false,
      details: { status: 'paid', allowed: ['cancel'] },
    });
    await buyer.does('order:cancel', { orderId });
    expect(await refusalOf(buyer, 'order:pay', { orderId })).toMatchObject({
      code: 'ORDER_STATE',
      details: { status: 'cancelled', allowed: [] },
    });
  });

  test('an order that is paid twenty times at once is paid once', async () => {
    const rich = await hub.buyer(100 * total);
    const before = await seller.balance();
    const { orderId } = await rich.place(seller, list);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        give(index % 2 === 0 ? 'socket' : 'HTTP', rich, 'order:pay', { orderId }),
      ),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    const codes = new Set(answers.flatMap((answer) => (answer.ok ? [] : [answer.error.code])));
    expect([...codes]).toEqual(['ORDER_STATE']);
    expect([await rich.balance(), await seller.balance()]).toEqual([99 * total, before + total]);
    expect((await movementsOf(rich)).filter(([kind]) => kind === 'payment')).toHaveLength(1);
  });

  describe('with a total that the buyer expects', () => {
    test('is done where it is the right one', async () => {
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

    test.each([0, total - 1, total + 1, BALANCE_MAX])('is refused where the total is not %i', async (expected) => {
      const details = { expected, actual: total };
      const request = { storeId: seller.storeId, items: list, expectedTotal: expected };
      expect(await refusalOf(buyer, 'order:place', request)).toMatchObject({
        code: 'PRICE_CHANGED',
        retryable: false,
        details,
      });
      const { orderId } = await buyer.place(seller, list);
      expect(await refusalOf(buyer, 'order:pay', { orderId, expectedTotal: expected })).toMatchObject({
        code: 'PRICE_CHANGED',
        retryable: false,
        details,
      });
    });
  });

  test('price and title of an order stay those of the moment of placing', async () => {
    const store = await hub.seller([{ title: 'First edition', price: 1_000 }]);
    const reader = await hub.buyer(5_000);
    const items = [{ bookId: 'book-1', count: 2 }];
    const placed = await reader.place(store, items);
    const path = `/stores/${store.storeId}/books/book-1`;
    expect(await store.patch(path, { title: 'Second edition', price: 1_500 })).toMatchObject({ status: 200 });

    const { orderId } = placed;
    const kept = [{ bookId: 'book-1', title: 'First edition', count: 2, price: 1_000 }];
    expect(await reader.does('order:pay', { orderId, expectedTotal: 2_000 })).toMatchObject({
      items: kept,
      total: 2_000,
    });
    for (const person of [reader, store]) {
      expect(await person.does('order:get', { orderId })).toMatchObject({ items: kept, total: 2_000 });
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

  test('a book that costs nothing is placed and paid like any other', async () => {
    const store = await hub.seller([{ price: 0 }]);
    const poor = await hub.buyer(0);
    const { orderId } = await poor.place(store);
    expect(await poor.does('order:pay', { orderId, expectedTotal: 0 })).toMatchObject({ status: 'paid', total: 0 });
    expect(await movementsOf(poor)).toEqual([['payment', 0, 0, orderId]]);
    expect(await movementsOf(store)).toEqual([['sale', 0, 0, orderId]]);
    expect(await store.does('order:ship', { orderId })).toMatchObject({ status: 'shipped' });
  });

  describe('with very much money', () => {
    const stock = 1_000_000;
    let treasury: Person;

    beforeAll(async () => {
      treasury = await hub.seller([
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
      ['in one line', [{ bookId: 'gold', count: 9_008 }]],
      ['in the first of two lines', [{ bookId: 'gold', count: 1_000_000 }, penny]],
      ['far', ['gold', 'silver', 'rest'].map((bookId) => ({ bookId, count: 1_000_000 }))],
    ])('a total beyond 2^53−1 is not a message, and does not use its key up: %s', async (excess, items) => {
      const key = `beyond-${excess.replaceAll(' ', '-')}`;
      const { storeId } = treasury;
      const error = await refusalOf(buyer, 'order:place', { storeId, items, key });
      expect(error).toMatchObject({
        code: 'BAD_MESSAGE',
        retryable: false,
        details: [{ path: expect.stringContaining('items'), problem: expect.any(String) }],
      });
      const placed = await buyer.send('order:place', { storeId, items: [penny], key });
      expect(placed).toMatchObject({ ok: true, data: { total: 1 } });
      expect(placed.replayed).toBeUndefined();
    });

    test('a total, and a balance, of 2^53−1 is right to the last unit; one more for the seller is refused', async () => {
      const rich = await hub.buyer(0);
      await fillTo(hub, rich, BALANCE_MAX);
      const placed = await rich.place(treasury, most);
      expect(placed.total).toBe(BALANCE_MAX);
      const paid = await rich.does('order:pay', { orderId: placed.orderId, expectedTotal: BALANCE_MAX });
      expect(paid.total).toBe(BALANCE_MAX);
      expect([await rich.balance(), await treasury.balance()]).toEqual([0, BALANCE_MAX]);
      expect(await movementsOf(treasury)).toEqual([['sale', BALANCE_MAX, BALANCE_MAX, placed.orderId]]);
      expect(await audit(hub)).toEqual([]);

      const { orderId } = await buyer.place(treasury, [penny]);
      const request = { orderId, key: 'a-penny-too-much' };
      expect(await refusalOf(buyer, 'order:pay', request)).toMatchObject({
        code: 'BAD_MESSAGE',
        retryable: false,
        details: [{ path: expect.any(String), problem: expect.any(String) }],
      });
      expect(await treasury.post('/wallet/withdrawals', { amount: 1 })).toMatchObject({ status: 200 });
      const after = await buyer.send('order:pay', request);
      expect(after).toMatchObject({ ok: true, data: { status: 'paid' } });
      expect(after.replayed).toBeUndefined();
      expect(await treasury.balance()).toBe(BALANCE_MAX);
    });

    test('a balance just below the limit takes what still fits, and not one more', async () => {
      const store = await hub.seller([{ price: 7 }, { price: 8 }]);
      await fillTo(hub, store, BALANCE_MAX - 7);
      const eight = await buyer.place(store, [{ bookId: 'book-2', count: 1 }]);
      expect(await buyer.isRefused('order:pay', { orderId: eight.orderId })).toMatchObject({ code: 'BAD_MESSAGE' });
      const seven = await buyer.place(store, [{ bookId: 'book-1', count: 1 }]);
      expect(await buyer.does('order:pay', { orderId: seven.orderId })).toMatchObject({ status: 'paid' });
      expect(await store.balance()).toBe(BALANCE_MAX);
    });
  });

  test('and the books are right', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
