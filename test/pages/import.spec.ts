import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { BookView } from '../../src/contract/stores.js';
import { mapColumns } from '../../web/seller/import/columns.js';
import { type PlannedRow, Planner, ShelfIndex } from '../../web/seller/import/comparison.js';
import { decodeFile } from '../../web/seller/import/encoding.js';
import { type BookValues, parseRow, type RowProblem } from '../../web/seller/import/row.parser.js';
import type { Table } from '../../web/seller/import/table.js';
import { readTable } from '../../web/seller/import/table.reader.js';

const MINOR_DIGITS = 2;

async function tableOf(text: string): Promise<Table> {
  const table = await readTable(text);
  if (!table) throw new Error('No table');
  return table;
}

function parse(table: Table, minorDigits = MINOR_DIGITS) {
  const { columns, decimalMark } = table;
  const rules = { columns, targets: mapColumns(table), minorDigits, decimalMark };
  return table.rows.map((row) => parseRow(row, rules));
}

const fileOf = (name: string) => new Uint8Array(readFileSync(join('test', 'browser', 'tables', name)));

async function importFile(name: string, minorDigits = MINOR_DIGITS) {
  const { text, encoding } = decodeFile(fileOf(name));
  // Node 20 takes Windows-1252 for Latin-1, browsers do not: test/browser/import.spec.ts reads the same file in one.
  const table = await tableOf(text.replaceAll('\x80', '€').replaceAll('\x85', '…'));
  const rows = parse(table, minorDigits);
  expect(rows.flatMap(({ problems }) => problems)).toEqual([]);
  return { encoding, format: table.format, leftOut: table.leftOut, rows: rows.map(({ values }) => values) };
}

/** The parsed rows and the problems of a text. */
async function read(text: string): Promise<{ values: BookValues; problems: RowProblem[]; line: number }[]> {
  const rows = parse(await tableOf(text));
  return rows.map(({ row, values, problems }) => ({ line: row.line, values, problems }));
}

describe('a table imports as its maker means it:', () => {
  test('Excel in Chinese, saved in GBK', async () => {
    const { encoding, rows } = await importFile('excel.chinese.csv');
    expect(encoding).toBe('gb18030');
    const details = { 装帧: '精装' };
    expect(rows).toEqual([
      {
        ...{ title: '三体', author: '刘慈欣', publisher: '重庆出版社', isbn: '9787536692930', price: 2_300, stock: 20 },
        details: { 装帧: '平装' },
      },
      {
        ...{ title: '活着', author: '余华', publisher: '作家出版社', isbn: '9787506365437', price: 102_800, stock: 12 },
        details,
      },
      {
        ...{ title: '围城 （典藏版）', author: '钱锺书', publisher: '人民文学出版社', isbn: '9787020090006' },
        ...{ price: 3_950, stock: 3, details },
      },
      {
        ...{ title: '茶馆', author: '老舍', publisher: '南海出版公司', isbn: '9787544242516', price: 1_900, stock: 0 },
        details: { 装帧: '平装' },
      },
    ]);
  });

  test('Excel in German, with semicolons and decimal commas in Windows-1252', async () => {
    const { encoding, rows } = await importFile('excel.german.csv');
    expect(encoding).toBe('windows-1252');
    expect(rows).toEqual([
      {
        ...{ title: 'Die Verwandlung', author: 'Franz Kafka', publisher: 'Fischer', isbn: '9783596258758' },
        ...{ price: 750, stock: 12, summary: 'Als Gregor Samsa eines Morgens erwachte …' },
      },
      {
        ...{ title: 'Straße nach Süden', author: 'Jürgen Müßig', publisher: 'Größe & Söhne', isbn: '9783161484100' },
        ...{ price: 123_450, stock: 3, summary: 'Für "Kenner"' },
      },
      { title: 'Übermut', author: 'Änne Öhler', price: 999, stock: 1_200 },
      {
        ...{ title: 'Der Prozeß', author: 'Franz Kafka', publisher: 'Fischer', isbn: '9783596258741' },
        ...{ price: 125_000, stock: 1 },
      },
    ]);
  });

  test('Excel in Taiwan, in Big5', async () => {
    const { encoding, rows } = await importFile('excel.traditional.csv');
    expect(encoding).toBe('big5');
    expect(rows[0]).toEqual({
      ...{ bookId: 'taipei-people', title: '臺北人', author: '白先勇', publisher: '爾雅出版社' },
      ...{ price: 25_000, stock: 8 },
    });
    expect(rows.map(({ title }) => title)).toEqual(['臺北人', '城南舊事', '亞細亞的孤兒']);
  });

  test('Excel in Japan, in Shift JIS, where prices have no decimals', async () => {
    const { encoding, rows } = await importFile('excel.japanese.csv', 0);
    expect(encoding).toBe('shift_jis');
    expect(rows).toEqual([
      { bookId: 'kokoro', title: 'こころ', author: '夏目漱石', publisher: '新潮社', price: 1_200, stock: 7 },
      { bookId: 'yukiguni', title: '雪国', author: '川端康成', publisher: '新潮社', price: 550, stock: 4 },
      {
        ...{ bookId: 'norwegian', title: 'ノルウェイの森（上）', author: '村上春樹', publisher: '講談社' },
        ...{ price: 935, stock: 9 },
      },
    ]);
  });

  test('LibreOffice, in UTF-8 with a byte order mark', async () => {
    const { encoding, rows } = await importFile('libreoffice.csv');
    expect(encoding).toBe('utf-8');
    expect(rows).toEqual([
      { bookId: 'emma', title: 'Emma', author: 'Jane Austen', price: 1_250, stock: 4, details: { pages: 474 } },
      {
        ...{ bookId: 'pere-goriot', title: 'Le Père Goriot', author: 'Honoré de Balzac', price: 990, stock: 6 },
        details: { pages: 320 },
      },
    ]);
  });

  test.each(['with its byte order mark', 'without', 'big-endian without'])('Excel’s Unicode text, %s', async (how) => {
    const expected = [
      {
        ...{ title: '战争与和平 War and Peace', author: 'Лев Толстой', price: 4_500, stock: 2 },
        isbn: '9780199232765',
      },
      { title: 'Crime and Punishment', author: 'Фёдор Достоевский', price: 1_200, stock: 5, isbn: '9780140449136' },
    ];
    const bytes = fileOf('excel.unicode.txt').slice(how.startsWith('with its') ? 0 : 2);
    const { text, encoding } = decodeFile(how.startsWith('big') ? new Uint8Array(Buffer.from(bytes).swap16()) : bytes);
    expect(encoding).toBe(how.startsWith('big') ? 'utf-16be' : 'utf-16le');
    expect(parse(await tableOf(text)).map(({ values }) => values)).toEqual(expected);
  });

  test('Shopify: one book a variant, descriptions as text, no drafts', async () => {
    const { format, leftOut, rows } = await importFile('shopify.csv');
    expect([format, leftOut]).toEqual(['shopify', 1]);
    const emma = {
      publisher: 'Penguin Classics',
      tags: ['classics', 'novels'],
      summary: 'Handsome, clever & rich.\nA novel in\nthree volumes',
      details: { Type: 'Book' },
    };
    const pictures = 'https://cdn.shopify.com/s/files/1';
    expect(rows).toEqual([
      {
        ...emma,
        ...{ bookId: 'emma-paperback', title: 'Emma (Paperback)', isbn: '9780141439587', price: 999, stock: 12 },
        coverUrl: `${pictures}/emma.jpg`,
      },
      {
        ...emma,
        ...{ bookId: 'emma-hardcover', title: 'Emma (Hardcover)', isbn: '9780141192475', price: 2_450, stock: 3 },
        coverUrl: `${pictures}/emma-hard.jpg`,
      },
      {
        ...{ bookId: 'walden', title: 'Walden', publisher: 'Beacon Press', tags: ['classics'], price: 3_250, stock: 8 },
        ...{ summary: 'Life in the woods', isbn: '9780807014257', coverUrl: `${pictures}/walden.jpg` },
        details: { Type: 'Book' },
      },
    ]);
  });

  test('Goodreads: what it says about the books, and nothing private', async () => {
    const { format, rows } = await importFile('goodreads.csv');
    expect(format).toBe('goodreads');
    expect(rows).toEqual([
      {
        ...{ bookId: '2767052', title: 'The Hunger Games (The Hunger Games, #1)', author: 'Suzanne Collins' },
        ...{ isbn: '9780439023481', publisher: 'Scholastic Press' },
        details: {
          ...{ Binding: 'Hardcover', 'Number of Pages': 374, 'Year Published': 2008 },
          'Original Publication Year': 2008,
        },
      },
      {
        ...{ bookId: '7613', title: 'Animal Farm', author: 'George Orwell', publisher: 'Signet Classics' },
        details: {
          ...{ 'Additional Authors': 'Russell Baker, C.M. Woodhouse', Binding: 'Mass Market Paperback' },
          ...{ 'Number of Pages': 141, 'Year Published': 1996, 'Original Publication Year': 1945 },
        },
      },
    ]);
  });

  test('a scanner’s list of ISBNs', async () => {
    const { format, rows } = await importFile('isbns.txt');
    expect(format).toBe('isbns');
    expect(rows).toEqual([{ isbn: '9780141439518' }, { isbn: '9780199232765', stock: 3 }, { isbn: '014044913X' }]);
  });
});

describe('a table', () => {
  test.each([
    ['commas', 'id,title,price,stock\na,"A, B",1.50,2'],
    ['semicolons', 'id;title;price;stock\na;A, B;1,50;2'],
    ['tabs', 'id\ttitle\tprice\tstock\na\tA, B\t1.50\t2'],
    ['bars', 'id|title|price|stock\na|A, B|1.50|2'],
    ['full-width commas', 'id，title，price，stock\na，A, B，1.50，2'],
    ['what sep= says', 'sep=;\nid;title;price;stock\na;A, B;1.50;2'],
    ['commas below a heading', 'My books\n\nID,Title,PRICE,Stock\na,"A, B",1.50,2'],
  ])('is separated by %s', async (_name, text) => {
    expect((await read(text)).map(({ values }) => values)).toEqual([
      { bookId: 'a', title: 'A, B', price: 150, stock: 2 },
    ]);
  });

  test('is a JSON array, with types of its own', async () => {
    const json = [
      { id: 'a', title: 'A', price: 1.5, stock: 2, tags: ['x, y'], details: { pages: 3 }, signed: true },
      7,
    ];
    expect(await read(JSON.stringify(json))).toEqual([
      {
        line: 1,
        values: {
          ...{ bookId: 'a', title: 'A', price: 150, stock: 2, tags: ['x, y'] },
          details: { pages: 3, signed: true },
        },
        problems: [],
      },
      { line: 2, values: {}, problems: [{ path: '', code: 'notObject' }] },
    ]);
    expect(await readTable('{"title": "A"}')).toBeUndefined();
  });

  test('counts the lines of quoted cells, of any line ending', async () => {
    const rows = await read('id,title\r\na,"A\r\nB"\r\n\r\nb,B\r\n');
    expect(rows.map(({ line, values }) => [line, values.title])).toEqual([
      [2, 'A B'],
      [5, 'B'],
    ]);
  });

  test.each([
    ['1,2345', 'notPrice'],
    ['1.234', 'notPrice'],
    ['-3', 'notPrice'],
    ['12.345', 'notPrice'],
    ['free', 'notPrice'],
  ])('does not guess the price %s', async (price, code) => {
    const [row] = await read(`id,title,price\na,A,"${price}"`);
    expect(row?.problems).toEqual([{ path: 'price', code }]);
  });

  test.each([
    ['￥45.00', 4_500],
    ['€9.99', 999],
    ['US$ 5', 500],
    ['４５．５０元', 4_550],
    ['1,234.50', 123_450],
    ['1.234,50', 123_450],
    ['12,50', 1_250],
    ["1'234.50", 123_450],
    ['1 234,50 EUR', 123_450],
    ['1,234', 123_400],
  ])('reads the price %s', async (price, expected) => {
    const [row] = await read(`id,title,price\na,A,"${price}"`);
    expect(row?.values.price).toBe(expected);
  });

  test('reports what cannot be meant, with its line', async () => {
    const rows = await read(
      'id,title,isbn,stock\na,A,9.78754E+12,1\nb,B,,many\nc,C,,1,surplus\nd,D\uFFFD,,1\ne,"E" E,,1\nf,"F,,1\n',
    );
    expect(rows.map(({ line, problems }) => [line, ...problems.map(({ path, code }) => `${path} ${code}`)])).toEqual([
      [2, 'isbn roundedIsbn'],
      [3, 'stock notNumber'],
      [4, ' tooManyCells'],
      [5, 'title unreadable'],
      [6, ' openQuote'],
    ]);
  });
});

describe('the comparison with the shelf', () => {
  const shelf: BookView[] = [
    {
      ...{ storeId: 's', bookId: 'emma', title: 'Emma', price: 1_000, stock: 4, lowMark: 5, listed: true },
      ...{ isbn: '9780141439518', details: { pages: '474', signed: true } },
    },
    { storeId: 's', bookId: 'walden', title: 'Walden', price: 900, stock: 1, lowMark: 5, listed: true },
  ];

  async function plan(text: string, defaults = {}): Promise<PlannedRow[]> {
    const planner = new Planner('s', new ShelfIndex(shelf), defaults);
    return parse(await tableOf(text)).map((row) => planner.plan(row));
  }

  test('finds books by id and by ISBN, and changes only what differs', async () => {
    const [emma, walden, fresh] = await plan(
      'id,title,isbn,price,stock,pages\n,Emma,0141439513,10.00,4,474\nwalden,Walden,,9.50,3,\nnew,New,,1.00,1,',
    );
    expect(emma).toMatchObject({ kind: 'unchanged', title: 'Emma' });
    expect(walden).toMatchObject({ kind: 'changed', changes: { price: 950 }, addStock: 2 });
    expect(fresh).toMatchObject({ kind: 'new', book: { bookId: 'new', title: 'New', price: 100, stock: 1 } });
  });

  test('adds details to those that the book has', async () => {
    const [row] = await plan('id,title,binding\nemma,Emma,cloth');
    expect(row).toMatchObject({
      kind: 'changed',
      changes: { details: { pages: '474', signed: true, binding: 'cloth' } },
      addStock: 0,
    });
  });

  test('gives new books the defaults, and an id that is the same each time', async () => {
    const text = 'title,author,isbn\n"Moby Dick; or, The Whale",Herman Melville,\nPersuasion,,0141439688';
    for (const _ of [1, 2]) {
      expect(await plan(text, { price: 500, stock: 1 })).toMatchObject([
        { kind: 'new', book: { bookId: 'moby-dick-or-the-whale-herman-melville', price: 500, stock: 1 } },
        { kind: 'new', book: { bookId: '9780141439686', isbn: '0141439688', price: 500, stock: 1 } },
      ]);
    }
    expect(await plan('title,price\nNo stock,1.00')).toMatchObject([
      { kind: 'toFix', problems: [{ path: 'stock', code: 'missing' }] },
    ]);
  });

  test('takes one row a book, however the book is named', async () => {
    const rows = await plan('id,title,isbn\nemma,Emma,\n,Emma,9780141439518\nx,X,\nx,X,', { price: 1, stock: 1 });
    expect(rows.map((row) => row.kind === 'toFix' && row.problems.at(0)?.line)).toEqual([false, 2, false, 4]);
  });

  test('names what the contract refuses, in one problem a field', async () => {
    const [row] = await plan(`id,title,price,stock,tags\nx,${'t'.repeat(501)},oops,-1,a`);
    expect(row).toMatchObject({
      kind: 'toFix',
      problems: [
        { path: 'price', code: 'notPrice' },
        { path: 'title', code: 'contract', text: 'must have 1 to 500 characters' },
        { path: 'stock', code: 'contract', text: 'must be a whole number from 0 to 1000000' },
      ],
    });
  });
});
