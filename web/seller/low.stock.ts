import type { BookView } from '../../src/contract/stores.js';
import { ask, hear, line } from '../hub.js';
import { Store } from '../store.js';

const PAGE = 100;
/** Whoever has more books than that running low needs another list than a warning. */
export const LOW_MAX = 100;

type LowBook = Pick<BookView, 'storeId' | 'bookId' | 'title' | 'stock'>;

/** The books that run low, those first that run out soonest. */
export const lowBooks = new Store<LowBook[]>([]);

/** Takes in what is known of a book now: it runs low, or no longer does. */
export function noteStock({ storeId, bookId, title, stock, lowMark }: BookView): void {
  const isIt = (book: LowBook) => book.storeId === storeId && book.bookId === bookId;
  if (stock > lowMark && !lowBooks.get().some(isIt)) return;
  lowBooks.change((before) => {
    const others = before.filter((book) => !isIt(book));
    if (stock > lowMark) return others;
    const books = [...others, { storeId, bookId, title, stock }].sort((a, b) => a.stock - b.stock);
    return books.slice(0, LOW_MAX);
  });
}

/**
 * Looks along the whole shelf of each store, a page after the other, then goes by what the hub tells; and looks again when
 * the line comes back, because nobody tells afterwards of books that ran low meanwhile.
 */
export function watchStock(storeIds: string[]): () => void {
  let latest = 0;
  const look = async () => {
    const mine = ++latest;
    for (const storeId of storeIds) {
      let after: string | null = null;
      do {
        const page: { items: BookView[]; next: string | null } = await ask('storeBooks', {
          ...{ storeId, limit: PAGE },
          ...(after ? { after } : {}),
        });
        if (mine !== latest) return;
        for (const book of page.items) noteStock(book);
        after = page.next;
      } while (after);
    }
  };
  // It fails only when nobody is logged in any more.
  const lookAlong = () => void look().catch(() => undefined);
  let wasCut = false;
  const off = [
    line.subscribe(() => {
      const { state } = line.get();
      if (wasCut && state === 'live') lookAlong();
      wasCut = state === 'offline' || (wasCut && state !== 'live');
    }),
    hear('stock', ({ storeId, bookId }) => {
      ask('book', { storeId, bookId }).then(noteStock, () => undefined);
    }),
  ];
  lowBooks.set([]);
  lookAlong();
  return () => {
    latest++;
    for (const stop of off) stop();
  };
}
