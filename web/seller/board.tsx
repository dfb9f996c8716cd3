import { useState } from 'react';
import type { OrderStatus } from '../../src/contract/lifecycle.js';
import { useLists } from '../order.lists.js';
import { type KnownOrder, useOrders } from '../orders.js';
import { Unread } from '../parts/notice.js';
import { useWords } from '../words/words.js';
import { BoardCard } from './card.js';
import { ShipForm } from './ship.js';

/** A column draws so many cards at first; more when asked. */
const CARDS = 30;
const columns = {
  placed: ['placed'],
  paid: ['paid'],
  shipped: ['shipped'],
  done: ['received', 'cancelled'],
} as const satisfies Record<string, readonly OrderStatus[]>;
type ColumnName = keyof typeof columns;
/** What somebody waits for is read to the last order; of the others the newest, and more when asked. */
const wholeColumns: readonly ColumnName[] = ['placed', 'paid'];

/** The orders of all of a seller's stores, by where they are; they move as the events arrive. */
export function Board() {
  const words = useWords();
  const orders = useOrders('seller');
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const toShip = orders.filter(({ orderId, status }) => status === 'paid' && selected.has(orderId));

  function select(orderIds: string[], wanted: boolean) {
    const next = new Set(toShip.map(({ orderId }) => orderId));
    for (const orderId of orderIds) wanted ? next.add(orderId) : next.delete(orderId);
    setSelected(next);
  }

  return (
    <>
      <div className="board">
        {(Object.keys(columns) as ColumnName[]).map((name) => {
          const wanted: readonly OrderStatus[] = columns[name];
          const cards = orders.filter(({ status }) => wanted.includes(status));
          return (
            <Column
              key={name}
              name={name}
              title={words.panel.columns[name]}
              // Who has waited longest is shipped first.
              cards={name === 'paid' ? cards.reverse() : cards}
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
  cards: KnownOrder[];
  selected: ReadonlySet<string>;
  select: (orderIds: string[], wanted: boolean) => void;
}

function Column({ name, title, cards, selected, select }: ColumnProps) {
  const words = useWords();
  const [shown, setShown] = useState(CARDS);
  const lists = useLists('seller', columns[name], wholeColumns.includes(name));
  const ids = cards.map(({ orderId }) => orderId);
  const hidden = Math.max(0, cards.length - shown);

  function more() {
    setShown(shown + CARDS);
    if (hidden < CARDS && lists.hasMore) lists.more();
  }

  return (
    <section className={`column column-${name}`} aria-label={title} aria-busy={lists.isReading}>
      <h2>
        {title} <span className="count">{lists.hasMore ? words.panel.atLeast(cards.length) : cards.length}</span>
      </h2>
      {name === 'paid' && cards.length > 1 && (
        <label className="check">
          <input
            type="checkbox"
            checked={ids.every((orderId) => selected.has(orderId))}
            onChange={({ target }) => select(ids, target.checked)}
          />
          {words.panel.selectAll}
        </label>
      )}
      <ul>
        {cards.slice(0, shown).map((order) => (
          <li key={order.orderId}>
            <BoardCard order={order} selected={selected.has(order.orderId)} select={select} />
          </li>
        ))}
      </ul>
      {cards.length === 0 && !lists.isReading && <p className="quiet">{words.panel.nothing}</p>}
      {lists.error !== undefined && <Unread error={lists.error} again={lists.again} />}
      {(hidden > 0 || (lists.hasMore && !lists.isReading)) && (
        <button type="button" className="secondary" onClick={more}>
          {lists.hasMore ? words.more : words.panel.moreCards(hidden)}
        </button>
      )}
    </section>
  );
}
