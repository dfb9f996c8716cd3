import type { z } from 'zod';
import type { Fault } from '../../src/contract/errors.js';
import { addBookRequest, type BookView } from '../../src/contract/stores.js';
import { minorUnits } from '../money.js';
import { words } from '../words/words.js';
import { readDetails } from './details.js';

export type NewBook = z.infer<typeof addBookRequest>;

/** A book as somebody wrote it down, in a form or in a line of a table: texts, with the price as people write it. */
export type WrittenBook = Record<string, unknown>;

const TAGS_BETWEEN = /[,，;；|、]/;

/** Reads what somebody wrote as the book that the contract asks for, or tells everything that is wrong with it. */
export function readBook(
  storeId: string,
  written: WrittenBook,
  before?: BookView,
): { book?: NewBook; faults: Fault[] } {
  const { price, stock, lowMark, tags, details, ...texts } = written;
  const faults: Fault[] = [];
  const number = (path: string, value: unknown) => {
    const read = typeof value === 'number' ? value : Number(String(value ?? '').trim() || Number.NaN);
    if (Number.isNaN(read)) faults.push({ path, problem: words().importing.notNumber });
    return read;
  };
  const cents = minorUnits(String(price ?? ''));
  if (cents === undefined) faults.push({ path: 'price', problem: words().importing.notPrice });
  const book = {
    ...texts,
    storeId,
    price: cents ?? 0,
    stock: number('stock', stock),
    ...(lowMark === undefined ? {} : { lowMark: number('lowMark', lowMark) }),
    ...(tags === undefined ? {} : { tags: readTags(tags) }),
    ...(details === undefined
      ? {}
      : { details: typeof details === 'string' ? readDetails(details, before?.details) : details }),
  };
  const result = addBookRequest.safeParse(book);
  const named = new Set(faults.map(({ path }) => path));
  for (const { path, message, code } of result.error?.issues ?? []) {
    const name = path.join('.');
    const missing = code === 'invalid_type' && !Object.hasOwn(book, name);
    if (!named.has(name)) faults.push({ path: name, problem: missing ? words().importing.missing : message });
  }
  return result.success && faults.length === 0 ? { book: result.data, faults } : { faults };
}

/** All that is wrong, in one line, in the person's language. */
export function told(faults: readonly Fault[]): string {
  const { fields, problem: said } = words().importing;
  const nameOf = (path: string) => fields[path.split('.')[0] as keyof typeof fields] ?? path;
  return faults.map(({ path, problem }) => `${nameOf(path)} ${said(problem)}`).join('; ');
}

function readTags(tags: unknown): unknown {
  if (typeof tags !== 'string') return tags;
  return tags
    .split(TAGS_BETWEEN)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');
}
