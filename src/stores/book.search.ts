import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { PAGE_LIMIT_DEFAULT } from '../contract/fields.js';
import type { SearchRequest } from '../contract/stores.js';
import { Database } from '../platform/database/database.js';
import { type MeasuredRow, sizeOf, split } from '../platform/database/page.reader.js';
import { readNumberCursor } from '../platform/database/pagination.js';
import { ReadLimiter } from '../platform/limits/read.limiter.js';
import { normalizeForSearch, plainIsbn, trigramsOf, wordsOf } from './search.normalizer.js';
import {
  bytesOf,
  countQuery,
  FOLDED_COLUMNS,
  indexQuery,
  isbnQuery,
  listQuery,
  matches,
  rangeAfter,
  type Shelf,
  type Sql,
  scanEndQuery,
  scanQuery,
} from './search.queries.js';

/** Texts that are compared at once, in bytes: a few milliseconds. */
const COMPARED_BYTES_MAX = 1_048_576;
/** Books that the index finds, whose texts are compared next. */
const CANDIDATES_MAX = 200;
/** How many bytes are compared in the time in which one is read and sent. */
const COMPARED_BYTES_PER_BYTE_READ = 4;
/** Grams of a search that are counted, and rarest ones that are joined. */
const COUNTED_GRAMS_MAX = 12;
const JOINED_GRAMS_MAX = 3;

/** What is still to be found, after the book of this number. */
interface Rest {
  readKey: string;
  after: number;
  shelf: Shelf;
  matching: Sql;
  limit: number;
}

/**
 * Finds books by parts of words, in the order in which they were added. A scan is fast where many books match, the trigram index
 * where few do: so a bounded scan comes first, and the index finds what comes after it. Both compare the texts themselves, and
 * what they compare counts as read.
 */
@Injectable()
export class BookSearch {
  constructor(
    private readonly database: Database,
    private readonly reads: ReadLimiter,
  ) {}

  /** The numbers of a page's books, and one more if there is a next page. */
  async find(
    readKey: string,
    { q = '', field, after, limit = PAGE_LIMIT_DEFAULT, ...shelf }: SearchRequest & Shelf,
  ): Promise<number[]> {
    // Distinct: one character can normalize to several words, and databases limit the number of conditions.
    const words = [...new Set(wordsOf(normalizeForSearch(q)))];
    const range = rangeAfter(after === undefined ? 0 : readNumberCursor(after), shelf);
    if (words.length === 0) return this.select(listQuery(range, limit + 1));
    const isbn = field === undefined ? plainIsbn(q) : undefined;
    // On every page alike, also on one after the last book of this ISBN.
    if (isbn !== undefined && (await this.select(isbnQuery(isbn, rangeAfter(0, shelf), 1))).length > 0)
      return this.select(isbnQuery(isbn, range, limit + 1));

    const matching = matches(words, field);
    const [end] = await this.read<{ bookNo: number | null; bytes: number }>(scanEndQuery(range, COMPARED_BYTES_MAX));
    const last = end?.bookNo ?? null;
    if (last === null) return [];
    await this.spend(readKey, Number(end?.bytes));
    const found = await this.select(scanQuery(range, last, matching, limit + 1));
    if (found.length > limit || (await this.select(listQuery(rangeAfter(last, shelf), 1))).length === 0) return found;
    const rest = { readKey, after: last, shelf, matching, limit: limit + 1 - found.length };
    return [...found, ...(await this.findByIndex(rest, await this.rarestGrams(words)))];
  }

  /** The books in their order, with the sizes of these columns of their texts. */
  async measure(bookNos: number[], columns: readonly string[]): Promise<MeasuredRow<number>[]> {
    if (bookNos.length === 0) return [];
    const [condition, values] = this.database.dialect.inCondition.values('t.book_no', bookNos);
    const text = `SELECT t.book_no AS bookNo, ${bytesOf(columns)} AS bytes FROM book_texts t WHERE ${condition}`;
    const rows = await this.read<{ bookNo: number; bytes: number }>({ text, values });
    const sizes = new Map(rows.map(({ bookNo, bytes }) => [bookNo, Number(bytes)]));
    return bookNos.map((key) => ({ key, bytes: sizes.get(key) ?? 0 }));
  }

  /** Compares the books that the index finds, some at a time, until there are enough. */
  private async findByIndex({ readKey, after, shelf, matching, limit }: Rest, grams: string[]): Promise<number[]> {
    const found: number[] = [];
    let candidates: number[] = [];
    do {
      const from = candidates.at(-1) ?? after;
      candidates = await this.select(indexQuery(grams, rangeAfter(from, shelf), CANDIDATES_MAX));
      for (const some of split(await this.measure(candidates, FOLDED_COLUMNS), COMPARED_BYTES_MAX)) {
        await this.spend(readKey, sizeOf(some));
        await setImmediate();
        found.push(...(await this.compare(some, matching)));
        if (found.length >= limit) return found.slice(0, limit);
      }
    } while (candidates.length === CANDIDATES_MAX);
    return found;
  }

  private compare(rows: MeasuredRow<number>[], matching: Sql): Promise<number[]> {
    const [condition, values] = this.database.dialect.inCondition.values(
      't.book_no',
      rows.map(({ key }) => key),
    );
    return this.select({
      text: `SELECT t.book_no AS bookNo FROM book_texts t WHERE ${condition} AND ${matching.text} ORDER BY t.book_no`,
      values: [...values, ...matching.values],
    });
  }

  /** The grams to look up in the index: the rarest trigrams, or the longest word if none has three characters. */
  private async rarestGrams(words: string[]): Promise<string[]> {
    const grams = [...new Set(words.flatMap(trigramsOf))].slice(0, COUNTED_GRAMS_MAX);
    if (grams.length === 0) return [words.reduce((longest, word) => (word.length > longest.length ? word : longest))];
    const rows = await this.read<{ gramIndex: number; books: number }>(countQuery(grams));
    rows.sort((a, b) => Number(a.books) - Number(b.books));
    return rows.slice(0, JOINED_GRAMS_MAX).flatMap(({ gramIndex }) => grams[Number(gramIndex)] ?? []);
  }

  private async select(sql: Sql): Promise<number[]> {
    return (await this.read<{ bookNo: number }>(sql)).map(({ bookNo }) => bookNo);
  }

  private spend(readKey: string, comparedBytes: number): Promise<void> {
    return this.reads.spend(readKey, comparedBytes / COMPARED_BYTES_PER_BYTE_READ);
  }

  private read<Row>({ text, values }: Sql): Promise<Row[]> {
    return this.database.read.query(text, values);
  }
}
