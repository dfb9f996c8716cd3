import { type ComponentType, useEffect, useState } from 'react';
import type { OrderCommand } from '../../src/contract/transitions.js';
import { useOrder } from '../../src/react/use.order.js';
import { sendSeen, stopRinging } from '../bell.js';
import { formatDateTime } from '../clock.js';
import { ErrorMessage, LoadError } from '../components/error.message.js';
import { OrderNotes } from '../components/order.notes.js';
import { StatusBadge } from '../components/status.badge.js';
import { useTranslations } from '../i18n/language.js';
import { useOrderPageTexts } from '../i18n/order.page.js';
import type { LoadedOrder } from '../loaded.order.js';
import { OrderId } from '../order/order.id.js';
import { OrderLines } from '../order/order.lines.js';
import { Parcels } from '../order/parcels.js';
import { OrderAddress } from '../order/readdress.form.js';
import { Timeline } from '../order/timeline.js';
import { useCommandState } from '../order.commands.js';
import { orderName } from '../orders.js';
import { linkTo } from '../route.js';
import { AcceptForm, EditTracking } from './accept.form.js';
import { CancelForm } from './cancel.form.js';
import { ClaimBar } from './claim.js';
import { RefundForm } from './refund.form.js';
import { type OrderFormProps, ShipParcelForm } from './ship.parcel.form.js';

/** The form of each command, shown while the order's `allowed` names it. `track` stands with its parcel. */
const forms = {
  accept: AcceptForm,
  ship: ShipParcelForm,
  refund: RefundForm,
  cancel: CancelForm,
} as const satisfies Partial<Record<OrderCommand, ComponentType<OrderFormProps>>>;
type FormName = keyof typeof forms;

/** An order as its seller works on it, kept up to date by events. */
export function SellerOrderPage({ orderId }: { orderId: string }) {
  const t = useTranslations();
  const { order, error, reload } = useOrder('seller', orderId);
  useSeen(order);
  if (!order) {
    if (error === undefined) return <p className="quiet">{t.loading}</p>;
    return (
      <>
        <BackToDesk />
        <LoadError error={error} retry={reload} />
      </>
    );
  }
  return (
    <article className="order-page">
      <BackToDesk />
      <header>
        <h1>{t.orders.order(orderName(order))}</h1>
        <StatusBadge status={order.status} />
      </header>
      <p className="quiet">
        {t.orders.buyer} {order.buyerId} · {formatDateTime(order.placedAt)}
      </p>
      <Deadlines order={order} />
      <ClaimBar order={order} />
      <SellerActions order={order} />
      <div className="two">
        <div className="stack">
          <OrderLines order={order} party="seller" />
          <Parcels
            order={order}
            actions={(parcel) =>
              parcel.receivedAt === null &&
              order.allowed.includes('track') && <EditTracking order={order} parcel={parcel} />
            }
          />
          <section className="card no-print" aria-label={t.notes.title(undefined)}>
            <h2>{t.notes.title(order.notes?.length)}</h2>
            <OrderNotes order={order} party="seller" />
          </section>
        </div>
        <div className="stack">
          <OrderAddress order={order} party="seller" />
          <Timeline order={order} party="seller" />
        </div>
      </div>
      <OrderId orderId={orderId} />
    </article>
  );
}

/** Looking at a paid order is having seen it: of the whole shop, the first to do so counts. */
function useSeen(order: LoadedOrder | undefined): void {
  const orderId = order?.orderId;
  const isUnseen = order?.status === 'paid' && order.seenAt === null;
  useEffect(() => {
    if (orderId === undefined) return;
    stopRinging([orderId]);
    if (isUnseen) sendSeen([orderId]);
  }, [orderId, isUnseen]);
}

function BackToDesk() {
  return (
    <p className="back">
      <a href={linkTo('panel')}>← {useOrderPageTexts().backToOrders}</a>
    </p>
  );
}

function Deadlines({ order: { status, acceptBy, acceptedAt, shipBy, readyAt } }: { order: LoadedOrder }) {
  const t = useOrderPageTexts();
  if (status !== 'paid') return null;
  return (
    <>
      {acceptBy !== null && acceptedAt === null && <p className="time-left">{t.acceptBy(formatDateTime(acceptBy))}</p>}
      {shipBy !== null && <p className="time-left">{t.shipBy(formatDateTime(shipBy))}</p>}
      {readyAt !== null && <p>{t.readyAt(formatDateTime(readyAt))}</p>}
    </>
  );
}

/** A button for each command that is allowed now, which opens its form. */
function SellerActions({ order }: { order: LoadedOrder }) {
  const t = useTranslations();
  const page = useOrderPageTexts();
  const { command, error } = useCommandState(order.orderId);
  const [open, setOpen] = useState<FormName>();
  const names = (Object.keys(forms) as FormName[]).filter((name) => order.allowed.includes(name));
  const titleOf = (name: FormName) => {
    if (name === 'accept' && order.acceptedAt !== null) return page.titles.ready;
    return name === 'cancel' && order.status !== 'paid' ? page.titles.cancelAll : page.titles[name];
  };
  const Form = open && names.includes(open) ? forms[open] : undefined;
  if (command) {
    return (
      <p className="actions pending" role="status">
        {t.orders.inProgress[command]} <span className="quiet">({t.pendingHint})</span>
      </p>
    );
  }
  return (
    <div className="no-print">
      {error !== undefined && <ErrorMessage error={error} />}
      {names.length > 0 && (
        <p className="actions">
          {names.map((name) => (
            <button
              key={name}
              type="button"
              className={name === (open ?? 'ship') ? '' : 'secondary'}
              aria-expanded={name === open}
              onClick={() => setOpen(name === open ? undefined : name)}
            >
              {titleOf(name)}
            </button>
          ))}
        </p>
      )}
      {Form && open && (
        <section className="card" aria-label={titleOf(open)}>
          <Form key={`${open} ${linesKey(order)}`} order={order} onSent={() => setOpen(undefined)} />
        </section>
      )}
    </div>
  );
}

/** A form begins again when there is something else to ship, cancel or refund, and not because somebody looked at the order. */
function linesKey({ items, parcels, refunded, acceptedAt }: LoadedOrder): string {
  return JSON.stringify([items, parcels.length, refunded, acceptedAt]);
}
