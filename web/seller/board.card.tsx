import { memo } from 'react';
import { markSeen } from '../bell.js';
import { formatTime } from '../clock.js';
import { CancelButton } from '../components/cancel.button.js';
import { DeliverToBlock } from '../components/deliver.to.js';
import { ErrorMessage } from '../components/error.message.js';
import { OrderNotes } from '../components/order.notes.js';
import { StatusBadge } from '../components/status.badge.js';
import { hub } from '../hub.js';
import { useTranslations } from '../i18n/language.js';
import type { LoadedOrder } from '../loaded.order.js';
import { formatMoney } from '../money.js';
import { runCommand, useCommandState } from '../order.commands.js';
import { orderName, ordersOf } from '../orders.js';
import { linkTo } from '../route.js';

interface BoardCardProps {
  order: LoadedOrder;
  selected: boolean;
  isNew: boolean;
  select: (orderIds: string[], isSelected: boolean) => void;
}

/** An order on the board. Selecting it marks it as seen. Memoized: a change of one order must not render thousands. */
export const BoardCard = memo(function BoardCard({ order, selected, isNew, select }: BoardCardProps) {
  const t = useTranslations();
  const { orderId, status, allowed } = order;
  const { command, error } = useCommandState(orderId);
  const id = orderName(order);
  const name = (
    <strong>
      <a href={linkTo('panel', 'orders', orderId)}>{id}</a>
    </strong>
  );
  return (
    <li className="slot">
      <article className={isNew ? 'card board-card new' : 'card board-card'}>
        <header>
          {status === 'paid' ? (
            <label className="check">
              <input
                type="checkbox"
                aria-label={t.panel.select(id)}
                checked={selected}
                onChange={({ target }) => {
                  markSeen([orderId]);
                  select([orderId], target.checked);
                }}
              />
              {name}
            </label>
          ) : (
            name
          )}
          <strong className="amount">{formatMoney(order.total)}</strong>
        </header>
        <ul className="packing">
          {order.items.map(({ bookId, title, count }) => (
            <li key={bookId}>{`${count} × ${title}`}</li>
          ))}
        </ul>
        <p className="quiet">
          {t.orders.buyer} {order.buyerId} · {formatTime(order.placedAt)}
        </p>
        {status === 'paid' && order.shipBy !== null && (
          <p className="quiet">{t.panel.shipBy(formatTime(order.shipBy))}</p>
        )}
        <DeliverToBlock deliverTo={order.deliverTo} />
        {(order.carrier || order.trackingNo) && (
          <p className="quiet">
            {order.carrier} <span className="tracking">{order.trackingNo}</span>
          </p>
        )}
        {(status === 'received' || status === 'cancelled') && <StatusBadge status={status} />}
        {command && (
          <p className="pending" role="status">
            {t.orders.inProgress[command]} ({t.pendingHint})
          </p>
        )}
        {error !== undefined && <ErrorMessage error={error} />}
        {!command && allowed.includes('cancel') && (
          <p className="actions">
            <CancelButton onConfirm={() => runCommand('seller', orderId, 'cancel', () => hub().cancel({ orderId }))} />
          </p>
        )}
        <CardNotes order={order} />
      </article>
    </li>
  );
});

/** A list tells no notes: they are read once somebody looks, unless they came with the order. */
function CardNotes({ order }: { order: LoadedOrder }) {
  const t = useTranslations().notes;
  const { orderId, notes } = order;
  const latest = notes?.findLast(({ text }) => text !== null)?.text;
  return (
    <>
      {latest && <p className="note-text latest">{latest}</p>}
      <details
        className="card-notes"
        onToggle={({ currentTarget }) => {
          if (currentTarget.open && !notes) ordersOf.seller.load(orderId).catch(() => undefined);
        }}
      >
        <summary>{t.title(notes?.length)}</summary>
        {notes && <OrderNotes order={order} party="seller" />}
      </details>
    </>
  );
}
