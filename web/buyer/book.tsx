import { useState } from 'react';
import { useRequest } from '../../src/react/use.request.js';
import { addToCart } from '../cart.js';
import { Cover } from '../components/cover.js';
import { LoadError } from '../components/error.message.js';
import { Stock } from '../components/stock.js';
import { StoreLink } from '../components/store.link.js';
import { request } from '../hub.js';
import { useTranslations } from '../i18n/language.js';
import { formatMoney } from '../money.js';
import { linkTo } from '../route.js';

export function BookPage({ storeId, bookId }: { storeId: string; bookId: string }) {
  const t = useTranslations();
  const [added, setAdded] = useState(false);
  const [count, setCount] = useState(1);
  const {
    data: book,
    error,
    reload,
  } = useRequest(JSON.stringify([storeId, bookId]), () => request('book', { storeId, bookId }));
  if (error !== undefined) return <LoadError error={error} retry={reload} />;
  if (!book) return <p className="quiet">{t.loading}</p>;
  const facts: [string, string | undefined][] = [
    [t.shop.publisher, book.publisher],
    [t.shop.isbn, book.isbn],
    ...Object.entries(book.details ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
  ];
  return (
    <article className="book-page">
      <Cover book={book} />
      <div>
        <h1>{book.title}</h1>
        {book.author && <p className="author">{book.author}</p>}
        <p className="offer large">
          <strong>{formatMoney(book.price)}</strong> <Stock book={book} />
        </p>
        <p>
          {t.shop.soldBy} <StoreLink storeId={storeId} />
        </p>
        <p className="actions">
          {book.stock > 1 && (
            <input
              className="quantity"
              type="number"
              aria-label={t.cart.count(book.title)}
              min={1}
              max={book.stock}
              value={count}
              onChange={({ target }) =>
                setCount(Math.min(book.stock, Math.max(1, Math.floor(target.valueAsNumber || 1))))
              }
            />
          )}
          <button
            type="button"
            disabled={book.stock === 0}
            onClick={() => {
              addToCart(book, Math.min(count, book.stock));
              setAdded(true);
            }}
          >
            {t.shop.add}
          </button>
          <span role="status">{added && <a href={linkTo('cart')}>{t.shop.added(book.title)}</a>}</span>
        </p>
        {book.summary && <p className="summary">{book.summary}</p>}
        {book.tags && (
          <ul className="tags">
            {book.tags.map((tag) => (
              <li key={tag}>
                <a href={`${linkTo()}?q=${encodeURIComponent(tag)}&field=tags`}>{tag}</a>
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
