import { newKey } from '../src/client/retry.js';
import { COUNT_MAX } from '../src/contract/shop.js';
import type { BookView } from '../src/contract/stores.js';
import { persistedStore } from './store.js';

interface CartLine {
  book: Pick<BookView, 'storeId' | 'bookId' | 'title' | 'author' | 'price' | 'coverUrl'>;
  count: number;
}

/** The cart's lines of one store, which become one order. */
export interface Basket {
  storeId: string;
  /**
   * The idempotency key of the order. It is kept while the basket is unchanged, also across page loads, so that ordering
   * again after a browser crash places one order. An answer, or a change of the basket, replaces it.
   */
  key: string;
  lines: CartLine[];
  /** For the seller. */
  note?: string;
}

export const cart = persistedStore<Basket[]>('cart', []);

export function totalOf({ lines }: Basket): number {
  return lines.reduce((total, { book, count }) => total + book.price * count, 0);
}

export function countOf(baskets: Basket[]): number {
  return baskets.flatMap(({ lines }) => lines).reduce((sum, { count }) => sum + count, 0);
}

export function addToCart({ storeId, bookId, title, author, price, coverUrl }: BookView, count = 1): void {
  const lines = linesOf(storeId);
  const existing = lines.find(({ book }) => book.bookId === bookId);
  if (existing) {
    setCount(storeId, bookId, Math.min(COUNT_MAX, existing.count + count));
    return;
  }
  const book = {
    ...{ storeId, bookId, title, price },
    ...(author === undefined ? {} : { author }),
    ...(coverUrl === undefined ? {} : { coverUrl }),
  };
  setLines(storeId, [...lines, { book, count }]);
}

/** A count of 0 removes the line. */
export function setCount(storeId: string, bookId: string, count: number): void {
  const lines = linesOf(storeId).map((line) => (line.book.bookId === bookId ? { ...line, count } : line));
  setLines(
    storeId,
    lines.filter((line) => line.count > 0),
  );
}

/** What is ordered is no longer what it was: the next attempt is another order. */
export function renewKeys(): void {
  cart.update((baskets) => baskets.map((basket) => ({ ...basket, key: newKey() })));
}

export function setNote(storeId: string, note: string): void {
  cart.update((baskets) =>
    baskets.map((basket) => (basket.storeId === storeId ? { ...basket, note, key: newKey() } : basket)),
  );
}

export function linesOf(storeId: string): CartLine[] {
  return cart.get().find((basket) => basket.storeId === storeId)?.lines ?? [];
}

export function setLines(storeId: string, lines: CartLine[]): void {
  cart.update((baskets) => {
    const before = baskets.find((other) => other.storeId === storeId);
    const basket = { ...before, storeId, lines, key: newKey() };
    const exists = before !== undefined;
    const next = exists ? baskets.map((other) => (other.storeId === storeId ? basket : other)) : [...baskets, basket];
    return next.filter((other) => other.lines.length > 0);
  });
}
