import type { ReactNode } from 'react';
import { DeliverToBlock } from '../components/deliver.to.js';
import { useDeskTexts } from '../i18n/desk.js';
import type { LoadedOrder } from '../loaded.order.js';
import { leftOf } from '../order/order.lines.js';
import { orderName } from '../orders.js';
import { useStore } from '../store.js';
import { shortcuts } from './desk.keys.js';
import { ShipParcelForm } from './ship.parcel.form.js';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

function Dialog({ title, onClose, children }: DialogProps) {
  const t = useDeskTexts();
  return (
    <dialog ref={open} className="card dialog" aria-label={title} onClose={onClose}>
      <h2>{title}</h2>
      {children}
      <button type="button" className="quiet-button" onClick={onClose}>
        {t.close}
      </button>
    </dialog>
  );
}

function open(dialog: HTMLDialogElement | null): void {
  if (dialog && !dialog.open) dialog.showModal();
}

/** Ships an order without leaving the list. */
export function ShipDialog({
  order,
  onClose,
  onSent,
}: {
  order: LoadedOrder;
  onClose: () => void;
  onSent: () => void;
}) {
  const t = useDeskTexts();
  return (
    <Dialog title={t.shipOne(orderName(order))} onClose={onClose}>
      <ul className="packing">
        {order.items.map((line) => leftOf(line) > 0 && <li key={line.bookId}>{`${leftOf(line)} × ${line.title}`}</li>)}
      </ul>
      <DeliverToBlock deliverTo={order.deliverTo} />
      <ShipParcelForm order={order} onSent={onSent} />
    </Dialog>
  );
}

/** What each key does, and whether keys do anything. */
export function KeysDialog({ onClose }: { onClose: () => void }) {
  const t = useDeskTexts();
  const isOn = useStore(shortcuts);
  return (
    <Dialog title={t.keysButton} onClose={onClose}>
      <dl className="keys">
        {Object.entries(t.keys).map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label className="check">
        <input type="checkbox" checked={isOn} onChange={({ target }) => shortcuts.set(target.checked)} />
        {t.shortcuts}
      </label>
    </Dialog>
  );
}
