import { type FormEvent, useState } from 'react';
import { CARRIER_CHARACTERS_MAX } from '../../src/contract/orders.js';
import { markSeen } from '../bell.js';
import { hub } from '../hub.js';
import { give, type KnownOrder, shortId } from '../orders.js';
import { Field } from '../parts/field.js';
import { keptStore, useStore } from '../store.js';
import { useWords } from '../words/words.js';

/** Most sellers use one carrier. */
const lastCarrier = keptStore('carrier', '');

/** Ships what is selected: one carrier, a tracking number for each. Every order is a command of its own. */
export function ShipForm({ orders }: { orders: KnownOrder[] }) {
  const words = useWords().panel;
  const carrier = useStore(lastCarrier);
  const [busy, setBusy] = useState(false);

  async function ship(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const given = String(form.get('carrier')).trim();
    lastCarrier.set(given);
    setBusy(true);
    await Promise.all(
      orders.map(({ orderId }) => {
        const trackingNo = String(form.get(orderId)).trim();
        markSeen(orderId);
        return give('seller', orderId, 'ship', () =>
          hub().ship({ orderId, ...(given ? { carrier: given } : {}), ...(trackingNo ? { trackingNo } : {}) }),
        );
      }),
    );
    setBusy(false);
  }

  return (
    <form className="card ship" onSubmit={ship}>
      <h2>{words.shipMany(orders.length)}</h2>
      <div className="fields">
        <Field label={words.carrier} name="carrier" defaultValue={carrier} maxLength={CARRIER_CHARACTERS_MAX} />
        {orders.map(({ orderId }) => (
          <Field
            key={orderId}
            label={words.trackingOf(shortId(orderId))}
            name={orderId}
            autoComplete="off"
            maxLength={CARRIER_CHARACTERS_MAX}
          />
        ))}
      </div>
      <button type="submit" disabled={busy} aria-busy={busy}>
        {words.shipMany(orders.length)}
      </button>
    </form>
  );
}
