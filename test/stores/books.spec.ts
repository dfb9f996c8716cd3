import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { BookView } from '../../src/contract/stores.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type Failure, faultPaths, repeated, stranger } from '../support/refused.js';

const EVERY_FIELD = {
  title: '三体 (The Three-Body Problem)',
  price: 2_300,
  stock: 7,
  author: '刘慈欣',
  publisher: '重庆出版社',
  isbn: '978-7-5366-9293-0',
  tags: ['科幻', 'science fiction', '😀'],
  summary: '文化大革命如火如荼地进行……\r\nSecond line.\n\nThird.',
  coverUrl: 'https://covers.example/three-body.jpg?size=l#top',
  lowMark: 3,
  details: { pages: 302, 'weight in kg': 0.45, hardcover: false, 语言: '中文', translator: 'O\'Brien \\ "K" 😀' },
};
const LEAST = { title: 'Book', price: 1, stock: 1 };

/** An object of so many bytes of JSON. */
function detailsOf(bytes: number): Record<string, string> {
  const half = Math.floor(bytes / 2);
  const text = (name: string, size: number) => ({ [name]: repeated('x', size - `"${name}":""`.length) });
  return { ...text('a', half - 1), ...text('b', bytes - half - 2) };
}

function detailsWith(fields: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: fields }, (_, index) => [`field ${index}`, index]));
}

describe('books', () => {
  let hub: TestHub;
  let owner: Person;
  let anyone: Person;
  const add = (book: unknown, person = owner) => person.post<BookView & Failure>('/stores/shelf/books', book);
  const change = (bookId: string, body: unknown, person = owner) =>
    person.patch<BookView & Failure>(`/stores/shelf/books/${encodeURIComponent(bookId)}`, body);
  const read = (bookId: string) => anyone.get<BookView & Failure>(`/stores/shelf/books/${encodeURIComponent(bookId)}`);

  beforeAll(async () => {
    hub = await TestHub.start();
    owner = await hub.person();
    anyone = stranger(hub);
    await owner.post('/stores', { storeId: 'shelf' });
  });
  afterAll(() => hub.stop());

  test('the detail objects of this suite have the size that they say', () => {
    for (const bytes of [16_384, 16_385]) expect(Buffer.byteLength(JSON.stringify(detailsOf(bytes)))).toBe(bytes);
  });

  test('every field comes back as it was given, to everybody, alone and in lists', async () => {
    const { status, body } = await add({ bookId: 'every', ...EVERY_FIELD });
    const whole = { storeId: 'shelf', bookId: 'every', ...EVERY_FIELD };
    expect([status, body]).toEqual([201, whole]);
    const seen = await read('every');
    expect([seen.status, seen.body]).toEqual([200, whole]);
    const list = await anyone.get<Page<BookView>>('/stores/shelf/books?q=三体');
    expect(list.body).toEqual({ items: [whole], next: null });
  });

  test('fields that were not given are left out, and the low mark is 5', async () => {
    const { status, body } = await add({ bookId: 'least', ...LEAST });
    const whole = { storeId: 'shelf', bookId: 'least', ...LEAST, lowMark: 5 };
    expect([status, body]).toEqual([201, whole]);
    expect((await read('least')).body).toEqual(whole);
  });

  test('an id is given once a store', async () => {
    await add({ bookId: 'taken', ...LEAST });
    const { status, body } = await add({ bookId: 'taken', ...LEAST, title: 'Another' });
    expect([status, body.error.code, body.error.retryable]).toEqual([409, 'BOOK_EXISTS', false]);
    expect((await read('taken')).body).toMatchObject({ title: 'Book' });
    await owner.post('/stores', { storeId: 'second shelf' });
    const elsewhere = await owner.post('/stores/second%20shelf/books', { bookId: 'taken', ...LEAST });
    expect(elsewhere.status).toBe(201);
  });

  test('of 20 who add one id at once, one does, and nothing is left of the others', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => add({ bookId: 'raced', ...LEAST, title: `Raced${index}` })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
    const { body } = await anyone.get<Page<BookView>>('/stores/shelf/books?q=Raced');
    expect(body.items).toEqual([answers.find(({ status }) => status === 201)?.body]);
  });

  test.each([
    ['letter case', 'Book A', 'book a'],
    ['the way an accent is written', 'e\u0301', '\u00e9'],
    ['blanks within', 'x y', 'x  y'],
  ])('ids that differ in %s only belong to different books', async (_, first, second) => {
    for (const bookId of [first, second]) expect((await add({ bookId, ...LEAST, title: bookId })).status).toBe(201);
    for (const bookId of [first, second]) expect((await read(bookId)).body).toMatchObject({ bookId, title: bookId });
  });

  test('one that is not there is BOOK_NOT_FOUND, and the error says which', async () => {
    const answers = [
      await read('nothing here'),
      await change('nothing here', { price: 1 }),
      await owner.post<Failure>('/stores/shelf/books/nothing%20here/stock', { add: 1 }),
    ];
    for (const { status, body } of answers) {
      expect(status).toBe(404);
      expect(body.error).toEqual({
        code: 'BOOK_NOT_FOUND',
        message: expect.any(String),
        retryable: false,
        details: { bookId: 'nothing here' },
      });
    }
  });

  test("nobody but the store's owner adds a book or changes one", async () => {
    await add({ bookId: 'guarded', ...LEAST });
    const other = await hub.seller();
    const answers = [
      await add({ bookId: 'foreign', ...LEAST }, other),
      await add({ bookId: 'guarded', ...LEAST }, other),
      await change('guarded', { price: 0 }, other),
      await change('not even there', { price: 0 }, other),
      await other.post<Failure>('/stores/shelf/books/guarded/stock', { add: 1 }),
    ];
    for (const { status, body } of answers) {
      expect([status, body.error.code, body.error.retryable]).toEqual([403, 'FORBIDDEN', false]);
    }
    expect((await read('guarded')).body).toMatchObject(LEAST);
    expect((await read('foreign')).status).toBe(404);
  });

  const LONG_SUMMARY = `😀${repeated('书', 19_999)}`;
  const accepted: [string, object][] = [
    ['a bookId of 64', { bookId: repeated('📗', 64) }],
    ['a title of 500', { title: repeated('📗', 500) }],
    ['an author of 300', { author: repeated('😀', 300) }],
    ['a publisher of 300', { publisher: repeated('😀', 300) }],
    ['an isbn of 32', { isbn: repeated('😀', 32) }],
    ['20 tags of 64', { tags: Array.from({ length: 20 }, () => repeated('😀', 64)) }],
    ['no tags', { tags: [] }],
    ['a summary of 20,000', { summary: LONG_SUMMARY }],
    ['a coverUrl of 2,000', { coverUrl: `https://x.example/${repeated('封', 1_982)}` }],
    ['a price of 0', { price: 0 }],
    ['a price of 10^12', { price: 10 ** 12 }],
    ['a stock of 0', { stock: 0 }],
    ['a stock of 1,000,000', { stock: 1_000_000 }],
    ['a low mark of 0', { lowMark: 0 }],
    ['a low mark of 1,000,000', { lowMark: 1_000_000 }],
    ['50 details', { details: detailsWith(50) }],
    ['no details', { details: {} }],
    ['16,384 bytes of details', { details: detailsOf(16_384) }],
    ['a name in the details as long as all of them may be', { details: { [repeated('n', 16_384 - 6)]: 1 } }],
    ['details with names that objects have', { details: { constructor: 'x', toString: 1, hasOwnProperty: true } }],
    ['details with numbers of every kind', { details: { a: -1.5e-7, b: 1e21, c: 0.1, d: -(2 ** 53) } }],
    ['a title that looks like code', { title: `<script>alert('x')</script> "; DROP TABLE books; -- \\0 %s {{x}}` }],
  ];
  test.each(accepted)('one may have %s', async (_, fields) => {
    const bookId = hub.name('fits');
    const book = { bookId, ...LEAST, ...fields };
    const { status, body } = await add(book);
    expect(status).toBe(201);
    const whole = { storeId: 'shelf', lowMark: 5, ...book };
    expect(body).toEqual(whole);
    expect((await read(book.bookId)).body).toEqual(whole);
  });

  const refusedWhereverGiven: [string, object, string][] = [
    ['an empty title', { title: '' }, 'title'],
    ['a title of 501', { title: repeated('📗', 501) }, 'title'],
    ['a line break in the title', { title: 'a\nb' }, 'title'],
    ['null for a title', { title: null }, 'title'],
    ['an author of 301', { author: repeated('😀', 301) }, 'author'],
    ['an empty author', { author: '' }, 'author'],
    ['null for an author', { author: null }, 'author'],
    ['a publisher of 301', { publisher: repeated('😀', 301) }, 'publisher'],
    ['a control character in the publisher', { publisher: 'a\u001bb' }, 'publisher'],
    ['an isbn of 33', { isbn: repeated('9', 33) }, 'isbn'],
    ['a number for an isbn', { isbn: 9787536692930 }, 'isbn'],
    ['21 tags', { tags: Array.from({ length: 21 }, (_, index) => `tag ${index}`) }, 'tags'],
    ['a tag of 65', { tags: ['fine', repeated('😀', 65)] }, 'tags.1'],
    ['an empty tag', { tags: [''] }, 'tags.0'],
    ['a text for tags', { tags: 'science' }, 'tags'],
    ['null for tags', { tags: null }, 'tags'],
    ['a summary of 20,001', { summary: `${LONG_SUMMARY}.` }, 'summary'],
    ['an empty summary', { summary: '' }, 'summary'],
    ['a tabulator in the summary', { summary: 'a\tb' }, 'summary'],
    ['a coverUrl of 2,001', { coverUrl: `https://x.example/${repeated('封', 1_983)}` }, 'coverUrl'],
    ['a price below 0', { price: -1 }, 'price'],
    ['a price of 10^12 and 1', { price: 10 ** 12 + 1 }, 'price'],
    ['a price with a fraction', { price: 9.99 }, 'price'],
    ['a text for a price', { price: '1' }, 'price'],
    ['null for a price', { price: null }, 'price'],
    ['a low mark below 0', { lowMark: -1 }, 'lowMark'],
    ['a low mark of 1,000,001', { lowMark: 1_000_001 }, 'lowMark'],
    ['51 details', { details: detailsWith(51) }, 'details'],
    ['16,385 bytes of details', { details: detailsOf(16_385) }, 'details'],
    ['6,000 Chinese characters of details', { details: { text: repeated('书', 6_000) } }, 'details'],
    ['details in details', { details: { size: { height: 20 } } }, 'details.size'],
    ['a list in details', { details: { sizes: [1] } }, 'details.sizes'],
    ['null in details', { details: { nothing: null } }, 'details.nothing'],
    ['a list for details', { details: [] }, 'details'],
    ['a text for details', { details: 'heavy' }, 'details'],
    ['null for details', { details: null }, 'details'],
    ['__proto__ in details', { details: JSON.parse('{"__proto__": "x"}') }, 'details.__proto__'],
    ['a field that is not listed', { subtitle: 'x' }, 'subtitle'],
    ['__proto__ for a field', JSON.parse('{"__proto__": "x"}'), '__proto__'],
    ['another store in the body', { storeId: 'shelf' }, 'storeId'],
  ];
  test.each(refusedWhereverGiven)('none may have %s, neither new nor changed', async (_, fields, path) => {
    const bookId = hub.name('odd');
    const added = await add({ bookId, ...LEAST, ...fields });
    expect([added.status, added.body.error.code, faultPaths(added.body.error)]).toEqual([400, 'BAD_MESSAGE', [path]]);
    expect((await read(bookId)).status).toBe(404);

    await add({ bookId, ...LEAST });
    const changed = await change(bookId, fields);
    expect([changed.status, faultPaths(changed.body.error)]).toEqual([400, [path]]);
    expect((await read(bookId)).body).toEqual({ storeId: 'shelf', bookId, ...LEAST, lowMark: 5 });
  });

  test.each<[string, object, string]>([
    ['no id', {}, 'bookId'],
    ['an id of 65', { bookId: repeated('📗', 65) }, 'bookId'],
    ['white space around the id', { bookId: ' a' }, 'bookId'],
    ['stock below 0', { bookId: 'refused', stock: -1 }, 'stock'],
    ['stock of 1,000,001', { bookId: 'refused', stock: 1_000_001 }, 'stock'],
    ['half a copy in stock', { bookId: 'refused', stock: 0.5 }, 'stock'],
    ['no stock', { bookId: 'refused', stock: undefined }, 'stock'],
    ['no title', { bookId: 'refused', title: undefined }, 'title'],
    ['no price', { bookId: 'refused', price: undefined }, 'price'],
    ['a key', { bookId: 'refused', key: 'k' }, 'key'],
  ])('a new one is refused with %s', async (_, fields, path) => {
    const { status, body } = await add({ ...LEAST, ...fields });
    expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', [path]]);
  });

  test.each([
    'http://covers.example/a.png',
    'HTTPS://covers.example/a.png',
    '/covers/a.png',
    'covers/a.png',
    './a b.png?x=1#y',
    '/covers/三体.png',
    '/covers/a:b.png',
  ])('a cover may be at %s', async (coverUrl) => {
    const bookId = hub.name('covered');
    expect((await add({ bookId, ...LEAST, coverUrl })).body).toMatchObject({ coverUrl });
    expect((await read(bookId)).body).toMatchObject({ coverUrl });
  });

  test.each([
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    ' javascript:alert(1)',
    'java\tscript:alert(1)',
    'data:image/png;base64,AAAA',
    'blob:https://covers.example/x',
    'file:///etc/hosts',
    'ftp://covers.example/a.png',
    'mailto:somebody@covers.example',
    '//covers.example/a.png',
    '//path.invalid/a.png',
    '\\\\covers.example\\a.png',
    '/\\covers.example/a.png',
    'https://',
    'http://[',
    '',
  ])('a cover may not be at %j', async (coverUrl) => {
    const { status, body } = await add({ bookId: hub.name('uncovered'), ...LEAST, coverUrl });
    expect(status).toBe(400);
    expect(faultPaths(body.error)).toEqual(['coverUrl']);
  });

  describe('changed', () => {
    test.each(Object.entries(EVERY_FIELD).filter(([name]) => name !== 'stock'))(
      'in %s, keep all else',
      async (name, value) => {
        const bookId = hub.name('changed');
        await add({ bookId, title: 'Before', price: 9, stock: 2, author: 'A', tags: ['t'], details: { kept: true } });
        const before = (await read(bookId)).body;
        const { status, body } = await change(bookId, { [name]: value });
        expect([status, body]).toEqual([200, { ...before, [name]: value }]);
        expect((await read(bookId)).body).toEqual(body);
      },
    );

    test('in everything at once, are what was given', async () => {
      const bookId = hub.name('changed');
      await add({ bookId, ...LEAST });
      const { stock: _, ...fields } = EVERY_FIELD;
      const { status, body } = await change(bookId, fields);
      expect([status, body]).toEqual([200, { storeId: 'shelf', bookId, stock: LEAST.stock, ...fields }]);
      expect((await read(bookId)).body).toEqual(body);
    });

    test('never in their id or their stock', async () => {
      const bookId = hub.name('fixed');
      await add({ bookId, ...LEAST });
      for (const [name, value] of [
        ['bookId', 'another'],
        ['bookId', bookId],
        ['stock', 5],
      ]) {
        const { status, body } = await change(bookId, { price: 2, [`${name}`]: value });
        expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', [name]]);
      }
      expect((await read(bookId)).body).toMatchObject(LEAST);
    });

    test('are found by what they say now, and no longer by what they said', async () => {
      const bookId = hub.name('renamed');
      await add({ bookId, ...LEAST, title: 'Quicksilver', author: 'Stephenson', tags: ['barock'], summary: 'Alchemy' });
      const finds = async (q: string) =>
        (await anyone.get<Page<BookView>>(`/stores/shelf/books?q=${encodeURIComponent(q)}`)).body.items.map(
          (book) => book.bookId,
        );
      for (const q of ['quicksilver', 'stephenson', 'barock', 'alchemy']) expect(await finds(q)).toEqual([bookId]);

      await change(bookId, { title: '水银', author: '斯蒂芬森', tags: ['巴洛克'], summary: '炼金术' });
      for (const q of ['quicksilver', 'stephenson', 'barock', 'alchemy']) expect(await finds(q)).toEqual([]);
      for (const q of ['水银', '蒂芬', '巴洛克', '炼']) expect(await finds(q)).toEqual([bookId]);
    });

    test('in price, leave the orders that were placed as they were', async () => {
      const seller = await hub.seller([{ price: 500, title: 'Old title' }]);
      const buyer = await hub.buyer();
      const { orderId } = await buyer.place(seller);
      await seller.patch(`/stores/${seller.storeId}/books/book-1`, { price: 700, title: 'New title' });
      const order = await buyer.does('order:get', { orderId });
      expect(order).toMatchObject({ total: 500, items: [{ price: 500, title: 'Old title' }] });
      expect(await buyer.place(seller)).toMatchObject({ total: 700, items: [{ price: 700, title: 'New title' }] });
    });

    test('by several at once, keep every change', async () => {
      const bookId = hub.name('busy');
      await add({ bookId, ...LEAST });
      const fields = { author: 'Many', publisher: 'Hands', isbn: '1', coverUrl: '/c.png', lowMark: 9, price: 77 };
      const answers = await Promise.all(
        Object.entries(fields).map(([name, value]) => change(bookId, { [name]: value })),
      );
      for (const { status } of answers) expect(status).toBe(200);
      expect((await read(bookId)).body).toEqual({ storeId: 'shelf', bookId, ...LEAST, ...fields });
    });
  });
});
