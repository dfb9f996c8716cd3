import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { BookView } from '../../src/contract/stores.js';
import { hubAndBrowser, type Visitor } from '../support/browser.js';
import type { Person } from '../support/person.js';

const fixture = hubAndBrowser();

async function choose({ page }: Visitor, name: string, buffer: Buffer | string): Promise<void> {
  await page.locator('input[type=file]').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(buffer) });
}

const tableFile = (name: string) => readFileSync(join('test', 'browser', 'tables', name));
const counts = ({ page }: Visitor) => page.locator('.import-counts[aria-busy=false]').innerText();
const start = ({ page }: Visitor) => page.locator('.import button.start').click();
const said = ({ page }: Visitor, text: string) => page.locator('.import-status').getByText(text).waitFor();

async function shelfOf(seller: Person): Promise<BookView[]> {
  const { body } = await seller.get<{ items: BookView[] }>(`/stores/${seller.storeId}/books?limit=100`);
  return body.items;
}

async function sellerAtImport(...books: object[]): Promise<{ seller: Person; visitor: Visitor }> {
  const seller = await fixture.hub.seller([]);
  for (const book of books) await seller.post(`/stores/${seller.storeId}/books`, book);
  const visitor = await fixture.visit();
  await visitor.comeAs(seller);
  await visitor.go('panel/import');
  return { seller, visitor };
}

test('a German table in Windows-1252 imports as it is meant, and again changes nothing', async () => {
  const { seller, visitor } = await sellerAtImport();
  await choose(visitor, 'Bücher.csv', tableFile('excel.german.csv'));
  expect(await counts(visitor)).toBe('0 updated · 4 new');
  expect(await visitor.page.getByLabel('Encoding').inputValue()).toBe('windows-1252');
  expect(await visitor.page.getByLabel('Separator').inputValue()).toBe(';');
  await visitor.page.getByText('Some prices are marked €. They are read as CNY; nothing is converted.').waitFor();
  await start(visitor);
  await said(visitor, '4 books added.');
  const books = await shelfOf(seller);
  expect(books.map(({ title, price, stock }) => [title, price, stock]).sort()).toEqual([
    ['Der Prozeß', 125_000, 1],
    ['Die Verwandlung', 750, 12],
    ['Straße nach Süden', 123_450, 3],
    ['Übermut', 999, 1_200],
  ]);
  expect(books.find(({ title }) => title === 'Die Verwandlung')?.summary).toBe(
    'Als Gregor Samsa eines Morgens erwachte …',
  );
  await choose(visitor, 'Bücher.csv', tableFile('excel.german.csv'));
  expect(await counts(visitor)).toBe('0 updated · 0 new · 4 unchanged');
  await visitor.page.getByText('Your products already match this table.').waitFor();
  expect(await visitor.page.getByRole('button', { name: 'Import books' }).isDisabled()).toBe(true);
  expect(visitor.complaints).toEqual([]);
});

test('a Chinese table in GBK imports in Chinese, and a wrong encoding puts nothing on the shelf', async () => {
  const seller = await fixture.hub.seller([]);
  const visitor = await fixture.visit({ locale: 'zh-CN', viewport: { width: 390, height: 844 } });
  await visitor.comeAs(seller);
  await visitor.go('panel/import');
  await choose(visitor, '图书.csv', tableFile('excel.chinese.csv'));
  expect(await counts(visitor)).toBe('更新 0 本 · 新增 4 本');
  await visitor.page.getByLabel('编码').selectOption('utf-8');
  await visitor.page.getByText('含有无法识别的字符').first().waitFor();
  expect(await visitor.page.locator('.import button.start').isDisabled()).toBe(true);
  await visitor.page.getByLabel('编码').selectOption('gb18030');
  // One column becomes nothing, by choice.
  await visitor.page.getByLabel('“装帧”对应').selectOption('none');
  await visitor.page.getByRole('button', { name: '导入 4 本图书' }).click();
  await said(visitor, '新增 4 本。');
  const books = await shelfOf(seller);
  expect(books.map(({ title, author, price, stock, details }) => [title, author, price, stock, details])).toEqual(
    expect.arrayContaining([
      ['三体', '刘慈欣', 2_300, 20, undefined],
      ['活着', '余华', 102_800, 12, undefined],
      ['围城 （典藏版）', '钱锺书', 3_950, 3, undefined],
      ['茶馆', '老舍', 1_900, 0, undefined],
    ]),
  );
  expect(visitor.complaints).toEqual([]);
});

test('Shopify’s export updates what is there by a shown difference, and can be undone but for what changed since', async () => {
  const walden = { bookId: 'walden', title: 'Walden', price: 3_000, stock: 2, publisher: 'Beacon Press' };
  const { seller, visitor } = await sellerAtImport(walden);
  await choose(visitor, 'products_export.csv', tableFile('shopify.csv'));
  expect(await counts(visitor)).toBe('1 updated · 2 new · 1 not for sale, left out');
  const changes = visitor.page.locator('.import-changes li');
  expect(await changes.first().innerText()).toContain('Price: ¥30.00 → ¥32.50');
  expect(await changes.first().innerText()).toContain('Stock: 2 → 8');
  await start(visitor);
  await said(visitor, '2 books added, 1 updated.');
  const imported = await shelfOf(seller);
  expect(imported).toHaveLength(3);
  expect(imported.find(({ bookId }) => bookId === 'walden')).toMatchObject({
    ...{ price: 3_250, stock: 8, summary: 'Life in the woods', tags: ['classics'], isbn: '9780807014257' },
    details: { Type: 'Book' },
  });

  await seller.patch(`/stores/${seller.storeId}/books/walden`, { price: 2_999 });
  await visitor.page.getByRole('button', { name: 'Undo import' }).click();
  await visitor.page.getByRole('button', { name: 'Yes, undo' }).click();
  await said(visitor, 'Import undone: 2 books restored. 1 book kept values');
  const [left, ...others] = await shelfOf(seller);
  expect(others).toEqual([]);
  // The price was changed since. A summary and an ISBN cannot be emptied; tags and details can.
  expect(left).toMatchObject({ bookId: 'walden', price: 2_999, stock: 2, publisher: 'Beacon Press' });
  expect(left?.tags ?? []).toEqual([]);
  expect(left?.details ?? {}).toEqual({});

  // What was unlisted by the undoing returns to the shelf.
  await choose(visitor, 'products_export.csv', tableFile('shopify.csv'));
  expect(await counts(visitor)).toBe('1 updated · 2 new · 1 not for sale, left out');
  await start(visitor);
  await said(visitor, '2 books added, 1 updated.');
  expect((await shelfOf(seller)).map(({ bookId }) => bookId).sort()).toEqual([
    'emma-hardcover',
    'emma-paperback',
    'walden',
  ]);
  expect(visitor.complaints).toEqual([]);
});

test('an ISBN list takes titles from the market’s other stores, and sets the price that is asked for', async () => {
  const other = await fixture.hub.seller([]);
  const pride = { bookId: 'pride', title: 'Pride and Prejudice', author: 'Jane Austen', isbn: '978-0-14-143951-8' };
  await other.post(`/stores/${other.storeId}/books`, { ...pride, price: 2_000, stock: 1 });
  const { seller, visitor } = await sellerAtImport();
  await choose(visitor, 'isbns.txt', tableFile('isbns.txt'));
  await visitor.page.getByLabel('Price if a new book has none').fill('12,50');
  await visitor.page.getByText('0 updated · 1 new · 2 to fix').waitFor();
  await start(visitor);
  await said(visitor, '1 book added, 2 rows to fix.');
  expect(await shelfOf(seller)).toMatchObject([
    { bookId: '9780141439518', title: 'Pride and Prejudice', author: 'Jane Austen', price: 1_250, stock: 1 },
  ]);
});

test('the rows to fix are a file that can be corrected and imported', async () => {
  const { seller, visitor } = await sellerAtImport();
  const rows = [
    'id,title,price,stock,note',
    'a,=A1+B1,free,1,x',
    'b,B,1.00,1,',
    'b,B again,1.00,1,',
    'c,C,1.00,1,,more',
  ];
  await choose(visitor, 'books.csv', rows.join('\n'));
  expect(await counts(visitor)).toBe('0 updated · 1 new · 3 to fix');
  expect(await visitor.page.locator('.problems tbody tr').allInnerTexts()).toEqual([
    '2\tPrice must be an amount such as 45.00',
    '4\tThe row is the same book as line 3',
    '5\tThe row has more cells than there are columns; put a value that contains the separator in quotes',
  ]);
  await start(visitor);
  await said(visitor, '1 book added, 3 rows to fix.');
  const [download] = await Promise.all([
    visitor.page.waitForEvent('download'),
    visitor.page.getByRole('button', { name: 'Download rows to fix (CSV)' }).click(),
  ]);
  const file = readFileSync(await download.path(), 'utf8');
  expect(file.split('\r\n')).toEqual([
    '\uFEFFWhat to fix,id,title,price,stock,note',
    `Price must be an amount such as 45.00,a,"'=A1+B1",free,1,x`,
    'The row is the same book as line 3,b,B again,1.00,1,',
    expect.stringMatching(/^The row has more cells.*,c,C,1.00,1,,more$/),
  ]);
  await choose(
    visitor,
    'rows to fix.csv',
    file.replace('free', '2.00').replace(',b,B again', ',d,D').replace(',,more', ',more'),
  );
  expect(await counts(visitor)).toBe('0 updated · 3 new');
  await start(visitor);
  await said(visitor, '3 books added.');
  expect((await shelfOf(seller)).map(({ title }) => title)).toEqual(['B', '=A1+B1', 'D', 'C']);
});

test('an import runs on while its user looks at other screens, stops, goes on, and outlives a reload', async () => {
  const { seller, visitor } = await sellerAtImport();
  const { page } = visitor;
  const rows = Array.from({ length: 600 }, (_, index) => `book-${index},Book ${index},1.00,1`);
  const csv = ['id,title,price,stock', ...rows].join('\n');
  await choose(visitor, 'many.csv', csv);
  expect(await counts(visitor)).toBe('0 updated · 600 new');
  await start(visitor);
  await visitor.go('panel/shelf');
  await page.locator('.import-status').getByText('Importing many.csv').waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page
    .locator('.import-status')
    .getByText(/Stopped after \d+ of 600 rows/)
    .waitFor();
  const stoppedAt = (await page.locator('.import-status').innerText()).match(/after (\d+)/)?.[1];
  expect(Number(stoppedAt)).toBeLessThan(600);
  await page.getByRole('button', { name: 'Continue' }).click();
  await visitor.go('orders');
  await visitor.go('panel/board');
  await page.getByText('Importing many.csv').waitFor();
  await page.reload();
  await said(visitor, 'The import of many.csv was interrupted after');
  const written = Number((await page.locator('.import-status').innerText()).match(/after (\d+)/)?.[1]);
  expect(written).toBeGreaterThan(0);

  await visitor.go('panel/import');
  await choose(visitor, 'many.csv', csv);
  const difference = await counts(visitor);
  const [, fresh = '', unchanged = ''] = /^0 updated · (\d+) new · (\d+) unchanged$/.exec(difference) ?? [];
  expect(Number(unchanged)).toBeGreaterThanOrEqual(written);
  expect(Number(fresh) + Number(unchanged)).toBe(600);
  await start(visitor);
  await said(visitor, `${fresh} books added.`);
  const { body } = await seller.get<BookView>(`/stores/${seller.storeId}/books/book-599`);
  expect(body).toMatchObject({ title: 'Book 599', price: 100, stock: 1 });
  expect(visitor.complaints).toEqual([]);
});

test('what is no table says so', async () => {
  const { visitor } = await sellerAtImport();
  await choose(visitor, 'books.xlsx', Buffer.from([0x50, 0x4b, 0x03, 0x04, 0, 0]));
  await visitor.page.getByText('This is an Excel workbook.').waitFor();
  await choose(visitor, 'books.json', '{"books": []}');
  await visitor.page.getByText('This isn’t a JSON array of books.').waitFor();
  await choose(visitor, 'empty.csv', 'id,title,price,stock\n');
  await visitor.page.getByText('There are no rows below the header.').waitFor();
});
