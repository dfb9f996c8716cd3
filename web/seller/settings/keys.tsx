import { type FormEvent, useState } from 'react';
import type { ApiKeyView } from '../../../src/contract/auth.js';
import { PAGE_LIMIT_MAX } from '../../../src/contract/fields.js';
import { rights as allRights } from '../../../src/contract/rights.js';
import { useRequest } from '../../../src/react/use.request.js';
import { formatDateTime, hubNow } from '../../clock.js';
import { ErrorMessage } from '../../components/error.message.js';
import { Field } from '../../components/field.js';
import { request } from '../../hub.js';
import { useSettingsTexts } from '../../i18n/settings.js';
import { readAll } from '../../pages.js';
import { ConfirmButton } from './confirm.button.js';
import { RightsField, rightsIn } from './rights.field.js';
import { SecretBox } from './secret.box.js';
import { SettingsList } from './settings.list.js';
import { useAction } from './use.action.js';

const A_DAY_MS = 86_400_000;
const LIFETIMES_DAYS = [0, 30, 90, 365];

/** The user's API keys: for tills, warehouse programs and other code of the user's own. */
export function KeySettings() {
  const t = useSettingsTexts().keys;
  const { data, error, reload } = useRequest('keys', () =>
    readAll((after) => request('keys', { limit: PAGE_LIMIT_MAX, ...after })),
  );
  return (
    <SettingsList texts={t} items={data} error={error} reload={reload} form={<CreateKey onCreated={reload} />}>
      {(key) => <ApiKey key={key.keyId} apiKey={key} onRevoked={reload} />}
    </SettingsList>
  );
}

function ApiKey({ apiKey, onRevoked }: { apiKey: ApiKeyView; onRevoked: () => void }) {
  const t = useSettingsTexts();
  const { isBusy, error, run } = useAction();
  const { keyId, name, rights, lastUsedAt, expiresAt } = apiKey;
  return (
    <li>
      <div className="settings-row">
        <span>
          <strong>{name}</strong>{' '}
          <span className="quiet">{rights.map((right) => t.rights[right].name).join(t.comma)}</span>
        </span>
        <span className="settings-actions">
          <ConfirmButton
            label={t.keys.revoke}
            name={name}
            disabled={isBusy}
            onConfirm={async () => (await run(() => request('deleteKey', { keyId }))) && onRevoked()}
          />
        </span>
      </div>
      <p className="quiet">
        {lastUsedAt === null ? t.keys.unused : t.keys.lastUsed(formatDateTime(lastUsedAt))}
        {' · '}
        {expiresAt === null ? t.keys.noExpiry : t.keys.expires(formatDateTime(expiresAt))}
      </p>
      <ErrorMessage error={error} />
    </li>
  );
}

function CreateKey({ onCreated }: { onCreated: () => void }) {
  const t = useSettingsTexts();
  const { isBusy, error, run } = useAction();
  const [created, setCreated] = useState<{ name: string; secret: string }>();
  const [problem, setProblem] = useState<string>();

  async function create(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const name = String(fields.get('name')).trim();
    const rights = rightsIn(form);
    const days = Number(fields.get('days'));
    setProblem(rights.length === 0 ? t.staff.noRights : undefined);
    if (rights.length === 0) return;
    const expiresAt = new Date(hubNow() + days * A_DAY_MS).toISOString();
    await run(async () => {
      setCreated(await request('createKey', { name, rights, ...(days > 0 ? { expiresAt } : {}) }));
      form.reset();
      onCreated();
    });
  }

  return (
    <form onSubmit={create}>
      <h3>{t.keys.add}</h3>
      <Field label={t.keys.name} hint={t.keys.nameHint} name="name" maxLength={500} autoComplete="off" required />
      <RightsField legend={t.keys.rights} rights={allRights} checked={['read']} />
      <label className="field">
        {t.keys.lifetime}
        <select name="days">
          {LIFETIMES_DAYS.map((days) => (
            <option key={days} value={days}>
              {t.keys.days(days)}
            </option>
          ))}
        </select>
      </label>
      {problem && <p className="field-error">{problem}</p>}
      <ErrorMessage error={error} />
      <button type="submit" disabled={isBusy} aria-busy={isBusy}>
        {t.keys.addDo}
      </button>
      {created && (
        <SecretBox label={t.keys.secret(created.name)} secret={created.secret} onClose={() => setCreated(undefined)} />
      )}
    </form>
  );
}
