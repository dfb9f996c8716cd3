import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import type { Request } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { contents } from '../support/contents.js';
import { TestHub } from '../support/hub.js';
import { fillTo, movementsOf } from '../support/ledger.js';
import type { Person } from '../support/person.js';

const BALANCE_MAX = 2 ** 53 - 1;
const STOCK_MAX = 1_000_000;
const ORDER_ITEMS_MAX = 100;
const INITIAL_BALANCE = 10_000_000;

const roles = ['buyer', 'seller'] as const;
type Role = (typeof roles)[number];

describe('cancelling an order', () => {
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

  /** An order of one copy between a new buyer and a new seller, paid by default. */
  async function deal({ price = 1_000, stock = 10, count = 1, paid = true } = {}): Promise<Deal> {
    const [buyer, seller] = await Promise.all([hub.buyer(INITIAL_BALANCE), hub.seller([{ price, stock }])]);
    await Promise.all([buyer.connect(), seller.connect()]);
    const order = await buyer.place(seller, [{ bookId: 'book-1', count }]);
    return { buyer, seller, order: paid ? await buyer.does('order:pay', { orderId: order.orderId }) : order };
  }

  async function withdraw(person: Person, amount: number): Promise<void> {
    expect(await person.post('/wallet/withdrawals', { amount })).toMatchObject({ status: 200 });
  }

  /** The error of a cancellation that must be rejected and change nothing. */
  async function rejectionOf(person: Person, request: Request<'order:cancel'>) {
    const before = await contents(hub);
    const error = await person.isRefused('order:cancel', request);
    expect(await contents(hub)).toEqual(before);
    return error;
  }

  describe(`of ${ORDER_ITEMS_MAX} items`, () => {
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
    )('restores every item’s stock and refunds the total: $state, by the $role', async ({ role, paid }) => {
      const buyer = await hub.buyer(INITIAL_BALANCE);
      const [initialStock, sellersBalance, sales] = [
        await stockOfAll(),
        await seller.balance(),
        await movementsOf(seller),
      ];
      const { orderId } = await buyer.place(seller, items);
      expect(await stockOfAll()).toEqual(
        Object.fromEntries(books.map(({ bookId, stock }, index) => [bookId, stock - (items[index]?.count ?? 0)])),
      );
      if (paid) await buyer.does('order:pay', { orderId, expectedTotal: total });
      expect(await buyer.balance()).toBe(paid ? INITIAL_BALANCE - total : INITIAL_BALANCE);

      const person = role === 'buyer' ? buyer : seller;
      expect(await person.does('order:cancel', { orderId })).toMatchObject({ status: 'cancelled', total, allowed: [] });
      expect(await stockOfAll()).toEqual(initialStock);
      expect([await buyer.balance(), await seller.balance()]).toEqual([INITIAL_BALANCE, sellersBalance]);
      expect(await movementsOf(buyer)).toEqual([
        ...(paid
          ? [
              ['refund', total, INITIAL_BALANCE, orderId],
              ['payment', -total, INITIAL_BALANCE - total, orderId],
            ]
          : []),
        ['deposit', INITIAL_BALANCE, INITIAL_BALANCE, null],
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

  describe('that is paid, when the seller no longer has the money', () => {
    test('shows the seller INSUFFICIENT_FUNDS and the buyer ORDER_STATE without the balance', async () => {
      const { buyer, seller, order } = await deal();
      const { orderId } = order;
      await withdraw(seller, 1);
      const funds = await rejectionOf(seller, { orderId });
      expect(funds).toEqual({
        code: 'INSUFFICIENT_FUNDS',
        message: expect.any(String),
        retryable: false,
        details: { needed: 1_000, balance: 999 },
      });
      const state = await rejectionOf(buyer, { orderId });
      expect(state).toEqual({
        code: 'ORDER_STATE',
        message: expect.any(String),
        retryable: false,
        details: { status: 'paid', allowed: [] },
      });
      expect(state.message).not.toMatch(/999|balance|money|funds/i);
    });

    test.each(roles)('succeeds for the %s once the seller has deposited the difference', async (role) => {
      const { buyer, seller, order } = await deal();
      const { orderId } = order;
      await withdraw(seller, 1_000);
      expect(await rejectionOf(seller, { orderId })).toMatchObject({ details: { needed: 1_000, balance: 0 } });
      await seller.deposit(999);
      expect(await rejectionOf(seller, { orderId })).toMatchObject({ details: { needed: 1_000, balance: 999 } });
      expect(await rejectionOf(buyer, { orderId })).toMatchObject({ code: 'ORDER_STATE' });
      await seller.deposit(1);
      const cancelled = await (role === 'buyer' ? buyer : seller).does('order:cancel', { orderId });
      expect(cancelled).toMatchObject({ status: 'cancelled', version: 3 });
      expect([await buyer.balance(), await seller.balance(), await seller.stock()]).toEqual([INITIAL_BALANCE, 0, 10]);
    });

    test('refunds from another order’s sale, and then rejects cancelling that one', async () => {
      const { buyer, seller, order } = await deal();
      const other = await buyer.place(seller);
      await buyer.does('order:pay', { orderId: other.orderId });
      await withdraw(seller, 1_000);
      expect(await buyer.does('order:cancel', { orderId: order.orderId })).toMatchObject({ status: 'cancelled' });
      expect(await rejectionOf(buyer, { orderId: other.orderId })).toMatchObject({ code: 'ORDER_STATE' });
      expect(await seller.does('order:ship', { orderId: other.orderId })).toMatchObject({ status: 'shipped' });
    });

    test('cancels concurrently as many orders as the balance covers', async () => {
      const { buyer, seller, order } = await deal();
      const orderIds = [order.orderId];
      while (orderIds.length < 6) {
        const { orderId } = await buyer.place(seller);
        await buyer.does('order:pay', { orderId });
        orderIds.push(orderId);
      }
      await withdraw(seller, 3_500);
      const answers = await Promise.all(orderIds.map((orderId) => buyer.send('order:cancel', { orderId })));
      expect(answers.filter(({ ok }) => ok)).toHaveLength(2);
      const errors = answers.flatMap((answer) => (answer.ok ? [] : [answer.error]));
      for (const error of errors) expect(error).toMatchObject({ code: 'ORDER_STATE', details: { allowed: [] } });
      expect([await buyer.balance(), await seller.balance(), await seller.stock()]).toEqual([
        INITIAL_BALANCE - 4_000,
        500,
        6,
      ]);
    });
  });

  test('rejects a refund beyond the buyer’s balance limit with BAD_MESSAGE and stores nothing under the key', async () => {
    const { buyer, seller, order } = await deal({ price: 5 });
    await fillTo(hub, buyer, BALANCE_MAX - 4);
    const request = { orderId: order.orderId, key: 'one-too-much' };
    for (const person of [buyer, seller]) {
      expect(await rejectionOf(person, request)).toMatchObject({
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

  test('refunds the price paid, not the current one', async () => {
    const { buyer, seller, order } = await deal({ price: 1_000, count: 2 });
    await seller.patch(`/stores/${seller.storeId}/books/book-1`, { price: 9_999, title: 'Repriced' });
    await buyer.does('order:cancel', { orderId: order.orderId });
    expect([await buyer.balance(), await seller.balance(), await seller.stock()]).toEqual([INITIAL_BALANCE, 0, 10]);
  });

  test('books entries of zero for a free order, by a seller without money', async () => {
    const { buyer, seller, order } = await deal({ price: 0 });
    const { orderId } = order;
    expect(await seller.does('order:cancel', { orderId })).toMatchObject({ status: 'cancelled' });
    expect((await movementsOf(seller))[0]).toEqual(['refunded', 0, 0, orderId]);
    expect((await movementsOf(buyer))[0]).toEqual(['refund', 0, INITIAL_BALANCE, orderId]);
    expect(await seller.stock()).toBe(10);
  });

  test('restores stock even above the limit of a million', async () => {
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

  test('takes effect once when both parties cancel concurrently', async () => {
    const { buyer, seller, order } = await deal();
    const { orderId } = order;
    const answers = await Promise.all(
      [buyer, seller, buyer, seller, buyer, seller].map((person) => person.send('order:cancel', { orderId })),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    for (const answer of answers) {
      if (!answer.ok) {
        expect(answer.error).toMatchObject({ code: 'ORDER_STATE', details: { status: 'cancelled', allowed: [] } });
      }
    }
    expect([await buyer.balance(), await seller.balance(), await seller.stock()]).toEqual([INITIAL_BALANCE, 0, 10]);
  });

  describe('with a reason', () => {
    test.each([
      ['buyer', 'plain text', 'ordered twice, sorry'],
      ['seller', 'Chinese and an emoji', '缺货：三体 📚'],
      ['buyer', 'the hub’s own reason', 'expired'],
      ['seller', '500 characters outside the basic plane', '𠮷'.repeat(500)],
      ['buyer', 'spaces and quotes', ` ' " \\ %_ `],
    ] as [Role, string, string][])('by the %s, stores it and sends it to both parties: %s', async (role, _, reason) => {
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
    ])('rejects one that %s with BAD_MESSAGE', async (_, reason) => {
      const { buyer, order } = await deal({ paid: false });
      expect(await rejectionOf(buyer, { orderId: order.orderId, reason })).toMatchObject({
        code: 'BAD_MESSAGE',
        details: [{ path: 'reason' }],
      });
    });
  });

  test('without a reason, leaves cancelReason null in the order and absent from the event', async () => {
    const { buyer, seller, order } = await deal({ paid: false });
    expect(await seller.does('order:cancel', { orderId: order.orderId })).toMatchObject({ cancelReason: null });
    const [, event] = await buyer.hears(2);
    expect(event).toMatchObject({ status: 'cancelled', previous: 'placed', by: seller.userId });
    expect(event).not.toHaveProperty('cancelReason');
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
