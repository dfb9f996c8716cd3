import { type FormEvent, useState } from 'react';
import { CARRIER_CHARACTERS_MAX } from '../../src/contract/order.requests.js';
import { stopRinging } from '../bell.js';
import { Field, focusOnMount } from '../components/field.js';
import { hub } from '../hub.js';
import { useOrderPageTexts } from '../i18n/order.page.js';
import type { LoadedOrder } from '../loaded.order.js';
import { CopiesFields, countOf, itemsOf, useCopies } from '../order/copies.fields.js';
import { leftOf } from '../order/order.lines.js';
import { runCommand } from '../order.commands.js';
import { useStore } from '../store.js';
import { lastCarrier } from './last.carrier.js';

export interface OrderFormProps {
  order: LoadedOrder;
  /** The command is on its way: the page shows its outcome. */
  onSent: () => void;
}

/** Ships a parcel: by default of all that is left. */
export function ShipParcelForm({ order, onSent }: OrderFormProps) {
  const t = useOrderPageTexts();
  const { orderId, items } = order;
  const carrierBefore = useStore(lastCarrier);
  const [copies, setCopies] = useCopies(items, leftOf);
  const [isPart, setPart] = useState(false);
  const left = items.reduce((sum, line) => sum + leftOf(line), 0);
  const count = isPart ? countOf(copies) : left;

  function ship(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const carrier = String(form.get('carrier')).trim();
    const trackingNo = String(form.get('trackingNo')).trim();
    lastCarrier.set(carrier);
    stopRinging([orderId]);
    runCommand('seller', orderId, 'ship', () =>
      hub().ship({
        orderId,
        ...(count < left ? { items: itemsOf(copies) } : {}),
        ...(carrier ? { carrier } : {}),
        ...(trackingNo ? { trackingNo } : {}),
      }),
    );
    onSent();
  }

  return (
    <form className="order-form" onSubmit={ship}>
      <div className="fields">
        <Field
          label={t.trackingNo}
          name="trackingNo"
          autoComplete="off"
          maxLength={CARRIER_CHARACTERS_MAX}
          ref={focusOnMount}
        />
        <Field label={t.carrier} name="carrier" defaultValue={carrierBefore} maxLength={CARRIER_CHARACTERS_MAX} />
      </div>
      {left > 1 && (
        <label className="check">
          <input type="checkbox" checked={isPart} onChange={({ target }) => setPart(target.checked)} />
          {t.chooseCopies}
        </label>
      )}
      {isPart && <CopiesFields legend={t.items} lines={items} maxOf={leftOf} copies={copies} onChange={setCopies} />}
      <button type="submit" disabled={count === 0}>
        {t.shipDo(count)}
      </button>
    </form>
  );
}
