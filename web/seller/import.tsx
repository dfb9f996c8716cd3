import { useMemo, useRef, useState } from 'react';
import { request } from '../hub.js';
import { errorText, useTranslations } from '../i18n/language.js';
import { describeErrors, parseBook } from './book.parser.js';
import { parseTable } from './table.parser.js';

/** Requests in flight at a time: fast, without crowding out other users. */
const CONCURRENCY = 4;
/** Bounds the table of problems. */
const PROBLEMS_SHOWN = 200;

interface Problem {
  line: number;
  text: string;
}

interface Progress {
  done: number;
  total: number;
  added: number;
  isRunning: boolean;
}

/** Adds books from CSV or JSON. Every line that is invalid, or that the hub rejects, is listed with its problem. */
export function Import({ storeId }: { storeId: string }) {
  const t = useTranslations().importing;
  const [text, setText] = useState('');
  const [rejected, setRejected] = useState<Problem[]>([]);
  const [progress, setProgress] = useState<Progress>();
  const isStopped = useRef(false);
  const table = useMemo(() => parseTable(text), [text]);
  const lines = useMemo(
    () => (table ?? []).map(({ line, raw }) => ({ line, ...parseBook(storeId, raw) })),
    [table, storeId],
  );
  const valid = lines.flatMap(({ line, book }) => (book ? [{ line, book }] : []));
  const invalid = lines.flatMap(({ line, errors }) =>
    errors.length > 0 ? [{ line, text: describeErrors(errors) }] : [],
  );
  const problems = [...invalid, ...rejected].sort((a, b) => a.line - b.line);

  async function start() {
    isStopped.current = false;
    setRejected([]);
    let state: Progress = { done: 0, total: valid.length, added: 0, isRunning: true };
    setProgress(state);
    const queue = valid.values();
    const worker = async () => {
      for (const { line, book } of queue) {
        if (isStopped.current) return;
        const error = await request('addBook', book).then(
          () => undefined,
          (thrown: unknown) => ({ thrown }),
        );
        if (error) setRejected((before) => [...before, { line, text: `${book.title}: ${errorText(error.thrown)}` }]);
        state = { ...state, done: state.done + 1, added: state.added + (error ? 0 : 1) };
        setProgress(state);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    setProgress({ ...state, isRunning: false });
  }

  return (
    <section className="card import" aria-label={t.title}>
      <h2>{t.title}</h2>
      <p className="quiet">{t.intro}</p>
      <label>
        {t.file}{' '}
        <input
          type="file"
          accept=".csv,.tsv,.txt,.json"
          onChange={async ({ target }) => setText((await target.files?.[0]?.text()) ?? '')}
        />
      </label>
      <textarea
        aria-label={t.paste}
        rows={10}
        value={text}
        spellCheck={false}
        placeholder={'id,title,author,price,stock\nthree-body,三体,刘慈欣,23.00,20'}
        onChange={({ target }) => setText(target.value)}
      />
      <p role="status">
        {text !== '' &&
          (table ? t.ready(valid.length, invalid.length) : /^\s*[[{]/.test(text) ? t.badJson : t.noHeader)}
      </p>
      <p className="actions">
        {progress?.isRunning ? (
          <button type="button" className="secondary" onClick={() => (isStopped.current = true)}>
            {t.stop}
          </button>
        ) : (
          <button type="button" disabled={valid.length === 0} onClick={start}>
            {t.start(valid.length)}
          </button>
        )}
        {progress && (
          <>
            <progress value={progress.done} max={progress.total} aria-label={t.title} />
            <span role="status">
              {progress.isRunning
                ? t.progress(progress.done, progress.total)
                : t.done(progress.added, progress.done - progress.added)}
            </span>
          </>
        )}
      </p>
      {problems.length > 0 && <Problems problems={problems} />}
    </section>
  );
}

function Problems({ problems }: { problems: Problem[] }) {
  const t = useTranslations().importing;
  return (
    <table className="problems">
      <caption>{t.problems}</caption>
      <thead>
        <tr>
          <th scope="col">{t.line}</th>
          <th scope="col">{t.problemHead}</th>
        </tr>
      </thead>
      <tbody>
        {problems.slice(0, PROBLEMS_SHOWN).map(({ line, text }) => (
          <tr key={`${line} ${text}`}>
            <td>{line}</td>
            <td>{text}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
