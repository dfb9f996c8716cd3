import { type ClientErrorCode, HubError } from '../src/client/connect.js';
import type { Order } from '../src/contract/orders.js';
import type { DeliverTo } from '../src/contract/words.js';
import { type Basket, linesOf, setLines, totalOf } from './cart.js';
import { hub, request } from './hub.js';
import { ordersOf } from './orders.js';
import { Store } from './store.js';

/** Stores whose basket is being ordered; their baskets cannot be submitted again until the outcome is known. */
export const placing = new Store<ReadonlySet<string>>(new Set());

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
