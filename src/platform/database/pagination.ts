import { HubError } from '../../contract/errors.js';
import type { Page } from '../../contract/fields.js';

/** Throws `BAD_MESSAGE` unless the cursor has the form of one that the hub returned. */
export function readCursor(after: string, isCursor: (text: string) => boolean): string {
  if (isCursor(after)) return after;
  throw HubError.badMessage([{ path: 'after', problem: 'must be the `next` of an earlier page' }]);
}

export function readNumberCursor(after: string): number {
  return Number(readCursor(after, (text) => /^(0|[1-9]\d{0,15})$/.test(text)));
}

/** A page of rows that were read with a limit of one more, which shows whether there is a next page. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  present: (row: Row) => Item,
  cursorOf: (item: Item) => string,
): Page<Item> {
  const items = rows.slice(0, limit).map(present);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}
