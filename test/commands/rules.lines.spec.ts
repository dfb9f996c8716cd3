import { describe, expect, test } from '@jest/globals';
import type { UnitOfWork } from '../../src/commands/unit.of.work.js';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import {
  badMessage,
  bookOf,
  copies,
  execute,
  lastChanges,
  market,
  NOW,
  paidMarket,
  place,
  rejectedWith,
  ship,
} from '../support/small.market.js';

const orderOf = (answer: Answer<unknown>) => (answer as { data: Order }).data;

describe('copies', () => {
  test('that a command names must be left of the order', () => {
    const unit = paidMarket(2);
    const shipOf = (bookId: string, count: number) =>
      execute(unit, 'order:ship', 'ann', { orderId: 'order', items: [{ bookId, count }] });
    const error = {
      code: 'BOOK_NOT_FOUND',
      message: 'This order has no book with this id.',
      details: { bookId: 'no' },
    };
    expect(shipOf('no', 1)).toMatchObject({ ok: false, error });
    const tooMany = {
      ...{ code: 'ORDER_STATE', message: 'The order has fewer copies left.' },
      details: { bookId: 'book', left: 2 },
    };
    expect(shipOf('book', 3)).toMatchObject({ ok: false, error: tooMany });
  });

  test('of a book that the store has run out of leave the shelf also when none of the order are cancelled', () => {
    const unit = market();
    unit.addBook({ ...bookOf(unit), bookNo: 2, bookId: 'other' });
    const items = [...copies(1), { bookId: 'other', count: 1 }];
    execute(unit, 'order:place', 'bob', { storeId: 'shop', items });
    execute(unit, 'order:pay', 'bob', { orderId: 'order' });
    const cancelled = { orderId: 'order', items: copies(1), unavailable: ['other'] };
    expect(execute(unit, 'order:cancel', 'ann', cancelled)).toMatchObject({ ok: true, data: { status: 'paid' } });
    expect([...unit.books.values()].map(({ bookId, stock }) => [bookId, stock])).toEqual([
      ['book', 5],
      ['other', 0],
    ]);
    expect(lastChanges(unit)?.withdrawn).toEqual([{ bookNo: 2, copies: 4 }]);
  });
});

describe('parcels', () => {
  test('accept their order: what is left is due when it must be shipped', () => {
    const unit = market({ settleAt: 'received', shipWithinMs: 3_000 });
    unit.stores.set('shop', { ownerId: 'ann', isOpen: 1, pausedUntil: null, acceptWithinSeconds: 1 });
    place(unit, 2);
    execute(unit, 'order:pay', 'bob', { orderId: 'order' });
    expect(unit.orders.get('order')?.dueAt).toBe(NOW + 1_000);
    ship(unit, 1);
    expect(unit.orders.get('order')?.dueAt).toBe(NOW + 3_000);
  });

  const track = (unit: UnitOfWork, request: object) =>
    execute(unit, 'order:track', 'ann', { orderId: 'order', ...request });

  test('are tracked by their number where the order has several', () => {
    const unit = paidMarket(3);
    ship(unit, 1, { carrier: 'SF', trackingNo: '1' });
    expect(orderOf(track(unit, { trackingNo: '1a' })).parcels).toMatchObject([{ carrier: 'SF', trackingNo: '1a' }]);
    ship(unit, 1, { carrier: 'SF', trackingNo: '2' });
    expect(track(unit, { trackingNo: '3' })).toMatchObject(badMessage('parcel', /is required/));
    expect(track(unit, { parcel: 3, trackingNo: '3' })).toMatchObject(rejectedWith('ORDER_STATE'));
    expect(orderOf(track(unit, { parcel: 2, carrier: 'YTO' })).parcels).toMatchObject([
      { carrier: 'SF', trackingNo: '1a' },
      { carrier: 'YTO', trackingNo: '2' },
    ]);
    execute(unit, 'order:receive', 'bob', { orderId: 'order', parcel: 1 });
    expect(track(unit, { parcel: 1, trackingNo: '4' })).toMatchObject(rejectedWith('ORDER_STATE'));
  });
});

describe('a damaged order', () => {
  test('whose timeline names a line that it does not have fails its commands', () => {
    const unit = market();
    place(unit);
    const order = unit.orders.get('order');
    const changes = { lines: { copies: [[1, 1]] as [number, number][] } };
    order?.timeline.push({ version: 2, status: 'paid', command: 'ship', by: 'ann', at: NOW, changes });
    expect(() => execute(unit, 'order:pay', 'bob', { orderId: 'order' })).toThrow(/names a line that it does not have/);
  });
});
