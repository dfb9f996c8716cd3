import { useMemo, useRef, useState } from 'react';
import { ask } from '../hub.js';
import { useWords, wordsFor } from '../words/words.js';
import { readBook, told } from './book.reader.js';
import { readTable } from './table.js';

/** So many books are on their way at once: quick, and others are still heard. */
const AT_ONCE = 4;
/** A list longer than that is not read by anybody. */
const PROBLEMS_SHOWN = 200;

interface Problem {
  line: number;
  told: string;
}

interface Progress {
  done: number;
  of: number;
  added: number;
  running: boolean;
}

/** Puts many books on the shelf at once. Every line that cannot be read, or is refused, is named with its reason. */
export function Import({ storeId }: { storeId: string }) {
  const words = useWords().importing;
  const [text, setText] = useState('');
  const [refused, setRefused] = useState<Problem[]>([]);
  const [progress, setProgress] = useState<Progress>();
  const stopped = useRef(false);
  const table = useMemo(() => readTable(text), [text]);
  const lines = useMemo(
    () => (table ?? []).map(({ line, written }) => ({ line, ...readBook(storeId, written) })),
    [table, storeId],
  );
  const good = lines.flatMap(({ line, book }) => (book ? [{ line, book }] : []));
  const unreadable = lines.flatMap(({ line, faults }) => (faults.length > 0 ? [{ line, told: told(faults) }] : []));
  const problems = [...unreadable, ...refused].sort((a, b) => a.line - b.line);

  async function start() {
    stopped.current = false;
    setRefused([]);
    let state: Progress = { done: 0, of: good.length, added: 0, running: true };
    setProgress(state);
    const queue = good.values();
    const work = async () => {
      for (const { line, book } of queue) {
        if (stopped.current) return;
        const error = await ask('addBook', book).then(
          () => undefined,
          (thrown: unknown) => ({ thrown }),
        );
        if (error) setRefused((before) => [...before, { line, told: `${book.title}: ${wordsFor(error.thrown)}` }]);
        state = { ...state, done: state.done + 1, added: state.added + (error ? 0 : 1) };
        setProgress(state);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    setProgress({ ...state, running: false });
  }

  return (
    <section className="card import" aria-label={words.title}>
      <h2>{words.title}</h2>
      <p className="quiet">{words.intro}</p>
      <label>
        {words.file}{' '}
        <input
          type="file"
          accept=".csv,.tsv,.txt,.json"
          onChange={async ({ target }) => setText((await target.files?.[0]?.text()) ?? '')}
        />
      </label>
      <textarea
        aria-label={words.paste}
        rows={10}
        value={text}
        spellCheck={false}
        placeholder={'id,title,author,price,stock\nthree-body,三体,刘慈欣,23.00,20'}
        onChange={({ target }) => setText(target.value)}
      />
      <p role="status">
        {text !== '' &&
          (table
            ? words.ready(good.length, unreadable.length)
            : /^\s*[[{]/.test(text)
              ? words.badJson
              : words.noHeader)}
      </p>
      <p className="actions">
        {progress?.running ? (
          <button type="button" className="secondary" onClick={() => (stopped.current = true)}>
            {words.stop}
          </button>
        ) : (
          <button type="button" disabled={good.length === 0} onClick={start}>
            {words.start(good.length)}
          </button>
        )}
        {progress && (
          <>
            <progress value={progress.done} max={progress.of} aria-label={words.title} />
            <span role="status">
              {progress.running
                ? words.progress(progress.done, progress.of)
                : words.done(progress.added, progress.done - progress.added)}
            </span>
          </>
        )}
      </p>
      {problems.length > 0 && <Problems problems={problems} />}
    </section>
  );
}

function Problems({ problems }: { problems: Problem[] }) {
  const words = useWords().importing;
  return (
    <table className="problems">
      <caption>{words.problems}</caption>
      <thead>
        <tr>
          <th scope="col">{words.line}</th>
          <th scope="col">{words.problemHead}</th>
        </tr>
      </thead>
      <tbody>
        {problems.slice(0, PROBLEMS_SHOWN).map(({ line, told }) => (
          <tr key={`${line} ${told}`}>
            <td>{line}</td>
            <td>{told}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
