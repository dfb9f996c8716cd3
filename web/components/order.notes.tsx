import { type FormEvent, useState } from 'react';
import type { Role } from '../../src/contract/transitions.js';
import { NOTE_CHARACTERS_MAX } from '../../src/contract/words.js';
import { formatDateTime } from '../clock.js';
import { hub } from '../hub.js';
import { useTranslations } from '../i18n/language.js';
import type { LoadedOrder } from '../loaded.order.js';
import { ordersOf } from '../orders.js';
import { session } from '../session.js';
import { useStore } from '../store.js';
import { ErrorMessage } from './error.message.js';
import { TextAreaField } from './field.js';

/** What the parties of an order wrote to each other, and a form to write more. */
export function OrderNotes({ order, party }: { order: LoadedOrder; party: Role }) {
  const t = useTranslations().notes;
  const userId = useStore(session)?.userId;
  return (
    <>
      <ul className="notes" aria-live="polite">
        {(order.notes ?? []).map(({ no, by, text, at }) => (
          <li key={no} className={by === userId ? 'own' : ''}>
            <p className={text === null ? 'quiet' : 'note-text'}>{text ?? t.erased}</p>
            <small className="quiet">
              {by === userId ? t.you : by} · {formatDateTime(at)}
            </small>
          </li>
        ))}
      </ul>
      <NoteForm orderId={order.orderId} party={party} />
    </>
  );
}

function NoteForm({ orderId, party }: { orderId: string; party: Role }) {
  const t = useTranslations().notes;
  const [text, setText] = useState('');
  const [isSending, setSending] = useState(false);
  const [error, setError] = useState<unknown>();

  async function send(event: FormEvent) {
    event.preventDefault();
    setSending(true);
    setError(undefined);
    try {
      await hub().note({ orderId, text });
      setText('');
      await ordersOf[party].load(orderId);
    } catch (problem) {
      setError(problem);
    } finally {
      setSending(false);
    }
  }

  return (
    <form className="note-form" onSubmit={send}>
      <TextAreaField
        label={t.write}
        value={text}
        rows={2}
        maxLength={NOTE_CHARACTERS_MAX}
        required
        disabled={isSending}
        onChange={({ target }) => setText(target.value)}
      />
      {error !== undefined && <ErrorMessage error={error} />}
      <button type="submit" className="secondary small" disabled={isSending}>
        {isSending ? t.sending : t.send}
      </button>
    </form>
  );
}
