import { useOrder } from '../../src/react/use.order.js';
import { deliveryAddress, isEditingAddress } from '../address.book.js';
import { toDeliverTo } from '../address.js';
import { type Basket, cart, totalOf } from '../cart.js';
import { checkOut, isCheckingOut, placedOrders, placeErrors } from '../checkout.js';
import { LoadError } from '../components/error.message.js';
import { useCheckoutTexts } from '../i18n/checkout.js';
import { useTranslations } from '../i18n/language.js';
import { formatMoney } from '../money.js';
import { ordersOf } from '../orders.js';
import { useLoginLink } from '../route.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { useStoreName } from '../store.names.js';
import { OrderCard } from './order.card.js';
import '../style/checkout.css';

/** Orders the baskets of several stores at once: one order a store, paid from the wallet. */
export function Checkout({ baskets }: { baskets: Basket[] }) {
  const t = useTranslations();
  const texts = useCheckoutTexts();
  const user = useStore(session);
  const loginLink = useLoginLink();
  const isBusy = useStore(isCheckingOut);
  const isEditing = useStore(isEditingAddress);
  const total = formatMoney(baskets.reduce((sum, basket) => sum + totalOf(basket), 0));
  return (
    <section className="card checkout" aria-label={texts.title(baskets.length)} aria-busy={isBusy}>
      <h2>{texts.title(baskets.length)}</h2>
      <ul>
        {baskets.map((basket) => (
          <Subtotal key={basket.storeId} basket={basket} />
        ))}
      </ul>
      <p className="total">
        {t.cart.total} <strong>{total}</strong>
      </p>
      <Failed />
      {user ? (
        <button
          type="button"
          disabled={isBusy || isEditing}
          onClick={() => checkOut(baskets, toDeliverTo(deliveryAddress()))}
        >
          {isBusy ? `${texts.placing} (${t.pendingHint})` : texts.button(baskets.length, total)}
        </button>
      ) : (
        <a className="button" href={loginLink}>
          {t.cart.logIn}
        </a>
      )}
      <p className="quiet small-print">{texts.note}</p>
    </section>
  );
}

function Subtotal({ basket }: { basket: Basket }) {
  const name = useStoreName(basket.storeId);
  return (
    <li className="subtotal">
      <span>{name}</span> <span>{formatMoney(totalOf(basket))}</span>
    </li>
  );
}

function Failed() {
  const texts = useCheckoutTexts();
  const errors = useStore(placeErrors);
  const failed = useStore(cart).filter(({ storeId }) => errors.has(storeId)).length;
  return (
    <p className="problem" role="alert">
      {failed > 0 && texts.failed(failed)}
    </p>
  );
}

/** What became of the last checkout of several stores. */
export function PlacedOrders() {
  const t = useTranslations();
  const texts = useCheckoutTexts();
  const orderIds = useStore(placedOrders);
  const isBusy = useStore(isCheckingOut);
  const byId = useStore(ordersOf.buyer.byId);
  if (orderIds.length === 0) return null;
  const statuses = orderIds.map((orderId) => byId.get(orderId)?.status);
  const unpaid = statuses.filter((status) => status === 'placed').length;
  const cancelled = statuses.filter((status) => status === 'cancelled').length;
  const paid = orderIds.length - unpaid - cancelled;
  return (
    <section className="placed-orders" aria-labelledby="placed-orders">
      <h2 id="placed-orders" tabIndex={-1} ref={focusAfterCheckout}>
        {texts.newOrders}
      </h2>
      <div role="status">
        {isBusy && <p>{texts.paying}</p>}
        {!isBusy && paid > 0 && <p>{texts.paid(paid)}</p>}
        {!isBusy && unpaid > 0 && <p>{texts.unpaid(unpaid)}</p>}
      </div>
      <Failed />
      <ul className="orders">
        {orderIds.map((orderId) => (
          <PlacedOrder key={orderId} orderId={orderId} />
        ))}
      </ul>
      {!isBusy && (
        <button type="button" className="quiet-button" onClick={() => placedOrders.set([])}>
          {t.dismiss}
        </button>
      )}
    </section>
  );
}

/** The button that was pressed is far below, or gone. */
function focusAfterCheckout(heading: HTMLElement | null): void {
  if (isCheckingOut.get()) heading?.focus();
}

function PlacedOrder({ orderId }: { orderId: string }) {
  const { order, error, reload } = useOrder('buyer', orderId);
  if (order) return <OrderCard order={order} />;
  return error === undefined ? null : <LoadError error={error} retry={reload} />;
}
