import { type FormEvent, useState } from 'react';
import { REASON_CHARACTERS_MAX } from '../../src/contract/order.requests.js';
import { Field } from '../components/field.js';
import { hub } from '../hub.js';
import { useOrderPageTexts } from '../i18n/order.page.js';
import { formatMoney, parseMoney } from '../money.js';
import { type Copies, CopiesFields, countOf, itemsOf, useCopies } from '../order/copies.fields.js';
import type { OrderLine } from '../order/order.lines.js';
import { runCommand } from '../order.commands.js';
import type { OrderFormProps } from './ship.parcel.form.js';

/** The most copies that may still be paid back: of the refunded ones, some may have been cancelled since. */
function refundableOf({ count, cancelled, refunded }: OrderLine): number {
  return count - Math.max(cancelled, refunded);
}

/** Of the chosen copies, those that were shipped. */
function restockable({ bookId, shipped }: OrderLine, copies: Copies): number {
  return Math.min(shipped, copies.get(bookId) ?? 0);
}

/** Gives money back, for copies or as an amount, and says what goes back to whom before it does. */
export function RefundForm({ order, onSent }: OrderFormProps) {
  const t = useOrderPageTexts();
  const { orderId, items, total, refunded, buyerId } = order;
  const [isAmount, setAmount] = useState(false);
  const [typed, setTyped] = useState('');
  const [restock, setRestock] = useState(false);
  const [copies, setCopies] = useCopies(items, () => 0);
  const mayRestock = !isAmount && items.some(({ bookId, shipped }) => shipped > 0 && (copies.get(bookId) ?? 0) > 0);
  const restocked = mayRestock && restock ? items.reduce((sum, line) => sum + restockable(line, copies), 0) : 0;
  const price = items.reduce((sum, line) => sum + line.price * (copies.get(line.bookId) ?? 0), 0);
  const money = isAmount ? parseMoney(typed) : price;
  const most = total - refunded;
  const isPossible = money !== undefined && money <= most && (isAmount ? money > 0 : countOf(copies) > 0);

  function refund(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (!isPossible) return;
    const reason = String(new FormData(event.currentTarget).get('reason')).trim();
    const what = isAmount
      ? { amount: money }
      : { items: itemsOf(copies), ...(mayRestock && restock ? { restock } : {}) };
    runCommand('seller', orderId, 'refund', () => hub().refund({ orderId, ...what, ...(reason ? { reason } : {}) }));
    onSent();
  }

  return (
    <form className="order-form" onSubmit={refund}>
      <fieldset className="choice">
        <legend>{t.refundWhat}</legend>
        {[false, true].map((choice) => (
          <label key={String(choice)} className="check">
            <input type="radio" name="what" checked={isAmount === choice} onChange={() => setAmount(choice)} />
            {choice ? t.refundAmount : t.refundItems}
          </label>
        ))}
      </fieldset>
      {isAmount ? (
        <Field
          label={t.amount}
          hint={t.atMost(formatMoney(most))}
          error={typed !== '' && money === undefined ? t.badAmount : undefined}
          inputMode="decimal"
          autoComplete="off"
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
        />
      ) : (
        <CopiesFields legend={t.items} lines={items} maxOf={refundableOf} copies={copies} onChange={setCopies} />
      )}
      {mayRestock && (
        <label className="check">
          <input type="checkbox" checked={restock} onChange={({ target }) => setRestock(target.checked)} />
          {t.restock}
        </label>
      )}
      <Field label={t.reason} name="reason" maxLength={REASON_CHARACTERS_MAX} />
      <p className="effect">
        {isPossible
          ? `${t.moneyBack(formatMoney(money), buyerId)} ${restocked > 0 ? t.stockBack(restocked) : t.noStockBack}`
          : t.atMost(formatMoney(most))}
      </p>
      <button type="submit" className="danger" disabled={!isPossible}>
        {t.refundDo(formatMoney(isPossible ? money : 0))}
      </button>
    </form>
  );
}
