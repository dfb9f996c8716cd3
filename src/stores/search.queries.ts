import { type SearchField, searchFields } from '../contract/shop.js';
import { GRAM_CHARACTERS } from './search.normalizer.js';

/** Books scanned before the index is used: all of a small store, and enough to find a common word. */
const SCAN_BOOKS_MAX = 1_000;
/** Entries counted per gram: enough to tell rare from common. */
const COUNT_MAX = 1_000;
const HIGHEST_CHARACTER = '\u{10FFFF}';

/** The columns of a book's texts that are presented, where they can be large, and those that the search compares. */
export const PRESENTED_COLUMNS = ['tags', 'summary', 'cover_url', 'details'];
export const FOLDED_COLUMNS = searchFields.map((name) => `folded_${name}`);

/** A SELECT or a part of one, with the values of its placeholders. */
export interface Sql {
  text: string;
  values: unknown[];
}

/** Which books: those of one store or of all, and whether also those that are in no list. */
export interface Shelf {
  storeId?: string | undefined;
  withUnlisted?: boolean | undefined;
}

/** The books after a number. */
export function rangeAfter(bookNo: number, { storeId, withUnlisted = false }: Shelf): Sql {
  const text = `b.book_no > ?${withUnlisted ? '' : ' AND b.listed = 1'}`;
  if (storeId === undefined) return { text, values: [bookNo] };
  return { text: `${text} AND b.store_id = ?`, values: [bookNo, storeId] };
}

export function listQuery(range: Sql, limit: number): Sql {
  return {
    text: `SELECT b.book_no AS bookNo FROM books b WHERE ${range.text} ORDER BY b.book_no LIMIT ${limit}`,
    values: range.values,
  };
}

export function isbnQuery(isbn: string, range: Sql, limit: number): Sql {
  return {
    text: `SELECT t.book_no AS bookNo FROM book_texts t JOIN books b ON b.book_no = t.book_no WHERE t.isbn_plain = ? AND ${range.text} ORDER BY t.book_no LIMIT ${limit}`,
    values: [isbn, ...range.values],
  };
}

/** The last book of a scan of at most that many bytes, or of one book, and their sum. */
export function scanEndQuery(range: Sql, bytesMax: number): Sql {
  const sizes = `SELECT t.book_no, ${bytesOf(FOLDED_COLUMNS)} AS bytes FROM (${scanned(range)}) s JOIN book_texts t ON t.book_no = s.book_no`;
  const sums = `SELECT m.book_no, m.bytes, SUM(m.bytes) OVER (ORDER BY m.book_no) AS total FROM (${sizes}) m`;
  return {
    text: `SELECT MAX(r.book_no) AS bookNo, SUM(r.bytes) AS bytes FROM (${sums}) r WHERE r.total - r.bytes < ${bytesMax}`,
    values: range.values,
  };
}

/** The books up to that one which match. */
export function scanQuery(range: Sql, last: number, matching: Sql, limit: number): Sql {
  return {
    text: `SELECT t.book_no AS bookNo FROM (${scanned(range)}) s JOIN book_texts t ON t.book_no = s.book_no WHERE t.book_no <= ? AND ${matching.text} ORDER BY t.book_no LIMIT ${limit}`,
    values: [...range.values, last, ...matching.values],
  };
}

function scanned(range: Sql): string {
  return `SELECT b.book_no FROM books b WHERE ${range.text} ORDER BY b.book_no LIMIT ${SCAN_BOOKS_MAX}`;
}

/** How many books have each gram, counted up to a limit. */
export function countQuery(grams: string[]): Sql {
  const counts = grams.map(
    (_, index) =>
      `SELECT ${index} AS gramIndex, COUNT(*) AS books FROM (SELECT 1 FROM book_grams WHERE gram = ? LIMIT ${COUNT_MAX}) g${index}`,
  );
  return { text: counts.join(' UNION ALL '), values: grams };
}

/** The books that the index finds: those that match are among them. */
export function indexQuery(grams: string[], range: Sql, limit: number): Sql {
  const entries = indexEntries(grams);
  const after = range.text.replace('b.book_no', 'g.book_no');
  // CROSS JOIN makes SQLite read the index first, rather than all books of the store in order.
  const text =
    `SELECT g.book_no AS bookNo FROM ${entries.text} CROSS JOIN books b ON b.book_no = g.book_no` +
    ` WHERE ${after} ORDER BY g.book_no LIMIT ${limit}`;
  return { text, values: [...entries.values, ...range.values] };
}

/** The numbers of the books that contain all of these grams, or a gram with this prefix if it is shorter. */
function indexEntries([first = '', ...others]: string[]): Sql {
  if ([...first].length < GRAM_CHARACTERS) {
    const text = '(SELECT DISTINCT book_no FROM book_grams WHERE gram >= ? AND gram < ?) g';
    return { text, values: [first, first + HIGHEST_CHARACTER] };
  }
  const joins = others.map(
    (_, index) => ` JOIN book_grams g${index} ON g${index}.book_no = g.book_no AND g${index}.gram = ?`,
  );
  const text = `(SELECT g.book_no FROM book_grams g${joins.join('')} WHERE g.gram = ?) g`;
  return { text, values: [...others, first] };
}

/** Each word must be in the field, or in any of the fields. */
export function matches(words: string[], field: SearchField | undefined): Sql {
  const fields = field === undefined ? searchFields : [field];
  const anyField = `(${fields.map((name) => `INSTR(t.folded_${name}, ?) > 0`).join(' OR ')})`;
  return { text: words.map(() => anyField).join(' AND '), values: words.flatMap((word) => fields.map(() => word)) };
}

/** The size of these columns. SQLite and the servers know it without reading the texts. */
export function bytesOf(columns: readonly string[]): string {
  return columns.map((column) => `COALESCE(OCTET_LENGTH(t.${column}), 0)`).join(' + ');
}
