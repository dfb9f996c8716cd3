import { useState } from 'react';
import { useTranslations } from '../i18n/language.js';

/** Cancels an order after a confirmation. Focus moves along, because the pressed button unmounts. */
export function CancelButton({ onConfirm }: { onConfirm: () => void }) {
  const t = useTranslations();
  /** Undefined until the button was first pressed: focus must not move on mount. */
  const [isConfirming, setConfirming] = useState<boolean>();
  if (!isConfirming) {
    return (
      <button
        type="button"
        className="quiet-button"
        ref={isConfirming === false ? focus : undefined}
        onClick={() => setConfirming(true)}
      >
        {t.commands.cancel}
      </button>
    );
  }
  return (
    <>
      <button type="button" className="danger" ref={focus} onClick={onConfirm}>
        {t.orders.confirmCancel}
      </button>
      <button type="button" className="quiet-button" onClick={() => setConfirming(false)}>
        {t.orders.keep}
      </button>
    </>
  );
}

function focus(element: HTMLElement | null): void {
  element?.focus();
}
