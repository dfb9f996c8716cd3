import { type FormEvent, useState } from 'react';
import type { Tested, WebhookView } from '../../../src/contract/webhooks.js';
import { formatDateTime } from '../../clock.js';
import { ErrorMessage } from '../../components/error.message.js';
import { Field } from '../../components/field.js';
import { request } from '../../hub.js';
import { useSettingsTexts } from '../../i18n/settings.js';
import { ConfirmButton } from './confirm.button.js';
import { useAction } from './use.action.js';

/** One receiver: how far it is, whether it answers, and what can be done with it. */
export function Webhook({ webhook, onChanged }: { webhook: WebhookView; onChanged: () => void }) {
  const t = useSettingsTexts().webhooks;
  const { isBusy, error, run } = useAction();
  const [tested, setTested] = useState<Tested>();
  const [isRewinding, setRewinding] = useState(false);
  const { webhookId, url, role, paused, delivered, head, failingSince, lastStatus } = webhook;
  const state = paused ? 'paused' : failingSince !== null ? 'failing' : 'ok';

  async function change(act: () => Promise<unknown>) {
    if (await run(act)) onChanged();
  }

  async function rewind(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const after = Number(new FormData(event.currentTarget).get('from')) - 1;
    await change(() => request('rewindWebhook', { webhookId, after }));
    setRewinding(false);
  }

  return (
    <li>
      <div className="settings-row">
        <span>
          <strong>{url}</strong> <span className="quiet">{t.roles[role]}</span>
        </span>
        <span className={`hook-state ${state}`}>
          {state === 'failing' ? t.failing(formatDateTime(failingSince ?? '')) : t.states[state]}
        </span>
      </div>
      <p className="quiet">
        {delivered >= head ? t.allDelivered(head) : t.delivered(delivered, head)} ·{' '}
        {lastStatus === null ? t.noAnswer : t.lastAnswer(lastStatus)}
      </p>
      <p className="settings-actions">
        <button
          type="button"
          className="secondary small"
          disabled={isBusy}
          aria-label={`${t.test}: ${url}`}
          onClick={() => change(async () => setTested(await request('testWebhook', { webhookId })))}
        >
          {t.test}
        </button>
        <button
          type="button"
          className="quiet-button"
          disabled={isBusy}
          aria-label={`${paused ? t.resume : t.pause}: ${url}`}
          onClick={() => change(() => request('changeWebhook', { webhookId, paused: !paused }))}
        >
          {paused ? t.resume : t.pause}
        </button>
        <button
          type="button"
          className="quiet-button"
          aria-expanded={isRewinding}
          aria-label={`${t.rewind}: ${url}`}
          onClick={() => setRewinding(!isRewinding)}
        >
          {t.rewind}
        </button>
        <ConfirmButton
          label={t.remove}
          name={url}
          disabled={isBusy}
          onConfirm={() => change(() => request('deleteWebhook', { webhookId }))}
        />
        <span role="status">{tested && (tested.status === null ? t.testedNoAnswer : t.tested(tested.status))}</span>
      </p>
      {isRewinding && (
        <form onSubmit={rewind}>
          <Field label={t.rewindFrom} hint={t.rewindHint(head)} name="from" type="number" min={1} required />
          <button type="submit" disabled={isBusy} aria-busy={isBusy}>
            {t.rewindDo}
          </button>
        </form>
      )}
      <ErrorMessage error={error} />
    </li>
  );
}
