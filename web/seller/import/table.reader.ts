import Papa from 'papaparse';
import { decimalMarkOf } from '../../amount.js';
import { columnKey, fieldOfColumn, formatOf } from './columns.js';
import { isIsbn } from './isbn.js';
import { expandShopify } from './shopify.js';
import { nextTask, type Table, type TableRow } from './table.js';

/** Also the full-width comma, which Chinese keyboards type. */
const SEPARATORS = [',', ';', '\t', '|', '，'];
/** A title or a date may stand above the header. */
const HEADER_WITHIN_ROWS = 10;
/** Rows by which the separator is guessed. */
const GUESSED_ROWS = 50;
/** Rows by whose prices the decimal mark is found. */
const JUDGED_ROWS = 500;
/** Characters parsed without a break. */
const CHUNK_CHARACTERS = 50_000;
/** How much of a text shows its separator. */
const HEAD_CHARACTERS = 20_000;

/** Reads a CSV table, a list of ISBNs or a JSON array of books. Undefined for JSON that is no such array. */
export async function readTable(text: string, separator?: string): Promise<Table | undefined> {
  const plain = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const table = /^\s*[[{]/.test(plain) ? readJson(plain) : await readCsv(plain, separator);
  return table && expandShopify(table);
}

function readJson(text: string): Table | undefined {
  const list = parseJson(text);
  if (!Array.isArray(list)) return undefined;
  const columns = [...new Set(list.flatMap((item: unknown) => (isObject(item) ? Object.keys(item) : [])))];
  const rows = list.map((item: unknown, index): TableRow => {
    const line = index + 1;
    return isObject(item)
      ? { line, cells: columns.map((name) => item[name] ?? '') }
      : { line, cells: [JSON.stringify(item)], shape: 'notObject' };
  });
  return { format: formatOf(columns), columns, rows, decimalMark: '.', leftOut: 0 };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(item: unknown): item is Record<string, unknown> {
  return typeof item === 'object' && item !== null && !Array.isArray(item);
}

async function readCsv(text: string, chosen?: string): Promise<Table> {
  const [declaration = '', declared] = /^"?sep=(.)"?\n/i.exec(text) ?? [];
  const separator = chosen ?? declared ?? separatorOf(text);
  const firstLine = declaration === '' ? 1 : 2;
  const read = await readRows(text.slice(declaration.length), separator, firstLine);
  const isList = isIsbnList(read);
  const { columns, rows } = isList ? withIsbnHeader(read) : withHeader(read);
  for (const row of rows) {
    if (row.cells.slice(columns.length).some((cell) => cell !== '')) row.shape ??= 'tooManyCells';
  }
  const format = isList ? 'isbns' : formatOf(columns);
  return { format, columns, rows, separator, decimalMark: markOf(columns, rows, separator), leftOut: 0 };
}

/** The separator that shows a known header or a list of ISBNs; else the one by which the parser finds the rows most even. */
function separatorOf(text: string): string {
  const head = text.slice(0, HEAD_CHARACTERS);
  const { meta, errors } = Papa.parse(head, { delimitersToGuess: SEPARATORS, preview: GUESSED_ROWS });
  const guess = errors.some(({ code }) => code === 'UndetectableDelimiter') ? ',' : meta.delimiter;
  const scores = [guess, ...SEPARATORS].map((delimiter) => {
    const { data } = Papa.parse<string[]>(head, { delimiter, newline: '\n', preview: GUESSED_ROWS });
    const rows = data.filter(([first, second]) => first !== '' || second !== undefined);
    const isList = rows.length > 0 && rows.every(([first = '']) => isIsbn(first));
    return { delimiter, score: isList ? GUESSED_ROWS : Math.max(...rows.map(knownNames)) };
  });
  return scores.reduce((best, other) => (other.score > best.score ? other : best)).delimiter;
}

function knownNames(cells: readonly unknown[]): number {
  return cells.filter((cell) => fieldOfColumn(cell) !== undefined).length;
}

/** The rows that are not empty, each with its line: a quoted cell may contain line breaks. */
function readRows(text: string, delimiter: string, firstLine: number): Promise<TableRow[]> {
  const rows: TableRow[] = [];
  let line = firstLine;
  return new Promise((resolve) => {
    Papa.parse<string[]>(text, {
      delimiter,
      newline: '\n',
      chunkSize: CHUNK_CHARACTERS,
      chunk: ({ data, errors }: Papa.ParseResult<string[]>, parser: Papa.Parser) => {
        const misquoted = new Set(errors.filter(({ type }) => type === 'Quotes').map(({ row }) => row));
        for (const [index, raw] of data.entries()) {
          const cells = raw.map((cell) => cell.trim());
          if (cells.some((cell) => cell !== '')) {
            rows.push({ line, cells, ...(misquoted.has(index) ? { shape: 'openQuote' } : {}) });
          }
          line += 1 + raw.reduce((breaks, cell) => breaks + cell.split('\n').length - 1, 0);
        }
        parser.pause();
        nextTask().then(() => parser.resume());
      },
      complete: () => resolve(rows),
    });
  });
}

interface HeadedRows {
  columns: string[];
  rows: TableRow[];
}

/** The header is the first row that names two fields, or else the first row. */
function withHeader(rows: TableRow[]): HeadedRows {
  const named = rows.slice(0, HEADER_WITHIN_ROWS).findIndex(({ cells }) => knownNames(cells) >= 2);
  const at = Math.max(0, named);
  const header = (rows[at]?.cells ?? []).map(String);
  // A trailing separator is not a column.
  while (header.at(-1) === '') header.pop();
  return { columns: header, rows: rows.slice(at + 1) };
}

/** Whether every row begins with an ISBN, as the lists of scanners do. */
function isIsbnList(rows: TableRow[]): boolean {
  return rows.length > 0 && rows.every(({ cells: [first] }) => isIsbn(String(first)));
}

/** A list without a header: the ISBN, and maybe how many copies there are. */
function withIsbnHeader(rows: TableRow[]): HeadedRows {
  const width = Math.max(...rows.slice(0, HEADER_WITHIN_ROWS).map(({ cells }) => cells.length));
  const isCounted = rows.every(({ cells: [, count = ''] }) => /^\d{0,7}$/.test(String(count)));
  const columns = [
    'ISBN',
    isCounted ? 'Quantity' : '2',
    ...Array.from({ length: width }, (_, index) => `${index + 3}`),
  ];
  return { columns: columns.slice(0, width), rows };
}

/** The decimal mark that most prices show; where none shows it, semicolons go with decimal commas. */
function markOf(columns: string[], rows: TableRow[], separator: string): '.' | ',' {
  const marks = columns.flatMap((name, index) => {
    if (fieldOfColumn(name) !== 'price' && columnKey(name) !== 'listprice') return [];
    return rows.slice(0, JUDGED_ROWS).map(({ cells }) => decimalMarkOf(String(cells[index] ?? '')));
  });
  const commas = marks.filter((mark) => mark === ',').length;
  const points = marks.filter((mark) => mark === '.').length;
  return commas === points ? (separator === ';' ? ',' : '.') : commas > points ? ',' : '.';
}
