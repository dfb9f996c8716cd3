import { describe, expect, test } from '@jest/globals';
import type { Command } from '../../src/commands/command.js';
import { settle } from '../../src/commands/decide.js';
import { pair, World } from '../../src/commands/world.js';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import { readPush } from '../../src/rooms/event.body.js';

const BALANCE_MAX = 2 ** 53 - 1;
const STOCK_MAX = 1_000_000;
const NOW = 1_000_000;

/** A shop of ann's with one book, and two users with money. */
function market({ stock = 5, lowMark = 2, price = 10, ann = 0, bob = 100, autoReceiveMs = 5_000 } = {}): World {
  const world = new World({ unpaidTtlMs: 1_000, autoReceiveMs });
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
const shelfOf = (world: World) => {
  const book = world.books.get(pair('shop', 'book'));
  if (!book) throw new Error('The shop has no book');
  return book;
};
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
    const toTheBrim = (last: number) => {
      const world = market({ price, stock });
      const rest = BALANCE_MAX - 9_007 * price;
      world.addBook({ ...shelfOf(world), bookNo: 2, bookId: 'last', price: rest + last, stock });
      const items = [
        { bookId: 'book', count: 9_007 },
        { bookId: 'last', count: 1 },
      ];
      return give(world, 'order:place', 'bob', { storeId: 'shop', items });
    };
    expect(toTheBrim(0)).toMatchObject({ ok: true, data: { total: BALANCE_MAX } });
    expect(toTheBrim(1)).toMatchObject(bad('items', /beyond 2\^53−1/));
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
    expect(shelfOf(world).stock).toBe(5);
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
    expect(due(NOW + 999)).toMatchObject(refusedAs('ORDER_STATE', { status: 'placed', allowed: [] }));
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

  test('is told of in the rooms of both its parties, with all that a client may read, and with nothing that there is not', () => {
    const world = market();
    place(world, 2);
    give(world, 'order:pay', 'bob', { orderId: 'order' }, NOW + 1);
    give(world, 'order:ship', 'ann', { orderId: 'order', carrier: 'SF', trackingNo: '17' }, NOW + 2);
    give(world, 'order:receive', 'bob', { orderId: 'order' }, NOW + 3);
    const order = { orderId: 'order', storeId: 'shop', buyerId: 'bob', sellerId: 'ann', total: 20 };
    const at = (ms: number) => new Date(NOW + ms).toISOString();
    const posted = { carrier: 'SF', trackingNo: '17' };
    const steps = [
      { ...order, version: 1, status: 'placed', previous: null, by: 'bob', at: at(0) },
      { ...order, version: 2, status: 'paid', previous: 'placed', by: 'bob', at: at(1) },
      { ...order, version: 3, status: 'shipped', previous: 'paid', by: 'ann', at: at(2), ...posted },
      { ...order, version: 4, status: 'received', previous: 'shipped', by: 'bob', at: at(3), ...posted },
    ];
    // Strictly, since a field that is undefined is there.
    expect(world.changed.events.map(({ body, ...event }) => event)).toStrictEqual(
      steps.flatMap((step, index) => [
        { role: 'buyer', userId: 'bob', at: NOW + index, push: { role: 'buyer', seq: index + 1, ...step } },
        { role: 'seller', userId: 'ann', at: NOW + index, push: { role: 'seller', seq: index + 1, ...step } },
      ]),
    );
    for (const { role, push, body } of world.changed.events) {
      expect(readPush(role, push.seq, body)).toStrictEqual(push);
    }
  });

  test('that was cancelled says why, and by whom', () => {
    const end = (by: string | null, name: Command['name'], request = {}) => {
      const world = market();
      place(world, 2);
      give(world, name, by, { orderId: 'order', ...request }, NOW + 1_000);
      return world.changed.events.slice(2).map(({ role, push }) => [role, push.by, push.cancelReason]);
    };
    expect(end('ann', 'order:cancel', { reason: 'sold' })).toEqual([
      ['buyer', 'ann', 'sold'],
      ['seller', 'ann', 'sold'],
    ]);
    expect(end(null, 'order:due')).toEqual([
      ['buyer', 'hub', 'expired'],
      ['seller', 'hub', 'expired'],
    ]);
    const world = market();
    place(world);
    give(world, 'order:cancel', 'bob', { orderId: 'order' });
    expect(Object.keys(world.changed.events.at(-1)?.push ?? {})).not.toContain('cancelReason');
    expect(world.changed.entries).toEqual([]);
    expect(shelfOf(world).stock).toBe(5);
  });

  test('keeps the times of its life, and each step with who took it', () => {
    const world = market();
    place(world);
    const row = () => world.orders.get('order');
    expect(row()).toMatchObject({ placedAt: NOW, paidAt: null, shippedAt: null, receivedAt: null, cancelledAt: null });
    give(world, 'order:pay', 'bob', { orderId: 'order' }, NOW + 1);
    expect(row()).toMatchObject({ paidAt: NOW + 1, dueAt: null });
    give(world, 'order:ship', 'ann', { orderId: 'order' }, NOW + 2);
    expect(row()).toMatchObject({ shippedAt: NOW + 2, dueAt: NOW + 5_002, carrier: null, trackingNo: null });
    give(world, 'order:due', null, { orderId: 'order' }, NOW + 5_002);
    expect(row()).toMatchObject({ receivedAt: NOW + 5_002, dueAt: null, cancelledAt: null });
    expect(row()?.timeline).toEqual([
      { version: 1, status: 'placed', by: 'bob', at: NOW },
      { version: 2, status: 'paid', by: 'bob', at: NOW + 1 },
      { version: 3, status: 'shipped', by: 'ann', at: NOW + 2 },
      { version: 4, status: 'received', by: 'hub', at: NOW + 5_002 },
    ]);
    const other = market();
    place(other);
    give(other, 'order:cancel', 'ann', { orderId: 'order' }, NOW + 1);
    expect(other.orders.get('order')).toMatchObject({ cancelledAt: NOW + 1, dueAt: null, cancelReason: null });
  });

  test('waits for its buyer for ever, where shipped orders never count as received', () => {
    const world = market({ autoReceiveMs: 0 });
    place(world);
    give(world, 'order:pay', 'bob', { orderId: 'order' });
    give(world, 'order:ship', 'ann', { orderId: 'order' });
    expect(world.orders.get('order')?.dueAt).toBeNull();
    expect(give(world, 'order:due', null, { orderId: 'order' }, NOW + 10 ** 9)).toMatchObject(
      refusedAs('ORDER_STATE', { status: 'shipped', allowed: ['receive'] }),
    );
  });

  test('is paid for what it came to, and not for another total', () => {
    const pay = (expectedTotal: number) => {
      const world = market();
      place(world, 3);
      return give(world, 'order:pay', 'bob', { orderId: 'order', expectedTotal });
    };
    expect(pay(29)).toMatchObject(refusedAs('PRICE_CHANGED', { expected: 29, actual: 30 }));
    expect(pay(30)).toMatchObject({ ok: true, data: { status: 'paid' } });
  });

  test('cannot be refunded into a wallet that would hold more than 2^53−1', () => {
    const cancel = (room: number) => {
      const world = market({ bob: BALANCE_MAX });
      place(world);
      give(world, 'order:pay', 'bob', { orderId: 'order' });
      give(world, 'wallet:deposit', 'bob', { amount: 10 - room });
      return give(world, 'order:cancel', 'bob', { orderId: 'order' });
    };
    expect(cancel(9)).toMatchObject(bad('orderId', /beyond 2\^53−1/));
    expect(cancel(10)).toMatchObject({ ok: true, data: { status: 'cancelled' } });
  });

  test('that is not there is nobody’s, the hub’s neither', () => {
    const names = ['order:pay', 'order:ship', 'order:receive', 'order:cancel'] as const;
    for (const name of names) {
      expect(give(market(), name, 'bob', { orderId: 'none' })).toMatchObject(refusedAs('ORDER_NOT_FOUND'));
      const world = market();
      world.users.add('cid');
      place(world);
      expect(give(world, name, 'cid', { orderId: 'order' })).toMatchObject(refusedAs('FORBIDDEN'));
    }
    expect(give(market(), 'order:due', null, { orderId: 'none' })).toMatchObject(refusedAs('ORDER_NOT_FOUND'));
  });

  test('whose rows were not loaded is a fault of the hub, said in words', () => {
    const pay = (without: (world: World) => void, name: Command['name'] = 'order:pay') => {
      const world = market({ price: 0 });
      place(world);
      without(world);
      return () => give(world, name, 'bob', { orderId: 'order' });
    };
    expect(pay(({ wallets }) => wallets.delete('bob'))).toThrow(/^A wallet that a command needs was not loaded$/);
    expect(pay(({ rooms }) => rooms.delete(pair('seller', 'ann')))).toThrow(
      /^A room that a command needs was not loaded$/,
    );
    expect(pay(({ booksByNo }) => booksByNo.clear(), 'order:cancel')).toThrow(
      /^A book that a cancelled order gives back was not loaded$/,
    );
  });

  test('tells the owner of a store whose low mark it passes, at its time', () => {
    const world = market();
    place(world, 3);
    expect(world.stockAlerts).toEqual([
      { ownerId: 'ann', push: { storeId: 'shop', bookId: 'book', stock: 2, at: new Date(NOW).toISOString() } },
    ]);
    // Whose owner the batch has not loaded is nobody's to be told of.
    world.stores.clear();
    world.apply({ stock: [{ book: shelfOf(world), by: -2 }] }, NOW);
    expect(world.stockAlerts).toHaveLength(1);
  });
});
