import { dayAndTime } from '../clock.js';
import { money } from '../money.js';
import { type KnownOrder, ordersOf, shortId } from '../orders.js';
import { Unread } from '../parts/notice.js';
import { useReading } from '../parts/reading.js';
import { Stamp } from '../parts/stamp.js';
import { StoreLink } from '../parts/store.link.js';
import { to } from '../route.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { useWords } from '../words/words.js';
import { OrderActions } from './actions.js';

/** One order, followed live: what is in it, where it is, and how it came there. */
export function OrderPage({ orderId }: { orderId: string }) {
  const words = useWords();
  const { error, again } = useReading(orderId, () => ordersOf.buyer.look(orderId));
  const order = useStore(ordersOf.buyer.known).get(orderId);
  if (!order) {
    if (error === undefined) return <p className="quiet">{words.loading}</p>;
    return (
      <>
        <BackToOrders />
        <Unread error={error} again={again} />
      </>
    );
  }
  return (
    <article className="order-page">
      <BackToOrders />
      <header>
        <h1>{words.orders.order(shortId(orderId))}</h1>
        <Stamp status={order.status} />
      </header>
      <OrderActions order={order} />
      <div className="two">
        <section className="card">
          <ul className="items">
            {order.items.map(({ bookId, title, count, price }) => (
              <li key={bookId}>
                <a href={to('book', order.storeId, bookId)}>{title}</a>
                <span className="quiet">{`${count} × ${money(price)}`}</span>
                <span>{money(count * price)}</span>
              </li>
            ))}
          </ul>
          <p className="total">
            {words.orders.total} <strong>{money(order.total)}</strong>
          </p>
          <p className="quiet">
            {words.orders.store} <StoreLink storeId={order.storeId} />
          </p>
        </section>
        <Timeline order={order} />
      </div>
    </article>
  );
}

function BackToOrders() {
  return (
    <p className="back">
      <a href={to('orders')}>← {useWords().orders.title}</a>
    </p>
  );
}

function Timeline({ order }: { order: KnownOrder }) {
  const words = useWords();
  const me = useStore(session)?.userId;
  const who = (by: string) => (by === 'hub' ? words.orders.hub : by);
  return (
    <section className="card" aria-label={words.orders.timeline}>
      <h2>{words.orders.timeline}</h2>
      <ol className="timeline" aria-live="polite">
        {(order.timeline ?? []).map(({ version, status, by, at }) => (
          <li key={version} data-status={status}>
            <strong>{words.statuses[status]}</strong>
            <span className="quiet">
              {dayAndTime(at)}
              {by !== me && ` · ${words.orders.by(who(by))}`}
            </span>
            {status === 'shipped' && (order.carrier || order.trackingNo) && (
              <span>
                {words.orders.parcel} {order.carrier} <span className="tracking">{order.trackingNo}</span>
              </span>
            )}
            {status === 'cancelled' && order.cancelReason && <span>{words.orders.reason(order.cancelReason)}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}
