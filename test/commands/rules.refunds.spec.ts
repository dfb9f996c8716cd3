import { describe, expect, test } from '@jest/globals';
import type { UnitOfWork } from '../../src/commands/unit.of.work.js';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import {
  badMessage,
  booked,
  bookOf,
  copies,
  execute,
  market,
  NOW,
  paidMarket,
  place,
  rejectedWith,
} from '../support/small.market.js';

const refund = (unit: UnitOfWork, request: object) =>
  execute(unit, 'order:refund', 'ann', { orderId: 'order', ...request });
const ship = (unit: UnitOfWork, count: number, tracking = {}) =>
  execute(unit, 'order:ship', 'ann', { orderId: 'order', items: copies(count), ...tracking });
const lastChanges = (unit: UnitOfWork) => unit.orders.get('order')?.timeline.at(-1)?.changes;
const orderOf = (answer: Answer<unknown>) => (answer as { data: Order }).data;

describe('refunds', () => {
  test('give back copies at their price, or an amount, up to the total', () => {
    const unit = paidMarket(3);
    const tooMuch = /more than the total of the order/;
    expect(refund(unit, { amount: 31 })).toMatchObject(badMessage('amount', tooMuch));
    expect(refund(unit, { amount: 25 })).toMatchObject({ ok: true, data: { refunded: 25, status: 'paid' } });
    expect(refund(unit, { items: copies(1) })).toMatchObject(badMessage('items', tooMuch));
    expect(refund(unit, { amount: 5 })).toMatchObject({ ok: true, data: { refunded: 30 } });
    expect(booked(unit, 'bob')).toEqual(['payment -30', 'refund 25', 'refund 5']);
    expect(booked(unit, 'ann')).toEqual(['sale 30', 'refunded -25', 'refunded -5']);
  });

  test('put shipped copies back on the shelf if asked to; the others never left the order', () => {
    const unit = paidMarket(3);
    ship(unit, 2);
    expect(refund(unit, { items: copies(1) })).toMatchObject({ ok: true });
    expect(bookOf(unit).stock).toBe(2);
    expect(refund(unit, { items: copies(2), restock: true })).toMatchObject({ ok: true, data: { refunded: 30 } });
    expect(bookOf(unit).stock).toBe(3);
  });

  test('are recorded with what they gave back, and nothing else', () => {
    const unit = paidMarket(5);
    refund(unit, { amount: 3, reason: 'a stain' });
    expect(lastChanges(unit)).toEqual({ lines: { money: 3, reason: 'a stain' } });
    refund(unit, { items: copies(1), restock: true });
    expect(lastChanges(unit)).toEqual({ lines: { money: 10, copies: [[0, 1]] } });
    ship(unit, 4);
    refund(unit, { items: copies(1) });
    expect(lastChanges(unit)).toEqual({ lines: { money: 10, copies: [[0, 1]] } });
    refund(unit, { items: copies(2), restock: true });
    expect(lastChanges(unit)).toEqual({ lines: { money: 20, copies: [[0, 2]], restocked: [[0, 2]] } });
  });

  test('are not paid to a buyer who has unregistered', () => {
    const unit = paidMarket(1);
    unit.users.delete('bob');
    expect(refund(unit, { amount: 1 })).toMatchObject({
      error: { code: 'USER_NOT_FOUND', message: 'The buyer has unregistered.' },
    });
    expect(booked(unit, 'bob')).toEqual(['payment -10']);
  });

  test('are not paid twice when the copies are cancelled later', () => {
    const unit = paidMarket(3);
    refund(unit, { items: copies(1) });
    const cancelled = execute(unit, 'order:cancel', 'ann', { orderId: 'order', items: copies(2) });
    expect(cancelled).toMatchObject({ ok: true, data: { status: 'paid', refunded: 30 } });
    const last = execute(unit, 'order:cancel', 'ann', { orderId: 'order', items: copies(1) });
    expect(last).toMatchObject({ ok: true, data: { status: 'cancelled', refunded: 30 } });
    const partly = paidMarket(5);
    refund(partly, { items: copies(3) });
    // Copies that were not paid back go first: one in the parcel, and one of those that are cancelled.
    ship(partly, 1);
    const some = execute(partly, 'order:cancel', 'ann', { orderId: 'order', items: copies(3) });
    expect(some).toMatchObject({ ok: true, data: { refunded: 40 } });
    expect(booked(partly, 'bob')).toEqual(['payment -50', 'refund 30', 'refund 10']);
  });
});

describe('parcels', () => {
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

describe('rooms', () => {
  test('count the orders of their user by status', () => {
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
