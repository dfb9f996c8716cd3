import { describe, expect, test } from '@jest/globals';
import type { UnitOfWork } from '../../src/commands/unit.of.work.js';
import {
  badMessage,
  booked,
  bookOf,
  copies,
  execute,
  lastChanges,
  paidMarket,
  rejectedWith,
  ship,
} from '../support/small.market.js';

const refund = (unit: UnitOfWork, request: object) =>
  execute(unit, 'order:refund', 'ann', { orderId: 'order', ...request });

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
    // The copy that is left was paid back, the shipped one was not.
    expect(refund(partly, { items: copies(2) })).toMatchObject(
      rejectedWith('ORDER_STATE', { bookId: 'book', left: 1 }),
    );
    expect(refund(partly, { items: copies(1) })).toMatchObject({ ok: true, data: { refunded: 50 } });
    expect(booked(partly, 'bob')).toEqual(['payment -50', 'refund 30', 'refund 10', 'refund 10']);
  });
});
