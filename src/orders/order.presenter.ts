import { memberOf, type NoteRow, type OrderRow } from '../commands/rows.js';
import { isoTime } from '../contract/fields.js';
import type { Order, OrderWithTimeline } from '../contract/orders.js';
import { type Actor, allowedCommands, HUB, roles } from '../contract/transitions.js';
import type { DeliverTo } from '../contract/words.js';

const ORDER_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether the hub could have given this id. Other texts never reach the database, whose drivers may truncate or convert them. */
export function isOrderId(text: string): boolean {
  return ORDER_ID.test(text);
}

/** What this user is to the order: undefined for a stranger. The hub itself (null) may act on every order. */
export function actorOf(order: Pick<OrderRow, 'buyerId' | 'sellerId'>, userId: string | null): Actor | undefined {
  if (userId === null) return HUB;
  return roles.find((role) => memberOf(order, role) === userId);
}

/**
 * From `expiresAt` on an unpaid order cannot be paid, and from `shipBy` on a paid one cannot be shipped, whether or not the hub has
 * cancelled it yet.
 */
export function isOverdue(order: OrderRow, now: number): boolean {
  if (order.status === 'placed') return now >= order.expiresAt;
  const shipBy = order.status === 'paid' ? shipByOf(order) : null;
  return shipBy !== null && now >= shipBy;
}

/** When the hub cancels the order unless it is shipped; null until it is paid, and without such a time. */
export function shipByOf({ paidAt, shipWithinMs }: Pick<OrderRow, 'paidAt' | 'shipWithinMs'>): number | null {
  return paidAt === null || shipWithinMs === 0 ? null : paidAt + shipWithinMs;
}

/** The order as this actor reads it at this time. */
export function presentOrder(order: OrderRow, actor: Actor, now: number): Order {
  return {
    orderId: order.orderId,
    number: order.number,
    storeId: order.storeId,
    buyerId: order.buyerId,
    sellerId: order.sellerId,
    status: order.status,
    version: order.version,
    items: order.items.map(({ bookId, title, count, price }) => ({ bookId, title, count, price })),
    total: order.total,
    placedAt: isoTime(order.placedAt),
    expiresAt: isoTime(order.expiresAt),
    paidAt: isoTime(order.paidAt),
    shippedAt: isoTime(order.shippedAt),
    receivedAt: isoTime(order.receivedAt),
    cancelledAt: isoTime(order.cancelledAt),
    shipBy: isoTime(shipByOf(order)),
    carrier: order.carrier,
    trackingNo: order.trackingNo,
    cancelReason: order.cancelReason,
    allowed: allowedCommands(order.status, actor, isOverdue(order, now)),
  };
}

/** What the words of an order are shown from: the rows that hold them, as far as they are not erased. */
export interface OrderWords {
  deliverTo: string | undefined;
  notes: readonly Pick<NoteRow, 'no' | 'text'>[];
}

export function presentOrderWithTimeline(
  order: OrderRow,
  words: OrderWords,
  actor: Actor,
  now: number,
): OrderWithTimeline {
  const timeline = order.timeline.map(({ version, status, command, by, at }) => {
    return { version, status, command, by, at: isoTime(at) };
  });
  const texts = new Map(words.notes.map(({ no, text }) => [no, text]));
  const notes = order.timeline.flatMap(({ by, at, changes }) =>
    changes?.note === undefined
      ? []
      : [{ no: changes.note, by, text: texts.get(changes.note) ?? null, at: isoTime(at) }],
  );
  return { ...presentOrder(order, actor, now), timeline, deliverTo: presentDeliverTo(words.deliverTo), notes };
}

/** The stored address, null if there is none. */
export function presentDeliverTo(stored: string | undefined): DeliverTo | null {
  return stored === undefined ? null : JSON.parse(stored);
}
