import { HubError } from '../../src/client/connect.js';
import { COUNT_MAX } from '../../src/contract/shop.js';
import { PLACE_NOTE_CHARACTERS_MAX } from '../../src/contract/words.js';
import { deliveryAddress, isEditingAddress } from '../address.book.js';
import { toDeliverTo } from '../address.js';
import { type Basket, cart, setCount, setNote, totalOf } from '../cart.js';
import { orderBasket, placedOrders, placeErrors } from '../checkout.js';
import { Cover } from '../components/cover.js';
import { EmptyState } from '../components/empty.state.js';
import { TextAreaField } from '../components/field.js';
import { StoreLink } from '../components/store.link.js';
import type { Translations } from '../i18n/en.js';
import { errorText, useTranslations } from '../i18n/language.js';
import { formatMoney } from '../money.js';
import { placing } from '../place.order.js';
import { isOnScreen, linkTo, navigate, useLoginLink } from '../route.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { useStoreName } from '../store.names.js';
import { Checkout, PlacedOrders } from './checkout.js';
import { Delivery } from './delivery.js';

export function CartPage() {
  const t = useTranslations().cart;
  const baskets = useStore(cart);
  const isPlacing = useStore(placing).size > 0;
  const hasPlaced = useStore(placedOrders).length > 0;
  const isAlone = baskets.length === 1;
  return (
    <>
      <h1>{t.title}</h1>
      <PlacedOrders />
      {baskets.length === 0 && !hasPlaced && (
        <EmptyState icon="cart">
          <p>{t.empty}</p>
          <a className="button" href={linkTo()}>
            {t.browse}
          </a>
        </EmptyState>
      )}
      {baskets.length > 0 && <Delivery disabled={isPlacing} />}
      {baskets.map((basket) => (
        <BasketCard key={basket.storeId} basket={basket} isAlone={isAlone} />
      ))}
      {baskets.length > 1 && <Checkout baskets={baskets} />}
    </>
  );
}

/** One store's part of the cart: it becomes one order. Alone in the cart, it is ordered with a button of its own. */
function BasketCard({ basket, isAlone }: { basket: Basket; isAlone: boolean }) {
  const t = useTranslations();
  const isPlacing = useStore(placing).has(basket.storeId);
  const error = useStore(placeErrors).get(basket.storeId);
  return (
    <section className="card basket" aria-label={useStoreName(basket.storeId)} aria-busy={isPlacing}>
      <h2>
        <StoreLink storeId={basket.storeId} />
      </h2>
      <ul>
        {basket.lines.map((line) => (
          <CartLine key={line.book.bookId} line={line} disabled={isPlacing} />
        ))}
      </ul>
      <p className="total">
        {t.cart.total} <strong>{formatMoney(totalOf(basket))}</strong>
      </p>
      <TextAreaField
        label={t.cart.note}
        value={basket.note ?? ''}
        rows={2}
        maxLength={PLACE_NOTE_CHARACTERS_MAX}
        disabled={isPlacing}
        onChange={({ target }) => setNote(basket.storeId, target.value)}
      />
      <div role="alert" className="problem">
        {error !== undefined && problemText(error, basket, t)}
      </div>
      {isAlone && <OrderButton basket={basket} isPlacing={isPlacing} />}
    </section>
  );
}

function OrderButton({ basket, isPlacing }: { basket: Basket; isPlacing: boolean }) {
  const t = useTranslations();
  const user = useStore(session);
  const loginLink = useLoginLink();
  const isEditing = useStore(isEditingAddress);

  async function place() {
    const order = await orderBasket(basket, toDeliverTo(deliveryAddress()));
    // The user may have opened another screen meanwhile: stay there.
    if (order && isOnScreen('cart')) navigate('orders', order.orderId);
  }

  return (
    <>
      {user ? (
        <button type="button" onClick={place} disabled={isPlacing || isEditing}>
          {isPlacing ? `${t.cart.placing} (${t.pendingHint})` : t.cart.place(formatMoney(totalOf(basket)))}
        </button>
      ) : (
        <a className="button" href={loginLink}>
          {t.cart.logIn}
        </a>
      )}
      <p className="quiet small-print">{t.cart.priceNote}</p>
    </>
  );
}

function CartLine({ line: { book, count }, disabled }: { line: Basket['lines'][number]; disabled: boolean }) {
  const t = useTranslations().cart;
  return (
    <li className="cart-line">
      <Cover book={book} />
      <div className="what">
        <a href={linkTo('book', book.storeId, book.bookId)}>{book.title}</a>
        <span className="quiet">{formatMoney(book.price)}</span>
      </div>
      <input
        type="number"
        aria-label={t.count(book.title)}
        min={1}
        max={COUNT_MAX}
        value={count}
        disabled={disabled}
        onChange={({ target }) =>
          setCount(book.storeId, book.bookId, Math.max(1, Math.floor(target.valueAsNumber || 1)))
        }
      />
      <button
        type="button"
        className="quiet-button remove-line"
        aria-label={t.remove(book.title)}
        disabled={disabled}
        onClick={() => setCount(book.storeId, book.bookId, 0)}
      >
        ×
      </button>
    </li>
  );
}

function isAddressProblem(error: unknown): boolean {
  if (!(error instanceof HubError) || error.code !== 'BAD_MESSAGE') return false;
  return (error.details as { path: string }[]).some(({ path }) => path.startsWith('deliverTo'));
}

interface Details {
  expected?: number;
  actual?: number;
  bookId?: string;
  available?: number;
}

/** Why the order was rejected, with what the user needs to decide: the new total, or the copies left. */
function problemText(error: unknown, basket: Basket, { address, cart: t }: Translations): string {
  if (isAddressProblem(error)) return address.problem;
  if (!(error instanceof HubError)) return errorText(error);
  const { expected = 0, actual = 0, bookId, available = 0 } = (error.details ?? {}) as Details;
  if (error.code === 'PRICE_CHANGED') return t.priceChanged(formatMoney(expected), formatMoney(actual));
  if (error.code !== 'OUT_OF_STOCK') return errorText(error);
  const line = basket.lines.find(({ book }) => book.bookId === bookId);
  return t.outOfStock(line?.book.title ?? '', available);
}
