import { type AmendCommand, amendCommands, type ChangeCommand, HUB } from '../../src/contract/transitions.js';
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

function isAmendment(command: ChangeCommand): command is AmendCommand {
  return amendCommands.some((name) => name === command);
}

function Timeline({ order }: { order: LoadedOrder }) {
  const t = useTranslations();
  const userId = useStore(session)?.userId;
  const actorName = (by: string) => (by === HUB ? t.orders.system : by);
  return (
    <section className="card" aria-label={t.orders.timeline}>
      <h2>{t.orders.timeline}</h2>
      <ol className="timeline" aria-live="polite">
        {(order.timeline ?? []).map(({ version, status, command, by, at }) => (
          <li key={version} data-status={status}>
            <strong>{isAmendment(command) ? t.amendments[command] : t.statuses[status]}</strong>
            <span className="quiet">
              {formatDateTime(at)}
              {by !== userId && ` · ${t.orders.by(actorName(by))}`}
            </span>
            {command === 'ship' && (order.carrier || order.trackingNo) && (
              <span>
                {t.orders.parcel} {order.carrier} <span className="tracking">{order.trackingNo}</span>
              </span>
            )}
            {status === 'cancelled' && !isAmendment(command) && order.cancelReason && (
              <span>{t.orders.reason(order.cancelReason)}</span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
