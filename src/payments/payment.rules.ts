import type { Decision } from '../commands/command.handler.js';
import { accountOf, type Command, newIdOf } from '../commands/command.js';
import { balanceOverflow } from '../commands/money.errors.js';
import type { TopupRow } from '../commands/rows.js';
import { type Change, moneyOf, type UnitOfWork } from '../commands/unit.of.work.js';
import { HubError } from '../contract/errors.js';
import { BALANCE_MAX } from '../contract/fields.js';
import { orderHandlers } from '../orders/order.handlers.js';

/*
 * The rules of money that a payment provider takes in and pays out: pure, like those of orders. A provider's word is had again and
 * again, in any order and by several hubs; the status of the row that it is about, locked by the batch, says what is left to do.
 */

/** The provider is asked first when the user may have come back without its event. */
const FIRST_ASKED_AFTER_MS = 30_000;

const payment = orderHandlers['order:pay'];

/** The command that pays an order with money that has just come in. */
export function paymentOf(userId: string, orderId: string): Command<'order:pay'> {
  return { name: 'order:pay', actorId: userId, request: { orderId } };
}

export function createTopup(unit: UnitOfWork, command: Command<'topup:create'>, now: number): Decision {
  const { request } = command;
  const userId = accountOf(command);
  const { amount, orderId = null } = request;
  const { payments } = unit.policy;
  if (!payments || userId === null) throw new Error('A top-up was begun without a payment provider');
  // What a seller buys is the seller's own to pay.
  if (command.acting && orderId !== null) return new HubError('FORBIDDEN');
  if (wouldOverflow(unit, userId, amount)) return balanceOverflow('amount');
  if (orderId !== null) {
    const paid = payment.decide(unit.afterCredit(userId, amount), paymentOf(userId, orderId), now);
    if (paid instanceof HubError) return paid.code === 'INSUFFICIENT_FUNDS' ? tooLittle() : paid;
  }
  const { provider, currency } = payments;
  return {
    topup: {
      ...{ topupId: newIdOf(command), userId, orderId, amount, currency, provider, status: 'pending', eventId: null },
      ...{ createdAt: now, settledAt: null, dueAt: now + FIRST_ASKED_AFTER_MS },
    },
  };
}

/** Credits what was paid, and pays the order with it by the rule of `order:pay`; where that refuses, the money stays as balance. */
export function settleTopup(unit: UnitOfWork, command: Command<'topup:settle'>, now: number): Decision {
  const { topupId, eventId, paid } = command.request;
  const topup = unit.topups.get(topupId);
  if (!topup) return new HubError('NOT_FOUND', undefined, { what: 'topup' });
  if (unit.settledBy.has(eventId) || topup.status === 'succeeded') return {};
  const settled = (status: TopupRow['status']): Change => ({
    topup: { ...topup, status, eventId, settledAt: now, dueAt: null },
  });
  if (paid === null) return topup.status === 'pending' ? settled('failed') : {};
  if (!isWhatWasAsked(topup, paid)) return topup.status === 'disputed' ? {} : settled('disputed');

  const { userId, amount, orderId } = topup;
  if (wouldOverflow(unit, userId, amount)) return balanceOverflow('amount');
  const credit = { userId, amount, kind: 'deposit', orderId: null } as const;
  const change = settled('succeeded');
  if (orderId === null) return { ...change, money: [credit] };
  const payingIt = payment.decide(unit.afterCredit(userId, amount), paymentOf(userId, orderId), now);
  if (payingIt instanceof HubError) return { ...change, money: [credit] };
  return { ...payingIt, ...change, money: [credit, ...(payingIt.money ?? [])] };
}

/** Whether the provider reported another amount or currency than the top-up's, or an event that settled another top-up. */
export function isDisputed(
  unit: UnitOfWork,
  { request: { topupId, eventId, paid } }: Command<'topup:settle'>,
): boolean {
  const topup = unit.topups.get(topupId);
  const isOfAnother = (unit.settledBy.get(eventId) ?? topupId) !== topupId;
  return isOfAnother || (topup !== undefined && paid !== null && !isWhatWasAsked(topup, paid));
}

/** A refused payout returns to the wallet, also one that a bank has sent back later. */
export function settlePayout(unit: UnitOfWork, command: Command<'payout:settle'>, now: number): Decision {
  const { payoutId, isPaid } = command.request;
  const payout = unit.payouts.get(payoutId);
  if (!payout) return new HubError('NOT_FOUND', undefined, { what: 'payout' });
  if (payout.status === 'returned' || (isPaid && payout.status === 'paid')) return {};
  const settled = { ...payout, settledAt: now, dueAt: null };
  if (isPaid) return { payout: { ...settled, status: 'paid' } };
  const { userId, amount } = payout;
  if (wouldOverflow(unit, userId, amount)) return balanceOverflow('amount');
  return {
    payout: { ...settled, status: 'returned' },
    money: [{ userId, amount, kind: 'returned', orderId: null }],
  };
}

function isWhatWasAsked(topup: TopupRow, paid: { amount: number; currency: string }): boolean {
  return paid.amount === topup.amount && paid.currency === topup.currency;
}

function wouldOverflow(unit: UnitOfWork, userId: string, amount: number): boolean {
  return moneyOf(unit.wallets.get(userId)) > BALANCE_MAX - amount;
}

function tooLittle(): HubError {
  return HubError.badMessage([{ path: 'amount', problem: 'must cover what the balance lacks for the order' }]);
}
