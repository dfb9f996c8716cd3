import type { BookView } from '../../../src/contract/stores.js';
import { request } from '../../hub.js';
import type { ShelfIndex } from './comparison.js';
import { isbnKey } from './isbn.js';
import type { ParsedRow } from './row.parser.js';

/** Look-ups in flight at a time. */
const CONCURRENCY = 4;
const HITS = 10;

type Description = Pick<BookView, 'title' | 'author' | 'publisher'>;

/** What the market's stores say about an ISBN, by its key; undefined where none has the book. Kept, for lists are read again. */
const known = new Map<string, Description | undefined>();

/** Whether a row names a new book by its ISBN alone, as lists of ISBNs do. */
export function needsTitle({ values }: ParsedRow, shelf: ShelfIndex): boolean {
  return values.isbn !== undefined && values.title === undefined && shelf.find(values) === undefined;
}

/** Completes rows that have an ISBN but no title by what other stores of the market say about the book. */
export async function completeFromMarket(
  rows: readonly ParsedRow[],
  shelf: ShelfIndex,
  signal: AbortSignal,
): Promise<ParsedRow[]> {
  const lookUps = rows.filter((row) => needsTitle(row, shelf)).values();
  const worker = async () => {
    for (const { values } of lookUps) {
      const key = isbnKey(values.isbn ?? '');
      if (!known.has(key)) known.set(key, await lookUp(values.isbn ?? '', signal));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return rows.map((row) => {
    const found = needsTitle(row, shelf) ? known.get(isbnKey(row.values.isbn ?? '')) : undefined;
    return found ? { ...row, values: { ...found, ...row.values } } : row;
  });
}

async function lookUp(isbn: string, signal: AbortSignal): Promise<Description | undefined> {
  const { items } = await request('books', { q: isbn, limit: HITS }, { signal });
  const hit = items.find((book) => book.isbn !== undefined && isbnKey(book.isbn) === isbnKey(isbn));
  if (!hit) return undefined;
  const { title, author, publisher } = hit;
  return { title, ...(author === undefined ? {} : { author }), ...(publisher === undefined ? {} : { publisher }) };
}
