import type { Copies, OrderChanges, OrderItem, OrderRow, TimelineEntry } from '../commands/rows.js';
import type { ChangeCommand } from '../contract/transitions.js';

/*
 * The lines and parcels of an order, derived from its timeline; they have no columns. A copy is left, shipped or cancelled;
 * independently of that it may have been paid back. Copies that were not paid back are shipped and cancelled first, and of the shipped ones
 * the first are paid back: so no copy is paid back twice.
 */

export interface Line extends OrderItem {
  shipped: number;
  cancelled: number;
  /** Paid back by `refund`: of those left to ship, of those shipped, and of those cancelled since. */
  refunded: number;
  refundedLeft: number;
  refundedShipped: number;
}

export interface Parcel {
  parcel: number;
  copies: Copies;
  carrier: string | null;
  trackingNo: string | null;
  shippedAt: number;
  receivedAt: number | null;
  /** When the hub receives it; null if it never does. */
  dueAt: number | null;
}

export interface OrderLines {
  lines: Line[];
  parcels: Parcel[];
  /** Money given back. */
  refunded: number;
}

export function linesOf(order: OrderRow): OrderLines {
  // Spelled out, because every command and every answer does this, and spreading an item takes several times as long.
  const lines = order.items.map(
    ({ bookNo, bookId, title, count, price }): Line => ({
      bookNo,
      bookId,
      title,
      count,
      price,
      shipped: 0,
      cancelled: 0,
      refunded: 0,
      refundedLeft: 0,
      refundedShipped: 0,
    }),
  );
  const state: OrderLines = { lines, parcels: [], refunded: 0 };
  for (const entry of order.timeline) applyToLines(state, order, entry);
  return state;
}

function applyToLines(state: OrderLines, order: OrderRow, entry: TimelineEntry): void {
  const { at, changes = {} } = entry;
  const { copies, parcels, money } = changes.lines ?? {};
  const giveBack = () => {
    state.refunded += money ?? allOf(order, state);
  };
  switch (commandOf(entry)) {
    case 'ship': {
      // A parcel that is all of the order is due when the order is.
      const dueAt = changes.lines?.dueAt === undefined ? order.dueAt : changes.lines.dueAt;
      shipCopies(state, copies ?? allLeft(state), { ...trackingOf(changes), shippedAt: at, dueAt });
      break;
    }
    case 'receive':
      receiveParcels(state, parcels, at);
      break;
    case 'cancel':
      cancelCopies(state, copies ?? allLeft(state));
      giveBack();
      break;
    case 'refund':
      refundCopies(state, copies ?? []);
      giveBack();
      break;
    case 'track':
      for (const parcel of onTheirWay(state, parcels)) Object.assign(parcel, trackingOf(changes));
  }
}

/** All money of the order that is not given back. */
function allOf({ paidAt, total }: OrderRow, { refunded }: OrderLines): number {
  return paidAt === null ? 0 : total - refunded;
}

/** Shipping and tracking always set both. */
function trackingOf(changes: OrderChanges): Pick<Parcel, 'carrier' | 'trackingNo'> {
  /* istanbul ignore next -- which the compiler cannot know */
  const { carrier = null, trackingNo = null } = changes;
  return { carrier, trackingNo };
}

/** The command as which the hub has acted, where it acted by itself. */
function commandOf({ command, changes }: TimelineEntry): ChangeCommand {
  if (command !== 'timeout') return command;
  return changes?.cancelReason === undefined ? 'receive' : 'cancel';
}

export function shipCopies(
  { lines, parcels }: OrderLines,
  copies: Copies,
  parcel: Omit<Parcel, 'parcel' | 'copies' | 'receivedAt'>,
): void {
  for (const [line, count] of named(lines, copies)) {
    const paidBack = paidBackOf(line, count);
    line.shipped += count;
    line.refundedLeft -= paidBack;
    line.refundedShipped += paidBack;
  }
  parcels.push({ parcel: parcels.length + 1, copies, ...parcel, receivedAt: null });
}

/** Without numbers, all that are on their way. */
export function receiveParcels(state: OrderLines, numbers: readonly number[] | undefined, at: number): void {
  for (const parcel of onTheirWay(state, numbers)) parcel.receivedAt = at;
}

/** Returns the price of those that were not paid back before. */
export function cancelCopies({ lines }: OrderLines, copies: Copies): number {
  let price = 0;
  for (const [line, count] of named(lines, copies)) {
    const paidBack = paidBackOf(line, count);
    line.cancelled += count;
    line.refundedLeft -= paidBack;
    price += line.price * (count - paidBack);
  }
  return price;
}

/** Returns which of them were shipped, and their price. */
export function refundCopies({ lines }: OrderLines, copies: Copies): { shipped: Copies; price: number } {
  const shipped: Copies = [];
  let price = 0;
  for (const [line, count, index] of named(lines, copies)) {
    const ofShipped = Math.min(count, line.shipped - line.refundedShipped);
    line.refunded += count;
    line.refundedShipped += ofShipped;
    line.refundedLeft += count - ofShipped;
    if (ofShipped > 0) shipped.push([index, ofShipped]);
    price += line.price * count;
  }
  return { shipped, price };
}

/** Copies that are neither shipped nor cancelled. */
export function leftOf({ count, shipped, cancelled }: Line): number {
  return count - shipped - cancelled;
}

/** Copies that can still be paid back: those that are shipped or left, and were not. */
export function refundableOf({ count, cancelled, refundedLeft, refundedShipped }: Line): number {
  return count - cancelled - refundedLeft - refundedShipped;
}

export function allLeft({ lines }: OrderLines): Copies {
  return lines.flatMap((line, index): Copies => (leftOf(line) > 0 ? [[index, leftOf(line)]] : []));
}

export function isNothingLeft({ lines }: OrderLines): boolean {
  return lines.every((line) => leftOf(line) === 0);
}

/** The parcels that are not received yet: those with these numbers, or all. */
export function onTheirWay({ parcels }: OrderLines, numbers?: readonly number[]): Parcel[] {
  return parcels.filter(({ parcel, receivedAt }) => receivedAt === null && (numbers?.includes(parcel) ?? true));
}

/** How many of these copies, taken from those that are left, were paid back before. */
function paidBackOf(line: Line, count: number): number {
  return Math.max(0, count - (leftOf(line) - line.refundedLeft));
}

function named(lines: readonly Line[], copies: Copies): [line: Line, count: number, index: number][] {
  return copies.map(([index, count]) => [lineAt(lines, index), count, index]);
}

/** Copies name lines of their own order only. */
export function lineAt<Item extends OrderItem>(lines: readonly Item[], index: number): Item {
  const line = lines[index];
  if (!line) throw new Error('A change of an order names a line that it does not have');
  return line;
}
