import { useState } from 'react';
import { useWords } from '../words/words.js';

/** Cancelling an order, which is asked for twice. The focus follows: it would be lost with the button that was pressed. */
export function Cancel({ onSure }: { onSure: () => void }) {
  const words = useWords();
  const [sure, setSure] = useState<boolean>();
  if (!sure) {
    return (
      <button
        type="button"
        className="quiet-button"
        ref={sure === false ? focus : undefined}
        onClick={() => setSure(true)}
      >
        {words.commands.cancel}
      </button>
    );
  }
  return (
    <>
      <button type="button" className="danger" ref={focus} onClick={onSure}>
        {words.orders.sureCancel}
      </button>
      <button type="button" className="quiet-button" onClick={() => setSure(false)}>
        {words.orders.keep}
      </button>
    </>
  );
}

function focus(element: HTMLElement | null): void {
  element?.focus();
}
