import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { BookView } from '../../src/contract/stores.js';
import { Store } from '../../src/stores/store.entity.js';
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
const REQUIRED_FIELDS = { title: 'Book', price: 1, stock: 1 };

/** An object whose JSON takes `bytes` bytes. */
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

  test('the test helper detailsOf builds objects of the exact size', () => {
    for (const bytes of [16_384, 16_385]) expect(Buffer.byteLength(JSON.stringify(detailsOf(bytes)))).toBe(bytes);
  });

  test('every field is returned as stored, to anyone, alone and in lists', async () => {
    const { status, body } = await add({ bookId: 'every', ...EVERY_FIELD });
    const whole = { storeId: 'shelf', bookId: 'every', ...EVERY_FIELD, listed: true };
    expect([status, body]).toEqual([201, whole]);
    const { status: readStatus, body: readBody } = await read('every');
    expect([readStatus, readBody]).toEqual([200, whole]);
    const list = await anyone.get<Page<BookView>>('/stores/shelf/books?q=三体');
    expect(list.body).toEqual({ items: [whole], next: null });
  });

  test('optional fields are omitted, and the low mark defaults to 5', async () => {
    const { status, body } = await add({ bookId: 'minimal', ...REQUIRED_FIELDS });
    const whole = { storeId: 'shelf', bookId: 'minimal', ...REQUIRED_FIELDS, lowMark: 5, listed: true };
    expect([status, body]).toEqual([201, whole]);
    expect((await read('minimal')).body).toEqual(whole);
  });

  test('an id is unique within its store', async () => {
    await add({ bookId: 'taken', ...REQUIRED_FIELDS });
    const { status, body } = await add({ bookId: 'taken', ...REQUIRED_FIELDS, title: 'Another' });
    expect([status, body.error.code, body.error.retryable]).toEqual([409, 'BOOK_EXISTS', false]);
    expect((await read('taken')).body).toMatchObject({ title: 'Book' });
    await owner.post('/stores', { storeId: 'second shelf' });
    const other = await owner.post('/stores/second%20shelf/books', { bookId: 'taken', ...REQUIRED_FIELDS });
    expect(other.status).toBe(201);
  });

  test('20 concurrent requests add one id once, without traces of the others', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => add({ bookId: 'raced', ...REQUIRED_FIELDS, title: `Raced${index}` })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
    const { body } = await anyone.get<Page<BookView>>('/stores/shelf/books?q=Raced');
    expect(body.items).toEqual([answers.find(({ status }) => status === 201)?.body]);
  });

  test.each([
    ['letter case', 'Book A', 'book a'],
    ['Unicode normalization', 'e\u0301', '\u00e9'],
    ['inner spaces', 'x y', 'x  y'],
  ])('ids that differ only in %s belong to different books', async (_, first, second) => {
    for (const bookId of [first, second])
      expect((await add({ bookId, ...REQUIRED_FIELDS, title: bookId })).status).toBe(201);
    for (const bookId of [first, second]) expect((await read(bookId)).body).toMatchObject({ bookId, title: bookId });
  });

  test('an unknown id is BOOK_NOT_FOUND with that id', async () => {
    const answers = [
      await read('not here'),
      await change('not here', { price: 1 }),
      await owner.post<Failure>('/stores/shelf/books/not%20here/stock', { add: 1 }),
    ];
    for (const { status, body } of answers) {
      expect(status).toBe(404);
      expect(body.error).toEqual({
        code: 'BOOK_NOT_FOUND',
        message: expect.any(String),
        retryable: false,
        details: { bookId: 'not here' },
      });
    }
  });

  test('ids stored before the rule against format characters can still be read, changed and ordered', async () => {
    const [storeId, bookId] = ['old\u200bstore', 'old\u200bbook'];
    const path = `/stores/${encodeURIComponent(storeId)}/books`;
    const bookPath = `${path}/${encodeURIComponent(bookId)}`;
    await hub.database.transaction((tx) =>
      tx.insert(Store, { storeId, name: null, ownerId: owner.userId, createdAt: Date.now() }),
    );
    expect((await owner.post(path, { bookId: 'new', ...REQUIRED_FIELDS })).status).toBe(201);
    await hub.database.transaction((tx) =>
      tx.query('UPDATE books SET book_id = ? WHERE store_id = ?', [bookId, storeId]),
    );

    expect((await owner.patch(bookPath, { price: 7 })).status).toBe(200);
    expect((await owner.post(`${bookPath}/stock`, { add: 1 })).status).toBe(200);
    expect((await anyone.get(bookPath)).body).toMatchObject({ storeId, bookId, price: 7, stock: 2 });
    const buyer = await hub.buyer();
    const placed = await buyer.does('order:place', { storeId, items: [{ bookId, count: 1 }] });
    expect(placed).toMatchObject({ storeId, items: [{ bookId, count: 1 }] });
    expect((await buyer.does('order:list', { role: 'buyer', storeId })).items).toHaveLength(1);
  });

  test("only the store's owner adds or changes a book", async () => {
    await add({ bookId: 'protected', ...REQUIRED_FIELDS });
    const other = await hub.seller();
    const answers = [
      await add({ bookId: 'foreign', ...REQUIRED_FIELDS }, other),
      await add({ bookId: 'protected', ...REQUIRED_FIELDS }, other),
      await change('protected', { price: 0 }, other),
      await change('unknown', { price: 0 }, other),
      await other.post<Failure>('/stores/shelf/books/protected/stock', { add: 1 }),
    ];
    for (const { status, body } of answers) {
      expect([status, body.error.code, body.error.retryable]).toEqual([403, 'FORBIDDEN', false]);
    }
    expect((await read('protected')).body).toMatchObject(REQUIRED_FIELDS);
    expect((await read('foreign')).status).toBe(404);
  });

  const LONG_SUMMARY = `😀${repeated('书', 19_999)}`;
  const accepted: [string, object][] = [
    ['a bookId of 64 characters', { bookId: repeated('📗', 64) }],
    ['a title of 500 characters', { title: repeated('📗', 500) }],
    ['an author of 300 characters', { author: repeated('😀', 300) }],
    ['a publisher of 300 characters', { publisher: repeated('😀', 300) }],
    ['an isbn of 32 characters', { isbn: repeated('😀', 32) }],
    ['20 tags of 64 characters', { tags: Array.from({ length: 20 }, () => repeated('😀', 64)) }],
    ['no tags', { tags: [] }],
    ['a summary of 20,000 characters', { summary: LONG_SUMMARY }],
    ['a coverUrl of 2,000 characters', { coverUrl: `https://x.example/${repeated('封', 1_982)}` }],
    ['a price of 0', { price: 0 }],
    ['a price of 10^12', { price: 10 ** 12 }],
    ['a stock of 0', { stock: 0 }],
    ['a stock of 1,000,000', { stock: 1_000_000 }],
    ['a low mark of 0', { lowMark: 0 }],
    ['a low mark of 1,000,000', { lowMark: 1_000_000 }],
    ['50 details', { details: detailsWith(50) }],
    ['no details', { details: {} }],
    ['16,384 bytes of details', { details: detailsOf(16_384) }],
    ['one detail name that fills the limit', { details: { [repeated('n', 16_384 - 6)]: 1 } }],
    ['details named like object properties', { details: { constructor: 'x', toString: 1, hasOwnProperty: true } }],
    ['details with numbers of all kinds', { details: { a: -1.5e-7, b: 1e21, c: 0.1, d: -(2 ** 53) } }],
    ['a title that looks like code', { title: `<script>alert('x')</script> "; DROP TABLE books; -- \\0 %s {{x}}` }],
  ];
  test.each(accepted)('a book may have %s', async (_, fields) => {
    const bookId = hub.name('accepted');
    const book = { bookId, ...REQUIRED_FIELDS, ...fields };
    const { status, body } = await add(book);
    expect(status).toBe(201);
    const whole = { storeId: 'shelf', lowMark: 5, listed: true, ...book };
    expect(body).toEqual(whole);
    expect((await read(book.bookId)).body).toEqual(whole);
  });

  const alwaysRejected: [string, object, string][] = [
    ['an empty title', { title: '' }, 'title'],
    ['a title of 501 characters', { title: repeated('📗', 501) }, 'title'],
    ['a line break in the title', { title: 'a\nb' }, 'title'],
    ['a null title', { title: null }, 'title'],
    ['an author of 301 characters', { author: repeated('😀', 301) }, 'author'],
    ['an empty author', { author: '' }, 'author'],
    ['a null author', { author: null }, 'author'],
    ['a publisher of 301 characters', { publisher: repeated('😀', 301) }, 'publisher'],
    ['a control character in the publisher', { publisher: 'a\u001bb' }, 'publisher'],
    ['an isbn of 33 characters', { isbn: repeated('9', 33) }, 'isbn'],
    ['a numeric isbn', { isbn: 9787536692930 }, 'isbn'],
    ['21 tags', { tags: Array.from({ length: 21 }, (_, index) => `tag ${index}`) }, 'tags'],
    ['a tag of 65 characters', { tags: ['fine', repeated('😀', 65)] }, 'tags.1'],
    ['an empty tag', { tags: [''] }, 'tags.0'],
    ['a string as tags', { tags: 'science' }, 'tags'],
    ['null tags', { tags: null }, 'tags'],
    ['a summary of 20,001 characters', { summary: `${LONG_SUMMARY}.` }, 'summary'],
    ['an empty summary', { summary: '' }, 'summary'],
    ['a tab in the summary', { summary: 'a\tb' }, 'summary'],
    ['a coverUrl of 2,001 characters', { coverUrl: `https://x.example/${repeated('封', 1_983)}` }, 'coverUrl'],
    ['a negative price', { price: -1 }, 'price'],
    ['a price of 10^12 + 1', { price: 10 ** 12 + 1 }, 'price'],
    ['a fractional price', { price: 9.99 }, 'price'],
    ['a string price', { price: '1' }, 'price'],
    ['a null price', { price: null }, 'price'],
    ['a negative low mark', { lowMark: -1 }, 'lowMark'],
    ['a low mark of 1,000,001', { lowMark: 1_000_001 }, 'lowMark'],
    ['51 details', { details: detailsWith(51) }, 'details'],
    ['16,385 bytes of details', { details: detailsOf(16_385) }, 'details'],
    ['6,000 Chinese characters of details', { details: { text: repeated('书', 6_000) } }, 'details'],
    ['an object in details', { details: { size: { height: 20 } } }, 'details.size'],
    ['a list in details', { details: { sizes: [1] } }, 'details.sizes'],
    ['null in details', { details: { empty: null } }, 'details.empty'],
    ['a list as details', { details: [] }, 'details'],
    ['a string as details', { details: 'heavy' }, 'details'],
    ['null details', { details: null }, 'details'],
    ['__proto__ in details', { details: JSON.parse('{"__proto__": "x"}') }, 'details.__proto__'],
    ['an unlisted field', { subtitle: 'x' }, 'subtitle'],
    ['__proto__ as a field', JSON.parse('{"__proto__": "x"}'), '__proto__'],
    ['a store in the body', { storeId: 'shelf' }, 'storeId'],
  ];
  test.each(alwaysRejected)('%s is BAD_MESSAGE in a new and in a changed book', async (_, fields, path) => {
    const bookId = hub.name('invalid');
    const added = await add({ bookId, ...REQUIRED_FIELDS, ...fields });
    expect([added.status, added.body.error.code, faultPaths(added.body.error)]).toEqual([400, 'BAD_MESSAGE', [path]]);
    expect((await read(bookId)).status).toBe(404);

    await add({ bookId, ...REQUIRED_FIELDS });
    const changed = await change(bookId, fields);
    expect([changed.status, faultPaths(changed.body.error)]).toEqual([400, [path]]);
    expect((await read(bookId)).body).toEqual({
      storeId: 'shelf',
      bookId,
      ...REQUIRED_FIELDS,
      lowMark: 5,
      listed: true,
    });
  });

  test.each<[string, object, string]>([
    ['no id', {}, 'bookId'],
    ['an id of 65 characters', { bookId: repeated('📗', 65) }, 'bookId'],
    ['leading white space in the id', { bookId: ' a' }, 'bookId'],
    ['a dot as the id', { bookId: '.' }, 'bookId'],
    ['two dots as the id', { bookId: '..' }, 'bookId'],
    ['a zero-width space in the id', { bookId: 'a\u200b' }, 'bookId'],
    ['a right-to-left mark in the id', { bookId: 'a\u200f' }, 'bookId'],
    ['negative stock', { bookId: 'rejected', stock: -1 }, 'stock'],
    ['stock of 1,000,001', { bookId: 'rejected', stock: 1_000_001 }, 'stock'],
    ['fractional stock', { bookId: 'rejected', stock: 0.5 }, 'stock'],
    ['no stock', { bookId: 'rejected', stock: undefined }, 'stock'],
    ['no title', { bookId: 'rejected', title: undefined }, 'title'],
    ['no price', { bookId: 'rejected', price: undefined }, 'price'],
    ['a key', { bookId: 'rejected', key: 'k' }, 'key'],
  ])('a new book with %s is BAD_MESSAGE', async (_, fields, path) => {
    const { status, body } = await add({ ...REQUIRED_FIELDS, ...fields });
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
  ])('coverUrl may be %s', async (coverUrl) => {
    const bookId = hub.name('covered');
    expect((await add({ bookId, ...REQUIRED_FIELDS, coverUrl })).body).toMatchObject({ coverUrl });
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
    'mailto:editor@covers.example',
    '//covers.example/a.png',
    '//path.invalid/a.png',
    '\\\\covers.example\\a.png',
    '/\\covers.example/a.png',
    'https://',
    'http://[',
    '',
  ])('coverUrl may not be %j', async (coverUrl) => {
    const { status, body } = await add({ bookId: hub.name('uncovered'), ...REQUIRED_FIELDS, coverUrl });
    expect(status).toBe(400);
    expect(faultPaths(body.error)).toEqual(['coverUrl']);
  });

  describe('a change', () => {
    test.each(Object.entries(EVERY_FIELD).filter(([name]) => name !== 'stock'))(
      'of %s keeps all other fields',
      async (name, value) => {
        const bookId = hub.name('changed');
        await add({ bookId, title: 'Before', price: 9, stock: 2, author: 'A', tags: ['t'], details: { signed: true } });
        const before = (await read(bookId)).body;
        const { status, body } = await change(bookId, { [name]: value });
        expect([status, body]).toEqual([200, { ...before, [name]: value }]);
        expect((await read(bookId)).body).toEqual(body);
      },
    );

    test('of every field stores all of them', async () => {
      const bookId = hub.name('changed');
      await add({ bookId, ...REQUIRED_FIELDS });
      const { stock: _, ...fields } = EVERY_FIELD;
      const { status, body } = await change(bookId, fields);
      expect([status, body]).toEqual([
        200,
        { storeId: 'shelf', bookId, stock: REQUIRED_FIELDS.stock, listed: true, ...fields },
      ]);
      expect((await read(bookId)).body).toEqual(body);
    });

    test('of the id or the stock is BAD_MESSAGE', async () => {
      const bookId = hub.name('fixed');
      await add({ bookId, ...REQUIRED_FIELDS });
      for (const [name, value] of [
        ['bookId', 'another'],
        ['bookId', bookId],
        ['stock', 5],
      ]) {
        const { status, body } = await change(bookId, { price: 2, [`${name}`]: value });
        expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', [name]]);
      }
      expect((await read(bookId)).body).toMatchObject(REQUIRED_FIELDS);
    });

    test('updates the search index', async () => {
      const bookId = hub.name('renamed');
      await add({
        bookId,
        ...REQUIRED_FIELDS,
        title: 'Quicksilver',
        author: 'Stephenson',
        tags: ['barock'],
        summary: 'Alchemy',
      });
      const search = async (q: string) =>
        (await anyone.get<Page<BookView>>(`/stores/shelf/books?q=${encodeURIComponent(q)}`)).body.items.map(
          (book) => book.bookId,
        );
      for (const q of ['quicksilver', 'stephenson', 'barock', 'alchemy']) expect(await search(q)).toEqual([bookId]);

      await change(bookId, { title: '水银', author: '斯蒂芬森', tags: ['巴洛克'], summary: '炼金术' });
      for (const q of ['quicksilver', 'stephenson', 'barock', 'alchemy']) expect(await search(q)).toEqual([]);
      for (const q of ['水银', '蒂芬', '巴洛克', '炼']) expect(await search(q)).toEqual([bookId]);
    });

    test('of price and title does not affect placed orders', async () => {
      const seller = await hub.seller([{ price: 500, title: 'Old title' }]);
      const buyer = await hub.buyer();
      const { orderId } = await buyer.place(seller);
      await seller.patch(`/stores/${seller.storeId}/books/book-1`, { price: 700, title: 'New title' });
      const order = await buyer.does('order:get', { orderId });
      expect(order).toMatchObject({ total: 500, items: [{ price: 500, title: 'Old title' }] });
      expect(await buyer.place(seller)).toMatchObject({ total: 700, items: [{ price: 700, title: 'New title' }] });
    });

    test('concurrent with others loses none', async () => {
      const bookId = hub.name('contested');
      await add({ bookId, ...REQUIRED_FIELDS });
      const fields = { author: 'Many', publisher: 'Hands', isbn: '1', coverUrl: '/c.png', lowMark: 9, price: 77 };
      const answers = await Promise.all(
        Object.entries(fields).map(([name, value]) => change(bookId, { [name]: value })),
      );
      for (const { status } of answers) expect(status).toBe(200);
      expect((await read(bookId)).body).toEqual({
        storeId: 'shelf',
        bookId,
        listed: true,
        ...REQUIRED_FIELDS,
        ...fields,
      });
    });
  });
});
