import { memberOf, type NoteRow, type OrderRow } from '../commands/rows.js';
import { ACCEPTANCES_MAX } from '../contract/acceptance.fields.js';
import { isoTime } from '../contract/fields.js';
import { LINE_CHANGES_MAX, PARCELS_MAX } from '../contract/order.requests.js';
import type { Order, OrderWithTimeline } from '../contract/orders.js';
import { type Actor, allowedCommands, type Condition, HUB, roles } from '../contract/transitions.js';
import type { DeliverTo } from '../contract/words.js';
import type { Acting } from '../platform/caller.js';
import { acceptByOf, acceptedAtOf, deadlineOf, readyAtOf, shipByOf } from './order.deadlines.js';
import { lineAt, linesOf, type OrderLines, onTheirWay, type Parcel, refundableOf } from './order.lines.js';
import { changesBy, claimOf, seenAtOf } from './order.timeline.js';

const ORDER_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether the hub could have given this id. Other texts never reach the database, whose drivers may truncate or convert them. */
export function isOrderId(text: string): boolean {
  return ORDER_ID.test(text);
}

/**
 * What this user is to the order: undefined for a stranger. The hub itself (null) may act on every order. Who acts for a seller is the
 * seller of that seller's orders, and nothing to any other.
 */
export function actorOf(
  order: Pick<OrderRow, 'buyerId' | 'sellerId'>,
  userId: string | null,
  acting?: Pick<Acting, 'ownerId'>,
): Actor | undefined {
  if (acting) return order.sellerId === acting.ownerId ? 'seller' : undefined;
  if (userId === null) return HUB;
  return roles.find((role) => memberOf(order, role) === userId);
}

/**
 * From `expiresAt` on an unpaid order cannot be paid, and from its deadline on a paid one can be neither accepted nor shipped,
 * whether or not the hub has cancelled it yet.
 */
export function isOverdue(order: OrderRow, now: number): boolean {
  if (order.status === 'placed') return now >= order.expiresAt;
  const deadline = order.status === 'paid' ? deadlineOf(order) : null;
  return deadline !== null && now >= deadline.at;
}

/** Whether a condition of the table of transitions holds for the order at this time. */
export function conditionsOf(order: OrderRow, state: OrderLines, now: number): (condition: Condition) => boolean {
  const holds: Record<Condition, () => boolean> = {
    inTime: () => !isOverdue(order, now),
    acceptable: () => changesBy(order, 'accept') < ACCEPTANCES_MAX,
    parcelsLeft: () => state.parcels.length < PARCELS_MAX,
    onItsWay: () => onTheirWay(state).length > 0,
    refundable: () => changesBy(order, 'refund') < LINE_CHANGES_MAX && isRefundable(order, state),
    trackable: () => onTheirWay(state).length > 0 && changesBy(order, 'track') < LINE_CHANGES_MAX,
  };
  return (condition) => holds[condition]();
}

/** Copies that were free can be given back when all of the money was. */
function isRefundable({ total }: OrderRow, { refunded, lines }: OrderLines): boolean {
  return refunded < total || lines.some((line) => line.price === 0 && refundableOf(line) > 0);
}

/** The order as this actor reads it at this time. */
export function presentOrder(order: OrderRow, actor: Actor, now: number): Order {
  const state = linesOf(order);
  return {
    orderId: order.orderId,
    number: order.number,
    storeId: order.storeId,
    buyerId: order.buyerId,
    sellerId: order.sellerId,
    status: order.status,
    version: order.version,
    items: state.lines.map(({ bookId, title, count, price, shipped, cancelled, refunded }) => {
      return { bookId, title, count, price, shipped, cancelled, refunded };
    }),
    total: order.total,
    refunded: state.refunded,
    parcels: state.parcels.map((parcel) => presentParcel(parcel, state)),
    placedAt: isoTime(order.placedAt),
    expiresAt: isoTime(order.expiresAt),
    paidAt: isoTime(order.paidAt),
    shippedAt: isoTime(order.shippedAt),
    receivedAt: isoTime(order.receivedAt),
    cancelledAt: isoTime(order.cancelledAt),
    shipBy: isoTime(shipByOf(order)),
    acceptBy: isoTime(acceptByOf(order)),
    acceptedAt: isoTime(acceptedAtOf(order)),
    readyAt: isoTime(readyAtOf(order)),
    seenAt: isoTime(seenAtOf(order)),
    claim: actor === 'seller' ? presentClaim(claimOf(order, now)) : null,
    carrier: order.carrier,
    trackingNo: order.trackingNo,
    cancelReason: order.cancelReason,
    allowed: allowedCommands(order.status, actor, conditionsOf(order, state, now)),
  };
}

function presentClaim(claim: { by: string; until: number } | null): Order['claim'] {
  return claim && { by: claim.by, until: isoTime(claim.until) };
}

function presentParcel({ parcel, copies, carrier, trackingNo, shippedAt, receivedAt }: Parcel, { lines }: OrderLines) {
  const items = copies.map(([line, count]) => ({ bookId: lineAt(lines, line).bookId, count }));
  return { parcel, items, carrier, trackingNo, shippedAt: isoTime(shippedAt), receivedAt: isoTime(receivedAt) };
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
