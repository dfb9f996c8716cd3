import { useWords } from '../words/words.js';
import { Unread } from './notice.js';

interface MoreProps {
  pages: { hasMore: boolean; isReading: boolean; error: unknown; more: () => void; again: () => void };
}

/** The end of a list: more of it, or why there is none. Takes the same room whichever it is. */
export function More({ pages }: MoreProps) {
  const words = useWords();
  if (pages.error !== undefined) return <Unread error={pages.error} again={pages.again} />;
  return (
    <div className="more" aria-live="polite">
      {pages.isReading ? (
        <span className="quiet">{words.loading}</span>
      ) : (
        pages.hasMore && (
          <button type="button" className="secondary" onClick={pages.more}>
            {words.more}
          </button>
        )
      )}
    </div>
  );
}
