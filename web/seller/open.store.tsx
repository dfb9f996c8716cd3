import { type FormEvent, useState } from 'react';
import { ErrorMessage } from '../components/error.message.js';
import { Field } from '../components/field.js';
import { request } from '../hub.js';
import { useTranslations } from '../i18n/language.js';

/** Shown to sellers who have no store yet. */
export function OpenStore({ onOpened }: { onOpened: () => void }) {
  const t = useTranslations().panel;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  async function open(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get('name')).trim();
    setBusy(true);
    setError(undefined);
    try {
      await request('openStore', { storeId: String(form.get('storeId')).trim(), ...(name ? { name } : {}) });
      onOpened();
    } catch (thrown) {
      setError(thrown);
      setBusy(false);
    }
  }

  return (
    <form className="open-store card" onSubmit={open}>
      <h1>{t.open}</h1>
      <p className="quiet">{t.openIntro}</p>
      <Field label={t.storeId} name="storeId" maxLength={64} required />
      <Field label={t.storeName} name="name" maxLength={500} />
      <ErrorMessage error={error} />
      <button type="submit" disabled={busy} aria-busy={busy}>
        {t.open}
      </button>
    </form>
  );
}
