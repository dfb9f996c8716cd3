import { type FormEvent, useState } from 'react';
import { canAmendFrom, type Role } from '../../src/contract/transitions.js';
import { EMPTY_ADDRESS, toDeliverTo, toTyped } from '../address.js';
import { AddressFields } from '../buyer/address.form.js';
import { DeliverToBlock } from '../components/deliver.to.js';
import { hub } from '../hub.js';
import { useOrderPageTexts } from '../i18n/order.page.js';
import type { LoadedOrder } from '../loaded.order.js';
import { runCommand, useCommandState } from '../order.commands.js';

/** Where the order goes, to be changed while that is still possible. */
export function OrderAddress({ order, party }: { order: LoadedOrder; party: Role }) {
  const t = useOrderPageTexts();
  const [isEditing, setEditing] = useState(false);
  const mayEdit = canAmendFrom('readdress', party, order.status);
  return (
    <section className="card" aria-label={t.address}>
      <h2>{t.address}</h2>
      {order.deliverTo ? <DeliverToBlock deliverTo={order.deliverTo} /> : <p className="quiet">{t.noAddress}</p>}
      {mayEdit && (
        <button
          type="button"
          className="quiet-button no-print"
          aria-expanded={isEditing}
          onClick={() => setEditing(!isEditing)}
        >
          {isEditing ? t.close : t.editAddress}
        </button>
      )}
      {mayEdit && isEditing && <ReaddressForm {...{ order, party }} onSaved={() => setEditing(false)} />}
    </section>
  );
}

interface ReaddressFormProps {
  order: LoadedOrder;
  party: Role;
  onSaved: () => void;
}

function ReaddressForm({ order, party, onSaved }: ReaddressFormProps) {
  const t = useOrderPageTexts();
  const { orderId, deliverTo } = order;
  const { command } = useCommandState(orderId);
  const [address, setAddress] = useState(() => (deliverTo ? toTyped(deliverTo) : EMPTY_ADDRESS));

  async function save(event: FormEvent) {
    event.preventDefault();
    const changed = toDeliverTo(address);
    if (!changed) return;
    const isSaved = await runCommand(party, orderId, 'readdress', async () => {
      // The answer of a command is without the address.
      await hub().readdress({ orderId, deliverTo: changed });
      return hub().get(orderId);
    });
    if (isSaved) onSaved();
  }

  return (
    <form onSubmit={save}>
      <AddressFields
        legend={t.address}
        address={address}
        required
        disabled={command !== undefined}
        onChange={(change) => setAddress((before) => ({ ...before, ...change }))}
      />
      <button type="submit" disabled={command !== undefined}>
        {t.saveAddress}
      </button>
    </form>
  );
}
