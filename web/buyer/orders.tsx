import { orderStatuses } from '../../src/contract/lifecycle.js';
import { dayAndTime } from '../clock.js';
import { money } from '../money.js';
import { useLists } from '../order.lists.js';
import { type KnownOrder, shortId, useOrders } from '../orders.js';
import { Empty } from '../parts/empty.js';
import { More } from '../parts/more.js';
import { Stamp } from '../parts/stamp.js';
import { setQuery, to } from '../route.js';
import { useStoreName } from '../store.names.js';
import { useWords } from '../words/words.js';
import { OrderActions } from './actions.js';

/** A buyer's orders, newest first; those that change while one looks, change here. */
export function OrdersPage({ query }: { query: URLSearchParams }) {
  const words = useWords();
  const status = orderStatuses.find((name) => name === query.get('status'));
  const list = useLists('buyer', [status ?? 'all']);
  // Older ones may be known too, from elsewhere, but those between are not.
  const orders = useOrders('buyer').filter(
    (order) => (!status || order.status === status) && order.orderId >= list.downTo,
  );
  return (
    <>
      <div className="page-head">
        <h1>{words.orders.title}</h1>
        <nav className="filters" aria-label={words.orders.filter}>
          {([undefined, ...orderStatuses] as const).map((name) => (
            <button
              key={name ?? 'all'}
              type="button"
              aria-pressed={name === status}
              onClick={() => setQuery({ status: name ?? '' })}
            >
              {name ? words.statuses[name] : words.orders.all}
            </button>
          ))}
        </nav>
      </div>
      {orders.length === 0 && !list.isReading && list.error === undefined && (
        <Empty icon="orders">
          <p>{words.orders.none}</p>
          {!status && (
            <a className="button" href={to()}>
              {words.cart.look}
            </a>
          )}
        </Empty>
      )}
      <ul className="orders">
        {orders.map((order) => (
          <li key={order.orderId}>
            <OrderCard order={order} />
          </li>
        ))}
      </ul>
      <More pages={list} />
    </>
  );
}

function OrderCard({ order }: { order: KnownOrder }) {
  const words = useWords();
  const store = useStoreName(order.storeId);
  const titles = order.items.map(({ title, count }) => (count > 1 ? `${title} ×${count}` : title)).join(', ');
  return (
    <article className="card order">
      <header>
        <a href={to('orders', order.orderId)}>{words.orders.order(shortId(order.orderId))}</a>
        <Stamp status={order.status} />
      </header>
      <p className="titles">{titles}</p>
      <p className="meta">
        <span className="quiet">
          {dayAndTime(order.placedAt)} · {store}
        </span>
        <strong className="amount">{money(order.total)}</strong>
      </p>
      <OrderActions order={order} />
    </article>
  );
}
