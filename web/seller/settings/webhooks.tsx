import { type FormEvent, useEffect, useState } from 'react';
import { PAGE_LIMIT_MAX } from '../../../src/contract/fields.js';
import { type Role, roles } from '../../../src/contract/transitions.js';
import { WEBHOOK_URL_CHARACTERS_MAX } from '../../../src/contract/webhooks.js';
import { useRequest } from '../../../src/react/use.request.js';
import { ErrorMessage } from '../../components/error.message.js';
import { Field } from '../../components/field.js';
import { request } from '../../hub.js';
import { useSettingsTexts } from '../../i18n/settings.js';
import { readAll } from '../../pages.js';
import { useTeam } from '../team.js';
import { problemAt } from './problem.at.js';
import { SecretBox } from './secret.box.js';
import { SettingsList } from './settings.list.js';
import { useAction } from './use.action.js';
import { Webhook } from './webhook.js';

/** How far deliveries are changes by itself. */
const READ_AGAIN_MS = 5_000;

/** The receivers that are sent every event, and how each of them is doing. */
export function WebhookSettings() {
  const t = useSettingsTexts().webhooks;
  const { data, error, reload } = useRequest('webhooks', () =>
    readAll((after) => request('webhooks', { limit: PAGE_LIMIT_MAX, ...after })),
  );
  useEffect(() => {
    const timer = setInterval(() => document.hidden || reload(), READ_AGAIN_MS);
    return () => clearInterval(timer);
  }, [reload]);
  return (
    <SettingsList texts={t} items={data} error={error} reload={reload} form={<CreateWebhook onCreated={reload} />}>
      {(webhook) => <Webhook key={webhook.webhookId} webhook={webhook} onChanged={reload} />}
    </SettingsList>
  );
}

function CreateWebhook({ onCreated }: { onCreated: () => void }) {
  const t = useSettingsTexts().webhooks;
  const { isMember } = useTeam();
  const { isBusy, error, run } = useAction();
  const [created, setCreated] = useState<{ url: string; secret: string }>();
  const urlProblem = problemAt(error, 'url');

  async function create(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const url = String(fields.get('url')).trim();
    const role: Role = fields.get('role') === 'buyer' ? 'buyer' : 'seller';
    await run(async () => {
      setCreated(await request('createWebhook', { url, role }));
      form.reset();
      onCreated();
    });
  }

  return (
    <form onSubmit={create}>
      <h3>{t.add}</h3>
      <Field
        label={t.url}
        hint={t.urlHint}
        error={urlProblem}
        name="url"
        type="url"
        maxLength={WEBHOOK_URL_CHARACTERS_MAX}
        required
      />
      {!isMember && (
        <label className="field">
          {t.events}
          <select name="role" defaultValue="seller">
            {roles.map((role) => (
              <option key={role} value={role}>
                {t.roles[role]}
              </option>
            ))}
          </select>
        </label>
      )}
      <ErrorMessage error={urlProblem === undefined ? error : undefined} />
      <button type="submit" disabled={isBusy} aria-busy={isBusy}>
        {t.addDo}
      </button>
      {created && (
        <SecretBox label={t.secret(created.url)} secret={created.secret} onClose={() => setCreated(undefined)} />
      )}
    </form>
  );
}
