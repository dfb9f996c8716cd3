import { describe, expect, test } from '@jest/globals';
import type { Command } from '../../src/commands/command.js';
import type { UnitOfWork } from '../../src/commands/unit.of.work.js';
import {
  BALANCE_MAX,
  badMessage,
  booked,
  copies,
  execute,
  market,
  NOW,
  paidMarket,
  rejectedWith,
} from '../support/small.market.js';

const acting = { ownerId: 'ann', membershipId: 'first' };
/** cid works for ann. */
const hire = (unit: UnitOfWork, membershipId = 'first') => {
  unit.users.add('cid');
  unit.addMembership({ ownerId: 'ann', userId: 'cid', membershipId }, 'locked');
  return unit;
};
const act = (unit: UnitOfWork, name: Command['name'], request: object) =>
  execute(unit, name, 'cid', request, NOW, { acting });

describe('a member of staff', () => {
  test('acts for the seller by the membership that the message was admitted with, and no other', () => {
    const shipped = (unit: UnitOfWork) => act(unit, 'order:ship', { orderId: 'order' });
    expect(shipped(hire(paidMarket(1)))).toMatchObject({ ok: true, data: { status: 'shipped' } });
    const isOver = { error: { code: 'FORBIDDEN', message: expect.stringMatching(/do not act for this seller/) } };
    expect(shipped(hire(paidMarket(1), 'second'))).toMatchObject(isOver);
    const removed = paidMarket(1);
    removed.users.add('cid');
    expect(shipped(removed)).toMatchObject(isOver);
  });

  test('learns that money is lacking, but not what the seller’s balance is', () => {
    const unit = hire(paidMarket(1));
    execute(unit, 'wallet:withdraw', 'ann', { amount: 1 });
    const answer = act(unit, 'order:refund', { orderId: 'order', amount: 10 });
    expect(answer).toMatchObject(rejectedWith('INSUFFICIENT_FUNDS'));
    expect(answer).not.toHaveProperty('error.details');
    expect(execute(unit, 'order:refund', 'ann', { orderId: 'order', amount: 10 })).toMatchObject(
      rejectedWith('INSUFFICIENT_FUNDS', { needed: 10, balance: 9 }),
    );
  });

  test('learns every other reason of a refusal', () => {
    const unit = hire(paidMarket(1, { bob: BALANCE_MAX }));
    execute(unit, 'wallet:deposit', 'bob', { amount: 10 });
    const refunded = act(unit, 'order:refund', { orderId: 'order', amount: 1 });
    expect(refunded).toMatchObject(badMessage('orderId', /beyond/));
    expect(booked(unit, 'bob')).toEqual(['payment -10', 'deposit 10']);
  });

  test('is written, with a batch, only where it acts: who buys from the seller may be a member too', () => {
    const unit = market();
    expect(unit.acting).toEqual([]);
    hire(unit);
    unit.addMembership({ ownerId: 'ann', userId: 'bob', membershipId: 'third' }, 'read');
    expect(unit.acting).toEqual([['ann', 'cid']]);
    const own = execute(unit, 'order:place', 'bob', { storeId: 'shop', items: copies(1) });
    expect(own).toMatchObject(rejectedWith('FORBIDDEN'));
  });
});
