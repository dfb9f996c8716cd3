import { errorText, useTranslations } from '../i18n/language.js';

/** Announces an error to screen readers. Its height is reserved while there is none, so that the layout does not shift. */
export function ErrorMessage({ error }: { error: unknown }) {
  // Renders again when the language changes.
  useTranslations();
  return (
    <div role="alert" className="problem">
      {error === undefined ? null : errorText(error)}
    </div>
  );
}

/** Replaces content that failed to load. Offers a retry unless the error is final. */
export function LoadError({ error, retry }: { error: unknown; retry: () => void }) {
  const t = useTranslations();
  const isFinal = (error as { retryable?: boolean }).retryable === false;
  return (
    <div className="load-error">
      <ErrorMessage error={error} />
      {!isFinal && (
        <button type="button" className="secondary" onClick={retry}>
          {t.retry}
        </button>
      )}
    </div>
  );
}
