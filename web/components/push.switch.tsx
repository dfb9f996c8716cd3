import { useEffect, useState } from 'react';
import { language } from '../i18n/language.js';
import { pushWords } from '../i18n/push.js';
import { useStore } from '../store.js';
import { ErrorMessage } from './error.message.js';
import { type PushState, pushState, turnPushOff, turnPushOn } from './push.js';

/** Rings this device when no page of the hub is open. Loaded on demand, with its words. */
export function PushSwitch() {
  const t = pushWords[useStore(language)];
  const [state, setState] = useState<PushState>();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    pushState().then(setState, () => setState('unsupported'));
  }, []);
  if (state === undefined) return null;
  const isBlocked = state === 'unsupported' || state === 'denied';
  const turn = async () => {
    setBusy(true);
    setError(undefined);
    await (state === 'on' ? turnPushOff() : turnPushOn()).then(setState, setError);
    setBusy(false);
  };
  return (
    <span className="push-switch">
      <button
        type="button"
        className="quiet-button"
        aria-pressed={state === 'on'}
        disabled={isBusy || isBlocked}
        title={isBlocked ? t.why[state] : undefined}
        onClick={turn}
      >
        {t.label}: {t.states[state]}
      </button>
      {error !== undefined && <ErrorMessage error={error} />}
    </span>
  );
}
