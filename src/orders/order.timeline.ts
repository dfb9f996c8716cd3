import type { OrderRow, TimelineEntry } from '../commands/rows.js';
import { rowChanges } from '../commands/timeline.codec.js';
import type { ChangeCommand } from '../contract/transitions.js';

const timeFields = {
  placed: 'placedAt',
  paid: 'paidAt',
  shipped: 'shippedAt',
  received: 'receivedAt',
  cancelled: 'cancelledAt',
} as const;

/** Applies one timeline entry. Rules and past versions both use it, so the row is always the fold of its timeline. */
export function applyEntry(order: OrderRow, entry: TimelineEntry): OrderRow {
  const { version, status, at } = entry;
  const after = { ...order, ...rowChanges(entry.changes), status, version, timeline: [...order.timeline, entry] };
  if (status !== order.status) after[timeFields[status]] = at;
  // Cancelling what is left of an order may complete it.
  if (status === 'received') after.shippedAt ??= at;
  return after;
}

/** The order as it stood after this one of its changes: the placed order, and the changes up to it. `dueAt` stays the latest. */
export function orderAt(order: OrderRow, version: number): OrderRow {
  return order.timeline.slice(1, version).reduce(applyEntry, asPlaced(order));
}

/** How many notes the order has had, with those that are erased. */
export function noteCountOf({ timeline }: Pick<OrderRow, 'timeline'>): number {
  return timeline.reduce((count, { changes }) => changes?.note ?? count, 0);
}

/** How many changes the order has had by this command. */
export function changesBy({ timeline }: Pick<OrderRow, 'timeline'>, command: ChangeCommand): number {
  return timeline.filter((entry) => entry.command === command).length;
}

/** When somebody of the shop first saw it. */
export function seenAtOf({ timeline }: Pick<OrderRow, 'timeline'>): number | null {
  return timeline.find(({ command }) => command === 'seen')?.at ?? null;
}

/** Who is working on the order, and until when; a claim whose time is over is none. */
export function claimOf(
  { claimedBy, claimedUntil }: Pick<OrderRow, 'claimedBy' | 'claimedUntil'>,
  now: number,
): { by: string; until: number } | null {
  return claimedBy === null || claimedUntil === null || claimedUntil <= now
    ? null
    : { by: claimedBy, until: claimedUntil };
}

function asPlaced(order: OrderRow): OrderRow {
  return {
    ...order,
    status: 'placed',
    version: 1,
    timeline: order.timeline.slice(0, 1),
    paidAt: null,
    shippedAt: null,
    receivedAt: null,
    cancelledAt: null,
    carrier: null,
    trackingNo: null,
    cancelReason: null,
  };
}
