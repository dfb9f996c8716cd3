import { useEffect, useState } from 'react';
import { type SearchField, searchFields } from '../../src/contract/shop.js';
import type { BookView } from '../../src/contract/stores.js';
import { usePagesOf } from '../../src/react/use.pages.of.js';
import { addToCart } from '../cart.js';
import { Cover } from '../components/cover.js';
import { EmptyState } from '../components/empty.state.js';
import { LoadMore } from '../components/load.more.js';
import { Stock } from '../components/stock.js';
import { useTranslations } from '../i18n/language.js';
import { preloadScreens } from '../load.screens.js';
import { formatMoney } from '../money.js';
import { readBooks } from '../read.shop.js';
import { linkTo, setQuery } from '../route.js';
import { useStoreName } from '../store.names.js';

/** The search is sent after a pause in typing. */
const DEBOUNCE_MS = 250;
const PAGE_SIZE = 24;
/** What is for sale is the same for every user: a login makes none of it stale. */
const SHOP = { subscribe: () => () => undefined };

interface ShopProps {
  storeId?: string | undefined;
  query: URLSearchParams;
}

/** The books of all stores or of one, optionally filtered by a search. */
export function Shop({ storeId, query }: ShopProps) {
  const t = useTranslations().shop;
  const [added, setAdded] = useState('');
  const q = query.get('q') ?? '';
  const field = searchFields.find((name) => name === query.get('field'));
  const pages = usePagesOf(SHOP, JSON.stringify([storeId, q, field]), (after) =>
    readBooks({ storeId, q, field, limit: PAGE_SIZE, after }),
  );
  const { items, isLoading, hasMore } = pages;
  useEffect(() => {
    if (!isLoading) preloadScreens();
  }, [isLoading]);
  const isEmpty = !isLoading && items.length === 0 && pages.error === undefined;

  return (
    <>
      <div className="page-head">
        <h1>{storeId === undefined ? t.title : <StoreName storeId={storeId} />}</h1>
        <Search q={q} field={field} />
      </div>
      <p className="quiet found" role="status">
        {added || (q !== '' && !isLoading && (isEmpty ? t.none(q) : t.found(items.length, hasMore)))}
      </p>
      {q === '' && isEmpty && (
        <EmptyState icon="shop">
          <p>{storeId === undefined ? t.empty : t.emptyStore}</p>
          {storeId === undefined && (
            <a className="button" href={linkTo('panel')}>
              {t.openStore}
            </a>
          )}
        </EmptyState>
      )}
      <ul className="books" aria-busy={isLoading}>
        {items.map((book) => (
          <li key={`${book.storeId}/${book.bookId}`}>
            <BookCard
              book={book}
              onAdd={() => {
                addToCart(book);
                setAdded(t.added(book.title));
              }}
            />
          </li>
        ))}
      </ul>
      <LoadMore pages={pages} />
    </>
  );
}

function StoreName({ storeId }: { storeId: string }) {
  return useStoreName(storeId);
}

function Search({ q, field }: { q: string; field: SearchField | undefined }) {
  const t = useTranslations().shop;
  const [text, setText] = useState(q);
  useEffect(() => {
    const typed = text.trim();
    if (typed === q) return;
    const timer = setTimeout(() => setQuery({ q: typed, field: field ?? '' }), DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [text, q, field]);
  // A link or the browser's back button may change the query: show it in the input.
  useEffect(() => setText((typed) => (typed.trim() === q ? typed : q)), [q]);
  return (
    <search className="search">
      <input
        type="search"
        aria-label={t.search}
        placeholder={t.hint}
        value={text}
        maxLength={500}
        onChange={({ target }) => setText(target.value)}
      />
      <select
        aria-label={t.searchIn}
        value={field ?? 'all'}
        onChange={({ target }) => setQuery({ q: text.trim(), field: target.value === 'all' ? '' : target.value })}
      >
        <option value="all">{t.fields.all}</option>
        {searchFields.map((name) => (
          <option key={name} value={name}>
            {t.fields[name]}
          </option>
        ))}
      </select>
    </search>
  );
}

function BookCard({ book, onAdd }: { book: BookView; onAdd: () => void }) {
  const t = useTranslations().shop;
  return (
    <article className="book">
      <a href={linkTo('book', book.storeId, book.bookId)}>
        <Cover book={book} />
        <h2>{book.title}</h2>
      </a>
      <p className="author quiet">{book.author}</p>
      <p className="offer">
        <strong>{formatMoney(book.price)}</strong> <Stock book={book} />
      </p>
      <button type="button" className="secondary" disabled={book.stock === 0} onClick={onAdd}>
        {t.add}
      </button>
    </article>
  );
}
