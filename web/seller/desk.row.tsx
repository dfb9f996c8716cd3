import { memo } from 'react';
import { formatTime } from '../clock.js';
import { ErrorMessage } from '../components/error.message.js';
import { StatusBadge } from '../components/status.badge.js';
import { useDeskTexts } from '../i18n/desk.js';
import { useTranslations } from '../i18n/language.js';
import type { LoadedOrder } from '../loaded.order.js';
import { formatMoney } from '../money.js';
import { useCommandState } from '../order.commands.js';
import { orderName } from '../orders.js';
import { linkTo } from '../route.js';
import { ClaimMark } from './claim.js';

interface DeskRowProps {
  order: LoadedOrder;
  isCurrent: boolean;
  isSelected: boolean;
  isNew: boolean;
  onCurrent: (orderId: string) => void;
  onSelect: (orderIds: string[], isSelected: boolean) => void;
  onShip: (orderId: string) => void;
}

/** The id of the link that has the focus while its row is the current one. */
export const linkIdOf = (orderId: string) => `order-${orderId}`;

/** Memoized: a change of one order must not render the others. */
export const DeskRow = memo(function DeskRow(props: DeskRowProps) {
  const { order, isCurrent, isSelected, isNew, onCurrent, onSelect, onShip } = props;
  const t = useDeskTexts();
  const { inProgress } = useTranslations().orders;
  const { command, error } = useCommandState(order.orderId);
  const { orderId, status, allowed } = order;
  const name = orderName(order);
  const onFocus = () => onCurrent(orderId);
  const titles = order.items.map(({ title, count }) => `${count} × ${title}`).join(', ');
  return (
    <div className={isNew ? 'desk-row new' : 'desk-row'} data-current={isCurrent || undefined}>
      {status === 'paid' ? (
        <input
          type="checkbox"
          aria-label={t.select(name)}
          checked={isSelected}
          onFocus={onFocus}
          onChange={({ target }) => onSelect([orderId], target.checked)}
        />
      ) : (
        <span />
      )}
      <span className="name">
        <a id={linkIdOf(orderId)} onFocus={onFocus} href={linkTo('panel', 'orders', orderId)}>
          {name}
        </a>{' '}
        {isNew && <span className="new-mark">{t.isNew}</span>}
        {order.claim !== null && status === 'paid' && <ClaimMark order={order} />}
      </span>
      <span className="who">
        {order.deliverTo?.name ?? order.buyerId}
        {order.deliverTo?.city && <span className="quiet"> · {order.deliverTo.city}</span>}
      </span>
      <span className="titles" title={titles}>
        {titles}
      </span>
      <span className="when quiet">
        <Waiting order={order} />
      </span>
      <strong className="amount">{formatMoney(order.total)}</strong>
      <span className="state">
        {command ? (
          <span className="pending" role="status">
            {inProgress[command]}
          </span>
        ) : allowed.includes('ship') ? (
          <button
            type="button"
            className="secondary small"
            aria-label={t.shipOne(name)}
            onFocus={onFocus}
            onClick={() => onShip(orderId)}
          >
            {t.ship}
          </button>
        ) : (
          <StatusBadge status={status} />
        )}
      </span>
      {error !== undefined && <ErrorMessage error={error} />}
    </div>
  );
});

/** Since when it waits, or by when something is due. */
function Waiting({ order: { status, paidAt, placedAt, shipBy, acceptBy, acceptedAt } }: { order: LoadedOrder }) {
  const t = useDeskTexts();
  if (status !== 'paid' || paidAt === null) return formatTime(placedAt);
  if (acceptBy !== null && acceptedAt === null) return <strong>{t.acceptBy(formatTime(acceptBy))}</strong>;
  return shipBy === null ? t.since(formatTime(paidAt)) : t.shipBy(formatTime(shipBy));
}
