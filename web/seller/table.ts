import type { WrittenBook } from './book.reader.js';

/** A book of a table, and the line where it begins, as an editor counts. */
export interface WrittenLine {
  line: number;
  written: WrittenBook;
}

/** What the columns may be called, in English and in Chinese. */
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

/** Reads CSV (commas, semicolons or tabs) or a JSON list. Undefined when it is neither. */
export function readTable(text: string): WrittenLine[] | undefined {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed === '') return [];
  return /^[[{]/.test(trimmed) ? readJson(trimmed) : readCsv(trimmed);
}

function readJson(text: string): WrittenLine[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    if (!Array.isArray(list)) return undefined;
    return list.map((item, index) => ({ line: index + 1, written: withNames(Object.entries(item ?? {})) }));
  } catch {
    return undefined;
  }
}

function readCsv(text: string): WrittenLine[] | undefined {
  const [header, ...rows] = readRows(text);
  const names = header?.cells.map(columnName) ?? [];
  if (!names.includes('bookId') || !names.includes('title')) return undefined;
  return rows
    .filter(({ cells }) => cells.some((cell) => cell !== ''))
    .map(({ line, cells }) => ({
      line,
      written: withNames(cells.map((cell, index): [string, string] => [names[index] ?? `column ${index + 1}`, cell])),
    }));
}

/** An empty cell is a field that was left out. */
function withNames(entries: [string, unknown][]): WrittenBook {
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

/** Cells in quotes may hold separators, line breaks and doubled quotes. */
function readRows(text: string): Row[] {
  const between = separatorOf(text);
  const rows: Row[] = [];
  let row: Row = { line: 1, cells: [] };
  let cell = '';
  let quoted = false;
  let line = 1;
  const endCell = () => {
    row.cells.push(cell.trim());
    cell = '';
  };
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === '\n') line++;
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') cell += text[at++];
      else quoted = false;
    } else if (letter === '"' && cell.trim() === '') {
      cell = '';
      quoted = true;
    } else if (letter === between) endCell();
    else if (letter === '\n') {
      endCell();
      rows.push(row);
      row = { line, cells: [] };
    } else cell += letter;
  }
  endCell();
  return [...rows, row];
}

function separatorOf(text: string): string {
  const header = text.split('\n', 1)[0] ?? '';
  return ['\t', ';', '，'].find((mark) => header.split(mark).length > header.split(',').length) ?? ',';
}
