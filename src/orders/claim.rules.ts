import type { Decision } from '../commands/command.handler.js';
import type { Command } from '../commands/command.js';
import type { Change, UnitOfWork } from '../commands/unit.of.work.js';
import { HubError } from '../contract/errors.js';
import { findToAmend } from './amend.rules.js';
import { actorOf } from './order.presenter.js';
import { advance, claimedByAnother } from './order.steps.js';
import { claimOf, seenAtOf } from './order.timeline.js';

/* What people of one shop tell each other about an order. Pure functions, as the rules of an order's life. */

/** The first to see an order counts. All of the orders, or none. */
export function see(unit: UnitOfWork, command: Command<'order:seen'>, now: number): Decision {
  const orders: NonNullable<Change['order']>[] = [];
  for (const orderId of new Set(command.request.orderIds)) {
    const found = findToAmend(unit, { ...command, request: { orderId } }, 'seen', now);
    if (found instanceof HubError) return found;
    const { order, userId: actorId } = found;
    if (seenAtOf(order) !== null) continue;
    const { status, dueAt } = order;
    orders.push(advance(order, now, { command: 'seen', status, actorId, dueAt }));
  }
  return { orders };
}

/** Claims the order for a while, or frees it. Freeing what is free changes nothing. */
export function claim(unit: UnitOfWork, command: Command<'order:claim'>, now: number): Decision {
  const { orderId, seconds } = command.request;
  const order = unit.orders.get(orderId);
  if (!order) return new HubError('ORDER_NOT_FOUND');
  if (actorOf(order, command.actorId, command.acting) !== 'seller') return new HubError('FORBIDDEN');
  const claimed = claimedByAnother(order, command, now);
  if (claimed) return claimed;
  const claims = order.claims + 1;
  if (seconds > 0) {
    return { claim: { ...order, claims, claimedBy: command.actorId, claimedUntil: now + seconds * 1_000 } };
  }
  return claimOf(order, now) ? { claim: { ...order, claims, claimedBy: null, claimedUntil: null } } : {};
}
