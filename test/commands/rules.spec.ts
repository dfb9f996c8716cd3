import { describe, expect, test } from '@jest/globals';
import type { Command } from '../../src/commands/command.js';
import { pair } from '../../src/commands/rows.js';
import type { UnitOfWork } from '../../src/commands/unit.of.work.js';
import { LINE_CHANGES_MAX } from '../../src/contract/order.requests.js';
import type { Order } from '../../src/contract/orders.js';
import { decodeEvent } from '../../src/rooms/event.codec.js';
import { executeOn } from '../support/handlers.js';
import {
  BALANCE_MAX,
  badMessage,
  bookOf,
  copies,
  execute,
  market,
  NOW,
  paidMarket,
  place,
  rejectedWith,
  STOCK_MAX,
} from '../support/small.market.js';

describe('wallets', () => {
  test('hold at most 2^53−1', () => {
    const unit = market({ bob: BALANCE_MAX - 5 });
    expect(execute(unit, 'wallet:deposit', 'bob', { amount: 6 })).toMatchObject(badMessage('amount', /beyond/));
    expect(execute(unit, 'wallet:deposit', 'bob', { amount: 5 })).toEqual({ ok: true, data: { balance: BALANCE_MAX } });
  });

  test('can be emptied, but not overdrawn', () => {
    const unit = market({ bob: 7 });
    const rejection = rejectedWith('INSUFFICIENT_FUNDS', { needed: 8, balance: 7 });
    expect(execute(unit, 'wallet:withdraw', 'bob', { amount: 8 })).toMatchObject(rejection);
    expect(execute(unit, 'wallet:withdraw', 'bob', { amount: 7 })).toEqual({ ok: true, data: { balance: 0 } });
    expect(unit.dirty.entries).toEqual([
      { userId: 'bob', entryNo: 1, amount: -7, balance: 0, kind: 'withdrawal', orderId: null, at: NOW },
    ]);
  });

  test('fail a command with a clear error if they were not loaded', () => {
    const unit = market();
    unit.wallets.clear();
    expect(() => execute(unit, 'wallet:deposit', 'bob', { amount: 1 })).toThrow(
      /wallet that a command needs was not loaded/,
    );
    expect(() => execute(unit, 'wallet:withdraw', null, { amount: 1 })).toThrow(/wallet/);
  });
});

describe('stock', () => {
  const add = (unit: UnitOfWork, actorId: string, delta: number) =>
    execute(unit, 'stock:add', actorId, { storeId: 'shop', bookId: 'book', add: delta });

  test('stays between zero and its limit', () => {
    const rejection = rejectedWith('OUT_OF_STOCK', { bookId: 'book', wanted: 6, available: 5 });
    expect(add(market(), 'ann', -6)).toMatchObject(rejection);
    expect(add(market(), 'ann', -5)).toMatchObject({ ok: true, data: { stock: 0 } });
    expect(add(market(), 'ann', STOCK_MAX - 4)).toMatchObject(badMessage('add', /above 1000000/));
    expect(add(market(), 'ann', STOCK_MAX - 5)).toMatchObject({ ok: true, data: { stock: STOCK_MAX } });
  });

  test('can be reduced when cancellations have raised it above its limit', () => {
    expect(add(market({ stock: STOCK_MAX + 9 }), 'ann', -1)).toMatchObject({
      ok: true,
      data: { stock: STOCK_MAX + 8 },
    });
  });

  test('is changed only by the owner of its store, for books that exist', () => {
    expect(add(market(), 'bob', 1)).toMatchObject(rejectedWith('FORBIDDEN'));
    const unknownStore = { storeId: 'none', bookId: 'book', add: 1 };
    expect(execute(market(), 'stock:add', 'ann', unknownStore)).toMatchObject(rejectedWith('STORE_NOT_FOUND'));
    const unknownBook = { storeId: 'shop', bookId: 'none', add: 1 };
    expect(execute(market(), 'stock:add', 'ann', unknownBook)).toMatchObject(
      rejectedWith('BOOK_NOT_FOUND', { bookId: 'none' }),
    );
  });

  test('alerts its owner when it falls to the low mark or to zero, but not in between or when it rises', () => {
    const alerts = (stock: number, delta: number, lowMark = 2) => {
      const unit = market({ stock, lowMark });
      add(unit, 'ann', delta);
      return unit.stockAlerts.map(({ ownerId, push }) => [ownerId, push.stock]);
    };
    expect(alerts(3, -1)).toEqual([['ann', 2]]);
    expect(alerts(4, -1)).toEqual([]);
    expect(alerts(5, -4)).toEqual([['ann', 1]]);
    expect(alerts(2, -1)).toEqual([]);
    expect(alerts(1, -1)).toEqual([['ann', 0]]);
    expect(alerts(1, 1)).toEqual([]);
    expect(alerts(1, -1, 0)).toEqual([['ann', 0]]);
  });

  test('alerts nobody again when a cancellation takes from an empty shelf', () => {
    const unit = paidMarket(5, { lowMark: 0 });
    expect(unit.stockAlerts).toHaveLength(1);
    execute(unit, 'order:cancel', 'ann', { orderId: 'order', unavailable: ['book'] });
    expect(bookOf(unit).stock).toBe(0);
    expect(unit.stockAlerts).toHaveLength(1);
  });
});

describe('orders', () => {
  test('are counted by status in both rooms', () => {
    const unit = market();
    const counts = () => [unit.rooms.get('buyer\nbob'), unit.rooms.get('seller\nann')];
    const none = { placed: 0, paid: 0, shipped: 0, received: 0, cancelled: 0 };
    const both = (head: number, count: object) => [
      { role: 'buyer', userId: 'bob', head, ...none, ...count },
      { role: 'seller', userId: 'ann', head, ...none, ...count },
    ];
    place(unit);
    expect(counts()).toEqual(both(1, { placed: 1 }));
    execute(unit, 'order:place', 'bob', { storeId: 'shop', items: copies(1) }, NOW, { newId: 'second' });
    expect(counts()).toEqual(both(2, { placed: 2 }));
    execute(unit, 'order:pay', 'bob', { orderId: 'order' });
    expect(counts()).toEqual(both(3, { placed: 1, paid: 1 }));
    execute(unit, 'order:ship', 'ann', { orderId: 'order' });
    execute(unit, 'order:cancel', 'bob', { orderId: 'second' });
    expect(counts()).toEqual(both(5, { shipped: 1, cancelled: 1 }));
  });

  test('are placed at the current price, reserve stock, and can be paid until they expire', () => {
    const unit = market();
    expect(place(unit, 5)).toMatchObject({
      ok: true,
      seq: 1,
      data: { total: 50, status: 'placed', version: 1, allowed: ['pay', 'cancel'] },
    });
    expect(unit.orders.get('order')).toMatchObject({
      expiresAt: NOW + 1_000,
      dueAt: NOW + 1_000,
      buyerId: 'bob',
      sellerId: 'ann',
    });
    expect(place(market(), 6)).toMatchObject(rejectedWith('OUT_OF_STOCK', { bookId: 'book', wanted: 6, available: 5 }));
    const pay = (at: number) => {
      const fresh = market();
      place(fresh);
      return execute(fresh, 'order:pay', 'bob', { orderId: 'order' }, at);
    };
    expect(pay(NOW + 999)).toMatchObject({ ok: true, data: { status: 'paid' } });
    expect(pay(NOW + 1_000)).toMatchObject(rejectedWith('ORDER_STATE', { status: 'placed', allowed: ['cancel'] }));
  });

  test('total at most 2^53−1; above it, the error names the items', () => {
    const price = 10 ** 12;
    const stock = STOCK_MAX;
    expect(place(market({ price, stock }), 9_007)).toMatchObject({ ok: true, data: { total: 9_007 * price } });
    expect(place(market({ price, stock }), 9_008)).toMatchObject(badMessage('items', /beyond 2\^53−1/));
    const placeAtLimit = (excess: number) => {
      const unit = market({ price, stock });
      const remainder = BALANCE_MAX - 9_007 * price;
      unit.addBook({ ...bookOf(unit), bookNo: 2, bookId: 'last', price: remainder + excess, stock });
      const items = [
        { bookId: 'book', count: 9_007 },
        { bookId: 'last', count: 1 },
      ];
      return execute(unit, 'order:place', 'bob', { storeId: 'shop', items });
    };
    expect(placeAtLimit(0)).toMatchObject({ ok: true, data: { total: BALANCE_MAX } });
    expect(placeAtLimit(1)).toMatchObject(badMessage('items', /beyond 2\^53−1/));
  });

  test('are rejected in the buyer’s own store, with an unregistered seller, or for a different total', () => {
    const items = [{ bookId: 'book', count: 1 }];
    expect(execute(market(), 'order:place', 'ann', { storeId: 'shop', items })).toMatchObject({
      error: { code: 'FORBIDDEN', message: 'Nobody can order from their own store.' },
    });
    const unregistered = market();
    unregistered.users.delete('ann');
    expect(place(unregistered)).toMatchObject(rejectedWith('USER_NOT_FOUND'));
    const outdated = { storeId: 'shop', items, expectedTotal: 9 };
    const priceChanged = rejectedWith('PRICE_CHANGED', { expected: 9, actual: 10 });
    expect(execute(market(), 'order:place', 'bob', outdated)).toMatchObject(priceChanged);
  });

  test('can be paid up to the buyer’s whole balance and the limit of the seller’s wallet', () => {
    const pay = (ann: number, bob: number) => {
      const unit = market({ ann, bob });
      place(unit);
      return execute(unit, 'order:pay', 'bob', { orderId: 'order' });
    };
    expect(pay(BALANCE_MAX - 10, 10)).toMatchObject({ ok: true });
    expect(pay(BALANCE_MAX - 9, 10)).toMatchObject(badMessage('orderId', /beyond/));
    expect(pay(0, 9)).toMatchObject(rejectedWith('INSUFFICIENT_FUNDS', { needed: 10, balance: 9 }));
  });

  test('are refunded from the seller’s wallet: without funds, the seller gets INSUFFICIENT_FUNDS and the buyer ORDER_STATE', () => {
    const cancel = (actorId: string, sellerBalance: number) => {
      const unit = market();
      place(unit);
      execute(unit, 'order:pay', 'bob', { orderId: 'order' });
      execute(unit, 'wallet:withdraw', 'ann', { amount: 10 - sellerBalance });
      return { answer: execute(unit, 'order:cancel', actorId, { orderId: 'order', reason: 'why' }), unit };
    };
    expect(cancel('ann', 9).answer).toMatchObject(rejectedWith('INSUFFICIENT_FUNDS', { needed: 10, balance: 9 }));
    expect(cancel('bob', 9).answer).toMatchObject(rejectedWith('ORDER_STATE', { status: 'paid', allowed: [] }));
    const { answer, unit } = cancel('bob', 10);
    expect(answer).toMatchObject({ ok: true, data: { status: 'cancelled', cancelReason: 'why' } });
    expect(unit.dirty.entries.slice(-2)).toMatchObject([
      { userId: 'ann', amount: -10, kind: 'refunded', orderId: 'order' },
      { userId: 'bob', amount: 10, kind: 'refund', orderId: 'order' },
    ]);
    expect(bookOf(unit).stock).toBe(5);
  });

  test('fail a command whose room or book was not loaded; a buyer’s missing wallet is empty', () => {
    const items = [{ bookId: 'book', count: 1 }];
    const request = { storeId: 'shop', items };
    const order = { name: 'order:place', actorId: null, newId: 'order', request } as unknown as Command;
    expect(() => executeOn(market(), order, NOW)).toThrow(/room that a command needs was not loaded/);
    const unit = market();
    place(unit);
    unit.wallets.delete('bob');
    const unfunded = rejectedWith('INSUFFICIENT_FUNDS', { needed: 10, balance: 0 });
    expect(execute(unit, 'order:pay', 'bob', { orderId: 'order' })).toMatchObject(unfunded);
    unit.booksByNo.clear();
    expect(() => execute(unit, 'order:cancel', 'bob', { orderId: 'order' })).toThrow(/book .* was not loaded/);
  });

  test('time out exactly when they are due', () => {
    const timeout = (at: number, commands: [Command['name'], string][] = []) => {
      const unit = market();
      place(unit);
      for (const [name, actorId] of commands) execute(unit, name, actorId, { orderId: 'order' });
      return execute(unit, 'order:timeout', null, { orderId: 'order' }, at);
    };
    expect(timeout(NOW + 999)).toMatchObject(rejectedWith('ORDER_STATE', { status: 'placed', allowed: [] }));
    expect((timeout(NOW + 1_000) as { data: Order }).data).toMatchObject({
      status: 'cancelled',
      cancelReason: 'expired',
    });
    // The hub has no room of its own, so its answer has no `seq`.
    expect(Object.keys(timeout(NOW + 1_000))).toEqual(['ok', 'data']);
    const shipped: [Command['name'], string][] = [
      ['order:pay', 'bob'],
      ['order:ship', 'ann'],
    ];
    expect(timeout(NOW + 4_999, shipped)).toMatchObject(rejectedWith('ORDER_STATE'));
    expect(timeout(NOW + 5_000, shipped)).toMatchObject({ ok: true, data: { status: 'received' } });
    expect(timeout(NOW + 9_000, [['order:pay', 'bob']])).toMatchObject(rejectedWith('ORDER_STATE'));
  });

  test('publish every change in both rooms, with exactly the fields of the contract', () => {
    const unit = market();
    place(unit, 2);
    execute(unit, 'order:pay', 'bob', { orderId: 'order' }, NOW + 1);
    execute(unit, 'order:ship', 'ann', { orderId: 'order', carrier: 'SF', trackingNo: '17' }, NOW + 2);
    execute(unit, 'order:receive', 'bob', { orderId: 'order' }, NOW + 3);
    const order = { orderId: 'order', storeId: 'shop', buyerId: 'bob', sellerId: 'ann', total: 20 };
    const at = (ms: number) => new Date(NOW + ms).toISOString();
    const shipment = { carrier: 'SF', trackingNo: '17' };
    const changes = [
      { ...order, version: 1, status: 'placed', previous: null, command: 'place', by: 'bob', at: at(0) },
      { ...order, version: 2, status: 'paid', previous: 'placed', command: 'pay', by: 'bob', at: at(1) },
      { ...order, version: 3, status: 'shipped', previous: 'paid', command: 'ship', by: 'ann', at: at(2), ...shipment },
      {
        ...order,
        version: 4,
        status: 'received',
        previous: 'shipped',
        command: 'receive',
        by: 'bob',
        at: at(3),
        ...shipment,
      },
    ];
    // Strict, because an undefined field counts as present.
    expect(unit.dirty.events.map(({ body, ...event }) => event)).toStrictEqual(
      changes.flatMap((change, index) => [
        { role: 'buyer', userId: 'bob', at: NOW + index, push: { role: 'buyer', seq: index + 1, ...change } },
        { role: 'seller', userId: 'ann', at: NOW + index, push: { role: 'seller', seq: index + 1, ...change } },
      ]),
    );
    for (const { role, push, body } of unit.dirty.events) {
      expect(decodeEvent(role, push.seq, body)).toStrictEqual(push);
    }
  });

  test('publish a cancellation with its actor and its reason, if any', () => {
    const cancellation = (actorId: string | null, name: Command['name'], request = {}) => {
      const unit = market();
      place(unit, 2);
      execute(unit, name, actorId, { orderId: 'order', ...request }, NOW + 1_000);
      return unit.dirty.events.slice(2).map(({ role, push }) => [role, push.command, push.by, push.cancelReason]);
    };
    expect(cancellation('ann', 'order:cancel', { reason: 'sold' })).toEqual([
      ['buyer', 'cancel', 'ann', 'sold'],
      ['seller', 'cancel', 'ann', 'sold'],
    ]);
    expect(cancellation(null, 'order:timeout')).toEqual([
      ['buyer', 'timeout', 'hub', 'expired'],
      ['seller', 'timeout', 'hub', 'expired'],
    ]);
    const unit = market();
    place(unit);
    execute(unit, 'order:cancel', 'bob', { orderId: 'order' });
    expect(Object.keys(unit.dirty.events.at(-1)?.push ?? {})).not.toContain('cancelReason');
    expect(unit.dirty.entries).toEqual([]);
    expect(bookOf(unit).stock).toBe(5);
  });

  test('record the time of each transition, and its actor in the timeline', () => {
    const unit = market();
    place(unit);
    const row = () => unit.orders.get('order');
    expect(row()).toMatchObject({ placedAt: NOW, paidAt: null, shippedAt: null, receivedAt: null, cancelledAt: null });
    execute(unit, 'order:pay', 'bob', { orderId: 'order' }, NOW + 1);
    expect(row()).toMatchObject({ paidAt: NOW + 1, dueAt: null });
    execute(unit, 'order:ship', 'ann', { orderId: 'order' }, NOW + 2);
    expect(row()).toMatchObject({ shippedAt: NOW + 2, dueAt: NOW + 5_002, carrier: null, trackingNo: null });
    execute(unit, 'order:timeout', null, { orderId: 'order' }, NOW + 5_002);
    expect(row()).toMatchObject({ receivedAt: NOW + 5_002, dueAt: null, cancelledAt: null });
    expect(row()?.timeline).toEqual([
      { version: 1, status: 'placed', command: 'place', by: 'bob', at: NOW },
      { version: 2, status: 'paid', command: 'pay', by: 'bob', at: NOW + 1 },
      {
        ...{ version: 3, status: 'shipped', command: 'ship', by: 'ann', at: NOW + 2 },
        changes: { carrier: null, trackingNo: null },
      },
      { version: 4, status: 'received', command: 'timeout', by: 'hub', at: NOW + 5_002 },
    ]);
    const cancelled = market();
    place(cancelled);
    execute(cancelled, 'order:cancel', 'ann', { orderId: 'order' }, NOW + 1);
    expect(cancelled.orders.get('order')).toMatchObject({ cancelledAt: NOW + 1, dueAt: null, cancelReason: null });
  });

  test('never time out once shipped if auto-receive is disabled', () => {
    const unit = market({ autoReceiveMs: 0 });
    place(unit);
    execute(unit, 'order:pay', 'bob', { orderId: 'order' });
    execute(unit, 'order:ship', 'ann', { orderId: 'order' });
    expect(unit.orders.get('order')?.dueAt).toBeNull();
    expect(execute(unit, 'order:timeout', null, { orderId: 'order' }, NOW + 10 ** 9)).toMatchObject(
      rejectedWith('ORDER_STATE', { status: 'shipped', allowed: ['receive'] }),
    );
  });

  test('are cancelled, not received, when shipping is due and a parcel never times out', () => {
    const unit = market({ autoReceiveMs: 0, settleAt: 'received', shipWithinMs: 60_000 });
    place(unit, 2);
    execute(unit, 'order:pay', 'bob', { orderId: 'order' });
    execute(unit, 'order:ship', 'ann', { orderId: 'order', items: [{ bookId: 'book', count: 1 }] });
    const timedOut = execute(unit, 'order:timeout', null, { orderId: 'order' }, NOW + 60_000);
    expect(timedOut).toMatchObject({ ok: true, data: { status: 'shipped' } });
    expect((timedOut as { data: Order }).data).toMatchObject({
      refunded: 10,
      items: [{ shipped: 1, cancelled: 1 }],
      parcels: [{ receivedAt: null }],
    });
  });

  test('are cancelled in part up to the limit of such changes', () => {
    const unit = market({ stock: LINE_CHANGES_MAX + 2, bob: 10 * (LINE_CHANGES_MAX + 2) });
    place(unit, LINE_CHANGES_MAX + 2);
    execute(unit, 'order:pay', 'bob', { orderId: 'order' });
    const cancelOne = () =>
      execute(unit, 'order:cancel', 'bob', { orderId: 'order', items: [{ bookId: 'book', count: 1 }] });
    for (let changes = 0; changes < LINE_CHANGES_MAX; changes++) expect(cancelOne()).toMatchObject({ ok: true });
    expect(cancelOne()).toMatchObject(rejectedWith('ORDER_STATE', { status: 'paid', allowed: [] }));
    expect(execute(unit, 'order:cancel', 'bob', { orderId: 'order' })).toMatchObject({
      ok: true,
      data: { status: 'cancelled', refunded: 10 * (LINE_CHANGES_MAX + 2) },
    });
  });

  test('record a whole cancellation by its reason alone, and which books it takes off the shelf', () => {
    const cancelled = (request: object) => {
      const unit = market();
      place(unit, 2);
      execute(unit, 'order:pay', 'bob', { orderId: 'order' });
      execute(unit, 'order:cancel', 'ann', { orderId: 'order', reason: 'why', ...request });
      return unit.orders.get('order')?.timeline.at(-1)?.changes;
    };
    expect(cancelled({})).toEqual({ cancelReason: 'why' });
    expect(cancelled({ unavailable: ['book'] })).toEqual({ cancelReason: 'why', withdrawn: expect.anything() });
    const unknown = { orderId: 'none', unavailable: ['book'] };
    expect(execute(market(), 'order:cancel', 'ann', unknown)).toMatchObject(rejectedWith('ORDER_NOT_FOUND'));
  });

  test('are paid only for their actual total', () => {
    const pay = (expectedTotal: number) => {
      const unit = market();
      place(unit, 3);
      return execute(unit, 'order:pay', 'bob', { orderId: 'order', expectedTotal });
    };
    expect(pay(29)).toMatchObject(rejectedWith('PRICE_CHANGED', { expected: 29, actual: 30 }));
    expect(pay(30)).toMatchObject({ ok: true, data: { status: 'paid' } });
  });

  test('cannot be refunded beyond the limit of the buyer’s wallet', () => {
    const cancel = (headroom: number) => {
      const unit = market({ bob: BALANCE_MAX });
      place(unit);
      execute(unit, 'order:pay', 'bob', { orderId: 'order' });
      execute(unit, 'wallet:deposit', 'bob', { amount: 10 - headroom });
      return execute(unit, 'order:cancel', 'bob', { orderId: 'order' });
    };
    expect(cancel(9)).toMatchObject(badMessage('orderId', /beyond 2\^53−1/));
    expect(cancel(10)).toMatchObject({ ok: true, data: { status: 'cancelled' } });
  });

  test('are rejected as ORDER_NOT_FOUND if unknown, and as FORBIDDEN for other users', () => {
    const names = ['order:pay', 'order:ship', 'order:receive', 'order:cancel'] as const;
    for (const name of names) {
      expect(execute(market(), name, 'bob', { orderId: 'none' })).toMatchObject(rejectedWith('ORDER_NOT_FOUND'));
      const unit = market();
      unit.users.add('cid');
      place(unit);
      expect(execute(unit, name, 'cid', { orderId: 'order' })).toMatchObject(rejectedWith('FORBIDDEN'));
    }
    expect(execute(market(), 'order:timeout', null, { orderId: 'none' })).toMatchObject(
      rejectedWith('ORDER_NOT_FOUND'),
    );
  });

  test('fail a command with an error that names the row that was not loaded', () => {
    const executing = (unload: (unit: UnitOfWork) => void, name: Command['name'] = 'order:pay') => {
      const unit = market({ price: 0 });
      place(unit);
      unload(unit);
      return () => execute(unit, name, 'bob', { orderId: 'order' });
    };
    expect(executing(({ wallets }) => wallets.delete('bob'))).toThrow(/^A wallet that a command needs was not loaded$/);
    expect(executing(({ rooms }) => rooms.delete(pair('seller', 'ann')))).toThrow(
      /^A room that a command needs was not loaded$/,
    );
    expect(executing(({ booksByNo }) => booksByNo.clear(), 'order:cancel')).toThrow(
      /^A book of the order was not loaded$/,
    );
  });

  test('alert the store’s owner when they take stock past the low mark', () => {
    const unit = market();
    place(unit, 3);
    expect(unit.stockAlerts).toEqual([
      { ownerId: 'ann', push: { storeId: 'shop', bookId: 'book', stock: 2, at: new Date(NOW).toISOString() } },
    ]);
    const cancelled = market({ stock: 5, lowMark: 0 });
    place(cancelled, 3);
    // A cancellation loads no store.
    cancelled.stores.clear();
    const request = { orderId: 'order', unavailable: ['book'] };
    expect(execute(cancelled, 'order:cancel', 'ann', request)).toMatchObject({ ok: true });
    expect(cancelled.stockAlerts).toMatchObject([{ ownerId: 'ann', push: { stock: 0 } }]);
    // Without a loaded owner, nobody is alerted.
    unit.stores.clear();
    unit.apply({ stock: [{ book: bookOf(unit), delta: -2 }] }, NOW);
    expect(unit.stockAlerts).toHaveLength(1);
  });
});
