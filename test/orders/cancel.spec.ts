import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import type { Request } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { contents } from '../support/contents.js';
import { TestHub } from '../support/hub.js';
import { fillTo, movementsOf } from '../support/ledger.js';
import type { Person } from '../support/person.js';
import { give } from '../support/two.ways.js';

const BALANCE_MAX = 2 ** 53 - 1;
const STOCK_MAX = 1_000_000;
const ORDER_ITEMS_MAX = 100;
const PURSE = 10_000_000;

const roles = ['buyer', 'seller'] as const;
type Role = (typeof roles)[number];

describe('cancelling', () => {
  let hub: TestHub;

  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  interface Deal {
    buyer: Person;
    seller: Person;
    order: Order;
  }

  /** A new buyer's order of one copy of a book at a new seller's store, paid unless told otherwise. */
  async function deal({ price = 1_000, stock = 10, count = 1, paid = true } = {}): Promise<Deal> {
    const [buyer, seller] = await Promise.all([hub.buyer(PURSE), hub.seller([{ price, stock }])]);
    await Promise.all([buyer.connect(), seller.connect()]);
    const order = await buyer.place(seller, [{ bookId: 'book-1', count }]);
    return { buyer, seller, order: paid ? await buyer.does('order:pay', { orderId: order.orderId }) : order };
  }

  async function withdraw(person: Person, amount: number): Promise<void> {
    expect(await person.post('/wallet/withdrawals', { amount })).toMatchObject({ status: 200 });
  }

  /** The refusal that a cancellation gets, which changes nothing. */
  async function refusalOf(person: Person, request: Request<'order:cancel'>) {
    const before = await contents(hub);
    const error = await person.isRefused('order:cancel', request);
    expect(await contents(hub)).toEqual(before);
    return error;
  }

  describe('an order of very many lines', () => {
    const books = Array.from({ length: ORDER_ITEMS_MAX }, (_, index) => ({
      bookId: `book-${index + 1}`,
      price: 1 + ((index * 37) % 101),
      stock: 100 + index,
    }));
    const items = books.map(({ bookId }, index) => ({ bookId, count: 1 + ((index * 53) % 97) }));
    const total = books.reduce((sum, { price }, index) => sum + price * (items[index]?.count ?? 0), 0);
    let seller: Person;

    beforeAll(async () => {
      seller = await hub.seller(books);
    });

    const stockOfAll = async () => {
      const { body } = await seller.get<{ items: { bookId: string; stock: number }[] }>(
        `/stores/${seller.storeId}/books?limit=100`,
      );
      return Object.fromEntries(body.items.map(({ bookId, stock }) => [bookId, stock]));
    };

    test.each(
      roles.flatMap((role) => [false, true].map((paid) => ({ role, paid, state: paid ? 'paid' : 'not paid' }))),
    )('gives each line’s copies back and the whole total: $state, by its $role', async ({ role, paid }) => {
      const buyer = await hub.buyer(PURSE);
      const [full, sellersBalance, sales] = [await stockOfAll(), await seller.balance(), await movementsOf(seller)];
      const { orderId } = await buyer.place(seller, items);
      expect(await stockOfAll()).toEqual(
        Object.fromEntries(books.map(({ bookId, stock }, index) => [bookId, stock - (items[index]?.count ?? 0)])),
      );
      if (paid) await buyer.does('order:pay', { orderId, expectedTotal: total });
      expect(await buyer.balance()).toBe(paid ? PURSE - total : PURSE);

      const person = role === 'buyer' ? buyer : seller;
      expect(await person.does('order:cancel', { orderId })).toMatchObject({ status: 'cancelled', total, allowed: [] });
      expect(await stockOfAll()).toEqual(full);
      expect([await buyer.balance(), await seller.balance()]).toEqual([PURSE, sellersBalance]);
      expect(await movementsOf(buyer)).toEqual([
        ...(paid
          ? [
              ['refund', total, PURSE, orderId],
              ['payment', -total, PURSE - total, orderId],
            ]
          : []),
        ['deposit', PURSE, PURSE, null],
      ]);
      expect(await movementsOf(seller)).toEqual([
        ...(paid
          ? [
              ['refunded', -total, sellersBalance, orderId],
              ['sale', total, sellersBalance + total, orderId],
            ]
          : []),
        ...sales,
      ]);
    });
  });

  describe('a paid order whose seller no longer has the money', () => {
    test('is refused to the seller with the seller’s own balance, to the buyer as a matter of status', async () => {
      const { buyer, seller, order } = await deal();
      const { orderId } = order;
      await withdraw(seller, 1);
      const funds = await refusalOf(seller, { orderId });
      expect(funds).toEqual({
        code: 'INSUFFICIENT_FUNDS',
        message: expect.any(String),
        retryable: false,
        details: { needed: 1_000, balance: 999 },
      });
      const state = await refusalOf(buyer, { orderId });
      expect(state).toEqual({
        code: 'ORDER_STATE',
        message: expect.any(String),
        retryable: false,
        details: { status: 'paid', allowed: [] },
      });
      expect(state.message).not.toMatch(/999|balance|money|funds/i);
    });

    test.each(roles)('is cancelled by its %s after the seller has deposited what is missing', async (role) => {
      const { buyer, seller, order } = await deal();
      const { orderId } = order;
      await withdraw(seller, 1_000);
      expect(await refusalOf(seller, { orderId })).toMatchObject({ details: { needed: 1_000, balance: 0 } });
      await seller.deposit(999);
      expect(await refusalOf(seller, { orderId })).toMatchObject({ details: { needed: 1_000, balance: 999 } });
      expect(await refusalOf(buyer, { orderId })).toMatchObject({ code: 'ORDER_STATE' });
      await seller.deposit(1);
      const cancelled = await (role === 'buyer' ? buyer : seller).does('order:cancel', { orderId });
      expect(cancelled).toMatchObject({ status: 'cancelled', version: 3 });
      expect([await buyer.balance(), await seller.balance(), await seller.stock()]).toEqual([PURSE, 0, 10]);
    });

    test('is cancelled with the money of another order, and then that one is refused', async () => {
      const { buyer, seller, order } = await deal();
      const other = await buyer.place(seller);
      await buyer.does('order:pay', { orderId: other.orderId });
      await withdraw(seller, 1_000);
      expect(await buyer.does('order:cancel', { orderId: order.orderId })).toMatchObject({ status: 'cancelled' });
      expect(await refusalOf(buyer, { orderId: other.orderId })).toMatchObject({ code: 'ORDER_STATE' });
      expect(await seller.does('order:ship', { orderId: other.orderId })).toMatchObject({ status: 'shipped' });
    });

    test('and when several such orders are cancelled at once, as many are as there is money for', async () => {
      const { buyer, seller, order } = await deal();
      const orderIds = [order.orderId];
      for (let more = 1; more < 6; more++) {
        const { orderId } = await buyer.place(seller);
        await buyer.does('order:pay', { orderId });
        orderIds.push(orderId);
      }
      await withdraw(seller, 3_500);
      const answers = await Promise.all(
        orderIds.map((orderId, index) => give(index % 2 ? 'HTTP' : 'socket', buyer, 'order:cancel', { orderId })),
      );
      expect(answers.filter(({ ok }) => ok)).toHaveLength(2);
      const refused = answers.flatMap((answer) => (answer.ok ? [] : [answer.error]));
      for (const error of refused) expect(error).toMatchObject({ code: 'ORDER_STATE', details: { allowed: [] } });
      expect([await buyer.balance(), await seller.balance(), await seller.stock()]).toEqual([PURSE - 4_000, 500, 6]);
    });
  });

  test('what a buyer’s wallet could not hold is not refunded, and the key is not used up', async () => {
    const { buyer, seller, order } = await deal({ price: 5 });
    await fillTo(hub, buyer, BALANCE_MAX - 4);
    const request = { orderId: order.orderId, key: 'one-too-much' };
    for (const person of [buyer, seller]) {
      expect(await refusalOf(person, request)).toMatchObject({
        code: 'BAD_MESSAGE',
        retryable: false,
        details: [{ path: expect.any(String), problem: expect.any(String) }],
      });
    }
    await withdraw(buyer, 1);
    const answer = await buyer.send('order:cancel', request);
    expect(answer).toMatchObject({ ok: true, data: { status: 'cancelled' } });
    expect(answer.replayed).toBeUndefined();
    expect(await buyer.balance()).toBe(BALANCE_MAX);
  });

  test('the refund is what was paid, though the price has changed since', async () => {
    const { buyer, seller, order } = await deal({ price: 1_000, count: 2 });
    await seller.patch(`/stores/${seller.storeId}/books/book-1`, { price: 9_999, title: 'Dearer' });
    await buyer.does('order:cancel', { orderId: order.orderId });
    expect([await buyer.balance(), await seller.balance(), await seller.stock()]).toEqual([PURSE, 0, 10]);
  });

  test('an order that cost nothing is cancelled after it was paid, by a seller without money', async () => {
    const { buyer, seller, order } = await deal({ price: 0 });
    const { orderId } = order;
    expect(await seller.does('order:cancel', { orderId })).toMatchObject({ status: 'cancelled' });
    expect((await movementsOf(seller))[0]).toEqual(['refunded', 0, 0, orderId]);
    expect((await movementsOf(buyer))[0]).toEqual(['refund', 0, PURSE, orderId]);
    expect(await seller.stock()).toBe(10);
  });

  test('copies come back even where that takes the stock above a million', async () => {
    const { buyer, seller, order } = await deal({ stock: STOCK_MAX, count: 10, paid: false });
    const path = `/stores/${seller.storeId}/books/book-1/stock`;
    expect(await seller.post(path, { add: 10 })).toMatchObject({ status: 200, body: { stock: STOCK_MAX } });
    expect(await seller.post(path, { add: 1 })).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_MESSAGE', details: [{ path: 'add' }] } },
    });
    await buyer.does('order:cancel', { orderId: order.orderId });
    expect(await seller.stock()).toBe(STOCK_MAX + 10);
    expect(await seller.post(path, { add: 1 })).toMatchObject({ status: 400 });
    await buyer.place(seller, [{ bookId: 'book-1', count: STOCK_MAX }]);
    expect(await seller.stock()).toBe(10);
  });

  test('both parties, at once, cancel a paid order: it happens once', async () => {
    const { buyer, seller, order } = await deal();
    const { orderId } = order;
    const answers = await Promise.all(
      [buyer, seller, buyer, seller, buyer, seller].map((person, index) =>
        give(index % 3 === 0 ? 'HTTP' : 'socket', person, 'order:cancel', { orderId }),
      ),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    for (const answer of answers) {
      if (!answer.ok) {
        expect(answer.error).toMatchObject({ code: 'ORDER_STATE', details: { status: 'cancelled', allowed: [] } });
      }
    }
    expect([await buyer.balance(), await seller.balance(), await seller.stock()]).toEqual([PURSE, 0, 10]);
  });

  test('a buyer’s cancel and a seller’s ship, at once: one of them happens, and the other is told the status', async () => {
    for (let round = 0; round < 5; round++) {
      const { buyer, seller, order } = await deal();
      const { orderId } = order;
      const [cancelled, shipped] = await Promise.all([
        buyer.send('order:cancel', { orderId }),
        seller.send('order:ship', { orderId }),
      ]);
      const status = cancelled.ok ? 'cancelled' : 'shipped';
      expect(shipped.ok).toBe(!cancelled.ok);
      const loser = cancelled.ok ? shipped : cancelled;
      expect(loser).toMatchObject({ ok: false, error: { code: 'ORDER_STATE', details: { status } } });
      expect(await buyer.does('order:get', { orderId })).toMatchObject({ status, version: 3 });
      expect(await buyer.balance()).toBe(cancelled.ok ? PURSE : PURSE - 1_000);
    }
  });

  describe('with a reason', () => {
    test.each([
      ['buyer', 'a text', 'ordered twice, sorry'],
      ['seller', 'a text', '缺货：三体 📚'],
      ['buyer', 'the hub’s own word', 'expired'],
      ['seller', '500 characters outside of the basic plane', '𠮷'.repeat(500)],
      ['buyer', 'blanks and quotes', ` ' " \\ %_ `],
    ] as [Role, string, string][])('by the %s, it is kept and told to both: %s', async (role, _, reason) => {
      const { buyer, seller, order } = await deal();
      const { orderId } = order;
      const person = role === 'buyer' ? buyer : seller;
      expect(await person.does('order:cancel', { orderId, reason })).toMatchObject({ cancelReason: reason });
      for (const party of [buyer, seller]) {
        expect(await party.does('order:get', { orderId })).toMatchObject({ cancelReason: reason });
        const events = await party.hears(3);
        expect(events.map(({ cancelReason }) => cancelReason)).toEqual([undefined, undefined, reason]);
        expect(events[2]?.by).toBe(person.userId);
      }
    });

    test.each([
      ['is empty', ''],
      ['has 501 characters', 'x'.repeat(501)],
      ['holds a line break', 'one\ntwo'],
      ['holds a NUL', 'one\u0000two'],
    ])('is refused where it %s', async (_, reason) => {
      const { buyer, order } = await deal({ paid: false });
      expect(await refusalOf(buyer, { orderId: order.orderId, reason })).toMatchObject({
        code: 'BAD_MESSAGE',
        details: [{ path: 'reason' }],
      });
    });
  });

  test('without a reason none is told: null in the order, and no such field in the event', async () => {
    const { buyer, seller, order } = await deal({ paid: false });
    expect(await seller.does('order:cancel', { orderId: order.orderId })).toMatchObject({ cancelReason: null });
    const [, event] = await buyer.hears(2);
    expect(event).toMatchObject({ status: 'cancelled', previous: 'placed', by: seller.userId });
    expect(event).not.toHaveProperty('cancelReason');
  });

  test('leaves the books right', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
