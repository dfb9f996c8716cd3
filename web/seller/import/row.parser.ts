import { type DecimalMark, normalizeDigits, parseAmount } from '../../amount.js';
import { parseDetails, parseValue } from '../details.js';
import type { BookField, ColumnTarget } from './columns.js';
import { isIsbn, isRoundedIsbn, plainIsbn } from './isbn.js';
import type { ShapeProblem, TableRow } from './table.js';

export type Details = Record<string, string | number | boolean>;

/** What a row says about a book. A field without a value in the row is absent. */
export interface BookValues {
  bookId?: string;
  title?: string;
  author?: string;
  publisher?: string;
  isbn?: string;
  summary?: string;
  coverUrl?: string;
  price?: number;
  stock?: number;
  lowMark?: number;
  tags?: string[];
  details?: Details;
}

/** Why a row cannot be imported. */
export interface RowProblem {
  /** The field; empty for the row as such. */
  path: string;
  code:
    | ShapeProblem
    | ('unreadable' | 'notPrice' | 'notNumber' | 'missing' | 'roundedIsbn' | 'sameBook' | 'changedMeanwhile')
    /** `text` is a problem that the contract reports. */
    | 'contract'
    /** `text` is why the hub has rejected the book. */
    | 'rejected';
  text?: string;
  /** The other line of two that are the same book. */
  line?: number;
}

export interface ParsedRow {
  row: TableRow;
  values: BookValues;
  problems: RowProblem[];
}

export interface RowRules {
  columns: readonly string[];
  targets: readonly ColumnTarget[];
  /** Of the hub's currency. */
  minorDigits: number;
  decimalMark: DecimalMark;
}

const TAG_SEPARATORS = /[,，;；|、]/;
const NOT_DECODED = '\uFFFD';

/** Reads the cells of a row as its columns say. */
export function parseRow(row: TableRow, rules: RowRules): ParsedRow {
  const problems: RowProblem[] = row.shape ? [{ path: '', code: row.shape }] : [];
  const values: BookValues = {};
  if (row.shape === 'notObject') return { row, values, problems };
  for (const [index, target] of rules.targets.entries()) {
    const cell = unwrap(row.cells[index]);
    if (target === 'none' || cell === '' || cell === undefined || cell === null) continue;
    const path = target === 'detail' ? (rules.columns[index] ?? '') : target;
    if (typeof cell === 'string' && cell.includes(NOT_DECODED)) {
      problems.push({ path, code: 'unreadable' });
    } else if (target === 'detail') {
      addDetails(values, { [path]: detailOf(cell) });
    } else {
      const problem = readField(values, target, cell, rules);
      if (problem) problems.push({ path, code: problem });
    }
  }
  return { row, values, problems };
}

/** Removes what spreadsheets wrap a text in so that it stays a text: `="0439785960"`, `'9780439785969`. */
function unwrap(cell: unknown): unknown {
  if (typeof cell !== 'string') return cell;
  return cell
    .replace(/^="(.*)"$/s, '$1')
    .replace(/^'(?=[=+\-@\d])/, '')
    .trim();
}

function readField(
  values: BookValues,
  field: BookField,
  cell: unknown,
  rules: RowRules,
): RowProblem['code'] | undefined {
  // Of two columns for one field, the first that has a value.
  if (field in values && field !== 'details' && field !== 'isbn') return undefined;
  if (field === 'price') {
    const price = parseAmount(String(cell), rules.minorDigits, typeof cell === 'number' ? '.' : rules.decimalMark);
    if (price === undefined) return 'notPrice';
    values.price = price;
  } else if (field === 'stock' || field === 'lowMark') {
    const count = countOf(String(cell));
    if (count === undefined) return 'notNumber';
    values[field] = count;
  } else if (field === 'tags') {
    values.tags = tagsOf(cell);
  } else if (field === 'details') {
    addDetails(values, typeof cell === 'string' ? parseDetails(cell) : (cell as Details));
  } else if (field === 'isbn') {
    return readIsbn(values, String(cell));
  } else {
    values[field] = field === 'summary' ? lines(String(cell)) : String(cell).replace(/\s+/g, ' ');
  }
  return undefined;
}

/** The 13-digit form wins over the 10-digit one. What is no ISBN stays as it was written. */
function readIsbn(values: BookValues, cell: string): RowProblem['code'] | undefined {
  if (isRoundedIsbn(cell)) return 'roundedIsbn';
  const isbn = isIsbn(cell) ? plainIsbn(cell) : cell;
  if (values.isbn === undefined || (isbn.length === 13 && values.isbn.length === 10)) values.isbn = isbn;
  return undefined;
}

/** A whole number, maybe with thousands separated or with decimals that are zero: `1,200`, `12.0`. */
function countOf(cell: string): number | undefined {
  const plain = normalizeDigits(cell);
  if (/^-?\d+(?:[.,]0{1,2})?$/.test(plain)) return Number.parseInt(plain, 10);
  return parseAmount(plain, 0);
}

function tagsOf(cell: unknown): string[] {
  const parts = Array.isArray(cell) ? cell.map(String) : String(cell).split(TAG_SEPARATORS);
  return [...new Set(parts.map((tag) => tag.trim()).filter((tag) => tag !== ''))];
}

function detailOf(cell: unknown): string | number | boolean {
  if (typeof cell === 'number' || typeof cell === 'boolean') return cell;
  return typeof cell === 'string' ? parseValue(lines(cell)) : JSON.stringify(cell);
}

function addDetails(values: BookValues, details: Details): void {
  values.details = { ...values.details, ...details };
}

/** Tabs are control characters, which the hub refuses. */
function lines(text: string): string {
  return text.replace(/\r\n?/g, '\n').replaceAll('\t', ' ');
}
