import { markSeen, unseen, unseenOf } from '../bell.js';
import { shortTime } from '../clock.js';
import { hub } from '../hub.js';
import { money } from '../money.js';
import { give, type KnownOrder, shortId, useDoing } from '../orders.js';
import { Cancel } from '../parts/cancel.js';
import { Problem } from '../parts/notice.js';
import { Stamp } from '../parts/stamp.js';
import { useStore } from '../store.js';
import { useWords } from '../words/words.js';

interface BoardCardProps {
  order: KnownOrder;
  selected: boolean;
  select: (orderIds: string[], wanted: boolean) => void;
}

/** An order on the board. Touching it is having looked at it. */
export function BoardCard({ order, selected, select }: BoardCardProps) {
  const words = useWords();
  const { orderId, status, allowed } = order;
  const { command, error } = useDoing(orderId);
  const isNew = unseenOf(useStore(unseen)).includes(orderId);
  const id = shortId(orderId);
  return (
    <article className={isNew ? 'card board-card new' : 'card board-card'}>
      <header>
        {status === 'paid' ? (
          <label className="check">
            <input
              type="checkbox"
              aria-label={words.panel.select(id)}
              checked={selected}
              onChange={({ target }) => {
                markSeen(orderId);
                select([orderId], target.checked);
              }}
            />
            <strong>{id}</strong>
          </label>
        ) : (
          <strong>{id}</strong>
        )}
        <strong className="amount">{money(order.total)}</strong>
      </header>
      <ul className="packing">
        {order.items.map(({ bookId, title, count }) => (
          <li key={bookId}>{`${count} × ${title}`}</li>
        ))}
      </ul>
      <p className="quiet">
        {words.orders.buyer} {order.buyerId} · {shortTime(order.placedAt)}
      </p>
      {(order.carrier || order.trackingNo) && (
        <p className="quiet">
          {order.carrier} <span className="tracking">{order.trackingNo}</span>
        </p>
      )}
      {(status === 'received' || status === 'cancelled') && <Stamp status={status} />}
      {command && (
        <p className="pending" role="status">
          {words.orders.doing[command]} ({words.pendingHint})
        </p>
      )}
      {error !== undefined && <Problem error={error} />}
      {!command && allowed.includes('cancel') && (
        <p className="actions">
          <Cancel onSure={() => give('seller', orderId, 'cancel', () => hub().cancel({ orderId }))} />
        </p>
      )}
    </article>
  );
}
