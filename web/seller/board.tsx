import { useCallback, useState } from 'react';
import type { OrderStatus } from '../../src/contract/transitions.js';
import { useOrderLists } from '../../src/react/use.order.lists.js';
import { useLoadedOrders } from '../../src/react/use.orders.js';
import { LoadError } from '../components/error.message.js';
import { useGradualCount } from '../hooks/use.gradual.count.js';
import { useTranslations } from '../i18n/language.js';
import type { LoadedOrder } from '../loaded.order.js';
import { longestWaitFirst, ordersOf } from '../orders.js';
import { useStore } from '../store.js';
import { unseen, unseenOf } from '../unseen.js';
import { BoardCard } from './board.card.js';
import { SelectAll } from './select.all.js';
import { ShipForm } from './ship.form.js';

const columns = {
  placed: ['placed'],
  paid: ['paid'],
  shipped: ['shipped'],
  done: ['received', 'cancelled'],
} as const satisfies Record<string, readonly OrderStatus[]>;
type ColumnName = keyof typeof columns;
/** Columns that wait for somebody are loaded to the end; the others show the newest orders and load more on demand. */
const waitingColumns: readonly ColumnName[] = ['placed', 'paid'];

/** The orders of all of a seller's stores by status; cards move as events arrive. */
export function Board() {
  const t = useTranslations();
  const orders = useLoadedOrders('seller');
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const toShip = longestWaitFirst(orders.filter(({ orderId, status }) => status === 'paid' && selected.has(orderId)));

  const select = useCallback((orderIds: string[], isSelected: boolean) => {
    const { byId } = ordersOf.seller;
    setSelected((before) => {
      const next = new Set([...before].filter((orderId) => byId.get().get(orderId)?.status === 'paid'));
      for (const orderId of orderIds) isSelected ? next.add(orderId) : next.delete(orderId);
      return next;
    });
  }, []);

  return (
    <>
      <div className="board">
        {(Object.keys(columns) as ColumnName[]).map((name) => {
          const statuses: readonly OrderStatus[] = columns[name];
          const cards = orders.filter(({ status }) => statuses.includes(status));
          return (
            <Column
              key={name}
              name={name}
              title={t.panel.columns[name]}
              cards={waitingColumns.includes(name) ? longestWaitFirst(cards) : cards}
              selected={selected}
              select={select}
            />
          );
        })}
      </div>
      {toShip.length > 0 && <ShipForm orders={toShip} />}
    </>
  );
}

interface ColumnProps {
  name: ColumnName;
  title: string;
  cards: LoadedOrder[];
  selected: ReadonlySet<string>;
  select: (orderIds: string[], isSelected: boolean) => void;
}

function Column({ name, title, cards, selected, select }: ColumnProps) {
  const t = useTranslations();
  const isWaiting = waitingColumns.includes(name);
  const { hasMore, isLoading, error, loadMore, reload } = useOrderLists('seller', columns[name], isWaiting);
  const rendered = useGradualCount(cards.length);
  const unseenIds = new Set(unseenOf(useStore(unseen)));

  return (
    <section className={`column column-${name}`} aria-label={title} aria-busy={isLoading}>
      <h2>
        {title} <span className="count">{hasMore ? t.panel.shown(cards.length) : cards.length}</span>
      </h2>
      {name === 'paid' && cards.length > 1 && (
        <SelectAll
          {...{ selected, ids: cards.map(({ orderId }) => orderId), onSelect: select, disabled: hasMore }}
          label={t.panel.selectAll}
        />
      )}
      <ul>
        {cards.slice(0, rendered).map((order) => (
          <BoardCard
            key={order.orderId}
            order={order}
            selected={selected.has(order.orderId)}
            isNew={unseenIds.has(order.orderId)}
            select={select}
          />
        ))}
      </ul>
      {cards.length === 0 && !hasMore && <p className="quiet">{t.panel.empty}</p>}
      {isWaiting && isLoading && <p className="quiet">{t.loading}</p>}
      {error !== undefined && <LoadError error={error} retry={reload} />}
      {!isWaiting && hasMore && !isLoading && error === undefined && (
        <button type="button" className="secondary" onClick={loadMore}>
          {t.more}
        </button>
      )}
    </section>
  );
}
