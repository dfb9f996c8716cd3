import { describe, expect, test } from '@jest/globals';
import { OPERATOR_ID } from '../../src/commands/command.js';
import type { UnitOfWork } from '../../src/commands/unit.of.work.js';
import {
  BALANCE_MAX,
  badMessage,
  booked,
  execute,
  market,
  NOW,
  paidMarket,
  place,
  rejectedWith,
  ship,
} from '../support/small.market.js';

const payments = { provider: 'test', currency: 'CNY' } as const;
const wallet = (unit: UnitOfWork, userId: string) => {
  const { balance, held } = unit.wallets.get(userId) ?? {};
  return { balance, held };
};

describe('top-ups', () => {
  const begin = (unit: UnitOfWork, request: object, topupId = 'topup') =>
    execute(unit, 'topup:create', 'bob', request, NOW, { newId: topupId });
  const settle = (
    unit: UnitOfWork,
    { topupId = 'topup', orderId = null as string | null, eventId = 'event', amount = 20, currency = 'CNY' } = {},
  ) => {
    const outcome = { topupId, userId: 'bob', orderId, eventId, paid: { amount, currency } };
    return execute(unit, 'topup:settle', null, outcome, NOW + 1);
  };
  const refused = (unit: UnitOfWork, eventId = 'event') =>
    execute(unit, 'topup:settle', null, { topupId: 'topup', userId: 'bob', orderId: null, eventId, paid: null });
  const succeeded = { ok: true, data: { status: 'succeeded', isDisputed: false } };

  test('are written as begun, and credited once they are paid', () => {
    const unit = market({ payments });
    expect(begin(unit, { amount: 20 })).toEqual({
      ok: true,
      data: { topupId: 'topup', status: 'pending', amount: 20 },
    });
    const begun = {
      ...{ topupId: 'topup', userId: 'bob', orderId: null, amount: 20, ...payments },
      ...{ status: 'pending', eventId: null, createdAt: NOW, settledAt: null, dueAt: expect.any(Number) },
    };
    expect([...unit.dirty.topups.values()]).toEqual([begun]);
    expect(booked(unit, 'bob')).toEqual([]);
    // No event of the provider has settled it yet.
    expect(unit.settledBy.size).toBe(0);
    expect(settle(unit)).toEqual(succeeded);
    expect([...unit.dirty.topups.values()]).toEqual([
      { ...begun, status: 'succeeded', eventId: 'event', settledAt: NOW + 1, dueAt: null },
    ]);
    expect(booked(unit, 'bob')).toEqual(['deposit 20']);
    expect(wallet(unit, 'bob').balance).toBe(120);
  });

  test('are credited once, however often and by whichever event the provider says so', () => {
    const unit = market({ payments });
    begin(unit, { amount: 20 });
    begin(unit, { amount: 20 }, 'another');
    for (const eventId of ['event', 'event', 'later']) expect(settle(unit, { eventId })).toEqual(succeeded);
    // One payment cannot fund two top-ups.
    expect(settle(unit, { topupId: 'another' })).toEqual({ ok: true, data: { status: 'pending', isDisputed: true } });
    expect(booked(unit, 'bob')).toEqual(['deposit 20']);
    expect(settle(unit, { topupId: 'another', eventId: 'its own' })).toEqual(succeeded);
    expect(booked(unit, 'bob')).toEqual(['deposit 20', 'deposit 20']);
  });

  test('that failed or were disputed credit nothing, until they are paid as asked', () => {
    const unit = market({ payments });
    begin(unit, { amount: 20 });
    expect(refused(unit)).toMatchObject({ data: { status: 'failed', isDisputed: false } });
    expect(settle(unit, { eventId: 'less', amount: 19 })).toMatchObject({
      data: { status: 'disputed', isDisputed: true },
    });
    expect(settle(unit, { eventId: 'dearer', currency: 'EUR' })).toMatchObject({ data: { status: 'disputed' } });
    expect(refused(unit, 'later')).toMatchObject({ data: { status: 'disputed' } });
    expect(booked(unit, 'bob')).toEqual([]);
    expect(settle(unit, { eventId: 'at last' })).toEqual(succeeded);
    expect(booked(unit, 'bob')).toEqual(['deposit 20']);
    expect(settle(market({ payments }))).toMatchObject(rejectedWith('NOT_FOUND', { what: 'topup' }));
  });

  test('for an order cover what the balance lacks, and pay it', () => {
    const unit = market({ payments, bob: 4 });
    place(unit, 2);
    expect(begin(unit, { amount: 15, orderId: 'order' })).toMatchObject(badMessage('amount', /must cover/));
    expect(begin(unit, { amount: 16, orderId: 'order' })).toMatchObject({ ok: true });
    expect(settle(unit, { orderId: 'order', amount: 16 })).toEqual(succeeded);
    expect(booked(unit, 'bob')).toEqual(['deposit 16', 'payment -20']);
    expect(booked(unit, 'ann')).toEqual(['sale 20']);
    expect(wallet(unit, 'bob').balance).toBe(0);
    expect(unit.orders.get('order')).toMatchObject({ status: 'paid', version: 2 });
  });

  test('stay as balance when their order cannot be paid any more', () => {
    const unit = market({ payments, bob: 4 });
    place(unit, 2);
    begin(unit, { amount: 16, orderId: 'order' });
    execute(unit, 'order:cancel', 'bob', { orderId: 'order' });
    expect(settle(unit, { orderId: 'order', amount: 16 })).toEqual(succeeded);
    expect(booked(unit, 'bob')).toEqual(['deposit 16']);
    expect(unit.orders.get('order')?.status).toBe('cancelled');
    expect(begin(unit, { amount: 1, orderId: 'order' }, 'another')).toMatchObject(rejectedWith('ORDER_STATE'));
  });

  test('never take a wallet beyond its limit, and fail if it was not loaded', () => {
    const unit = market({ payments, bob: BALANCE_MAX - 20 });
    expect(begin(unit, { amount: 21 })).toMatchObject(badMessage('amount', /beyond/));
    expect(begin(unit, { amount: 20 })).toMatchObject({ ok: true });
    execute(unit, 'wallet:deposit', 'bob', { amount: 1 });
    expect(settle(unit)).toMatchObject(badMessage('amount', /beyond/));
    const unloaded = market({ payments });
    place(unloaded);
    unloaded.wallets.delete('bob');
    expect(() => begin(unloaded, { amount: 20, orderId: 'order' })).toThrow(
      /^A wallet that a command needs was not loaded$/,
    );
  });
});

describe('payouts', () => {
  const withdraw = (unit: UnitOfWork) =>
    execute(unit, 'wallet:withdraw', 'bob', { amount: 30 }, NOW, { newId: 'payout' });
  const settle = (unit: UnitOfWork, isPaid: boolean) =>
    execute(unit, 'payout:settle', null, { payoutId: 'payout', userId: 'bob', isPaid }, NOW + 1);

  test('are begun by a withdrawal, which is booked at once', () => {
    const unit = market({ payments });
    expect(withdraw(unit)).toEqual({ ok: true, data: { balance: 70 } });
    expect(booked(unit, 'bob')).toEqual(['withdrawal -30']);
    const begun = {
      ...{ payoutId: 'payout', userId: 'bob', amount: 30, ...payments },
      ...{ status: 'pending', createdAt: NOW, settledAt: null, dueAt: NOW },
    };
    expect([...unit.dirty.payouts.values()]).toEqual([begun]);
    expect(settle(unit, true)).toEqual({ ok: true, data: { status: 'paid' } });
    expect([...unit.dirty.payouts.values()]).toEqual([{ ...begun, status: 'paid', settledAt: NOW + 1, dueAt: null }]);
    expect(booked(unit, 'bob')).toEqual(['withdrawal -30']);
    expect(() => execute(unit, 'wallet:withdraw', 'bob', { amount: 1 })).toThrow(/has no id for what it creates/);
  });

  test('return to the wallet once when they are refused, also after the bank took them', () => {
    const unit = market({ payments });
    withdraw(unit);
    settle(unit, true);
    expect(settle(unit, false)).toEqual({ ok: true, data: { status: 'returned' } });
    for (const isPaid of [false, true]) {
      expect(settle(unit, isPaid)).toEqual({ ok: true, data: { status: 'returned' } });
    }
    expect(booked(unit, 'bob')).toEqual(['withdrawal -30', 'returned 30']);
    expect(wallet(unit, 'bob').balance).toBe(100);
    expect(settle(market(), true)).toMatchObject(rejectedWith('NOT_FOUND', { what: 'payout' }));
  });

  test('do not exist without a payment provider', () => {
    const unit = market();
    expect(withdraw(unit)).toEqual({ ok: true, data: { balance: 70 } });
    expect(unit.dirty.payouts.size).toBe(0);
  });
});

describe('held money', () => {
  const terms = { settleAt: 'received' } as const;

  test('counts towards the limit of its seller’s wallet', () => {
    const unit = paidMarket(2, { ...terms, ann: BALANCE_MAX - 25 });
    expect(wallet(unit, 'ann')).toEqual({ balance: BALANCE_MAX - 25, held: 20 });
    expect(execute(unit, 'wallet:deposit', 'ann', { amount: 6 })).toMatchObject(badMessage('amount', /beyond/));
    expect(execute(unit, 'wallet:deposit', 'ann', { amount: 5 })).toMatchObject({ ok: true });
  });

  test('goes to the seller when the order is received, and cannot be withdrawn before', () => {
    const unit = paidMarket(2, terms);
    const rejection = rejectedWith('INSUFFICIENT_FUNDS', { needed: 1, balance: 0 });
    expect(execute(unit, 'wallet:withdraw', 'ann', { amount: 1 })).toMatchObject(rejection);
    execute(unit, 'order:ship', 'ann', { orderId: 'order' });
    expect(booked(unit, 'ann')).toEqual([]);
    execute(unit, 'order:receive', 'bob', { orderId: 'order' });
    expect(booked(unit, 'ann')).toEqual(['sale 20']);
    expect(wallet(unit, 'ann')).toEqual({ balance: 20, held: 0 });
  });

  test('goes to the seller, less what was given back, when cancelling the rest completes an order', () => {
    const unit = paidMarket(3, terms);
    ship(unit, 1);
    execute(unit, 'order:receive', 'bob', { orderId: 'order' });
    execute(unit, 'order:refund', 'ann', { orderId: 'order', amount: 3 });
    expect(execute(unit, 'order:cancel', 'ann', { orderId: 'order' })).toMatchObject({ data: { status: 'received' } });
    expect(booked(unit, 'bob')).toEqual(['payment -30', 'refund 3', 'refund 20']);
    expect(booked(unit, 'ann')).toEqual(['sale 7']);
    expect(wallet(unit, 'ann')).toEqual({ balance: 7, held: 0 });
  });

  test('is never given out beyond what is there, and its wallet must be loaded', () => {
    const unit = paidMarket(2, terms);
    execute(unit, 'order:ship', 'ann', { orderId: 'order' });
    const damaged = unit.wallets.get('ann');
    if (damaged) damaged.held = 19;
    expect(() => execute(unit, 'order:receive', 'bob', { orderId: 'order' })).toThrow(/holds less for a seller/);
    const unloaded = market(terms);
    place(unloaded);
    unloaded.wallets.delete('ann');
    expect(() => execute(unloaded, 'order:pay', 'bob', { orderId: 'order' })).toThrow(
      /^A wallet that a command needs was not loaded$/,
    );
  });
});

describe('the operator', () => {
  test('credits and debits the wallets of users, without one of its own', () => {
    const unit = market();
    const request = { userId: 'bob', amount: 5 };
    expect(execute(unit, 'wallet:deposit', OPERATOR_ID, request)).toEqual({ ok: true, data: { balance: 105 } });
    expect(execute(unit, 'wallet:deposit', OPERATOR_ID, { ...request, userId: 'gone' })).toMatchObject({
      error: { code: 'USER_NOT_FOUND', message: 'There is no such user.' },
    });
    expect(booked(unit, 'bob')).toEqual(['deposit 5']);
  });
});
