import { type FormEvent, type ReactNode, useState } from 'react';
import { newKey } from '../../src/client/again.js';
import { type BookView, LOW_MARK_DEFAULT } from '../../src/contract/stores.js';
import { ask } from '../hub.js';
import { decimal } from '../money.js';
import { Field } from '../parts/field.js';
import { Problem } from '../parts/notice.js';
import { useWords } from '../words/words.js';
import { readBook } from './book.reader.js';

/** A new book for the shelf. */
export function AddBook({ storeId, onAdded }: { storeId: string; onAdded: () => void }) {
  const words = useWords().shelf;
  return (
    <details className="card add-book">
      <summary>{words.add}</summary>
      <BookForm
        resets
        save={async (form) => {
          const { book, faults } = readBook(storeId, Object.fromEntries(texts(form)));
          if (!book) throw new Error(faults.map(({ path, problem }) => `${path} ${problem}`).join('; '));
          await ask('addBook', book);
          onAdded();
        }}
      >
        <Field label={words.bookId} name="bookId" maxLength={64} required />
        <Field label={words.bookTitle} name="title" maxLength={500} required />
        <Field label={words.author} name="author" maxLength={300} />
        <Field label={words.price} name="price" inputMode="decimal" required />
        <Field label={words.stock} name="stock" type="number" min={0} defaultValue={1} required />
        <Field
          label={words.lowMark}
          name="lowMark"
          type="number"
          min={0}
          defaultValue={LOW_MARK_DEFAULT}
          hint={words.lowMarkHint}
        />
        <Field label={words.tags} name="tags" />
        <Field label={words.coverUrl} name="coverUrl" type="url" />
        <Field label={words.summary} name="summary" />
      </BookForm>
    </details>
  );
}

/** What changes most: the price, the stock, and when to be warned. */
export function ChangeBook({ book, onChanged }: { book: BookView; onChanged: (book: BookView) => void }) {
  const words = useWords().shelf;
  const { storeId, bookId } = book;
  // One key while this form is open and unanswered: the stock is moved once, however often it is pressed.
  const [key, setKey] = useState(newKey);
  return (
    <BookForm
      save={async (form) => {
        const given = Object.fromEntries(texts(form));
        const { book: read, faults } = readBook(storeId, { ...given, bookId, stock: '0' });
        if (!read) throw new Error(faults.map(({ path, problem }) => `${path} ${problem}`).join('; '));
        const { title, price, lowMark = book.lowMark } = read;
        onChanged(await ask('changeBook', { storeId, bookId, title, price, lowMark }));
        const add = Number(form.get('add'));
        if (add) onChanged(await ask('addStock', { storeId, bookId, add, key }));
        setKey(newKey());
      }}
    >
      <Field label={words.bookTitle} name="title" defaultValue={book.title} maxLength={500} required />
      <Field label={words.price} name="price" inputMode="decimal" defaultValue={decimal(book.price)} required />
      <Field
        label={words.lowMark}
        name="lowMark"
        type="number"
        min={0}
        defaultValue={book.lowMark}
        hint={words.lowMarkHint}
      />
      <Field label={words.addStock} name="add" type="number" defaultValue={0} />
    </BookForm>
  );
}

interface BookFormProps {
  children: ReactNode;
  save: (form: FormData) => Promise<void>;
  /** Whether another book may follow. */
  resets?: boolean;
}

function BookForm({ children, save, resets = false }: BookFormProps) {
  const words = useWords().shelf;
  const [busy, setBusy] = useState(false);
  const [saved, setSaved] = useState(false);
  const [error, setError] = useState<unknown>();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    setBusy(true);
    setError(undefined);
    setSaved(false);
    try {
      await save(new FormData(form));
      setSaved(true);
      if (resets) form.reset();
    } catch (thrown) {
      setError(thrown);
    }
    setBusy(false);
  }

  return (
    <form className="book-form" onSubmit={submit}>
      <div className="fields">{children}</div>
      <Problem error={error} />
      <p className="actions">
        <button type="submit" disabled={busy} aria-busy={busy}>
          {busy ? words.saving : words.save}
        </button>
        <span role="status">{saved && words.saved}</span>
      </p>
    </form>
  );
}

/** What was filled in; an empty field is one that was left out. */
function texts(form: FormData): [string, string][] {
  return [...form]
    .map(([name, value]): [string, string] => [name, String(value).trim()])
    .filter(([, text]) => text !== '');
}
