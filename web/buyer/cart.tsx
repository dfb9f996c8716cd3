import { useState } from 'react';
import { HubError } from '../../src/client/connect.js';
import { COUNT_MAX } from '../../src/contract/fields.js';
import { type Basket, cart, placeBasket, placing, setCount, totalOf } from '../cart.js';
import { money } from '../money.js';
import { Cover } from '../parts/cover.js';
import { Empty } from '../parts/empty.js';
import { StoreLink } from '../parts/store.link.js';
import { go, isOn, to } from '../route.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { useStoreName } from '../store.names.js';
import { useWords, wordsFor } from '../words/words.js';

export function CartPage() {
  const words = useWords().cart;
  const baskets = useStore(cart);
  return (
    <>
      <h1>{words.title}</h1>
      {baskets.length === 0 && (
        <Empty icon="cart">
          <p>{words.empty}</p>
          <a className="button" href={to()}>
            {words.look}
          </a>
        </Empty>
      )}
      {baskets.map((basket) => (
        <BasketCard key={basket.storeId} basket={basket} />
      ))}
    </>
  );
}

/** What is bought of one store: it becomes one order. */
function BasketCard({ basket }: { basket: Basket }) {
  const words = useWords();
  const who = useStore(session);
  const isPlacing = useStore(placing).has(basket.storeId);
  const [refusal, setRefusal] = useState<string>();

  async function place() {
    setRefusal(undefined);
    try {
      const { orderId } = await placeBasket(basket);
      // Whoever has gone elsewhere meanwhile is left there.
      if (isOn('cart')) go('orders', orderId);
    } catch (error) {
      setRefusal(told(error, basket, words.cart));
    }
  }

  return (
    <section className="card basket" aria-label={useStoreName(basket.storeId)} aria-busy={isPlacing}>
      <h2>
        <StoreLink storeId={basket.storeId} />
      </h2>
      <ul>
        {basket.lines.map((line) => (
          <Line key={line.book.bookId} line={line} fixed={isPlacing} />
        ))}
      </ul>
      <p className="total">
        {words.cart.total} <strong>{money(totalOf(basket))}</strong>
      </p>
      <div role="alert" className="problem">
        {refusal}
      </div>
      {who ? (
        <button type="button" onClick={place} disabled={isPlacing}>
          {isPlacing ? `${words.cart.placing} (${words.pendingHint})` : words.cart.place(money(totalOf(basket)))}
        </button>
      ) : (
        <a className="button" href={to('enter')}>
          {words.cart.login}
        </a>
      )}
      <p className="quiet small-print">{words.cart.checked}</p>
    </section>
  );
}

function Line({ line: { book, count }, fixed }: { line: Basket['lines'][number]; fixed: boolean }) {
  const words = useWords().cart;
  return (
    <li className="cart-line">
      <Cover book={book} />
      <div className="what">
        <a href={to('book', book.storeId, book.bookId)}>{book.title}</a>
        <span className="quiet">{money(book.price)}</span>
      </div>
      <input
        type="number"
        aria-label={words.count(book.title)}
        min={1}
        max={COUNT_MAX}
        value={count}
        disabled={fixed}
        onChange={({ target }) =>
          setCount(book.storeId, book.bookId, Math.max(1, Math.floor(target.valueAsNumber || 1)))
        }
      />
      <button
        type="button"
        className="quiet-button take-out"
        aria-label={words.remove(book.title)}
        disabled={fixed}
        onClick={() => setCount(book.storeId, book.bookId, 0)}
      >
        ×
      </button>
    </li>
  );
}

interface Details {
  expected?: number;
  actual?: number;
  bookId?: string;
  available?: number;
}

/** A refusal, with what the person needs to decide anew. */
function told(error: unknown, basket: Basket, words: ReturnType<typeof useWords>['cart']): string {
  if (!(error instanceof HubError)) return wordsFor(error);
  const { expected = 0, actual = 0, bookId, available = 0 } = (error.details ?? {}) as Details;
  if (error.code === 'PRICE_CHANGED') return words.priceChanged(money(expected), money(actual));
  if (error.code !== 'OUT_OF_STOCK') return wordsFor(error);
  const line = basket.lines.find(({ book }) => book.bookId === bookId);
  return words.outOfStock(line?.book.title ?? '', available);
}
