import { type FormEvent, useState } from 'react';
import { REASON_CHARACTERS_MAX } from '../../src/contract/order.requests.js';
import { Field } from '../components/field.js';
import { hub } from '../hub.js';
import { useOrderPageTexts } from '../i18n/order.page.js';
import type { LoadedOrder } from '../loaded.order.js';
import { formatMoney } from '../money.js';
import { type Copies, CopiesFields, countOf, itemsOf, useCopies } from '../order/copies.fields.js';
import { leftOf } from '../order/order.lines.js';
import { runCommand } from '../order.commands.js';
import type { OrderFormProps } from './ship.parcel.form.js';

/** Cancels what is not shipped, or part of it, and says what goes back to whom before it does. */
export function CancelForm({ order, onSent }: OrderFormProps) {
  const t = useOrderPageTexts();
  const { orderId, items, status } = order;
  const [copies, setCopies] = useCopies(items, leftOf);
  const [soldOut, setSoldOut] = useState<ReadonlySet<string>>(new Set());
  const left = items.reduce((sum, line) => sum + leftOf(line), 0);
  const count = countOf(copies);
  const mayBePart = status === 'paid' && left > 1;
  // Only where the store says which orders it takes.
  const unavailable = order.acceptBy === null ? [] : items.filter(({ bookId }) => (copies.get(bookId) ?? 0) > 0);

  function cancel(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget).get('reason')).trim();
    const named = unavailable.map(({ bookId }) => bookId).filter((bookId) => soldOut.has(bookId));
    runCommand('seller', orderId, 'cancel', () =>
      hub().cancel({
        orderId,
        ...(count < left ? { items: itemsOf(copies) } : {}),
        ...(reason ? { reason } : {}),
        ...(named.length > 0 ? { unavailable: named } : {}),
      }),
    );
    onSent();
  }

  return (
    <form className="order-form" onSubmit={cancel}>
      {mayBePart && (
        <CopiesFields legend={t.cancelCopies} lines={items} maxOf={leftOf} copies={copies} onChange={setCopies} />
      )}
      <Field label={t.reason} hint={t.reasonShown} name="reason" maxLength={REASON_CHARACTERS_MAX} />
      {unavailable.map(({ bookId, title }) => (
        <label key={bookId} className="check">
          <input
            type="checkbox"
            checked={soldOut.has(bookId)}
            onChange={({ target }) =>
              setSoldOut((before) => {
                const next = new Set(before);
                if (target.checked) next.add(bookId);
                else next.delete(bookId);
                return next;
              })
            }
          />
          {t.unavailable(title)}
        </label>
      ))}
      <p className="effect">
        <CancelEffect order={order} copies={copies} /> {t.stockBack(count)}
      </p>
      <button type="submit" className="danger" disabled={count === 0}>
        {count === left ? t.titles.cancelAll : t.cancelDo(count)}
      </button>
    </form>
  );
}

/** What the buyer gets back. Of a line with refunded copies the hub alone knows whether those are among the cancelled. */
function CancelEffect({ order, copies }: { order: LoadedOrder; copies: Copies }) {
  const t = useOrderPageTexts();
  if (order.paidAt === null) return t.unpaid;
  const chosen = order.items.filter(({ bookId }) => (copies.get(bookId) ?? 0) > 0);
  const price = chosen.reduce((sum, line) => sum + line.price * (copies.get(line.bookId) ?? 0), 0);
  const money = formatMoney(Math.min(price, order.total - order.refunded));
  const isSure = chosen.every(({ refunded }) => refunded === 0);
  return isSure ? t.moneyBack(money, order.buyerId) : t.moneyBackAtMost(money, order.buyerId);
}
