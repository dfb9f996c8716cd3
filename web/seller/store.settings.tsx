import { type FormEvent, useState } from 'react';
import { NAME_CHARACTERS_MAX, type StoreView } from '../../src/contract/stores.js';
import { useNow } from '../clock.js';
import { ErrorMessage } from '../components/error.message.js';
import { Field } from '../components/field.js';
import { request } from '../hub.js';
import { useDeskTexts } from '../i18n/desk.js';
import { problemAt } from './settings/problem.at.js';

const A_MINUTE_SECONDS = 60;
const A_MINUTE_MS = 60_000;
const MINUTES_MAX = 1_440;

/** What a store says of itself: its name, whether it takes orders, and how fast it accepts them. */
export function StoreSettings({ store, onChanged }: { store: StoreView; onChanged: () => void }) {
  const t = useDeskTexts().settings;
  const now = useNow();
  const [isOpen, setOpen] = useState(store.open);
  const [outcome, setOutcome] = useState<'saving' | 'saved'>();
  const [error, setError] = useState<unknown>();
  const isPaused = store.pausedUntil !== null && Date.parse(store.pausedUntil) > now;
  const state = !store.open ? 'closed' : isPaused ? 'paused' : 'open';

  async function save(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get('name')).trim();
    const until = String(form.get('pausedUntil'));
    setOutcome('saving');
    setError(undefined);
    try {
      await request('changeStore', {
        storeId: store.storeId,
        ...(name ? { name } : {}),
        open: isOpen,
        pausedUntil: until === '' ? null : new Date(until).toISOString(),
        acceptWithinSeconds: Number(form.get('acceptance')) * A_MINUTE_SECONDS,
      });
      setOutcome('saved');
      onChanged();
    } catch (thrown) {
      setOutcome(undefined);
      setError(thrown);
    }
  }

  return (
    <form className="card settings-form" onSubmit={save} onChange={() => setOutcome(undefined)}>
      <h2>{t.title}</h2>
      <p className={`store-state ${state}`} role="status">
        {t.states[state]}
      </p>
      <Field label={t.name} name="name" defaultValue={store.name ?? ''} maxLength={NAME_CHARACTERS_MAX} />
      <label className="check">
        <input type="checkbox" checked={isOpen} onChange={({ target }) => setOpen(target.checked)} />
        {t.open}
      </label>
      <Field
        label={t.pausedUntil}
        hint={t.pausedHint}
        name="pausedUntil"
        type="datetime-local"
        defaultValue={isPaused && store.pausedUntil !== null ? toLocal(store.pausedUntil) : ''}
      />
      <Field
        label={t.acceptance}
        hint={t.acceptanceHint}
        error={problemAt(error, 'acceptWithinSeconds')}
        name="acceptance"
        type="number"
        min={0}
        max={MINUTES_MAX}
        step="any"
        required
        defaultValue={store.acceptWithinSeconds / A_MINUTE_SECONDS}
      />
      <ErrorMessage error={error} />
      <p className="actions">
        <button type="submit" disabled={outcome === 'saving'} aria-busy={outcome === 'saving'}>
          {outcome === 'saving' ? t.saving : t.save}
        </button>
        <span role="status">{outcome === 'saved' && t.saved}</span>
      </p>
    </form>
  );
}

/** As a field of date and time has it: in the device's time zone. */
function toLocal(iso: string): string {
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * A_MINUTE_MS).toISOString().slice(0, 16);
}
