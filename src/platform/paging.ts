import { Refusal } from '../contract/errors.js';

/** A cursor that the hub gave as a number. Any other text is not one of its cursors. */
export function readNumberCursor(after: string): number {
  if (!/^(0|[1-9]\d{0,15})$/.test(after)) {
    throw Refusal.badMessage([{ path: 'after', problem: 'must be the `next` of an earlier page' }]);
  }
  return Number(after);
}
