import { Injectable } from '@nestjs/common';
import { PAGE_LIMIT_DEFAULT } from '../contract/fields.js';
import { type SearchField, type SearchRequest, searchFields } from '../contract/stores.js';
import { Database } from '../platform/database.js';
import { readNumberCursor } from '../platform/paging.js';
import { fold, GRAM_CHARACTERS, wholeGramsOf, wordsOf } from './fold.js';

/** So many books are looked at one by one before the index is asked: all of a small store, and enough for a common word. */
const WALK_BOOKS_MAX = 1_000;
/** So many entries of a gram are counted to tell a rare one from a common one. */
const COUNT_MAX = 1_000;
/** So many of a word's grams are weighed, and so many of the rarest are joined. */
const WEIGHED_GRAMS_MAX = 12;
const JOINED_GRAMS_MAX = 3;
const HIGHEST_CHARACTER = '\u{10FFFF}';

/** A part of a SELECT, with the values of its placeholders. */
interface Sql {
  text: string;
  values: (string | number)[];
}

/**
 * Finds books by parts of words, in the order in which they came to the shelf. Two ways lead to the same page. Walking along
 * the shelf is quick where many books match; the index of grams is quick where few do. So a walk of bounded length comes
 * first, and the index answers when it did not fill the page. Both compare the texts themselves before they call it a match.
 */
@Injectable()
export class BookSearch {
  constructor(private readonly database: Database) {}

  /** The numbers of the books of one page, and one more if there is a next page. */
  async find({ q = '', field, storeId, after, limit = PAGE_LIMIT_DEFAULT }: SearchRequest): Promise<number[]> {
    // Each once: a character may stand for several words, and an engine takes so many conditions and no more.
    const words = [...new Set(wordsOf(fold(q)))];
    const from: Sql = { text: 'b.book_no > ?', values: [after === undefined ? 0 : readNumberCursor(after)] };
    if (storeId !== undefined) from.text += ' AND b.store_id = ?';
    if (storeId !== undefined) from.values.push(storeId);
    if (words.length === 0) return this.numbers(all(from, limit + 1));

    const matching = matches(words, field);
    const walked = await this.numbers(walk(from, matching, limit + 1));
    if (walked.length > limit || !(await this.reaches(from, WALK_BOOKS_MAX))) return walked;
    return this.numbers(indexed(await this.rarest(words), from, matching, limit + 1));
  }

  /** Whether there are more books than a walk looks at. */
  private async reaches(from: Sql, books: number): Promise<boolean> {
    const sql = `SELECT b.book_no AS bookNo FROM books b WHERE ${from.text} ORDER BY b.book_no LIMIT 1 OFFSET ${books}`;
    return (await this.numbers({ text: sql, values: from.values })).length > 0;
  }

  /** The grams by which the index is entered: the rarest of the longer words, or else the longest of the short ones. */
  private async rarest(words: string[]): Promise<string[]> {
    const grams = [...new Set(words.flatMap(wholeGramsOf))].slice(0, WEIGHED_GRAMS_MAX);
    if (grams.length === 0) return [words.reduce((longest, word) => (word.length > longest.length ? word : longest))];
    const counts = grams.map(
      (_, index) =>
        `SELECT ${index} AS gramIndex, COUNT(*) AS books FROM (SELECT 1 FROM book_grams WHERE gram = ? LIMIT ${COUNT_MAX}) g${index}`,
    );
    const rows: { gramIndex: number; books: number }[] = await this.database.read.query(
      counts.join(' UNION ALL '),
      grams,
    );
    rows.sort((a, b) => Number(a.books) - Number(b.books));
    return rows.slice(0, JOINED_GRAMS_MAX).flatMap(({ gramIndex }) => grams[Number(gramIndex)] ?? []);
  }

  private async numbers({ text, values }: Sql): Promise<number[]> {
    const rows: { bookNo: number }[] = await this.database.read.query(text, values);
    return rows.map(({ bookNo }) => bookNo);
  }
}

function all(from: Sql, limit: number): Sql {
  return {
    text: `SELECT b.book_no AS bookNo FROM books b WHERE ${from.text} ORDER BY b.book_no LIMIT ${limit}`,
    values: from.values,
  };
}

function walk(from: Sql, matching: Sql, limit: number): Sql {
  const shelf = `SELECT b.book_no FROM books b WHERE ${from.text} ORDER BY b.book_no LIMIT ${WALK_BOOKS_MAX}`;
  return {
    text: `SELECT t.book_no AS bookNo FROM (${shelf}) s JOIN book_texts t ON t.book_no = s.book_no WHERE ${matching.text} ORDER BY t.book_no LIMIT ${limit}`,
    values: [...from.values, ...matching.values],
  };
}

function indexed(grams: string[], from: Sql, matching: Sql, limit: number): Sql {
  const entry = entryOf(grams);
  const after = from.text.replace('b.book_no', 'g.book_no');
  // CROSS JOIN: the index first, and never all books of the store for the sake of their order.
  const text =
    `SELECT g.book_no AS bookNo FROM ${entry.text} CROSS JOIN books b ON b.book_no = g.book_no` +
    ` CROSS JOIN book_texts t ON t.book_no = g.book_no` +
    ` WHERE ${after} AND ${matching.text} ORDER BY g.book_no LIMIT ${limit}`;
  return { text, values: [...entry.values, ...from.values, ...matching.values] };
}

/** The numbers of the books that hold all of these grams, or one that begins so. */
function entryOf([first = '', ...others]: string[]): Sql {
  if ([...first].length < GRAM_CHARACTERS) {
    const text = '(SELECT DISTINCT book_no FROM book_grams WHERE gram >= ? AND gram < ?) g';
    return { text, values: [first, first + HIGHEST_CHARACTER] };
  }
  const joined = others.map(
    (_, index) => ` JOIN book_grams g${index} ON g${index}.book_no = g.book_no AND g${index}.gram = ?`,
  );
  const text = `(SELECT g.book_no FROM book_grams g${joined.join('')} WHERE g.gram = ?) g`;
  return { text, values: [...others, first] };
}

/** Each word must stand in the field, or in one of the fields. */
function matches(words: string[], field: SearchField | undefined): Sql {
  const fields = field === undefined ? searchFields : [field];
  const one = `(${fields.map((name) => `INSTR(t.folded_${name}, ?) > 0`).join(' OR ')})`;
  return { text: words.map(() => one).join(' AND '), values: words.flatMap((word) => fields.map(() => word)) };
}
