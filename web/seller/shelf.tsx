import { useState } from 'react';
import { type BookView, QUERY_CHARACTERS_MAX } from '../../src/contract/stores.js';
import { useBooks } from '../../src/react/use.books.js';
import { EmptyState } from '../components/empty.state.js';
import { LoadMore } from '../components/load.more.js';
import { Stock } from '../components/stock.js';
import { useTranslations } from '../i18n/language.js';
import { formatMoney } from '../money.js';
import { linkTo, setQuery, useRoute } from '../route.js';
import { AddBook, EditBook } from './book.form.js';
import { updateLowStock } from './low.stock.js';

const PAGE_SIZE = 30;

/** The books of a store, for its owner to edit. */
export function Shelf({ storeId }: { storeId: string }) {
  const t = useTranslations().shelf;
  const q = useRoute().query.get('q') ?? '';
  const [openBookId, setOpenBookId] = useState<string>();
  const [edited, setEdited] = useState<ReadonlyMap<string, BookView>>(new Map());
  const pages = useBooks({ storeId, q, limit: PAGE_SIZE });

  function applyEdit(book: BookView) {
    setEdited((before) => new Map(before).set(book.bookId, book));
    updateLowStock(book);
  }

  return (
    <>
      <AddBook storeId={storeId} onAdded={pages.reload} />
      <search className="search">
        <input
          type="search"
          aria-label={t.search}
          placeholder={t.search}
          value={q}
          maxLength={QUERY_CHARACTERS_MAX}
          onChange={({ target }) => setQuery({ q: target.value })}
        />
      </search>
      {pages.items.length === 0 && !pages.isLoading && pages.error === undefined && (
        <EmptyState icon="shop">
          <p>{q ? t.notFound : t.none}</p>
          {!q && (
            <a className="button" href={linkTo('panel', 'import')}>
              {t.import}
            </a>
          )}
        </EmptyState>
      )}
      <ul className="shelf">
        {pages.items.map((loaded) => {
          const book = edited.get(loaded.bookId) ?? loaded;
          const isOpen = openBookId === book.bookId;
          return (
            <li key={book.bookId}>
              <div className="shelf-row">
                <span className="what">
                  <strong>{book.title}</strong> <span className="quiet">{book.author}</span>
                </span>
                <span>{formatMoney(book.price)}</span>
                <span className="stock">{book.stock > book.lowMark ? book.stock : <Stock book={book} />}</span>
                <button
                  type="button"
                  className="secondary"
                  aria-expanded={isOpen}
                  aria-label={t.editTitle(book.title)}
                  onClick={() => setOpenBookId(isOpen ? undefined : book.bookId)}
                >
                  {t.edit}
                </button>
              </div>
              {isOpen && <EditBook book={book} onEdited={applyEdit} />}
            </li>
          );
        })}
      </ul>
      <LoadMore pages={pages} />
    </>
  );
}
