import { type ReactNode, useEffect, useState } from 'react';
import { formatDateTime } from '../clock.js';
import { DeliverToBlock } from '../components/deliver.to.js';
import { EmptyState } from '../components/empty.state.js';
import { LoadError } from '../components/error.message.js';
import { useDeskTexts } from '../i18n/desk.js';
import type { LoadedOrder } from '../loaded.order.js';
import { leftOf } from '../order/order.lines.js';
import { longestWaitFirst, orderName, ordersOf } from '../orders.js';
import { linkTo } from '../route.js';
import { useStoreName } from '../store.names.js';
import { Barcode } from './barcode.js';
import { useSelectedOrders } from './selection.js';

/** So that reading hundreds of orders keeps the hub busy, and leaves room for others. */
const CONCURRENT = 20;

/** A packing slip for each selected order, on a page of its own. */
export function PackingSlips() {
  const t = useDeskTexts();
  const orders = longestWaitFirst(useSelectedOrders());
  const { isReady, error, reload } = useNotesOf(orders);
  return (
    <Paper title={t.slips} isReady={isReady} isEmpty={orders.length === 0}>
      {error !== undefined && <LoadError error={error} retry={reload} />}
      {isReady && orders.map((order) => <PackingSlip key={order.orderId} order={order} />)}
    </Paper>
  );
}

function PackingSlip({ order }: { order: LoadedOrder }) {
  const t = useDeskTexts().paper;
  const store = useStoreName(order.storeId);
  const name = orderName(order);
  const note = order.notes?.find(({ by, text }) => by === order.buyerId && text !== null)?.text;
  const lines = order.items.filter((line) => leftOf(line) > 0);
  return (
    <article className="slip">
      <header>
        <div>
          <h2>{t.slip}</h2>
          <p>
            {t.order} <strong>{name}</strong>
            <br />
            {t.date} {formatDateTime(order.placedAt)}
            <br />
            {t.from} {store}
          </p>
        </div>
        <Barcode text={name.replace('#', '')} />
      </header>
      <h3>{t.shipTo}</h3>
      {order.deliverTo ? <DeliverToBlock deliverTo={order.deliverTo} /> : <p>{order.buyerId}</p>}
      <table>
        <thead>
          <tr>
            <th scope="col">{t.item}</th>
            <th scope="col">{t.quantity}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.bookId}>
              <td>{line.title}</td>
              <td>{leftOf(line)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {note && (
        <>
          <h3>{t.note}</h3>
          <p className="note-text">{note}</p>
        </>
      )}
      <p>{t.thanks}</p>
    </article>
  );
}

/** A list tells no notes: each order is read once, a few at a time. */
function useNotesOf(orders: readonly LoadedOrder[]) {
  const [error, setError] = useState<unknown>();
  const [attempt, setAttempt] = useState(0);
  const unread = orders.filter(({ notes }) => notes === undefined).map(({ orderId }) => orderId);
  const isReady = unread.length === 0;
  const key = orders.map(({ orderId }) => orderId).join(' ');
  useEffect(() => {
    if (key === '' || attempt < 0) return;
    const queue = key
      .split(' ')
      .filter((orderId) => ordersOf.seller.byId.get().get(orderId)?.notes === undefined)
      .values();
    const worker = async () => {
      for (const orderId of queue) await ordersOf.seller.load(orderId);
    };
    Promise.all(Array.from({ length: CONCURRENT }, worker)).catch(setError);
  }, [key, attempt]);
  const reload = () => {
    setError(undefined);
    setAttempt((before) => before + 1);
  };
  return { isReady, error, reload };
}

interface Pick {
  title: string;
  count: number;
  /** The orders that it is for. */
  names: string[];
}

/** Everything that the selected orders need from the shelf, a line a book, by title. */
export function PickList() {
  const t = useDeskTexts();
  const orders = longestWaitFirst(useSelectedOrders());
  const picks = picksOf(orders);
  const copies = picks.reduce((sum, { count }) => sum + count, 0);
  return (
    <Paper title={t.pickList} isReady isEmpty={orders.length === 0}>
      <article className="slip">
        <h2>{t.paper.pickList}</h2>
        <p>
          {formatDateTime(new Date().toISOString())} · {t.paper.total(copies, orders.length)}
        </p>
        <table>
          <thead>
            <tr>
              <th scope="col">{t.paper.picked}</th>
              <th scope="col">{t.paper.quantity}</th>
              <th scope="col">{t.paper.item}</th>
              <th scope="col">{t.paper.ordersWith}</th>
            </tr>
          </thead>
          <tbody>
            {picks.map(({ title, count, names }) => (
              <tr key={title}>
                <td>☐</td>
                <td>
                  <strong>{count}</strong>
                </td>
                <td>{title}</td>
                <td>{names.join(', ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </article>
    </Paper>
  );
}

function picksOf(orders: readonly LoadedOrder[]): Pick[] {
  const picks = new Map<string, Pick>();
  for (const order of orders) {
    for (const line of order.items) {
      const left = leftOf(line);
      if (left === 0) continue;
      const key = `${order.storeId}\n${line.bookId}`;
      const pick = picks.get(key) ?? { title: line.title, count: 0, names: [] };
      const name = left === 1 ? orderName(order) : `${orderName(order)} ×${left}`;
      picks.set(key, { ...pick, count: pick.count + left, names: [...pick.names, name] });
    }
  }
  return [...picks.values()].sort((a, b) => a.title.localeCompare(b.title));
}

interface PaperProps {
  title: string;
  isReady: boolean;
  isEmpty: boolean;
  children: ReactNode;
}

/** The screen around what is printed: a way back, and the button. */
function Paper({ title, isReady, isEmpty, children }: PaperProps) {
  const t = useDeskTexts();
  return (
    <>
      <p className="back">
        <a href={linkTo('panel')}>← {t.back}</a>
      </p>
      <div className="page-head no-print">
        <h1>{title}</h1>
        {!isEmpty && (
          <button type="button" disabled={!isReady} onClick={() => print()}>
            {isReady ? t.paper.print : t.paper.loading}
          </button>
        )}
      </div>
      {isEmpty ? (
        <EmptyState icon="orders">
          <p>{t.nothingSelected}</p>
        </EmptyState>
      ) : (
        children
      )}
    </>
  );
}
