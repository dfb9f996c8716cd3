import type { z } from 'zod';
import { bookId as bookIdField, ID_CHARACTERS_MAX } from '../../../src/contract/fields.js';
import { addBookRequest, type BookView, changeBookRequest } from '../../../src/contract/stores.js';
import { isbnKey } from './isbn.js';
import type { BookValues, Details, ParsedRow, RowProblem } from './row.parser.js';
import { slug } from './shopify.js';
import type { TableRow } from './table.js';

export type NewBook = z.infer<typeof addBookRequest>;
export type Changes = Omit<z.infer<typeof changeBookRequest>, 'storeId' | 'bookId'>;

/** What the import would do with a row. */
export type PlannedRow = { row: TableRow } & (
  | { kind: 'new'; book: NewBook }
  | { kind: 'changed'; before: BookView; changes: Changes; addStock: number }
  | { kind: 'unchanged'; title: string }
  | { kind: 'toFix'; problems: RowProblem[] }
);
export type PlannedKind = PlannedRow['kind'];

/** For rows of new books without a price or a stock. */
export interface Defaults {
  price?: number | undefined;
  stock?: number | undefined;
}

/** A store's books, found by id or by ISBN. */
export class ShelfIndex {
  private readonly byId: Map<string, BookView>;
  /** Null for an ISBN of several books. */
  private readonly byIsbn = new Map<string, BookView | null>();

  constructor(books: readonly BookView[]) {
    this.byId = new Map(books.map((book) => [book.bookId, book]));
    for (const book of books) {
      if (book.isbn === undefined) continue;
      const key = isbnKey(book.isbn);
      this.byIsbn.set(key, this.byIsbn.has(key) ? null : book);
    }
  }

  /** By the id, or else by an ISBN that only one book has. */
  find({ bookId, isbn }: BookValues): BookView | undefined {
    const byId = bookId === undefined ? undefined : this.byId.get(bookId);
    return byId ?? (isbn === undefined ? undefined : (this.byIsbn.get(isbnKey(isbn)) ?? undefined));
  }
}

/** Plans rows one after another, for a book may come only once. */
export class Planner {
  private readonly linesById = new Map<string, number>();

  constructor(
    private readonly storeId: string,
    private readonly shelf: ShelfIndex,
    private readonly defaults: Defaults,
  ) {}

  plan({ row, values, problems }: ParsedRow): PlannedRow {
    const bookId = values.bookId ?? deriveId(values);
    const before = this.shelf.find({ ...values, bookId });
    const id = before?.bookId ?? bookId;
    const line = this.linesById.get(id);
    if (line !== undefined)
      return { row, kind: 'toFix', problems: [...problems, { path: '', code: 'sameBook', line }] };
    if (id !== '') this.linesById.set(id, row.line);
    const planned = before ? this.planChange(row, values, before) : this.planNew(row, values, bookId);
    if (problems.length === 0) return planned;
    // A field that could not be read is not missing as well.
    const named = new Set(problems.map(({ path }) => path));
    const others = planned.kind === 'toFix' ? planned.problems.filter(({ path }) => !named.has(path)) : [];
    return { row, kind: 'toFix', problems: [...problems, ...others] };
  }

  private planNew(row: TableRow, values: BookValues, bookId: string): PlannedRow {
    const { price, stock } = this.defaults;
    const given = { ...(price === undefined ? {} : { price }), ...(stock === undefined ? {} : { stock }) };
    const book = { ...given, ...values, storeId: this.storeId, bookId };
    const { success, data, error } = addBookRequest.safeParse(book);
    if (success) return { row, kind: 'new', book: data };
    const problems = problemsOf(error, book);
    // Without a title no id could be made: only the title is missing.
    const named = bookId === '' && problems.length > 1 ? problems.filter(({ path }) => path !== 'bookId') : problems;
    return { row, kind: 'toFix', problems: named };
  }

  private planChange(row: TableRow, { bookId: _, stock, ...values }: BookValues, before: BookView): PlannedRow {
    const changes = changesTo(before, values);
    const { success, error } = changeRules.safeParse({
      storeId: this.storeId,
      bookId: before.bookId,
      ...changes,
      stock,
    });
    if (!success) return { row, kind: 'toFix', problems: problemsOf(error, { ...changes, stock }) };
    const addStock = (stock ?? before.stock) - before.stock;
    if (addStock === 0 && Object.keys(changes).length === 0) return { row, kind: 'unchanged', title: before.title };
    return { row, kind: 'changed', before, changes, addStock };
  }
}

/** A stored book keeps its id, also one that a new book may not have. */
const changeRules = changeBookRequest.extend({ bookId: bookIdField, stock: addBookRequest.shape.stock.optional() });

/** The values that differ from the book's. Details are added to those that it has. */
export function changesTo(before: BookView, { details, ...values }: Omit<BookValues, 'bookId' | 'stock'>): Changes {
  const merged = details && mergeDetails(before.details, details);
  const wanted = Object.entries({ ...values, ...(merged ? { details: merged } : {}) });
  const current: Record<string, unknown> = { tags: [], details: {}, ...before };
  return Object.fromEntries(wanted.filter(([name, value]) => !isSame(name, value, current[name])));
}

/** Keeps a detail that reads the same: a table cannot tell the text `302` from the number. */
function mergeDetails(before: Details = {}, details: Details): Details {
  const differing = Object.entries(details).filter(([name, value]) => String(before[name]) !== String(value));
  return { ...before, ...Object.fromEntries(differing) };
}

function isSame(name: string, value: unknown, current: unknown): boolean {
  if (name === 'isbn' && typeof current === 'string') return isbnKey(String(value)) === isbnKey(current);
  return JSON.stringify(value) === JSON.stringify(current);
}

/** The same row has the same id each time: its ISBN, or its title and author. */
function deriveId({ isbn, title = '', author = '' }: BookValues): string {
  if (isbn !== undefined) return isbnKey(isbn);
  return [...slug(`${title} ${author}`)].slice(0, ID_CHARACTERS_MAX).join('').replace(/-$/, '');
}

function problemsOf({ issues }: z.ZodError, book: object): RowProblem[] {
  const seen = new Set<string>();
  return issues.flatMap(({ path, message, code }): RowProblem[] => {
    const name = String(path[0] ?? '');
    if (seen.has(name)) return [];
    seen.add(name);
    const isMissing = (code === 'invalid_type' && !Object.hasOwn(book, name)) || isBlankId(name, book);
    return [isMissing ? { path: name, code: 'missing' } : { path: name, code: 'contract', text: message }];
  });
}

function isBlankId(name: string, book: { bookId?: string }): boolean {
  return name === 'bookId' && book.bookId === '';
}
