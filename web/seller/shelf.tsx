import { useState } from 'react';
import { type BookView, QUERY_CHARACTERS_MAX } from '../../src/contract/stores.js';
import { Stock } from '../buyer/shop.js';
import { ask } from '../hub.js';
import { money } from '../money.js';
import { Empty } from '../parts/empty.js';
import { More } from '../parts/more.js';
import { usePages } from '../parts/pages.js';
import { setQuery, to, usePlace } from '../route.js';
import { useWords } from '../words/words.js';
import { AddBook, ChangeBook } from './book.form.js';
import { noteStock } from './low.stock.js';

const PAGE = 30;

/** The books of a store, as its owner sees and changes them. */
export function Shelf({ storeId }: { storeId: string }) {
  const words = useWords().shelf;
  const q = usePlace().query.get('q') ?? '';
  const [open, setOpen] = useState<string>();
  const [changed, setChanged] = useState<ReadonlyMap<string, BookView>>(new Map());
  const pages = usePages(JSON.stringify([storeId, q]), (after) =>
    ask('storeBooks', { storeId, limit: PAGE, ...(q ? { q } : {}), ...(after ? { after } : {}) }),
  );

  function keep(book: BookView) {
    setChanged((before) => new Map(before).set(book.bookId, book));
    noteStock(book);
  }

  return (
    <>
      <AddBook storeId={storeId} onAdded={pages.again} />
      <search className="search">
        <input
          type="search"
          aria-label={words.search}
          placeholder={words.search}
          value={q}
          maxLength={QUERY_CHARACTERS_MAX}
          onChange={({ target }) => setQuery({ q: target.value })}
        />
      </search>
      {pages.items.length === 0 && !pages.isReading && pages.error === undefined && (
        <Empty icon="shop">
          <p>{q ? words.notFound : words.none}</p>
          {!q && (
            <a className="button" href={to('panel', 'import')}>
              {words.many}
            </a>
          )}
        </Empty>
      )}
      <ul className="shelf">
        {pages.items.map((read) => {
          const book = changed.get(read.bookId) ?? read;
          const isOpen = open === book.bookId;
          return (
            <li key={book.bookId}>
              <div className="shelf-row">
                <span className="what">
                  <strong>{book.title}</strong> <span className="quiet">{book.author}</span>
                </span>
                <span>{money(book.price)}</span>
                <span className="stock">{book.stock > book.lowMark ? book.stock : <Stock book={book} />}</span>
                <button
                  type="button"
                  className="secondary"
                  aria-expanded={isOpen}
                  aria-label={words.change(book.title)}
                  onClick={() => setOpen(isOpen ? undefined : book.bookId)}
                >
                  {words.changeIt}
                </button>
              </div>
              {isOpen && <ChangeBook book={book} onChanged={keep} />}
            </li>
          );
        })}
      </ul>
      <More pages={pages} />
    </>
  );
}
