import { type FormEvent, useState } from 'react';
import { HubError } from '../../../src/client/connect.js';
import { type ListedSession, PASSWORD_CHARACTERS_MAX, PASSWORD_CHARACTERS_MIN } from '../../../src/contract/auth.js';
import { usePages } from '../../../src/react/use.pages.js';
import { formatDateTime } from '../../clock.js';
import { ErrorMessage, LoadError } from '../../components/error.message.js';
import { Field } from '../../components/field.js';
import { LoadMore } from '../../components/load.more.js';
import { request } from '../../hub.js';
import { useTranslations } from '../../i18n/language.js';
import { useSettingsTexts } from '../../i18n/settings.js';
import { ConfirmButton } from './confirm.button.js';
import { useAction } from './use.action.js';

/** What a user keeps of itself: its password, and where it is logged in. */
export function AccountSettings() {
  const [changes, setChanges] = useState(0);
  return (
    <div className="stack">
      <PasswordForm onChanged={() => setChanges(changes + 1)} />
      <Sessions key={changes} />
    </div>
  );
}

function PasswordForm({ onChanged }: { onChanged: () => void }) {
  const t = useSettingsTexts().password;
  const hint = useTranslations().login.passwordHint;
  const { isBusy, error, run } = useAction();
  const [isSaved, setSaved] = useState(false);
  const isWrong = error instanceof HubError && error.code === 'UNAUTHENTICATED';

  async function change(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const oldPassword = String(fields.get('oldPassword'));
    const newPassword = String(fields.get('newPassword'));
    setSaved(false);
    if (!(await run(() => request('password', { oldPassword, newPassword })))) return;
    form.reset();
    setSaved(true);
    onChanged();
  }

  return (
    <form className="card settings-form" onSubmit={change}>
      <h2>{t.title}</h2>
      <p className="quiet">{t.intro}</p>
      <Field
        label={t.old}
        error={isWrong ? t.wrong : undefined}
        name="oldPassword"
        type="password"
        autoComplete="current-password"
        required
      />
      <Field
        label={t.new}
        hint={hint}
        name="newPassword"
        type="password"
        autoComplete="new-password"
        minLength={PASSWORD_CHARACTERS_MIN}
        maxLength={PASSWORD_CHARACTERS_MAX}
        required
      />
      <ErrorMessage error={isWrong ? undefined : error} />
      <p className="actions">
        <button type="submit" disabled={isBusy} aria-busy={isBusy}>
          {t.save}
        </button>
        <span role="status">{isSaved && t.saved}</span>
      </p>
    </form>
  );
}

function Sessions() {
  const t = useSettingsTexts().sessions;
  const sessions = usePages('sessions', (after) => request('sessions', after ? { after } : {}));
  return (
    <section className="card settings-form">
      <h2>{t.title}</h2>
      <p className="quiet">{t.intro}</p>
      {sessions.error !== undefined && <LoadError error={sessions.error} retry={sessions.reload} />}
      <ul className="settings-list">
        {sessions.items.map((session) => (
          <SessionRow key={session.sessionId} session={session} onEnded={sessions.reload} />
        ))}
      </ul>
      <LoadMore pages={sessions} />
    </section>
  );
}

function SessionRow({ session, onEnded }: { session: ListedSession; onEnded: () => void }) {
  const t = useSettingsTexts().sessions;
  const { isBusy, error, run } = useAction();
  const { sessionId, terminal, createdAt, expiresAt, current } = session;
  const name = t.terminal(terminal);
  return (
    <li>
      <div className="settings-row">
        <span>
          <strong>{name}</strong>{' '}
          <span className="quiet">{t.since(formatDateTime(createdAt), formatDateTime(expiresAt))}</span>
        </span>
        {current ? (
          <span className="hook-state ok">{t.current}</span>
        ) : (
          <span className="settings-actions">
            <ConfirmButton
              label={t.end}
              name={`${name}, ${formatDateTime(createdAt)}`}
              disabled={isBusy}
              onConfirm={async () => (await run(() => request('endSession', { sessionId }))) && onEnded()}
            />
          </span>
        )}
      </div>
      <ErrorMessage error={error} />
    </li>
  );
}
