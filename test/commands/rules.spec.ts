import { describe, expect, test } from '@jest/globals';
import type { Command } from '../../src/commands/command.js';
import { settle } from '../../src/commands/decide.js';
import { pair, World } from '../../src/commands/world.js';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';

const BALANCE_MAX = 2 ** 53 - 1;
const STOCK_MAX = 1_000_000;
const NOW = 1_000_000;

/** A shop of ann's with one book, and two users with money. */
function market({ stock = 5, lowMark = 2, price = 10, ann = 0, bob = 100 } = {}): World {
  const world = new World({ unpaidTtlMs: 1_000, autoReceiveMs: 5_000 });
  world.stores.set('shop', 'ann');
  world.addBook({ bookNo: 1, storeId: 'shop', bookId: 'book', title: 'Book', price, lowMark, stock });
  for (const [userId, balance] of Object.entries({ ann, bob })) {
    world.users.add(userId);
    world.wallets.set(userId, { userId, balance, entries: 0 });
    for (const role of ['buyer', 'seller'] as const) world.rooms.set(pair(role, userId), { role, userId, head: 0 });
  }
  world.texts.set(1, {
    bookNo: 1,
    author: null,
    publisher: null,
    isbn: null,
    tags: null,
    summary: null,
    coverUrl: null,
    details: null,
  });
  return world;
}

function give(world: World, name: Command['name'], by: string | null, request: object, now = NOW): Answer<unknown> {
  const orderId = name === 'order:place' ? { orderId: 'order' } : {};
  return settle(world, { name, by, request, ...orderId } as unknown as Command, now);
}

const place = (world: World, count = 1) =>
  give(world, 'order:place', 'bob', { storeId: 'shop', items: [{ bookId: 'book', count }] });
const refusedAs = (code: string, details?: unknown) => ({
  ok: false,
  error: { code, ...(details ? { details } : {}) },
});
const bad = (path: string, problem: RegExp) =>
  refusedAs('BAD_MESSAGE', [{ path, problem: expect.stringMatching(problem) }]);

describe('a wallet', () => {
  test('holds up to 2^53−1, and not one more', () => {
    const world = market({ bob: BALANCE_MAX - 5 });
    expect(give(world, 'wallet:deposit', 'bob', { amount: 6 })).toMatchObject(bad('amount', /beyond/));
    expect(give(world, 'wallet:deposit', 'bob', { amount: 5 })).toEqual({ ok: true, data: { balance: BALANCE_MAX } });
  });

  test('gives all that it holds, and not one more', () => {
    const world = market({ bob: 7 });
    const short = refusedAs('INSUFFICIENT_FUNDS', { needed: 8, balance: 7 });
    expect(give(world, 'wallet:withdraw', 'bob', { amount: 8 })).toMatchObject(short);
    expect(give(world, 'wallet:withdraw', 'bob', { amount: 7 })).toEqual({ ok: true, data: { balance: 0 } });
    expect(world.changed.entries).toEqual([
      { userId: 'bob', entryNo: 1, amount: -7, balance: 0, kind: 'withdrawal', orderId: null, at: NOW },
    ]);
  });

  test('that was not loaded is a fault of the hub, said in words', () => {
    const world = market();
    world.wallets.clear();
    expect(() => give(world, 'wallet:deposit', 'bob', { amount: 1 })).toThrow(
      /wallet that a command needs was not loaded/,
    );
    expect(() => give(world, 'wallet:withdraw', null, { amount: 1 })).toThrow(/wallet/);
  });
});

describe('a shelf', () => {
  const add = (world: World, by: string, count: number) =>
    give(world, 'stock:add', by, { storeId: 'shop', bookId: 'book', add: count });

  test('goes down to nothing and up to its limit, and not one further', () => {
    const short = refusedAs('OUT_OF_STOCK', { bookId: 'book', wanted: 6, available: 5 });
    expect(add(market(), 'ann', -6)).toMatchObject(short);
    expect(add(market(), 'ann', -5)).toMatchObject({ ok: true, data: { stock: 0 } });
    expect(add(market(), 'ann', STOCK_MAX - 4)).toMatchObject(bad('add', /above 1000000/));
    expect(add(market(), 'ann', STOCK_MAX - 5)).toMatchObject({ ok: true, data: { stock: STOCK_MAX } });
  });

  test('above its limit, where cancelled orders have put it, may be brought down', () => {
    expect(add(market({ stock: STOCK_MAX + 9 }), 'ann', -1)).toMatchObject({
      ok: true,
      data: { stock: STOCK_MAX + 8 },
    });
  });

  test('is its owner’s, and holds what is on it', () => {
    expect(add(market(), 'bob', 1)).toMatchObject(refusedAs('FORBIDDEN'));
    const nowhere = { storeId: 'none', bookId: 'book', add: 1 };
    expect(give(market(), 'stock:add', 'ann', nowhere)).toMatchObject(refusedAs('STORE_NOT_FOUND'));
    const nothing = { storeId: 'shop', bookId: 'none', add: 1 };
    expect(give(market(), 'stock:add', 'ann', nothing)).toMatchObject(refusedAs('BOOK_NOT_FOUND', { bookId: 'none' }));
  });

  test('tells its owner when it comes down to its mark, and when it is empty, and not in between or on the way up', () => {
    const told = (from: number, by: number, lowMark = 2) => {
      const world = market({ stock: from, lowMark });
      add(world, 'ann', by);
      return world.stockAlerts.map(({ ownerId, push }) => [ownerId, push.stock]);
    };
    expect(told(3, -1)).toEqual([['ann', 2]]);
    expect(told(4, -1)).toEqual([]);
    expect(told(5, -4)).toEqual([['ann', 1]]);
    expect(told(2, -1)).toEqual([]);
    expect(told(1, -1)).toEqual([['ann', 0]]);
    expect(told(1, 1)).toEqual([]);
    expect(told(1, -1, 0)).toEqual([['ann', 0]]);
  });
});

describe('an order', () => {
  test('is placed at the price of the moment, holds its stock, and can be paid for its time', () => {
    const world = market();
    expect(place(world, 5)).toMatchObject({
      ok: true,
      seq: 1,
      data: { total: 50, status: 'placed', version: 1, allowed: ['pay', 'cancel'] },
    });
    expect(world.orders.get('order')).toMatchObject({
      expiresAt: NOW + 1_000,
      dueAt: NOW + 1_000,
      buyerId: 'bob',
      sellerId: 'ann',
    });
    expect(place(market(), 6)).toMatchObject(refusedAs('OUT_OF_STOCK', { bookId: 'book', wanted: 6, available: 5 }));
    const pay = (at: number) => {
      const own = market();
      place(own);
      return give(own, 'order:pay', 'bob', { orderId: 'order' }, at);
    };
    expect(pay(NOW + 999)).toMatchObject({ ok: true, data: { status: 'paid' } });
    expect(pay(NOW + 1_000)).toMatchObject(refusedAs('ORDER_STATE', { status: 'placed', allowed: ['cancel'] }));
  });

  test('comes to at most 2^53−1, and the fault is told of its items', () => {
    const price = 10 ** 12;
    const stock = STOCK_MAX;
    expect(place(market({ price, stock }), 9_007)).toMatchObject({ ok: true, data: { total: 9_007 * price } });
    expect(place(market({ price, stock }), 9_008)).toMatchObject(bad('items', /beyond 2\^53−1/));
  });

  test('is not placed with oneself, from nobody or for another total', () => {
    const items = [{ bookId: 'book', count: 1 }];
    expect(give(market(), 'order:place', 'ann', { storeId: 'shop', items })).toMatchObject({
      error: { code: 'FORBIDDEN', message: 'Nobody can order from their own store.' },
    });
    const gone = market();
    gone.users.delete('ann');
    expect(place(gone)).toMatchObject(refusedAs('USER_NOT_FOUND'));
    const dearer = { storeId: 'shop', items, expectedTotal: 9 };
    const changed = refusedAs('PRICE_CHANGED', { expected: 9, actual: 10 });
    expect(give(market(), 'order:place', 'bob', dearer)).toMatchObject(changed);
  });

  test('takes the last of a buyer’s money and fills the seller’s wallet to the brim, and not one beyond', () => {
    const pay = (ann: number, bob: number) => {
      const world = market({ ann, bob });
      place(world);
      return give(world, 'order:pay', 'bob', { orderId: 'order' });
    };
    expect(pay(BALANCE_MAX - 10, 10)).toMatchObject({ ok: true });
    expect(pay(BALANCE_MAX - 9, 10)).toMatchObject(bad('orderId', /beyond/));
    expect(pay(0, 9)).toMatchObject(refusedAs('INSUFFICIENT_FUNDS', { needed: 10, balance: 9 }));
  });

  test('is paid back by a seller who has the money; who has not is told so, and the buyer is told the state', () => {
    const cancel = (by: string, left: number) => {
      const world = market();
      place(world);
      give(world, 'order:pay', 'bob', { orderId: 'order' });
      give(world, 'wallet:withdraw', 'ann', { amount: 10 - left });
      return { answer: give(world, 'order:cancel', by, { orderId: 'order', reason: 'why' }), world };
    };
    expect(cancel('ann', 9).answer).toMatchObject(refusedAs('INSUFFICIENT_FUNDS', { needed: 10, balance: 9 }));
    expect(cancel('bob', 9).answer).toMatchObject(refusedAs('ORDER_STATE', { status: 'paid', allowed: [] }));
    const { answer, world } = cancel('bob', 10);
    expect(answer).toMatchObject({ ok: true, data: { status: 'cancelled', cancelReason: 'why' } });
    expect(world.changed.entries.slice(-2)).toMatchObject([
      { userId: 'ann', amount: -10, kind: 'refunded', orderId: 'order' },
      { userId: 'bob', amount: 10, kind: 'refund', orderId: 'order' },
    ]);
    expect(world.books.get(pair('shop', 'book'))?.stock).toBe(5);
  });

  test('is not decided on what was not loaded: that is a fault of the hub, or no money', () => {
    const items = [{ bookId: 'book', count: 1 }];
    const order = { name: 'order:place', by: null, request: { storeId: 'shop', items } } as unknown as Command;
    expect(() => settle(market(), order, NOW)).toThrow(/room that a command needs was not loaded/);
    const world = market();
    place(world);
    world.wallets.delete('bob');
    const poor = refusedAs('INSUFFICIENT_FUNDS', { needed: 10, balance: 0 });
    expect(give(world, 'order:pay', 'bob', { orderId: 'order' })).toMatchObject(poor);
    world.booksByNo.clear();
    expect(() => give(world, 'order:cancel', 'bob', { orderId: 'order' })).toThrow(/book .* was not loaded/);
  });

  test('is ended by the hub at its time, not a moment before', () => {
    const due = (at: number, deeds: [Command['name'], string][] = []) => {
      const world = market();
      place(world);
      for (const [name, by] of deeds) give(world, name, by, { orderId: 'order' });
      return give(world, 'order:due', null, { orderId: 'order' }, at);
    };
    expect(due(NOW + 999)).toMatchObject(refusedAs('ORDER_STATE'));
    expect((due(NOW + 1_000) as { data: Order }).data).toMatchObject({ status: 'cancelled', cancelReason: 'expired' });
    // The hub is no party, and has no room of its own in which an event could have a number.
    expect(Object.keys(due(NOW + 1_000))).toEqual(['ok', 'data']);
    const shipped: [Command['name'], string][] = [
      ['order:pay', 'bob'],
      ['order:ship', 'ann'],
    ];
    expect(due(NOW + 4_999, shipped)).toMatchObject(refusedAs('ORDER_STATE'));
    expect(due(NOW + 5_000, shipped)).toMatchObject({ ok: true, data: { status: 'received' } });
    expect(due(NOW + 9_000, [['order:pay', 'bob']])).toMatchObject(refusedAs('ORDER_STATE'));
  });
});
