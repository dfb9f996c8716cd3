import { type FormEvent, useState } from 'react';
import { CARRIER_CHARACTERS_MAX } from '../../src/contract/order.requests.js';
import { Field, focusOnMount } from '../components/field.js';
import { hub } from '../hub.js';
import { useTranslations } from '../i18n/language.js';
import { useOrderPageTexts } from '../i18n/order.page.js';
import type { LoadedOrder } from '../loaded.order.js';
import type { Parcel } from '../order/parcels.js';
import { runCommand } from '../order.commands.js';
import type { OrderFormProps } from './ship.parcel.form.js';

/** Accepts an order, or moves the time at which it will be ready. */
export function AcceptForm({ order, onSent }: OrderFormProps) {
  const t = useOrderPageTexts();
  const { orderId, acceptedAt } = order;

  function accept(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const typed = String(new FormData(event.currentTarget).get('readyAt'));
    const ready = typed === '' ? {} : { readyAt: new Date(typed).toISOString() };
    runCommand('seller', orderId, 'accept', () => hub().accept({ orderId, ...ready }));
    onSent();
  }

  return (
    <form className="order-form" onSubmit={accept}>
      <Field label={t.whenReady} name="readyAt" type="datetime-local" required={acceptedAt !== null} />
      <button type="submit">{acceptedAt === null ? t.acceptDo : t.readyDo}</button>
    </form>
  );
}

/** A button that opens the fields of a parcel's tracking. */
export function EditTracking({ order, parcel }: { order: LoadedOrder; parcel: Parcel }) {
  const t = useOrderPageTexts();
  const commands = useTranslations().commands;
  const [isOpen, setOpen] = useState(false);
  const { orderId } = order;

  async function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const carrier = String(form.get('carrier')).trim();
    const trackingNo = String(form.get('trackingNo')).trim();
    setOpen(false);
    if (!carrier && !trackingNo) return;
    const tracking = { ...(carrier ? { carrier } : {}), ...(trackingNo ? { trackingNo } : {}) };
    runCommand('seller', orderId, 'track', () => hub().track({ orderId, parcel: parcel.parcel, ...tracking }));
  }

  return (
    <>
      <button
        type="button"
        className="quiet-button no-print"
        aria-label={t.editTracking(parcel.parcel)}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {isOpen ? t.close : commands.track}
      </button>
      {isOpen && (
        <form className="order-form" onSubmit={save}>
          <div className="fields">
            <Field
              label={t.carrier}
              name="carrier"
              defaultValue={parcel.carrier ?? ''}
              maxLength={CARRIER_CHARACTERS_MAX}
            />
            <Field
              label={t.trackingNo}
              name="trackingNo"
              defaultValue={parcel.trackingNo ?? ''}
              maxLength={CARRIER_CHARACTERS_MAX}
              ref={focusOnMount}
            />
          </div>
          <button type="submit">{t.save}</button>
        </form>
      )}
    </>
  );
}
