import { orderStatuses } from '../../src/contract/transitions.js';
import { useOrders } from '../../src/react/use.orders.js';
import { EmptyState } from '../components/empty.state.js';
import { LoadMore } from '../components/load.more.js';
import { useGradualCount } from '../hooks/use.gradual.count.js';
import { useTranslations } from '../i18n/language.js';
import { longestWaitFirst } from '../orders.js';
import { linkTo, setQuery } from '../route.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { OrderCard } from './order.card.js';

/** A buyer's orders, newest first, kept up to date by events. */
export function OrdersPage({ query }: { query: URLSearchParams }) {
  const t = useTranslations();
  const userId = useStore(session)?.userId;
  const status = orderStatuses.find((name) => name === query.get('status'));
  // Unpaid orders wait for the buyer, and expire: all of them, longest wait first.
  const isWaiting = status === 'placed';
  const list = useOrders('buyer', { status, all: isWaiting });
  // Somebody's link to what they have sold loads it here too.
  const bought = list.orders.filter(({ buyerId }) => buyerId === userId);
  const orders = isWaiting ? longestWaitFirst(bought) : bought;
  const rendered = useGradualCount(orders.length);
  return (
    <>
      <div className="page-head">
        <h1>{t.orders.title}</h1>
        <nav className="filters" aria-label={t.orders.filter}>
          {([undefined, ...orderStatuses] as const).map((name) => (
            <button
              key={name ?? 'all'}
              type="button"
              aria-pressed={name === status}
              onClick={() => setQuery({ status: name ?? '' })}
            >
              {name ? t.statuses[name] : t.orders.all}
            </button>
          ))}
        </nav>
      </div>
      {orders.length === 0 && !list.isLoading && list.error === undefined && (
        <EmptyState icon="orders">
          <p>{t.orders.none}</p>
          {!status && (
            <a className="button" href={linkTo()}>
              {t.cart.browse}
            </a>
          )}
        </EmptyState>
      )}
      <ul className="orders">
        {orders.slice(0, rendered).map((order) => (
          <OrderCard key={order.orderId} order={order} />
        ))}
      </ul>
      <LoadMore pages={list} />
    </>
  );
}
