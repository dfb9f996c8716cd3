import { Refusal } from '../contract/errors.js';

/** A cursor of the kind that the hub gives. Any other text is refused: it would start a page at a place of its own. */
export function readCursor(after: string, isCursor: (text: string) => boolean): string {
  if (isCursor(after)) return after;
  throw Refusal.badMessage([{ path: 'after', problem: 'must be the `next` of an earlier page' }]);
}

/** A cursor that the hub gave as a number. */
export function readNumberCursor(after: string): number {
  return Number(readCursor(after, (text) => /^(0|[1-9]\d{0,15})$/.test(text)));
}
