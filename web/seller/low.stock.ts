import type { BookView } from '../../src/contract/stores.js';
import { ask, hear } from '../hub.js';
import { Store } from '../store.js';

const PAGE = 100;
/** Whoever has more books than that running low needs a list, not a warning. */
const LOW_MAX = 30;

type LowBook = Pick<BookView, 'storeId' | 'bookId' | 'title' | 'stock'>;

/** The books that run low, the latest first. */
export const lowBooks = new Store<LowBook[]>([]);

/** Takes in what is known of a book now: it runs low, or no longer does. */
export function noteStock({ storeId, bookId, title, stock, lowMark }: BookView): void {
  lowBooks.change((before) => {
    const others = before.filter((book) => book.storeId !== storeId || book.bookId !== bookId);
    return stock > lowMark ? others : [{ storeId, bookId, title, stock }, ...others].slice(0, LOW_MAX);
  });
}

/** Looks along the first shelf-lengths of the stores, then goes by what the hub tells. */
export function watchStock(storeIds: string[]): () => void {
  const look = async () => {
    lowBooks.set([]);
    for (const storeId of storeIds) {
      const { items } = await ask('storeBooks', { storeId, limit: PAGE });
      for (const book of items) noteStock(book);
    }
  };
  look().catch(() => undefined);
  return hear('stock', ({ storeId, bookId }) => {
    ask('book', { storeId, bookId }).then(noteStock, () => undefined);
  });
}
