import { HubError } from '../../src/client/connect.js';
import { useWords, wordsFor } from '../words/words.js';

/** What went wrong, said at once to those who listen. Its place is kept, so that nothing jumps for them who look. */
export function Problem({ error }: { error: unknown }) {
  useWords();
  return (
    <div role="alert" className="problem">
      {error === undefined ? null : wordsFor(error)}
    </div>
  );
}

/** A page that could not be read, and the way to try again; unless the hub has said no for good. */
export function Unread({ error, again }: { error: unknown; again: () => void }) {
  const words = useWords();
  const isFinal = error instanceof HubError && !error.retryable;
  return (
    <div className="unread">
      <Problem error={error} />
      {!isFinal && (
        <button type="button" className="secondary" onClick={again}>
          {words.again}
        </button>
      )}
    </div>
  );
}
