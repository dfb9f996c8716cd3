import { useEffect, useState } from 'react';
import type { OrderStatus } from '../../src/contract/lifecycle.js';
import { hear } from '../hub.js';
import { type KnownOrder, ordersOf, useOrders } from '../orders.js';
import { Problem } from '../parts/notice.js';
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

/** The orders of all of a seller's stores, by where they are; they move as the events arrive. */
export function Board() {
  const words = useWords();
  const orders = useOrders('seller');
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [error, setError] = useState<unknown>();
  const toShip = orders.filter(({ orderId, status }) => status === 'paid' && selected.has(orderId));

  useEffect(() => {
    const read = () => void readBoard().then(() => setError(undefined), setError);
    read();
    return hear('fresh', read);
  }, []);

  function select(orderIds: string[], wanted: boolean) {
    const next = new Set(toShip.map(({ orderId }) => orderId));
    for (const orderId of orderIds) wanted ? next.add(orderId) : next.delete(orderId);
    setSelected(next);
  }

  return (
    <>
      {error !== undefined && <Problem error={error} />}
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

/** The newest of every column. What is older is in nobody's way, and its events bring it back. */
async function readBoard(): Promise<void> {
  for (const status of Object.values(columns).flat()) await ordersOf.seller.read(status, null);
}

interface ColumnProps {
  name: ColumnName;
  title: string;
  cards: KnownOrder[];
  selected: ReadonlySet<string>;
  select: (orderIds: string[], wanted: boolean) => void;
}

function Column({ name, title, cards, selected, select }: ColumnProps) {
  const words = useWords().panel;
  const [shown, setShown] = useState(CARDS);
  const ids = cards.map(({ orderId }) => orderId);
  return (
    <section className={`column column-${name}`} aria-label={title}>
      <h2>
        {title} <span className="count">{cards.length}</span>
      </h2>
      {name === 'paid' && cards.length > 1 && (
        <label className="check">
          <input
            type="checkbox"
            checked={ids.every((orderId) => selected.has(orderId))}
            onChange={({ target }) => select(ids, target.checked)}
          />
          {words.selectAll}
        </label>
      )}
      <ul>
        {cards.slice(0, shown).map((order) => (
          <li key={order.orderId}>
            <BoardCard order={order} selected={selected.has(order.orderId)} select={select} />
          </li>
        ))}
      </ul>
      {cards.length === 0 && <p className="quiet">{words.nothing}</p>}
      {cards.length > shown && (
        <button type="button" className="secondary" onClick={() => setShown(shown + CARDS)}>
          {words.moreCards(cards.length - shown)}
        </button>
      )}
    </section>
  );
}
