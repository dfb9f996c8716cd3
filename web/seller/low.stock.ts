import { PAGE_LIMIT_MAX } from '../../src/contract/fields.js';
import type { BookView } from '../../src/contract/stores.js';
import { connectionStatus, request, subscribe } from '../hub.js';
import { forEachPage } from '../pages.js';
import { Store } from '../store.js';

type LowBook = Pick<BookView, 'storeId' | 'bookId' | 'title' | 'stock'>;

/** Books at or below their low mark, lowest stock first. */
export const lowBooks = new Store<LowBook[]>([]);

/** Adds, updates or removes books by their current stock. */
export function updateLowStock(...books: BookView[]): void {
  const keyOf = ({ storeId, bookId }: LowBook) => `${storeId}/${bookId}`;
  const low = new Map(lowBooks.get().map((book) => [keyOf(book), book]));
  let isChanged = false;
  for (const book of books) {
    const { storeId, bookId, title, stock, lowMark } = book;
    isChanged = low.delete(keyOf(book)) || isChanged;
    if (stock > lowMark) continue;
    low.set(keyOf(book), { storeId, bookId, title, stock });
    isChanged = true;
  }
  if (isChanged) lowBooks.set([...low.values()].sort((a, b) => a.stock - b.stock));
}

/**
 * Scans the books of each store page by page, then follows the hub's stock alerts. Scans again after a reconnect, because
 * stock alerts are not replayed. Returns the function that stops.
 */
export function watchLowStock(storeIds: string[]): () => void {
  let latestScan = 0;
  const scanAll = async () => {
    const scanId = ++latestScan;
    for (const storeId of storeIds) {
      await forEachPage(
        (after) => request('storeBooks', { storeId, limit: PAGE_LIMIT_MAX, ...after }),
        ({ items }) => {
          if (scanId !== latestScan) return false;
          updateLowStock(...items);
          return true;
        },
      );
    }
  };
  // Fails only after a logout, when the list is no longer shown.
  const scan = () => void scanAll().catch(() => undefined);
  let wasOffline = false;
  const unsubscribes = [
    connectionStatus.subscribe(() => {
      const { state } = connectionStatus.get();
      if (wasOffline && state === 'live') scan();
      wasOffline = state === 'offline' || (wasOffline && state !== 'live');
    }),
    subscribe('stock', ({ storeId, bookId }) => {
      request('book', { storeId, bookId }).then(updateLowStock, () => undefined);
    }),
  ];
  lowBooks.set([]);
  scan();
  return () => {
    latestScan++;
    for (const unsubscribe of unsubscribes) unsubscribe();
  };
}
