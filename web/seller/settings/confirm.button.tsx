import { useState } from 'react';
import { useSettingsTexts } from '../../i18n/settings.js';

interface ConfirmButtonProps {
  label: string;
  /** What is asked for, to those who do not see where the button stands. */
  name: string;
  disabled?: boolean;
  onConfirm: () => void;
}

/** Does what cannot be undone at the second press. */
export function ConfirmButton({ label, name, disabled = false, onConfirm }: ConfirmButtonProps) {
  const t = useSettingsTexts();
  const [isConfirming, setConfirming] = useState(false);
  if (!isConfirming) {
    return (
      <button
        type="button"
        className="quiet-button"
        aria-label={`${label}: ${name}`}
        disabled={disabled}
        onClick={() => setConfirming(true)}
      >
        {label}
      </button>
    );
  }
  return (
    <>
      <button type="button" className="danger small" ref={focus} disabled={disabled} onClick={onConfirm}>
        {t.really(label)}
      </button>
      <button type="button" className="quiet-button" onClick={() => setConfirming(false)}>
        {t.keep}
      </button>
    </>
  );
}

function focus(button: HTMLButtonElement | null): void {
  button?.focus();
}
