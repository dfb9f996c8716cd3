import type { Decision } from '../commands/command.handler.js';
import { type Command, newIdOf } from '../commands/command.js';
import { type Copies, type OrderItem, type OrderRow, pair, type TimelineEntry } from '../commands/rows.js';
import { type Change, openingOf, type UnitOfWork } from '../commands/unit.of.work.js';
import { HubError } from '../contract/errors.js';
import { TOTAL_MAX } from '../contract/fields.js';
import { LINE_CHANGES_MAX } from '../contract/order.requests.js';
import { EXPIRED_REASON } from '../contract/orders.js';
import { HUB } from '../contract/transitions.js';
import { deadlineOf } from './order.deadlines.js';
import {
  allLeft,
  cancelCopies,
  leftOf,
  linesOf,
  type OrderLines,
  onTheirWay,
  type Parcel,
  receiveParcels,
  shipCopies,
} from './order.lines.js';
import { combine, giveBack, payment, release } from './order.settlement.js';
import {
  advance,
  dueOf,
  findOrder,
  pick,
  statusOf,
  stockOf,
  withdrawal,
  withoutBalance,
  wrongState,
} from './order.steps.js';
import { changesBy } from './order.timeline.js';

/*
 * The rules of an order's life: pure functions of the loaded rows, the command and the time (epoch milliseconds). Each returns
 * the change that the command makes, or the error that it is refused with; the unit of work applies the change.
 */

export function place(
  unit: UnitOfWork,
  { actorId, request, newId: given }: Command<'order:place'>,
  now: number,
): Decision {
  const orderId = newIdOf({ newId: given });
  const buyerId = actorId ?? HUB;
  const { deliverTo, note } = request;
  if (unit.policy.needsAddress && !deliverTo) {
    return HubError.badMessage([{ path: 'deliverTo', problem: 'is required' }]);
  }
  const store = unit.stores.get(request.storeId);
  if (!store) return new HubError('STORE_NOT_FOUND');
  const { ownerId: sellerId } = store;
  if (!unit.users.has(sellerId)) return new HubError('USER_NOT_FOUND');
  if (sellerId === buyerId) return new HubError('FORBIDDEN', 'Nobody can order from their own store.');
  if (unit.memberships.has(pair(sellerId, buyerId))) return new HubError('FORBIDDEN', 'You are on the seller’s staff.');
  const { open, pausedUntil } = openingOf(store, now);
  if (!open || pausedUntil !== null) {
    return new HubError('STORE_PAUSED', undefined, { until: open ? pausedUntil : null });
  }

  const items: OrderItem[] = [];
  const stock: NonNullable<Change['stock']> = [];
  let total = 0;
  for (const { bookId, count } of request.items) {
    const book = unit.books.get(pair(request.storeId, bookId));
    if (!book?.listed) return new HubError('BOOK_NOT_FOUND', undefined, { bookId });
    total += book.price * count;
    if (total > TOTAL_MAX) return HubError.badMessage([{ path: 'items', problem: 'come to a total beyond 2^53−1' }]);
    items.push({ bookNo: book.bookNo, bookId, title: book.title, count, price: book.price });
    stock.push({ book, delta: -count });
  }
  const { expectedTotal } = request;
  if (expectedTotal !== undefined && expectedTotal !== total) return priceChanged(expectedTotal, total);
  for (const { book, delta } of stock) {
    const wanted = -delta;
    if (book.stock < wanted) {
      return new HubError('OUT_OF_STOCK', undefined, { bookId: book.bookId, wanted, available: book.stock });
    }
  }

  const { unpaidTtlMs, settleAt, shipWithinMs } = unit.policy;
  const expiresAt = now + unpaidTtlMs;
  // What is not accepted is paid back, which only held money can be whatever the seller has withdrawn.
  const acceptWithinMs = settleAt === 'received' ? store.acceptWithinSeconds * 1_000 : 0;
  const entry: TimelineEntry = { version: 1, status: 'placed', command: 'place', by: buyerId, at: now };
  if (settleAt !== 'paid') entry.changes = { settleAt, shipWithinMs };
  if (acceptWithinMs > 0) entry.changes = { ...entry.changes, acceptWithinMs };
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
    acceptWithinMs,
    timeline: [entry],
    placedAt: now,
    expiresAt,
    ...{ paidAt: null, shippedAt: null, receivedAt: null, cancelledAt: null },
    dueAt: expiresAt,
    ...{ carrier: null, trackingNo: null, cancelReason: null },
    // Its first event numbers it.
    number: null,
    ...{ claimedBy: null, claimedUntil: null, claims: 0 },
  };
  const change: Change = { order: { after: order, previous: null }, stock };
  if (deliverTo) change.address = { orderId, deliverTo: JSON.stringify(deliverTo) };
  if (note !== undefined) change.note = { orderId, no: 1, userId: buyerId, text: note, at: now };
  return change;
}

export function pay(unit: UnitOfWork, command: Command<'order:pay'>, now: number): Decision {
  const found = findOrder(unit, command, 'pay', now);
  if (found instanceof HubError) return found;
  const { order } = found;
  const { expectedTotal } = command.request;
  if (expectedTotal !== undefined && expectedTotal !== order.total) return priceChanged(expectedTotal, order.total);
  const paid = payment(unit, order);
  if (paid instanceof HubError) return paid;
  const dueAt = deadlineOf({ ...order, paidAt: now })?.at ?? null;
  return {
    order: advance(order, now, { command: 'pay', status: 'paid', actorId: command.actorId, dueAt }),
    ...paid,
  };
}

export function ship(unit: UnitOfWork, command: Command<'order:ship'>, now: number): Decision {
  const found = findOrder(unit, command, 'ship', now);
  if (found instanceof HubError) return found;
  const { order, state } = found;
  const { carrier = null, trackingNo = null, items } = command.request;
  const copies = items ? pick(state, items, leftOf) : allLeft(state);
  if (copies instanceof HubError) return copies;
  const { autoReceiveMs } = unit.policy;
  const dueAt = autoReceiveMs === 0 ? null : now + autoReceiveMs;
  shipCopies(state, copies, { carrier, trackingNo, shippedAt: now, dueAt });
  const status = statusOf(state);
  // All of an order in one parcel says so by itself.
  const isWhole = status === 'shipped' && state.parcels.length === 1;
  return {
    order: advance(order, now, {
      ...{ command: 'ship', status, actorId: command.actorId, dueAt: dueOf(order, state, status) },
      changes: { carrier, trackingNo, ...(isWhole ? {} : { lines: { copies, dueAt } }) },
    }),
  };
}

export function receive(unit: UnitOfWork, command: Command<'order:receive'>, now: number): Decision {
  const found = findOrder(unit, command, 'receive', now);
  if (found instanceof HubError) return found;
  const { order, state, actor } = found;
  const { parcel } = command.request;
  const parcels = onTheirWay(state).filter((each) => parcel === undefined || each.parcel === parcel);
  if (parcels.length === 0) return wrongState(order, actor, 'receive', now);
  return reception(order, state, parcels, now, { command: 'receive', actorId: command.actorId });
}

export function cancel(unit: UnitOfWork, command: Command<'order:cancel'>, now: number): Decision {
  const { items, reason = null, unavailable, orderId } = command.request;
  // Whatever the status, as a command of the other party.
  if (unavailable && !command.acting && unit.orders.get(orderId)?.buyerId === command.actorId) {
    return new HubError('FORBIDDEN');
  }
  const found = findOrder(unit, command, 'cancel', now);
  if (found instanceof HubError) return found;
  const { order, state, actor } = found;
  const mayBePart = order.status === 'paid' && changesBy(order, 'cancel') < LINE_CHANGES_MAX;
  if (items && !mayBePart) return wrongState(order, actor, 'cancel', now);
  const copies = items ? pick(state, items, leftOf) : allLeft(state);
  if (copies instanceof HubError) return copies;
  const unknown = unavailable?.find((id) => !order.items.some(({ bookId }) => bookId === id));
  if (unknown !== undefined) return new HubError('BOOK_NOT_FOUND', undefined, { bookId: unknown });
  const by = { command: 'cancel', actorId: command.actorId, reason, unavailable } as const;
  const cancelled = cancellation(unit, order, state, copies, now, by);
  // The seller's balance is no business of the buyer's.
  const hidesBalance = actor === 'buyer' && cancelled instanceof HubError && cancelled.code === 'INSUFFICIENT_FUNDS';
  return hidesBalance ? wrongState(order, actor, 'cancel', now) : withoutBalance(command, cancelled);
}

/**
 * What the hub does at `dueAt`: cancels an order that is not paid, or what of it is paid and not accepted or shipped in time; receives the
 * parcels whose time has come.
 */
export function timeOut(unit: UnitOfWork, command: Command<'order:timeout'>, now: number): Decision {
  const order = unit.orders.get(command.request.orderId);
  if (!order) return new HubError('ORDER_NOT_FOUND');
  const state = linesOf(order);
  if (order.dueAt === null || order.dueAt > now) return wrongState(order, HUB, 'cancel', now);
  const byHub = { command: 'timeout', actorId: null } as const;
  const isDue = ({ dueAt }: Parcel) => dueAt !== null && dueAt <= now;
  const parcels = onTheirWay(state).filter(isDue);
  if (parcels.length > 0) return reception(order, state, parcels, now, byHub);
  if (order.status !== 'placed' && order.status !== 'paid') return wrongState(order, HUB, 'receive', now);
  // An order that was not paid has none.
  const reason = deadlineOf(order)?.reason ?? EXPIRED_REASON;
  return cancellation(unit, order, state, allLeft(state), now, { ...byHub, reason });
}

interface Doing {
  command: 'receive' | 'cancel' | 'timeout';
  actorId: string | null;
}

interface Cancelling extends Doing {
  reason: string | null;
  /** Books that the store has run out of. */
  unavailable?: readonly string[] | undefined;
}

function reception(order: OrderRow, state: OrderLines, parcels: Parcel[], now: number, by: Doing): Change {
  const isAll = parcels.length === onTheirWay(state).length;
  const numbers = parcels.map(({ parcel }) => parcel);
  receiveParcels(state, numbers, now);
  const status = statusOf(state);
  const step = { ...by, status, dueAt: dueOf(order, state, status) };
  return {
    order: advance(order, now, isAll ? step : { ...step, changes: { lines: { parcels: numbers } } }),
    ...(status === 'received' ? release(order, order.total - state.refunded) : {}),
  };
}

/** Cancels these copies, and gives back their price if it was paid, as far as money of the order is left. */
function cancellation(
  unit: UnitOfWork,
  order: OrderRow,
  state: OrderLines,
  copies: Copies,
  now: number,
  { reason, unavailable = [], ...by }: Cancelling,
): Decision {
  const isPaid = order.status === 'paid';
  const money = isPaid ? Math.min(cancelCopies(state, copies), order.total - state.refunded) : 0;
  const status = isPaid ? statusOf(state) : 'cancelled';
  const lines = status === 'cancelled' ? {} : { lines: { copies, money } };
  const { stock, withdrawn } = withdrawal(unit, order, stockOf(unit, order, copies), unavailable);
  const changes = { cancelReason: reason, ...lines, ...(withdrawn.length === 0 ? {} : { withdrawn }) };
  const step = { ...by, status, dueAt: dueOf(order, state, status), changes };
  const change = { order: advance(order, now, step), stock };
  if (!isPaid) return change;
  const refunded = giveBack(unit, order, money);
  if (refunded instanceof HubError) return refunded;
  const rest = status === 'received' ? release(order, order.total - state.refunded - money) : {};
  return { ...change, ...combine(refunded, rest) };
}

function priceChanged(expected: number, actual: number): HubError {
  return new HubError('PRICE_CHANGED', undefined, { expected, actual });
}
