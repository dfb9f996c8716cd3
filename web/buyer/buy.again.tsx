import { useState } from 'react';
import { addToCart } from '../cart.js';
import { ErrorMessage } from '../components/error.message.js';
import { request } from '../hub.js';
import { useOrderPageTexts } from '../i18n/order.page.js';
import type { LoadedOrder } from '../loaded.order.js';
import { linkTo } from '../route.js';

interface Outcome {
  added: number;
  /** Titles that are sold out or no longer for sale. */
  missing: string[];
}

/** Puts what an order held into the cart, at today's prices. */
export function BuyAgain({ order: { storeId, items } }: { order: LoadedOrder }) {
  const t = useOrderPageTexts().buyAgain;
  const [isBusy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>();
  const [error, setError] = useState<unknown>();

  async function buy() {
    setBusy(true);
    setError(undefined);
    try {
      const books = await Promise.all(items.map(({ bookId }) => readBook(storeId, bookId)));
      const found = books.flatMap((book, index) => {
        const count = Math.min(items[index]?.count ?? 0, book?.stock ?? 0);
        return book && count > 0 ? [{ book, count }] : [];
      });
      for (const { book, count } of found) addToCart(book, count);
      const foundIds = new Set(found.map(({ book }) => book.bookId));
      const missing = items.filter(({ bookId }) => !foundIds.has(bookId)).map(({ title }) => title);
      setOutcome({ added: found.length, missing });
    } catch (thrown) {
      setError(thrown);
    }
    setBusy(false);
  }

  return (
    <div className="no-print">
      <p className="actions">
        <button type="button" className="secondary" disabled={isBusy} aria-busy={isBusy} onClick={buy}>
          {t.button}
        </button>
        <span role="status">
          {outcome && outcome.added > 0 && <a href={linkTo('cart')}>{t.added}</a>}{' '}
          {outcome && outcome.missing.length > 0 && t.missing(outcome.missing.join(', '))}
        </span>
      </p>
      {error !== undefined && <ErrorMessage error={error} />}
    </div>
  );
}

async function readBook(storeId: string, bookId: string) {
  return request('book', { storeId, bookId }).catch((error: { code?: string }) => {
    if (error.code === 'BOOK_NOT_FOUND' || error.code === 'STORE_NOT_FOUND') return undefined;
    throw error;
  });
}
