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
import { ErrorMessage } from '../components/error.message.js';
import { Field, TextAreaField } from '../components/field.js';
import { request } from '../hub.js';
import { useTranslations } from '../i18n/language.js';
import { toDecimal } from '../money.js';
import { describeErrors, type NewBook, parseBook } from './book.parser.js';
import { formatDetails } from './details.js';

export function AddBook({ storeId, onAdded }: { storeId: string; onAdded: () => void }) {
  const t = useTranslations().shelf;
  return (
    <details className="card add-book">
      <summary>{t.add}</summary>
      <BookForm
        resets
        save={async (form) => {
          const { book, errors } = parseBook(storeId, Object.fromEntries(filledFields(form)));
          if (!book) throw new Error(describeErrors(errors));
          await request('addBook', book);
          onAdded();
        }}
      >
        <Field label={t.bookId} name="bookId" maxLength={ID_CHARACTERS_MAX} required />
        <Field label={t.bookTitle} name="title" maxLength={TITLE_CHARACTERS_MAX} required />
        <Field label={t.price} name="price" inputMode="decimal" required />
        <Field label={t.stock} name="stock" type="number" min={0} max={STOCK_MAX} defaultValue={1} required />
        <DescriptionFields />
      </BookForm>
    </details>
  );
}

/** Edits everything that the contract lets an owner change, and adds copies. Sends only the changed fields. */
export function EditBook({ book, onEdited }: { book: BookView; onEdited: (book: BookView) => void }) {
  const t = useTranslations().shelf;
  const { storeId, bookId } = book;
  /** Counts the restocks of this form; as a key, it resets the field after each so that saving does not add again. */
  const [restocks, setRestocks] = useState(0);
  return (
    <BookForm
      save={async (form) => {
        // Unlike other fields, tags and details can be cleared.
        const raw: Record<string, string> = { tags: '', details: '', ...Object.fromEntries(filledFields(form)) };
        const { add = '0', ...description } = raw;
        const { book: parsed, errors } = parseBook(storeId, { ...description, bookId, stock: '0' }, book);
        if (!parsed) throw new Error(describeErrors(errors));
        const changes = changesOf(book, parsed);
        if (Object.keys(changes).length > 0) onEdited(await request('changeBook', { storeId, bookId, ...changes }));
        if (Number(add) === 0) return;
        onEdited(await request('addStock', { storeId, bookId, add: Number(add) }));
        setRestocks(restocks + 1);
      }}
    >
      <Field label={t.bookTitle} name="title" defaultValue={book.title} maxLength={TITLE_CHARACTERS_MAX} required />
      <Field label={t.price} name="price" inputMode="decimal" defaultValue={toDecimal(book.price)} required />
      <Field key={restocks} label={t.addStock} name="add" type="number" defaultValue={0} />
      <DescriptionFields book={book} />
    </BookForm>
  );
}

/** The hub lets a description be changed but not removed, so fields that have a value are required. */
function DescriptionFields({ book }: { book?: BookView }) {
  const t = useTranslations().shelf;
  const attributes = (name: 'author' | 'publisher' | 'isbn' | 'coverUrl' | 'summary') => ({
    name,
    defaultValue: book?.[name],
    required: book?.[name] !== undefined,
  });
  return (
    <>
      <Field label={t.author} {...attributes('author')} maxLength={AUTHOR_CHARACTERS_MAX} />
      <Field label={t.publisher} {...attributes('publisher')} maxLength={AUTHOR_CHARACTERS_MAX} />
      <Field label={t.isbn} {...attributes('isbn')} maxLength={ISBN_CHARACTERS_MAX} />
      <Field label={t.tags} name="tags" defaultValue={book?.tags?.join(', ')} />
      <Field
        label={t.lowMark}
        name="lowMark"
        type="number"
        min={0}
        max={STOCK_MAX}
        defaultValue={book?.lowMark ?? LOW_MARK_DEFAULT}
        hint={t.lowMarkHint}
        required
      />
      <Field label={t.coverUrl} {...attributes('coverUrl')} maxLength={COVER_URL_CHARACTERS_MAX} />
      <TextAreaField label={t.summary} {...attributes('summary')} rows={4} maxLength={SUMMARY_CHARACTERS_MAX} />
      <TextAreaField
        label={t.details}
        name="details"
        rows={3}
        defaultValue={formatDetails(book?.details)}
        hint={t.detailsHint}
      />
    </>
  );
}

interface BookFormProps {
  children: ReactNode;
  save: (form: FormData) => Promise<void>;
  /** Whether saving clears the form, for another book. */
  resets?: boolean;
}

function BookForm({ children, save, resets = false }: BookFormProps) {
  const t = useTranslations().shelf;
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
      <ErrorMessage error={error} />
      <p className="actions">
        <button type="submit" disabled={busy} aria-busy={busy}>
          {busy ? t.saving : t.save}
        </button>
        <span role="status">{saved && t.saved}</span>
      </p>
    </form>
  );
}

/** The parsed fields that differ from the book. */
function changesOf(book: BookView, { stock: _, ...parsed }: NewBook): Omit<ChangeBookRequest, 'storeId' | 'bookId'> {
  const before: Record<string, unknown> = { tags: [], details: {}, ...book };
  return Object.fromEntries(
    Object.entries(parsed).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])),
  );
}

/** The trimmed values of the form; empty fields are omitted. */
function filledFields(form: FormData): [string, string][] {
  return [...form]
    .map(([name, value]): [string, string] => [name, String(value).trim()])
    .filter(([, text]) => text !== '');
}
