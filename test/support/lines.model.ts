import type { Rejection } from './market.model.js';

/** Copies of a book in an order, by what has become of them. `…PaidBack` are those whose price a refund has given back. */
export interface ModelLine {
  book: { storeId: string; bookId: string; listed: boolean; price: bigint; lowMark: number; stock: number };
  count: number;
  left: number;
  leftPaidBack: number;
  shipped: number;
  shippedPaidBack: number;
  cancelled: number;
  cancelledPaidBack: number;
  putBack: number;
}
export interface ModelParcel {
  items: { bookId: string; count: number }[];
  carrier: string | null;
  trackingNo: string | null;
  isReceived: boolean;
  dueAt: number | null;
}
export interface ModelLines {
  lines: ModelLine[];
  parcels: ModelParcel[];
}
type Items = readonly { bookId: string; count: number }[];

export function newLine(book: ModelLine['book'], count: number): ModelLine {
  const none = { leftPaidBack: 0, shipped: 0, shippedPaidBack: 0, cancelled: 0, cancelledPaidBack: 0, putBack: 0 };
  return { book, count, left: count, ...none };
}

export function unshipped({ left, leftPaidBack }: ModelLine): number {
  return left + leftPaidBack;
}

export function notPaidBack({ left, shipped }: ModelLine): number {
  return left + shipped;
}

/** All that is not shipped, as a request would name it. */
export function rest({ lines }: ModelLines): Items {
  return lines
    .filter((line) => unshipped(line) > 0)
    .map((line) => ({ bookId: line.book.bookId, count: unshipped(line) }));
}

export function onTheirWay({ parcels }: ModelLines): ModelParcel[] {
  return parcels.filter(({ isReceived }) => !isReceived);
}

/** Why these copies cannot be meant. */
export function unavailable(order: ModelLines, items: Items, available: (line: ModelLine) => number): Rejection[] {
  return items.flatMap(({ bookId, count }): Rejection[] => {
    const line = lineOf(order, bookId);
    if (!line) return [{ code: 'BOOK_NOT_FOUND', details: { bookId } }];
    const left = available(line);
    return count > left ? [{ code: 'ORDER_STATE', details: { bookId, left } }] : [];
  });
}

/** Those go first that were not paid back. */
export function shipCopies(order: ModelLines, items: Items): void {
  for (const { bookId, count } of items) {
    const line = existing(order, bookId);
    const first = Math.min(count, line.left);
    move(line, 'left', 'shipped', first);
    move(line, 'leftPaidBack', 'shippedPaidBack', count - first);
  }
}

/** The same. Returns the price of those that were not paid back. */
export function cancelCopies(order: ModelLines, items: Items): bigint {
  let price = 0n;
  for (const { bookId, count } of items) {
    const line = existing(order, bookId);
    const first = Math.min(count, line.left);
    move(line, 'left', 'cancelled', first);
    move(line, 'leftPaidBack', 'cancelledPaidBack', count - first);
    line.book.stock += count;
    price += line.book.price * BigInt(first);
  }
  return price;
}

/** Shipped copies go first, and on the shelf if they are put back. */
export function payBackCopies(order: ModelLines, items: Items, putBack: boolean): void {
  for (const { bookId, count } of items) {
    const line = existing(order, bookId);
    const first = Math.min(count, line.shipped);
    move(line, 'shipped', 'shippedPaidBack', first);
    move(line, 'left', 'leftPaidBack', count - first);
    if (!putBack) continue;
    line.putBack += first;
    line.book.stock += first;
  }
}

export function priceOf(order: ModelLines, items: Items): bigint {
  return items.reduce((sum, { bookId, count }) => sum + existing(order, bookId).book.price * BigInt(count), 0n);
}

type Pile = 'left' | 'leftPaidBack' | 'shipped' | 'shippedPaidBack' | 'cancelled' | 'cancelledPaidBack';

function move(line: ModelLine, from: Pile, to: Pile, count: number): void {
  line[from] -= count;
  line[to] += count;
}

export function lineOf({ lines }: ModelLines, bookId: string): ModelLine | undefined {
  return lines.find(({ book }) => book.bookId === bookId);
}

function existing(order: ModelLines, bookId: string): ModelLine {
  const line = lineOf(order, bookId);
  if (!line) throw new Error(`The order has no ${bookId}`);
  return line;
}
