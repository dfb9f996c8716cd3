import type { RawBook } from './book.parser.js';

/** A book of a table, with the 1-based line on which it begins. */
export interface RawLine {
  line: number;
  raw: RawBook;
}

/** Accepted column names in English and Chinese, lower case without separators, and the fields that they name. */
const columnNames: Record<string, string> = {
  ...{ id: 'bookId', bookid: 'bookId', 编号: 'bookId', 书号: 'bookId' },
  ...{ title: 'title', 书名: 'title', 标题: 'title' },
  ...{ author: 'author', 作者: 'author' },
  ...{ price: 'price', 价格: 'price', 定价: 'price', 售价: 'price' },
  ...{ stock: 'stock', 库存: 'stock', 数量: 'stock' },
  ...{ lowmark: 'lowMark', 告急线: 'lowMark' },
  ...{ publisher: 'publisher', 出版社: 'publisher' },
  ...{ isbn: 'isbn' },
  ...{ tags: 'tags', 标签: 'tags' },
  ...{ summary: 'summary', 简介: 'summary', 内容简介: 'summary' },
  ...{ details: 'details', 其他: 'details' },
  ...{ coverurl: 'coverUrl', cover: 'coverUrl', 封面: 'coverUrl' },
};

/** Parses CSV (separated by commas, semicolons or tabs) or a JSON array. Undefined when it is neither. */
export function parseTable(text: string): RawLine[] | undefined {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed === '') return [];
  return /^[[{]/.test(trimmed) ? parseJson(trimmed) : parseCsv(trimmed);
}

function parseJson(text: string): RawLine[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    if (!Array.isArray(list)) return undefined;
    return list.map((item, index) => ({ line: index + 1, raw: toRawBook(Object.entries(item ?? {})) }));
  } catch {
    return undefined;
  }
}

function parseCsv(text: string): RawLine[] | undefined {
  const [header, ...rows] = parseRows(text);
  const names = header?.cells.map(columnName) ?? [];
  if (!names.includes('bookId') || !names.includes('title')) return undefined;
  return rows
    .filter(({ cells }) => cells.some((cell) => cell !== ''))
    .map(({ line, cells }) => ({
      line,
      raw: toRawBook(cells.map((cell, index): [string, string] => [names[index] ?? `column ${index + 1}`, cell])),
    }));
}

/** Names the fields. An empty cell is an omitted field. */
function toRawBook(entries: [string, unknown][]): RawBook {
  return Object.fromEntries(
    entries.filter(([, value]) => value !== '').map(([name, value]) => [columnName(name), value]),
  );
}

function columnName(name: string): string {
  return (
    columnNames[
      name
        .trim()
        .toLowerCase()
        .replace(/[\s_-]/g, '')
    ] ?? name.trim()
  );
}

interface Row {
  line: number;
  cells: string[];
}

/** Quoted cells may contain separators, line breaks and doubled quotes. */
function parseRows(text: string): Row[] {
  const separator = separatorOf(text);
  const rows: Row[] = [];
  let row: Row = { line: 1, cells: [] };
  let cell = '';
  let isQuoted = false;
  let line = 1;
  const endCell = () => {
    row.cells.push(cell.trim());
    cell = '';
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\n') line++;
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') cell += text[at++];
      else isQuoted = false;
    } else if (character === '"' && cell.trim() === '') {
      cell = '';
      isQuoted = true;
    } else if (character === separator) endCell();
    else if (character === '\n') {
      endCell();
      rows.push(row);
      row = { line, cells: [] };
    } else cell += character;
  }
  endCell();
  return [...rows, row];
}

function separatorOf(text: string): string {
  const header = text.split('\n', 1)[0] ?? '';
  return ['\t', ';', '，'].find((separator) => header.split(separator).length > header.split(',').length) ?? ',';
}
