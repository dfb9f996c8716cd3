import { useEffect, useState } from 'react';
import { type OrderStatus, orderStatuses } from '../../src/contract/lifecycle.js';
import { dayAndTime } from '../clock.js';
import { hear } from '../hub.js';
import { money } from '../money.js';
import { type KnownOrder, ordersOf, shortId, useOrders } from '../orders.js';
import { More } from '../parts/more.js';
import { Stamp } from '../parts/stamp.js';
import { setQuery, to } from '../route.js';
import { useWords } from '../words/words.js';
import { OrderActions } from './actions.js';

/** A buyer's orders, newest first; those that change while one looks, change here. */
export function OrdersPage({ query }: { query: URLSearchParams }) {
  const words = useWords();
  const status = orderStatuses.find((name) => name === query.get('status'));
  const list = useList(status);
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
        <p className="quiet">{words.orders.none}</p>
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
  const titles = order.items.map(({ title, count }) => (count > 1 ? `${title} ×${count}` : title)).join(', ');
  return (
    <article className="card order">
      <header>
        <a href={to('orders', order.orderId)}>{words.orders.order(shortId(order.orderId))}</a>
        <Stamp status={order.status} />
      </header>
      <p className="titles">{titles}</p>
      <p className="quiet">
        {dayAndTime(order.placedAt)} · {order.storeId} · <strong>{money(order.total)}</strong>
      </p>
      <OrderActions order={order} />
    </article>
  );
}

/**
 * Reads the pages of a list into the known orders. Shown is what is known down to the last order read: older ones may be
 * known too, from elsewhere, but those between are not.
 */
function useList(status: OrderStatus | undefined) {
  const [next, setNext] = useState<string | null>(null);
  const [isReading, setReading] = useState(true);
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  const [after, setAfter] = useState<string | null>(null);

  useEffect(() => hear('fresh', () => setRound((before) => before + 1)), []);
  // A filter, or a fresh start, begins at the newest order.
  const about = `${status} ${round}`;
  const [shownAbout, setShownAbout] = useState(about);
  if (about !== shownAbout) {
    setShownAbout(about);
    setAfter(null);
    setNext(null);
  }
  useEffect(() => {
    let wanted = about !== '';
    setReading(true);
    setError(undefined);
    ordersOf.buyer
      .read(status, after)
      .then(
        (following) => wanted && setNext(following),
        (thrown: unknown) => wanted && setError(thrown),
      )
      .finally(() => wanted && setReading(false));
    return () => {
      wanted = false;
    };
  }, [about, status, after]);

  return {
    downTo: next ?? '',
    hasMore: next !== null,
    isReading,
    error,
    more: () => setAfter(next),
    again: () => setRound(round + 1),
  };
}
