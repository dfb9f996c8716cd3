import type { Decision } from '../commands/command.handler.js';
import type { Command } from '../commands/command.js';
import { type OrderChanges, type OrderItem, type OrderRow, pair, type TimelineEntry } from '../commands/rows.js';
import type { Change, UnitOfWork } from '../commands/unit.of.work.js';
import { HubError } from '../contract/errors.js';
import { TOTAL_MAX } from '../contract/fields.js';
import { EXPIRED_REASON, NOT_SHIPPED_REASON } from '../contract/orders.js';
import {
  type Actor,
  allowedCommands,
  type ChangeCommand,
  canRoleEver,
  endsAtDue,
  HUB,
  type OrderCommand,
  type OrderStatus,
  transitionFrom,
} from '../contract/transitions.js';
import { actorOf, isOverdue, shipByOf } from './order.presenter.js';
import { payment, refund, release } from './order.settlement.js';
import { applyEntry } from './order.timeline.js';

/*
 * The rules of an order's life: pure functions of the loaded rows, the command and the time (epoch milliseconds). Each returns
 * the change that the command makes, or the error that it is refused with; the unit of work applies the change.
 */

export function place(
  unit: UnitOfWork,
  { actorId, request, newId: orderId = '' }: Command<'order:place'>,
  now: number,
): Decision {
  const buyerId = actorId ?? HUB;
  const { deliverTo, note } = request;
  if (unit.policy.needsAddress && !deliverTo) {
    return HubError.badMessage([{ path: 'deliverTo', problem: 'is required' }]);
  }
  const sellerId = unit.stores.get(request.storeId);
  if (sellerId === undefined) return new HubError('STORE_NOT_FOUND');
  if (!unit.users.has(sellerId)) return new HubError('USER_NOT_FOUND');
  if (sellerId === buyerId) return new HubError('FORBIDDEN', 'Nobody can order from their own store.');

  const items: OrderItem[] = [];
  const stock: NonNullable<Change['stock']> = [];
  let total = 0;
  for (const { bookId, count } of request.items) {
    const book = unit.books.get(pair(request.storeId, bookId));
    if (!book) return new HubError('BOOK_NOT_FOUND', undefined, { bookId });
    total += book.price * count;
    if (total > TOTAL_MAX) return HubError.badMessage([{ path: 'items', problem: 'come to a total beyond 2^53−1' }]);
    items.push({ bookNo: book.bookNo, bookId, title: book.title, count, price: book.price });
    stock.push({ book, delta: -count });
  }
  if (request.expectedTotal !== undefined && request.expectedTotal !== total)
    return priceChanged(request.expectedTotal, total);
  for (const { book, delta } of stock) {
    const wanted = -delta;
    if (book.stock < wanted) {
      return new HubError('OUT_OF_STOCK', undefined, { bookId: book.bookId, wanted, available: book.stock });
    }
  }

  const { unpaidTtlMs, settleAt, shipWithinMs } = unit.policy;
  const expiresAt = now + unpaidTtlMs;
  const entry: TimelineEntry = { version: 1, status: 'placed', command: 'place', by: buyerId, at: now };
  if (settleAt !== 'paid') entry.changes = { settleAt, shipWithinMs };
  if (note !== undefined) entry.changes = { ...entry.changes, note: 1 };
  const order: OrderRow = {
    orderId,
    storeId: request.storeId,
    buyerId,
    sellerId,
    status: 'placed',
    version: 1,
    total,
    items,
    settleAt,
    shipWithinMs,
    timeline: [entry],
    placedAt: now,
    expiresAt,
    paidAt: null,
    shippedAt: null,
    receivedAt: null,
    cancelledAt: null,
    dueAt: expiresAt,
    carrier: null,
    trackingNo: null,
    cancelReason: null,
    // Its first event numbers it.
    number: null,
  };
  const change: Change = { order: { after: order, previous: null }, stock };
  if (deliverTo) change.address = { orderId, deliverTo: JSON.stringify(deliverTo) };
  if (note !== undefined) change.note = { orderId, no: 1, userId: buyerId, text: note, at: now };
  return change;
}

export function pay(unit: UnitOfWork, command: Command<'order:pay'>, now: number): Decision {
  const found = findOrder(unit, command, 'pay', now);
  if (found instanceof HubError) return found;
  const { order, transition } = found;
  const { expectedTotal } = command.request;
  if (expectedTotal !== undefined && expectedTotal !== order.total) return priceChanged(expectedTotal, order.total);
  const paid = payment(unit, order);
  if (paid instanceof HubError) return paid;
  const dueAt = shipByOf({ ...order, paidAt: now });
  return {
    order: advance(order, now, { command: 'pay', status: transition.to, actorId: command.actorId, dueAt }),
    ...paid,
  };
}

export function ship(unit: UnitOfWork, command: Command<'order:ship'>, now: number): Decision {
  const found = findOrder(unit, command, 'ship', now);
  if (found instanceof HubError) return found;
  const { carrier = null, trackingNo = null } = command.request;
  const { autoReceiveMs } = unit.policy;
  const dueAt = autoReceiveMs === 0 ? null : now + autoReceiveMs;
  return {
    order: advance(found.order, now, {
      ...{ command: 'ship', status: found.transition.to, actorId: command.actorId, dueAt },
      changes: { carrier, trackingNo },
    }),
  };
}

export function receive(unit: UnitOfWork, command: Command<'order:receive'>, now: number): Decision {
  const found = findOrder(unit, command, 'receive', now);
  if (found instanceof HubError) return found;
  const { order, transition } = found;
  return {
    order: advance(order, now, { command: 'receive', status: transition.to, actorId: command.actorId, dueAt: null }),
    ...release(order),
  };
}

export function cancel(unit: UnitOfWork, command: Command<'order:cancel'>, now: number): Decision {
  const found = findOrder(unit, command, 'cancel', now);
  if (found instanceof HubError) return found;
  const { order, actor } = found;
  const reason = command.request.reason ?? null;
  const cancelled = cancellation(unit, order, now, { command: 'cancel', actorId: command.actorId, reason });
  if (order.status !== 'paid') return cancelled;
  const refunded = refund(unit, order);
  if (!(refunded instanceof HubError)) return { ...cancelled, ...refunded };
  // The seller's balance is no business of the buyer's.
  const hidesBalance = actor === 'buyer' && refunded.code === 'INSUFFICIENT_FUNDS';
  return hidesBalance ? wrongState(order, actor, 'cancel', now) : refunded;
}

/** What the hub does at `dueAt`: cancels an order that is not paid, or paid and not shipped; receives a shipped one. */
export function timeOut(unit: UnitOfWork, command: Command<'order:timeout'>, now: number): Decision {
  const order = unit.orders.get(command.request.orderId);
  if (!order) return new HubError('ORDER_NOT_FOUND');
  if (order.dueAt === null || order.dueAt > now) return wrongState(order, HUB, 'cancel', now);
  const byHub = { command: 'timeout', actorId: null } as const;
  if (order.status === 'placed') return cancellation(unit, order, now, { ...byHub, reason: EXPIRED_REASON });
  if (order.status === 'paid') {
    const refunded = refund(unit, order);
    if (refunded instanceof HubError) return refunded;
    return { ...cancellation(unit, order, now, { ...byHub, reason: NOT_SHIPPED_REASON }), ...refunded };
  }
  if (order.status === 'shipped') {
    return { order: advance(order, now, { ...byHub, status: 'received', dueAt: null }), ...release(order) };
  }
  return wrongState(order, HUB, 'receive', now);
}

/** The order, if this user may act on it so now. A stranger learns nothing about it. */
function findOrder(
  unit: UnitOfWork,
  command: Command & { request: { orderId: string } },
  name: OrderCommand,
  now: number,
) {
  const order = unit.orders.get(command.request.orderId);
  if (!order) return new HubError('ORDER_NOT_FOUND');
  const actor = actorOf(order, command.actorId);
  if (!actor || !canRoleEver(name, actor)) return new HubError('FORBIDDEN');
  const transition = transitionFrom(name, order.status);
  if (!transition?.by.includes(actor)) return wrongState(order, actor, name, now);
  if (endsAtDue(name) && isOverdue(order, now)) return wrongState(order, actor, name, now);
  return { order, actor, transition };
}

interface Step {
  command: ChangeCommand;
  status: OrderStatus;
  actorId: string | null;
  dueAt: number | null;
  changes?: OrderChanges;
}

/** Adds one entry to the order's timeline. Only `dueAt` changes beside it. */
export function advance(
  order: OrderRow,
  now: number,
  { command, status, actorId, dueAt, changes }: Step,
): NonNullable<Change['order']> {
  const entry = { version: order.version + 1, status, command, by: actorId ?? HUB, at: now };
  const after = applyEntry(order, changes ? { ...entry, changes } : entry);
  after.dueAt = dueAt;
  return { after, previous: order.status };
}

function cancellation(
  unit: UnitOfWork,
  order: OrderRow,
  now: number,
  { command, actorId, reason }: { command: 'cancel' | 'timeout'; actorId: string | null; reason: string | null },
): Change {
  const stock = order.items.map(({ bookNo, count }) => {
    const book = unit.booksByNo.get(bookNo);
    if (!book) throw new Error('A book whose stock a cancellation restores was not loaded');
    return { book, delta: count };
  });
  const step = { command, status: 'cancelled', actorId, dueAt: null, changes: { cancelReason: reason } } as const;
  return { order: advance(order, now, step), stock };
}

export function wrongState(order: OrderRow, actor: Actor, command: ChangeCommand, now: number): HubError {
  const allowed = allowedCommands(order.status, actor, isOverdue(order, now)).filter((name) => name !== command);
  return new HubError('ORDER_STATE', undefined, { status: order.status, allowed });
}

function priceChanged(expected: number, actual: number): HubError {
  return new HubError('PRICE_CHANGED', undefined, { expected, actual });
}
