import { balanceOverflow, insufficientFunds } from '../commands/money.errors.js';
import type { OrderRow } from '../commands/rows.js';
import { type Change, moneyOf, type UnitOfWork } from '../commands/unit.of.work.js';
import type { HubError } from '../contract/errors.js';
import { BALANCE_MAX } from '../contract/fields.js';

/*
 * Where the money of an order goes, by the terms that it was placed under: to the seller when it is paid, or into what the hub
 * holds until it is received. Pure functions, as the rules of an order's life.
 */

type Settlement = Pick<Change, 'money' | 'held'>;
type Repayment = Settlement & Required<Pick<Change, 'money'>>;

/** Whether the hub holds the money of this order between paying and receiving. */
export function isHeld({ settleAt }: Pick<OrderRow, 'settleAt'>): boolean {
  return settleAt === 'received';
}

/** From the buyer to the seller, or into what the hub holds for the seller. */
export function payment(unit: UnitOfWork, order: OrderRow): Settlement | HubError {
  const { buyerId, sellerId, total, orderId } = order;
  const balance = balanceOf(unit, buyerId);
  if (balance < total) return insufficientFunds(total, balance);
  // What is held counts, so that it always fits into the balance that it becomes.
  if (moneyOf(unit.wallets.get(sellerId)) > BALANCE_MAX - total) return balanceOverflow('orderId');
  const paid = { userId: buyerId, amount: -total, kind: 'payment', orderId } as const;
  if (isHeld(order)) return { money: [paid], held: [{ userId: sellerId, amount: total }] };
  return { money: [paid, { userId: sellerId, amount: total, kind: 'sale', orderId }] };
}

/** What is still held of the order, to the seller. */
export function release(order: OrderRow, amount: number): Settlement {
  if (!isHeld(order)) return {};
  const { sellerId, orderId } = order;
  return {
    money: [{ userId: sellerId, amount, kind: 'sale', orderId }],
    held: [{ userId: sellerId, amount: -amount }],
  };
}

/**
 * Back to the buyer, from what the hub holds of the order until it is received, or from the seller, who may no longer have it:
 * `INSUFFICIENT_FUNDS`.
 */
export function giveBack(unit: UnitOfWork, order: OrderRow, amount: number): Repayment | HubError {
  const { buyerId, sellerId, orderId } = order;
  const isFromHeld = isHeld(order) && order.receivedAt === null;
  const balance = balanceOf(unit, sellerId);
  if (!isFromHeld && balance < amount) return insufficientFunds(amount, balance);
  if (moneyOf(unit.wallets.get(buyerId)) > BALANCE_MAX - amount) return balanceOverflow('orderId');
  const refunded = { userId: buyerId, amount, kind: 'refund', orderId } as const;
  if (isFromHeld) return { money: [refunded], held: [{ userId: sellerId, amount: -amount }] };
  return { money: [{ userId: sellerId, amount: -amount, kind: 'refunded', orderId }, refunded] };
}

/** One after the other, in one change. */
export function combine(first: Repayment, second: Settlement): Settlement {
  return {
    money: [...first.money, ...(second.money ?? [])],
    held: [...(first.held ?? []), ...(second.held ?? [])],
  };
}

function balanceOf(unit: UnitOfWork, userId: string): number {
  return unit.wallets.get(userId)?.balance ?? 0;
}
