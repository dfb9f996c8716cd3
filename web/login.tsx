import { type FormEvent, useState } from 'react';
import { ErrorMessage } from './components/error.message.js';
import { Field } from './components/field.js';
import { logIn, request, sessionEnded } from './hub.js';
import { useTranslations } from './i18n/language.js';
import { returnFromLogin } from './route.js';
import { settings } from './settings.js';
import { useStore } from './store.js';

/** Logs in, or registers and logs in. Also shown in place of any screen that requires a login. */
export function Login() {
  const t = useTranslations().login;
  const ended = useStore(sessionEnded);
  const [isRegistering, setRegistering] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const userId = String(form.get('userId')).trim();
    const password = String(form.get('password'));
    setBusy(true);
    setError(undefined);
    try {
      if (isRegistering) await request('register', { userId, password });
      await logIn(userId, password);
      returnFromLogin();
    } catch (thrown) {
      setError(thrown);
    }
    setBusy(false);
  }

  return (
    <form className="login card" onSubmit={submit}>
      <h1>{t.title}</h1>
      <p className="quiet">{ended ? t.ended : t.intro}</p>
      <Field label={t.name} name="userId" autoComplete="username" maxLength={64} required />
      <Field
        label={t.password}
        name="password"
        type="password"
        autoComplete={isRegistering ? 'new-password' : 'current-password'}
        required
        {...(isRegistering ? { hint: t.passwordHint, minLength: 8 } : {})}
      />
      <ErrorMessage error={error} />
      <button type="submit" aria-busy={busy} disabled={busy}>
        {isRegistering ? t.register : t.logIn}
      </button>
      {settings.registration === 'open' && (
        <p>
          {isRegistering ? t.hasAccount : t.isNew}{' '}
          <button type="button" className="link" onClick={() => setRegistering(!isRegistering)}>
            {isRegistering ? t.logIn : t.register}
          </button>
        </p>
      )}
    </form>
  );
}
