import type { TimelineEntry } from '../../src/contract/orders.js';
import { HUB } from '../../src/contract/transitions.js';
import { formatDateTime } from '../clock.js';
import { DeliverToBlock } from '../components/deliver.to.js';
import { LoadError } from '../components/error.message.js';
import { OrderNotes } from '../components/order.notes.js';
import { StatusBadge } from '../components/status.badge.js';
import { StoreLink } from '../components/store.link.js';
import { useRequest } from '../hooks/use.request.js';
import { useTranslations } from '../i18n/language.js';
import type { LoadedOrder } from '../loaded.order.js';
import { formatMoney } from '../money.js';
import { ordersOf, shortId } from '../orders.js';
import { linkTo } from '../route.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { OrderActions } from './order.actions.js';

/** One order with its items and timeline, kept up to date by events. */
export function OrderPage({ orderId }: { orderId: string }) {
  const t = useTranslations();
  const { error, reload } = useRequest(orderId, () => ordersOf.buyer.load(orderId));
  const order = useStore(ordersOf.buyer.byId).get(orderId);
  if (!order) {
    if (error === undefined) return <p className="quiet">{t.loading}</p>;
    return (
      <>
        <BackToOrders />
        <LoadError error={error} retry={reload} />
      </>
    );
  }
  return (
    <article className="order-page">
      <BackToOrders />
      <header>
        <h1>{t.orders.order(shortId(orderId))}</h1>
        <StatusBadge status={order.status} />
      </header>
      <OrderActions order={order} />
      <div className="two">
        <section className="card">
          <ul className="items">
            {order.items.map(({ bookId, title, count, price }) => (
              <li key={bookId}>
                <a href={linkTo('book', order.storeId, bookId)}>{title}</a>
                <span className="quiet">{`${count} × ${formatMoney(price)}`}</span>
                <span>{formatMoney(count * price)}</span>
              </li>
            ))}
          </ul>
          <p className="total">
            {t.orders.total} <strong>{formatMoney(order.total)}</strong>
          </p>
          <p className="quiet">
            {t.orders.store} <StoreLink storeId={order.storeId} />
          </p>
          <DeliverToBlock deliverTo={order.deliverTo} />
        </section>
        <Timeline order={order} />
      </div>
      <section className="card" aria-label={t.notes.title(undefined)}>
        <h2>{t.notes.title(undefined)}</h2>
        <OrderNotes order={order} party="buyer" />
      </section>
    </article>
  );
}

function BackToOrders() {
  return (
    <p className="back">
      <a href={linkTo('orders')}>← {useTranslations().orders.title}</a>
    </p>
  );
}

/** The parcel that an entry of the timeline has shipped, as far as the page knows it. */
function parcelOf(order: LoadedOrder, timeline: TimelineEntry[], index: number) {
  if (timeline[index]?.command !== 'ship') return undefined;
  const earlier = timeline.slice(0, index).filter(({ command }) => command === 'ship').length;
  return order.parcels[earlier] ?? order;
}

function Timeline({ order }: { order: LoadedOrder }) {
  const t = useTranslations();
  const userId = useStore(session)?.userId;
  const actorName = (by: string) => (by === HUB ? t.orders.system : by);
  const timeline = order.timeline ?? [];
  const labelOf = ({ command, status }: TimelineEntry, index: number) => {
    const isMove = command === 'place' || command === 'pay' || timeline[index - 1]?.status !== status;
    return isMove ? t.statuses[status] : t.amendments[command];
  };
  return (
    <section className="card" aria-label={t.orders.timeline}>
      <h2>{t.orders.timeline}</h2>
      <ol className="timeline" aria-live="polite">
        {timeline.map((entry, index) => {
          const { version, status, by, at } = entry;
          const parcel = parcelOf(order, timeline, index);
          const isCancelled = status === 'cancelled' && timeline[index - 1]?.status !== status;
          return (
            <li key={version} data-status={status}>
              <strong>{labelOf(entry, index)}</strong>
              <span className="quiet">
                {formatDateTime(at)}
                {by !== userId && ` · ${t.orders.by(actorName(by))}`}
              </span>
              {parcel && (parcel.carrier || parcel.trackingNo) && (
                <span>
                  {t.orders.parcel} {parcel.carrier} <span className="tracking">{parcel.trackingNo}</span>
                </span>
              )}
              {isCancelled && order.cancelReason && <span>{t.orders.reason(order.cancelReason)}</span>}
            </li>
          );
        })}
      </ol>
    </section>
  );
}
