import { type FormEvent, useState } from 'react';
import { ask, logIn, wasEnded } from './hub.js';
import { Field } from './parts/field.js';
import { Problem } from './parts/notice.js';
import { go, usePlace } from './route.js';
import { useStore } from './store.js';
import { useWords } from './words/words.js';

/** Logging in, or registering and logging in. Shown in place of what somebody must be known for. */
export function Enter() {
  const words = useWords().enter;
  const ended = useStore(wasEnded);
  const { steps } = usePlace();
  const [isNew, setNew] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  async function enter(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const userId = String(form.get('userId')).trim();
    const password = String(form.get('password'));
    setBusy(true);
    setError(undefined);
    try {
      if (isNew) await ask('register', { userId, password });
      await logIn(userId, password);
      if (steps[0] === 'enter') go();
    } catch (thrown) {
      setError(thrown);
    }
    setBusy(false);
  }

  return (
    <form className="enter card" onSubmit={enter}>
      <h1>{words.title}</h1>
      <p className="quiet">{ended ? words.ended : words.intro}</p>
      <Field label={words.name} name="userId" autoComplete="username" maxLength={64} required />
      <Field
        label={words.password}
        name="password"
        type="password"
        autoComplete={isNew ? 'new-password' : 'current-password'}
        required
        {...(isNew ? { hint: words.passwordHint, minLength: 8 } : {})}
      />
      <Problem error={error} />
      <button type="submit" aria-busy={busy} disabled={busy}>
        {isNew ? words.register : words.login}
      </button>
      <p>
        {isNew ? words.known : words.newHere}{' '}
        <button type="button" className="link" onClick={() => setNew(!isNew)}>
          {isNew ? words.login : words.register}
        </button>
      </p>
    </form>
  );
}
