import { v7 as uuidv7 } from 'uuid';
import type { OrderFilters } from '../contract/order.requests.js';
import type { Dialect } from '../platform/database/dialect.js';
import { readCursor } from '../platform/database/pagination.js';
import { isOrderId } from './order.presenter.js';

/** An order's id tells when it was sent: a little before it was placed or, where the clock was set back, after that. */
const ID_TIME_MARGIN_MS = 60_000;
/** Characters of an id that tell its time. */
const ID_TIME_CHARACTERS = 13;

/** A part of a WHERE clause with its values. */
export interface Terms {
  where: string;
  values: unknown[];
}

export interface OrderSearchRequest extends OrderFilters {
  userId: string;
  limit: number;
}

/** The orders that a list is about, by an index of their party or, as a `filter`, by another. */
export function termsOf(
  { userId, role, status, storeId, from, to, ids, after }: OrderFilters & { userId: string },
  { inCondition }: Dialect,
  use: 'index' | 'filter' = 'index',
): Terms {
  const party = use === 'index' ? `${role}_id` : `COALESCE(${role}_id, '')`;
  const terms: [sql: string, values: unknown[]][] = [[`${party} = ?`, [userId]]];
  if (status !== undefined) terms.push(['status = ?', [status]]);
  if (storeId !== undefined) terms.push(['store_id = ?', [storeId]]);
  if (from !== undefined) {
    const at = Date.parse(from);
    terms.push(['order_id >= ? AND placed_at >= ?', [idAt(at - ID_TIME_MARGIN_MS), at]]);
  }
  if (to !== undefined) {
    const at = Date.parse(to);
    terms.push(['order_id < ? AND placed_at < ?', [idAt(at + ID_TIME_MARGIN_MS), at]]);
  }
  // Other texts are no order's id, and never reach the database.
  if (ids !== undefined) terms.push(inCondition.values('order_id', ['', ...new Set(ids.split(',').filter(isOrderId))]));
  if (after !== undefined) terms.push(['order_id < ?', [readCursor(after, isOrderId)]]);
  return { where: terms.map(([sql]) => sql).join(' AND '), values: terms.flatMap(([, values]) => values) };
}

/** Sorts before every id of this time or later. */
export function idAt(epochMs: number): string {
  return uuidv7({ msecs: Math.max(0, epochMs) }).slice(0, ID_TIME_CHARACTERS);
}
