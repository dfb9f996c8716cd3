import { type FormEvent, type ReactNode, useState } from 'react';
import { COVER_URL_CHARACTERS_MAX } from '../../src/contract/book.fields.js';
import { ID_CHARACTERS_MAX, STOCK_MAX } from '../../src/contract/fields.js';
import {
  AUTHOR_CHARACTERS_MAX,
  type BookView,
  type ChangeBookRequest,
  ISBN_CHARACTERS_MAX,
  LOW_MARK_DEFAULT,
  SUMMARY_CHARACTERS_MAX,
  TITLE_CHARACTERS_MAX,
} from '../../src/contract/stores.js';
import { ask } from '../hub.js';
import { decimal } from '../money.js';
import { Field, LongField } from '../parts/field.js';
import { Problem } from '../parts/notice.js';
import { useWords } from '../words/words.js';
import { type NewBook, readBook, told } from './book.reader.js';
import { writeDetails } from './details.js';

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
          if (!book) throw new Error(told(faults));
          await ask('addBook', book);
          onAdded();
        }}
      >
        <Field label={words.bookId} name="bookId" maxLength={ID_CHARACTERS_MAX} required />
        <Field label={words.bookTitle} name="title" maxLength={TITLE_CHARACTERS_MAX} required />
        <Field label={words.price} name="price" inputMode="decimal" required />
        <Field label={words.stock} name="stock" type="number" min={0} max={STOCK_MAX} defaultValue={1} required />
        <DescriptionFields />
      </BookForm>
    </details>
  );
}

/** All that the contract lets an owner change, and how many copies came. Sent is only what was changed. */
export function ChangeBook({ book, onChanged }: { book: BookView; onChanged: (book: BookView) => void }) {
  const words = useWords().shelf;
  const { storeId, bookId } = book;
  /** How often copies have come. What came is on the shelf, and does not stand in the field any more. */
  const [came, setCame] = useState(0);
  return (
    <BookForm
      save={async (form) => {
        // All tags and details may be taken away.
        const written: Record<string, string> = { tags: '', details: '', ...Object.fromEntries(texts(form)) };
        const { add = '0', ...described } = written;
        const { book: read, faults } = readBook(storeId, { ...described, bookId, stock: '0' }, book);
        if (!read) throw new Error(told(faults));
        const changed = changesOf(book, read);
        if (Object.keys(changed).length > 0) onChanged(await ask('changeBook', { storeId, bookId, ...changed }));
        if (Number(add) === 0) return;
        onChanged(await ask('addStock', { storeId, bookId, add: Number(add) }));
        setCame(came + 1);
      }}
    >
      <Field label={words.bookTitle} name="title" defaultValue={book.title} maxLength={TITLE_CHARACTERS_MAX} required />
      <Field label={words.price} name="price" inputMode="decimal" defaultValue={decimal(book.price)} required />
      <Field key={came} label={words.addStock} name="add" type="number" defaultValue={0} />
      <DescriptionFields book={book} />
    </BookForm>
  );
}

/** How a book is described. The hub lets a text be changed, but not taken away: one that is there stays required. */
function DescriptionFields({ book }: { book?: BookView }) {
  const words = useWords().shelf;
  const given = (name: 'author' | 'publisher' | 'isbn' | 'coverUrl' | 'summary') => ({
    name,
    defaultValue: book?.[name],
    required: book?.[name] !== undefined,
  });
  return (
    <>
      <Field label={words.author} {...given('author')} maxLength={AUTHOR_CHARACTERS_MAX} />
      <Field label={words.publisher} {...given('publisher')} maxLength={AUTHOR_CHARACTERS_MAX} />
      <Field label={words.isbn} {...given('isbn')} maxLength={ISBN_CHARACTERS_MAX} />
      <Field label={words.tags} name="tags" defaultValue={book?.tags?.join(', ')} />
      <Field
        label={words.lowMark}
        name="lowMark"
        type="number"
        min={0}
        max={STOCK_MAX}
        defaultValue={book?.lowMark ?? LOW_MARK_DEFAULT}
        hint={words.lowMarkHint}
        required
      />
      <Field label={words.coverUrl} {...given('coverUrl')} maxLength={COVER_URL_CHARACTERS_MAX} />
      <LongField label={words.summary} {...given('summary')} rows={4} maxLength={SUMMARY_CHARACTERS_MAX} />
      <LongField
        label={words.details}
        name="details"
        rows={3}
        defaultValue={writeDetails(book?.details)}
        hint={words.detailsHint}
      />
    </>
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

/** The fields of the read book that say something else than the book does. */
function changesOf(book: BookView, { stock: _, ...read }: NewBook): Omit<ChangeBookRequest, 'storeId' | 'bookId'> {
  const before: Record<string, unknown> = { tags: [], details: {}, ...book };
  return Object.fromEntries(
    Object.entries(read).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])),
  );
}

/** What was filled in; an empty field is one that was left out. */
function texts(form: FormData): [string, string][] {
  return [...form]
    .map(([name, value]): [string, string] => [name, String(value).trim()])
    .filter(([, text]) => text !== '');
}
