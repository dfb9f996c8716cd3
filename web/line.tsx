import { line } from './hub.js';
import { session } from './session.js';
import { useStore } from './store.js';
import { useWords } from './words/words.js';

/** How the page stands with the hub, in one word; always there once somebody is logged in. */
export function LineState() {
  const words = useWords();
  const { state, pending } = useStore(line);
  if (!useStore(session)) return null;
  return (
    <output className="line-state" data-state={state.replace(' ', '-')}>
      <span className="dot" aria-hidden="true" />
      {words.states[state]}
      {pending > 0 && <span className="pending-count" title={words.pending(pending)}>{`+${pending}`}</span>}
    </output>
  );
}

/** What a person must know about the line: that it is cut, and afterwards what came in meanwhile. */
export function LineNotice() {
  const words = useWords();
  const { state, missed, pending } = useStore(line);
  const who = useStore(session);
  const told = !who
    ? undefined
    : state === 'offline'
      ? words.offlineHint
      : state === 'live' && missed > 0
        ? words.missed(missed)
        : undefined;
  return (
    <div className="line-notice" role="status" data-state={state.replace(' ', '-')}>
      {told && <span>{told}</span>}
      {told && pending > 0 && <span> {words.pending(pending)}</span>}
      {told && state === 'live' && (
        <button type="button" className="quiet-button" onClick={() => line.change((now) => ({ ...now, missed: 0 }))}>
          {words.dismiss}
        </button>
      )}
    </div>
  );
}
