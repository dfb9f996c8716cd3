import { Refusal } from '../contract/errors.js';
import type { Page } from '../contract/fields.js';

/** A cursor of the kind that the hub gives. Any other text is refused: it would start a page at a place of its own. */
export function readCursor(after: string, isCursor: (text: string) => boolean): string {
  if (isCursor(after)) return after;
  throw Refusal.badMessage([{ path: 'after', problem: 'must be the `next` of an earlier page' }]);
}

/** A cursor that the hub gave as a number. */
export function readNumberCursor(after: string): number {
  return Number(readCursor(after, (text) => /^(0|[1-9]\d{0,15})$/.test(text)));
}

/** One page of rows that were read with a limit of one more, and the cursor of its last item if there is a next page. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  view: (row: Row) => Item,
  cursorOf: (item: Item) => string,
): Page<Item> {
  const items = rows.slice(0, limit).map(view);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}
