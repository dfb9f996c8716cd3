import type { OrderRow } from '../commands/rows.js';
import { NOT_ACCEPTED_REASON } from '../contract/acceptance.fields.js';
import { NOT_SHIPPED_REASON } from '../contract/orders.js';

/* By when a seller must act on a paid order, by the terms that it was placed under. All of it follows from the timeline. */

/** When the hub cancels the order unless it is shipped; null until it is paid, and without such a time. */
export function shipByOf({ paidAt, shipWithinMs }: Pick<OrderRow, 'paidAt' | 'shipWithinMs'>): number | null {
  return paidAt === null || shipWithinMs === 0 ? null : paidAt + shipWithinMs;
}

/** The same unless it is accepted. */
export function acceptByOf({ paidAt, acceptWithinMs }: Pick<OrderRow, 'paidAt' | 'acceptWithinMs'>): number | null {
  return paidAt === null || acceptWithinMs === 0 ? null : paidAt + acceptWithinMs;
}

/** Shipping accepts. Where orders are accepted by themselves, paying does. */
export function acceptedAtOf({ paidAt, acceptWithinMs, timeline }: OrderRow): number | null {
  if (acceptWithinMs === 0) return paidAt;
  return timeline.find(({ command }) => command === 'accept' || command === 'ship')?.at ?? null;
}

export function readyAtOf({ timeline }: Pick<OrderRow, 'timeline'>): number | null {
  return timeline.findLast(({ changes }) => changes?.readyAt !== undefined)?.changes?.readyAt ?? null;
}

/** When the hub cancels what is left of a paid order, and what it says then; null if it never does. */
export function deadlineOf(
  order: OrderRow,
  isAccepted = acceptedAtOf(order) !== null,
): { at: number; reason: string } | null {
  const [acceptBy, shipBy] = [isAccepted ? null : acceptByOf(order), shipByOf(order)];
  if (acceptBy !== null && (shipBy === null || acceptBy <= shipBy))
    return { at: acceptBy, reason: NOT_ACCEPTED_REASON };
  return shipBy === null ? null : { at: shipBy, reason: NOT_SHIPPED_REASON };
}
