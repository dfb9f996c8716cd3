import { type FormEvent, type KeyboardEvent, memo, useCallback, useRef, useState } from 'react';
import { CARRIER_CHARACTERS_MAX } from '../../src/contract/order.requests.js';
import { EmptyState } from '../components/empty.state.js';
import { ErrorMessage } from '../components/error.message.js';
import { Field, TextAreaField } from '../components/field.js';
import { useDeskTexts } from '../i18n/desk.js';
import type { LoadedOrder } from '../loaded.order.js';
import { longestWaitFirst, orderName } from '../orders.js';
import { linkTo } from '../route.js';
import { useStore } from '../store.js';
import { lastCarrier } from './last.carrier.js';
import { useSelectedOrders } from './selection.js';
import { readTracking, type Tracking } from './tracking.parser.js';
import { type ShipResult, useShipMany } from './use.ship.many.js';

/** Ships the selected orders, each with its tracking number, and shows what became of each. */
export function ShipMany() {
  const t = useDeskTexts();
  const selected = longestWaitFirst(useSelectedOrders());
  // Those shipped since stay in the table, with their result.
  const [orders, setOrders] = useState(selected);
  if (orders.length === 0 && selected.length > 0) setOrders(selected);
  return (
    <>
      <p className="back">
        <a href={linkTo('panel')}>← {t.back}</a>
      </p>
      {orders.length === 0 ? (
        <EmptyState icon="orders">
          <p>{t.nothingSelected}</p>
        </EmptyState>
      ) : (
        <ShipTable orders={orders} />
      )}
    </>
  );
}

function ShipTable({ orders }: { orders: LoadedOrder[] }) {
  const t = useDeskTexts().many;
  const carrier = useStore(lastCarrier);
  const [typed, setTyped] = useState<ReadonlyMap<string, Partial<Tracking>>>(new Map());
  const [isAsking, setAsking] = useState(false);
  const { results, isRunning, toShip, run } = useShipMany(orders);
  const failed = toShip.filter(({ orderId }) => results.get(orderId)?.state === 'failed').length;
  const missing = toShip.filter(({ orderId }) => !typed.get(orderId)?.trackingNo?.trim()).length;
  const type = useCallback((orderId: string, change: Partial<Tracking>) => {
    setAsking(false);
    setTyped((before) => new Map(before).set(orderId, { ...before.get(orderId), ...change }));
  }, []);

  function ship(): void {
    setAsking(false);
    run((orderId) => {
      const { carrier: own = '', trackingNo = '' } = typed.get(orderId) ?? {};
      return { carrier: own.trim() || carrier.trim(), trackingNo: trackingNo.trim() };
    });
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (missing > 0) setAsking(true);
    else ship();
  }

  return (
    <form className="ship-many" onSubmit={submit}>
      <h1>{t.title(orders.length)}</h1>
      <PasteTracking
        orders={toShip}
        onFound={(found) => {
          setAsking(false);
          setTyped((before) => {
            const next = new Map(before);
            for (const [orderId, tracking] of found) next.set(orderId, { ...next.get(orderId), ...tracking });
            return next;
          });
        }}
      />
      <Field
        label={t.carrier}
        value={carrier}
        maxLength={CARRIER_CHARACTERS_MAX}
        onChange={({ target }) => lastCarrier.set(target.value)}
      />
      <table>
        <thead>
          <tr>
            {[t.order, t.to, t.carrierColumn, t.tracking, t.result].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {orders.map((order) => (
            <TrackingRow
              key={order.orderId}
              order={order}
              typed={typed.get(order.orderId)}
              result={results.get(order.orderId)}
              defaultCarrier={carrier}
              onType={type}
            />
          ))}
        </tbody>
      </table>
      <div className="foot-bar">
        {isAsking ? (
          <p role="alert" className="actions">
            {t.missing(missing)}
            <button type="button" onClick={ship}>
              {t.anyway}
            </button>
            <button type="button" className="secondary" onClick={() => setAsking(false)}>
              {t.goBack}
            </button>
          </p>
        ) : (
          <button type="submit" disabled={isRunning || toShip.length === 0} aria-busy={isRunning}>
            {failed > 0 ? t.again(toShip.length) : t.start(toShip.length)}
          </button>
        )}
        <span role="status">
          {results.size > 0 && t.progress(orders.length - toShip.length, orders.length)}
          {failed > 0 && <strong className="problem"> {t.failed(failed)}</strong>}
        </span>
      </div>
    </form>
  );
}

interface PasteTrackingProps {
  orders: LoadedOrder[];
  onFound: (found: ReadonlyMap<string, Partial<Tracking>>) => void;
}

function PasteTracking({ orders, onFound }: PasteTrackingProps) {
  const t = useDeskTexts().many;
  const [text, setText] = useState('');
  const [outcome, setOutcome] = useState('');

  function fill(): void {
    const { found, unmatched, spare } = readTracking(text, orders);
    onFound(found);
    const parts = [
      t.filled(found.size),
      unmatched.length > 0 && t.unmatched(unmatched.join(', ')),
      spare > 0 && t.tooMany(spare),
    ];
    setOutcome(parts.filter(Boolean).join(' '));
    if (unmatched.length === 0) setText('');
  }

  return (
    <details className="paste">
      <summary>{t.paste}</summary>
      <TextAreaField
        label={t.paste}
        hint={t.intro}
        rows={6}
        value={text}
        onChange={({ target }) => setText(target.value)}
      />
      <button type="button" className="secondary" disabled={text.trim() === ''} onClick={fill}>
        {t.apply}
      </button>{' '}
      <span role="status">{outcome}</span>
    </details>
  );
}

interface TrackingRowProps {
  order: LoadedOrder;
  typed: Partial<Tracking> | undefined;
  result: ShipResult | undefined;
  defaultCarrier: string;
  onType: (orderId: string, change: Partial<Tracking>) => void;
}

/** Memoized: typing in one row must not render hundreds. A scanner ends a number with Enter, which leads to the next row. */
const TrackingRow = memo(function TrackingRow({ order, typed, result, defaultCarrier, onType }: TrackingRowProps) {
  const t = useDeskTexts().many;
  const field = useRef<HTMLInputElement>(null);
  const { orderId, buyerId, deliverTo } = order;
  const name = orderName(order);
  const disabled = result?.state === 'sending' || result?.state === 'done';

  function goToNext(event: KeyboardEvent): void {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    const row = field.current?.closest('tr')?.nextElementSibling;
    row?.querySelector<HTMLInputElement>('.tracking-field')?.focus();
  }

  return (
    <tr>
      <td>{name}</td>
      <td>{deliverTo?.name ?? buyerId}</td>
      <td>
        <input
          aria-label={t.carrierOf(name)}
          value={typed?.carrier ?? ''}
          placeholder={defaultCarrier || t.carrierColumn}
          maxLength={CARRIER_CHARACTERS_MAX}
          disabled={disabled}
          onChange={({ target }) => onType(orderId, { carrier: target.value })}
        />
      </td>
      <td>
        <input
          ref={field}
          className="tracking-field"
          placeholder={t.tracking}
          aria-label={t.trackingOf(name)}
          value={typed?.trackingNo ?? ''}
          autoComplete="off"
          maxLength={CARRIER_CHARACTERS_MAX}
          disabled={disabled}
          onKeyDown={goToNext}
          onChange={({ target }) => onType(orderId, { trackingNo: target.value })}
        />
      </td>
      <td className={result?.state}>
        {result?.state === 'failed' ? <ErrorMessage error={result.error} /> : t.states[result?.state ?? 'waiting']}
      </td>
    </tr>
  );
});
