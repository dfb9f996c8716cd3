import { type FormEvent, useState } from 'react';
import { ask } from '../hub.js';
import { Field } from '../parts/field.js';
import { Problem } from '../parts/notice.js';
import { useWords } from '../words/words.js';

/** The first thing that a seller does. */
export function OpenStore({ onOpened }: { onOpened: () => void }) {
  const words = useWords().panel;
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  async function open(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get('name')).trim();
    setBusy(true);
    setError(undefined);
    try {
      await ask('openStore', { storeId: String(form.get('storeId')).trim(), ...(name ? { name } : {}) });
      onOpened();
    } catch (thrown) {
      setError(thrown);
      setBusy(false);
    }
  }

  return (
    <form className="enter card" onSubmit={open}>
      <h1>{words.open}</h1>
      <p className="quiet">{words.openIntro}</p>
      <Field label={words.storeId} name="storeId" maxLength={64} required />
      <Field label={words.storeName} name="name" maxLength={500} />
      <Problem error={error} />
      <button type="submit" disabled={busy} aria-busy={busy}>
        {words.open}
      </button>
    </form>
  );
}
