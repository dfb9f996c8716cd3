import { connectionStatus, dismissMissed } from './connection.js';
import { useTranslations } from './i18n/language.js';
import { missedSales } from './missed.js';
import { useRoute } from './route.js';
import { session } from './session.js';
import { useStore } from './store.js';

/** The connection state in one word, always visible while a user is logged in. */
export function ConnectionBadge() {
  const t = useTranslations();
  const { state, pending } = useStore(connectionStatus);
  if (!useStore(session)) return null;
  return (
    <output className="connection-status" data-state={state.replace(' ', '-')}>
      <span className="dot" aria-hidden="true" />
      {t.states[state]}
      {pending > 0 && <span className="pending-count" title={t.pending(pending)}>{`+${pending}`}</span>}
    </output>
  );
}

/** Says that the connection is lost, and after the reconnect how many changes were missed, where the panel does not list them. */
export function ConnectionNotice() {
  const t = useTranslations();
  const { state, missed, pending } = useStore(connectionStatus);
  const user = useStore(session);
  const { segments } = useRoute();
  const isSaidByPanel = useStore(missedSales) !== null && segments[0] === 'panel';
  const notice = !user
    ? undefined
    : state === 'offline'
      ? t.offlineHint
      : state === 'live' && missed > 0 && !isSaidByPanel
        ? t.missed(missed)
        : undefined;
  return (
    <div className="connection-notice" role="status" data-state={state.replace(' ', '-')}>
      {notice && <span>{notice}</span>}
      {notice && pending > 0 && <span> {t.pending(pending)}</span>}
      {notice && state === 'live' && (
        <button type="button" className="quiet-button" onClick={dismissMissed}>
          {t.dismiss}
        </button>
      )}
    </div>
  );
}
