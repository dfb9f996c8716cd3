import { useState } from 'react';
import { useSettingsTexts } from '../../i18n/settings.js';

/** A secret that the hub does not show again. */
export function SecretBox({ label, secret, onClose }: { label: string; secret: string; onClose: () => void }) {
  const t = useSettingsTexts().secret;
  const [isCopied, setCopied] = useState(false);
  return (
    <section className="secret-box" aria-label={label} role="status">
      <p>
        <strong>{label}</strong> <span>{t.once}</span>
      </p>
      <code>{secret}</code>
      <p className="actions">
        <button
          type="button"
          className="secondary small"
          onClick={() =>
            navigator.clipboard.writeText(secret).then(
              () => setCopied(true),
              () => undefined,
            )
          }
        >
          {isCopied ? t.copied : t.copy}
        </button>
        <button type="button" className="quiet-button" onClick={onClose}>
          {t.saved}
        </button>
      </p>
    </section>
  );
}
