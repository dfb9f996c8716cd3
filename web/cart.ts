import { type ClientErrorCode, HubError } from '../src/client/connect.js';
import { newKey } from '../src/client/retry.js';
import { COUNT_MAX } from '../src/contract/fields.js';
import type { Order } from '../src/contract/orders.js';
import type { BookView } from '../src/contract/stores.js';
import type { DeliverTo } from '../src/contract/words.js';
import { hub, request } from './hub.js';
import { ordersOf } from './orders.js';
import { persistedStore, Store } from './store.js';

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
/** Stores whose basket is being ordered; their baskets cannot be submitted again until the outcome is known. */
export const placing = new Store<ReadonlySet<string>>(new Set());

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

/**
 * Orders a basket at the total that was shown. Rejects with a `HubError`: `PRICE_CHANGED` when the total is outdated; the
 * basket then shows the current prices.
 */
export async function placeBasket(basket: Basket, deliverTo: DeliverTo | undefined): Promise<Order> {
  const { storeId, key, lines, note = '' } = basket;
  const items = lines.map(({ book, count }) => ({ bookId: book.bookId, count }));
  placing.update((before) => new Set(before).add(storeId));
  try {
    const words = { ...(deliverTo ? { deliverTo } : {}), ...(note.trim() === '' ? {} : { note }) };
    const order = await hub().place({ storeId, items, expectedTotal: totalOf(basket), ...words }, { key });
    ordersOf.buyer.upsert(order);
    removeOrdered(basket);
    return order;
  } catch (error) {
    // After a logout the outcome is unknown: keep the key, so that a retry cannot place a second order.
    if (!(error instanceof HubError) || !outcomeUnknown.includes(error.code)) await refreshPrices(basket);
    throw error;
  } finally {
    placing.update((before) => new Set([...before].filter((other) => other !== storeId)));
  }
}

const outcomeUnknown: readonly ClientErrorCode[] = ['CLOSED', 'UNAUTHENTICATED'];

/** Removes what was ordered; books added to the basket meanwhile stay. */
function removeOrdered({ storeId, lines: ordered }: Basket): void {
  const remaining = linesOf(storeId).map((line) => {
    const orderedCount = ordered.find(({ book }) => book.bookId === line.book.bookId)?.count ?? 0;
    return { ...line, count: line.count - orderedCount };
  });
  setLines(
    storeId,
    remaining.filter(({ count }) => count > 0),
  );
}

/** Loads the current prices into the basket, so that the next attempt confirms what the user sees. */
async function refreshPrices({ storeId, lines }: Basket): Promise<void> {
  const prices = new Map<string, number>();
  await Promise.all(
    lines.map(async ({ book }) => {
      const { bookId } = book;
      const { price } = await request('book', { storeId, bookId }).catch(() => book);
      prices.set(bookId, price);
    }),
  );
  const refreshed = linesOf(storeId).map((line) => {
    const price = prices.get(line.book.bookId) ?? line.book.price;
    return { ...line, book: { ...line.book, price } };
  });
  setLines(storeId, refreshed);
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

function linesOf(storeId: string): CartLine[] {
  return cart.get().find((basket) => basket.storeId === storeId)?.lines ?? [];
}

function setLines(storeId: string, lines: CartLine[]): void {
  cart.update((baskets) => {
    const before = baskets.find((other) => other.storeId === storeId);
    const basket = { ...before, storeId, lines, key: newKey() };
    const exists = before !== undefined;
    const next = exists ? baskets.map((other) => (other.storeId === storeId ? basket : other)) : [...baskets, basket];
    return next.filter((other) => other.lines.length > 0);
  });
}
