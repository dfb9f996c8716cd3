import { useTranslations } from '../i18n/language.js';
import { LoadError } from './error.message.js';

interface LoadMoreProps {
  pages: { hasMore: boolean; isLoading: boolean; error: unknown; loadMore: () => void; reload: () => void };
}

/** The end of a list: a button that loads more, the loading state, or the error. Its height stays the same. */
export function LoadMore({ pages }: LoadMoreProps) {
  const t = useTranslations();
  if (pages.error !== undefined) return <LoadError error={pages.error} retry={pages.reload} />;
  return (
    <div className="more" aria-live="polite">
      {pages.isLoading ? (
        <span className="quiet">{t.loading}</span>
      ) : (
        pages.hasMore && (
          <button type="button" className="secondary" onClick={pages.loadMore}>
            {t.more}
          </button>
        )
      )}
    </div>
  );
}
