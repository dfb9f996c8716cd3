import type { z } from 'zod';
import type { FieldError } from '../../src/contract/errors.js';
import { bookId } from '../../src/contract/fields.js';
import { addBookRequest, type BookView } from '../../src/contract/stores.js';
import { translations } from '../i18n/language.js';
import { parseMoney } from '../money.js';
import { parseDetails } from './details.js';

export type NewBook = z.infer<typeof addBookRequest>;

/** A book as typed into a form or a row of a table: strings by field name, with a decimal price. */
export type RawBook = Record<string, unknown>;

const TAG_SEPARATORS = /[,，;；|、]/;

/** A stored book keeps its id, also one that a new book may not have. */
const storedBook = addBookRequest.extend({ bookId });

/** Parses a book against the contract. Returns the book, or every error of its fields. */
export function parseBook(storeId: string, raw: RawBook, before?: BookView): { book?: NewBook; errors: FieldError[] } {
  const { price, stock, lowMark, tags, details, ...texts } = raw;
  const errors: FieldError[] = [];
  const number = (path: string, value: unknown) => {
    const parsed = typeof value === 'number' ? value : Number(String(value ?? '').trim() || Number.NaN);
    if (Number.isNaN(parsed)) errors.push({ path, problem: translations().importing.notNumber });
    return parsed;
  };
  const cents = parseMoney(String(price ?? ''));
  if (cents === undefined) errors.push({ path: 'price', problem: translations().importing.notPrice });
  const book = {
    ...texts,
    storeId,
    price: cents ?? 0,
    stock: number('stock', stock),
    ...(lowMark === undefined ? {} : { lowMark: number('lowMark', lowMark) }),
    ...(tags === undefined ? {} : { tags: parseTags(tags) }),
    ...(details === undefined
      ? {}
      : { details: typeof details === 'string' ? parseDetails(details, before?.details) : details }),
  };
  const result = (before ? storedBook : addBookRequest).safeParse(book);
  const reported = new Set(errors.map(({ path }) => path));
  for (const { path, message, code } of result.error?.issues ?? []) {
    const name = path.join('.');
    const isMissing = code === 'invalid_type' && !Object.hasOwn(book, name);
    if (!reported.has(name)) {
      errors.push({ path: name, problem: isMissing ? translations().importing.missing : message });
    }
  }
  return result.success && errors.length === 0 ? { book: result.data, errors } : { errors };
}

/** All errors in one line, in the user's language. */
export function describeErrors(errors: readonly FieldError[]): string {
  const { fields, problem: translate } = translations().importing;
  const nameOf = (path: string) => fields[path.split('.')[0] as keyof typeof fields] ?? path;
  return errors.map(({ path, problem }) => `${nameOf(path)} ${translate(problem)}`).join('; ');
}

function parseTags(tags: unknown): unknown {
  if (typeof tags !== 'string') return tags;
  return tags
    .split(TAG_SEPARATORS)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}
