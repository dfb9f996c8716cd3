import { type FormEvent, memo, useState } from 'react';
import { CARRIER_CHARACTERS_MAX } from '../../src/contract/order.requests.js';
import { stopRinging } from '../bell.js';
import { Field } from '../components/field.js';
import { useGradualCount } from '../hooks/use.gradual.count.js';
import { hub } from '../hub.js';
import { useTranslations } from '../i18n/language.js';
import type { LoadedOrder } from '../loaded.order.js';
import { runCommand } from '../order.commands.js';
import { orderName } from '../orders.js';
import { useStore } from '../store.js';
import { lastCarrier } from './last.carrier.js';

/** Ships the selected orders with one carrier and a tracking number each. Every order is a separate command. */
export function ShipForm({ orders }: { orders: LoadedOrder[] }) {
  const t = useTranslations().panel;
  const defaultCarrier = useStore(lastCarrier);
  const [busy, setBusy] = useState(false);
  const rendered = useGradualCount(orders.length);

  async function ship(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const carrier = String(form.get('carrier')).trim();
    lastCarrier.set(carrier);
    setBusy(true);
    stopRinging(orders.map(({ orderId }) => orderId));
    await Promise.all(
      orders.map(({ orderId }) => {
        const trackingNo = String(form.get(orderId) ?? '').trim();
        return runCommand('seller', orderId, 'ship', () =>
          hub().ship({ orderId, ...(carrier ? { carrier } : {}), ...(trackingNo ? { trackingNo } : {}) }),
        );
      }),
    );
    setBusy(false);
  }

  return (
    <form className="card ship" onSubmit={ship}>
      <h2>{t.shipMany(orders.length)}</h2>
      <Field label={t.carrier} name="carrier" defaultValue={defaultCarrier} maxLength={CARRIER_CHARACTERS_MAX} />
      <div className="fields" hidden={busy}>
        {orders.slice(0, rendered).map((order) => (
          <TrackingField key={order.orderId} orderId={order.orderId} name={orderName(order)} />
        ))}
      </div>
      <button type="submit" disabled={busy} aria-busy={busy}>
        {t.shipMany(orders.length)}
      </button>
    </form>
  );
}

/** Memoized: typing or shipping one must not render thousands. */
const TrackingField = memo(function TrackingField({ orderId, name }: { orderId: string; name: string }) {
  const t = useTranslations().panel;
  return <Field label={t.trackingOf(name)} name={orderId} autoComplete="off" maxLength={CARRIER_CHARACTERS_MAX} />;
});
