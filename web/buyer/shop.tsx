import { useEffect, useState } from 'react';
import { type BookView, type SearchField, searchFields } from '../../src/contract/stores.js';
import { addToCart } from '../cart.js';
import { ask } from '../hub.js';
import { money } from '../money.js';
import { Cover } from '../parts/cover.js';
import { Empty } from '../parts/empty.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { setQuery, to } from '../route.js';
import { useStoreName } from '../store.names.js';
import { useWords } from '../words/words.js';

/** People type a word in about this time; the hub is asked when they pause. */
const TYPING_MS = 250;
const PAGE = 24;

interface ShopProps {
  storeId?: string | undefined;
  query: URLSearchParams;
}

/** All books, or those of one store, or those that have something in them. */
export function Shop({ storeId, query }: ShopProps) {
  const words = useWords().shop;
  const [added, setAdded] = useState('');
  const q = query.get('q') ?? '';
  const field = searchFields.find((name) => name === query.get('field'));
  const pages = usePages<BookView>(JSON.stringify([storeId, q, field]), (after) => {
    const search = { limit: PAGE, ...(q ? { q } : {}), ...(q && field ? { field } : {}), ...(after ? { after } : {}) };
    return storeId === undefined ? ask('books', search) : ask('storeBooks', { storeId, ...search });
  });
  const { items, isReading, hasMore } = pages;
  const isEmpty = !isReading && items.length === 0 && pages.error === undefined;

  return (
    <>
      <div className="page-head">
        <h1>{storeId === undefined ? words.title : <StoreName storeId={storeId} />}</h1>
        <Search q={q} field={field} />
      </div>
      <p className="quiet found" role="status">
        {added || (q !== '' && !isReading && words.found(items.length, hasMore))}
        {q !== '' && isEmpty && ` ${words.none}`}
      </p>
      {q === '' && isEmpty && (
        <Empty icon="shop">
          <p>{storeId === undefined ? words.empty : words.emptyStore}</p>
          {storeId === undefined && (
            <a className="button" href={to('panel')}>
              {words.openOne}
            </a>
          )}
        </Empty>
      )}
      <ul className="books" aria-busy={isReading}>
        {items.map((book) => (
          <li key={`${book.storeId}/${book.bookId}`}>
            <BookCard
              book={book}
              onAdd={() => {
                addToCart(book);
                setAdded(words.added(book.title));
              }}
            />
          </li>
        ))}
      </ul>
      <More pages={pages} />
    </>
  );
}

function StoreName({ storeId }: { storeId: string }) {
  return useStoreName(storeId);
}

function Search({ q, field }: { q: string; field: SearchField | undefined }) {
  const words = useWords().shop;
  const [text, setText] = useState(q);
  useEffect(() => {
    const typed = text.trim();
    if (typed === q) return;
    const paused = setTimeout(() => setQuery({ q: typed, field: field ?? '' }), TYPING_MS);
    return () => clearTimeout(paused);
  }, [text, q, field]);
  // A link, or the way back, leads to another search than the one that was typed.
  useEffect(() => setText((typed) => (typed.trim() === q ? typed : q)), [q]);
  return (
    <search className="search">
      <input
        type="search"
        aria-label={words.search}
        placeholder={words.hint}
        value={text}
        maxLength={500}
        onChange={({ target }) => setText(target.value)}
      />
      <select
        aria-label={words.where}
        value={field ?? 'all'}
        onChange={({ target }) => setQuery({ q: text.trim(), field: target.value === 'all' ? '' : target.value })}
      >
        <option value="all">{words.fields.all}</option>
        {searchFields.map((name) => (
          <option key={name} value={name}>
            {words.fields[name]}
          </option>
        ))}
      </select>
    </search>
  );
}

function BookCard({ book, onAdd }: { book: BookView; onAdd: () => void }) {
  const words = useWords().shop;
  return (
    <article className="book">
      <a href={to('book', book.storeId, book.bookId)}>
        <Cover book={book} />
        <h2>{book.title}</h2>
      </a>
      <p className="author quiet">{book.author}</p>
      <p className="offer">
        <strong>{money(book.price)}</strong> <Stock book={book} />
      </p>
      <button type="button" className="secondary" disabled={book.stock === 0} onClick={onAdd}>
        {words.add}
      </button>
    </article>
  );
}

export function Stock({ book: { stock, lowMark } }: { book: BookView }) {
  const words = useWords().shop;
  if (stock === 0) return <span className="sold-out">{words.soldOut}</span>;
  if (stock <= lowMark) return <span className="few">{words.left(stock)}</span>;
  return <span className="quiet">{words.inStock}</span>;
}
