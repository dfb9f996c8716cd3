import { useEffect } from 'react';
import { useOrder } from '../../src/react/use.order.js';
import { formatDateTime } from '../clock.js';
import { LoadError } from '../components/error.message.js';
import { OrderNotes } from '../components/order.notes.js';
import { StatusBadge } from '../components/status.badge.js';
import { StoreLink } from '../components/store.link.js';
import { hub } from '../hub.js';
import { useTranslations } from '../i18n/language.js';
import { useOrderPageTexts } from '../i18n/order.page.js';
import type { LoadedOrder } from '../loaded.order.js';
import { OrderId } from '../order/order.id.js';
import { OrderLines } from '../order/order.lines.js';
import { type Parcel, Parcels } from '../order/parcels.js';
import { OrderAddress } from '../order/readdress.form.js';
import { Timeline } from '../order/timeline.js';
import { runCommand, useCommandState } from '../order.commands.js';
import { orderName } from '../orders.js';
import { linkTo } from '../route.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { BuyAgain } from './buy.again.js';
import { OrderActions } from './order.actions.js';

/** One order as its buyer sees it, kept up to date by events. */
export function OrderPage({ orderId }: { orderId: string }) {
  const t = useTranslations();
  const page = useOrderPageTexts();
  const userId = useStore(session)?.userId;
  const { order, error, reload } = useOrder('buyer', orderId);
  const isSale = order !== undefined && order.buyerId !== userId;
  // Somebody's link to what they have sold.
  useEffect(() => {
    if (isSale) location.replace(linkTo('panel', 'orders', orderId));
  }, [isSale, orderId]);
  if (!order || isSale) {
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
        <h1>{t.orders.order(orderName(order))}</h1>
        <StatusBadge status={order.status} />
      </header>
      <p className="quiet">
        {t.orders.store} <StoreLink storeId={order.storeId} /> · {page.placed} {formatDateTime(order.placedAt)}
        {order.paidAt !== null && ` · ${page.paid} ${formatDateTime(order.paidAt)}`}
      </p>
      {order.status === 'paid' && order.readyAt !== null && <p>{page.readyAt(formatDateTime(order.readyAt))}</p>}
      <OrderActions order={order} />
      <div className="two">
        <div className="stack">
          <Parcels order={order} actions={(parcel) => <ReceiveParcel order={order} parcel={parcel} />} />
          <OrderLines order={order} party="buyer" />
        </div>
        <div className="stack">
          <OrderAddress order={order} party="buyer" />
          <Timeline order={order} party="buyer" />
        </div>
      </div>
      <section className="card no-print" aria-label={t.notes.title(undefined)}>
        <h2>{t.notes.title(undefined)}</h2>
        <OrderNotes order={order} party="buyer" />
      </section>
      {order.status !== 'placed' && <BuyAgain order={order} />}
      <OrderId orderId={orderId} />
      {order.paidAt !== null && (
        <button type="button" className="secondary no-print" onClick={() => print()}>
          {page.print}
        </button>
      )}
    </article>
  );
}

/** One of several parcels on their way; a single one is received with the order. */
function ReceiveParcel({ order, parcel: { parcel, receivedAt } }: { order: LoadedOrder; parcel: Parcel }) {
  const t = useTranslations();
  const page = useOrderPageTexts();
  const { orderId, allowed, parcels, status } = order;
  const { command } = useCommandState(orderId);
  const isOnlyOne = status === 'shipped' && parcels.filter((other) => other.receivedAt === null).length === 1;
  if (receivedAt !== null || !allowed.includes('receive') || isOnlyOne) return null;
  return (
    <button
      type="button"
      className="secondary small no-print"
      aria-label={page.receiveParcel(parcel)}
      disabled={command !== undefined}
      onClick={() => runCommand('buyer', orderId, 'receive', () => hub().receive({ orderId, parcel }))}
    >
      {t.commands.receive}
    </button>
  );
}

function BackToOrders() {
  return (
    <p className="back">
      <a href={linkTo('orders')}>← {useTranslations().orders.title}</a>
    </p>
  );
}
