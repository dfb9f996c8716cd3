import { useState } from 'react';
import { addToCart } from '../cart.js';
import { ask } from '../hub.js';
import { money } from '../money.js';
import { Cover } from '../parts/cover.js';
import { Unread } from '../parts/notice.js';
import { useReading } from '../parts/reading.js';
import { StoreLink } from '../parts/store.link.js';
import { to } from '../route.js';
import { useWords } from '../words/words.js';
import { Stock } from './shop.js';

/** Everything that is known about a book. */
export function BookPage({ storeId, bookId }: { storeId: string; bookId: string }) {
  const words = useWords();
  const [added, setAdded] = useState(false);
  const {
    value: book,
    error,
    again,
  } = useReading(JSON.stringify([storeId, bookId]), () => ask('book', { storeId, bookId }));
  if (error !== undefined) return <Unread error={error} again={again} />;
  if (!book) return <p className="quiet">{words.loading}</p>;
  const facts: [string, string | undefined][] = [
    [words.shop.publisher, book.publisher],
    [words.shop.isbn, book.isbn],
    ...Object.entries(book.details ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
  ];
  return (
    <article className="book-page">
      <Cover book={book} />
      <div>
        <h1>{book.title}</h1>
        {book.author && <p className="author">{book.author}</p>}
        <p className="offer large">
          <strong>{money(book.price)}</strong> <Stock book={book} />
        </p>
        <p>
          {words.shop.soldBy} <StoreLink storeId={storeId} />
        </p>
        <p className="actions">
          <button
            type="button"
            disabled={book.stock === 0}
            onClick={() => {
              addToCart(book);
              setAdded(true);
            }}
          >
            {words.shop.add}
          </button>
          <span role="status">{added && <a href={to('cart')}>{words.shop.added(book.title)}</a>}</span>
        </p>
        {book.summary && <p className="summary">{book.summary}</p>}
        {book.tags && (
          <ul className="tags">
            {book.tags.map((tag) => (
              <li key={tag}>
                <a href={`${to()}?q=${encodeURIComponent(tag)}&field=tags`}>{tag}</a>
              </li>
            ))}
          </ul>
        )}
        <dl className="facts">
          {facts.map(([name, value]) =>
            value === undefined ? null : (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
          )}
        </dl>
      </div>
    </article>
  );
}
