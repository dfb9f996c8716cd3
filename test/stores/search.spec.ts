import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { BookView } from '../../src/contract/stores.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type Failure, faultPaths, repeated, stranger } from '../support/refused.js';
import { range } from '../support/ways.js';

const BOOKS: Record<string, { title: string; author?: string; tags?: string[]; summary?: string }> = {
  'three-body': {
    title: '三体 Three-Body',
    author: '刘慈欣 Liu Cixin',
    tags: ['科幻', 'Hugo Award'],
    summary: '红岸基地\r\nsent a signal.',
  },
  'dark-forest': { title: '黑暗森林', author: '刘慈欣', tags: ['科幻'], summary: 'Sequel to Three-Body' },
  'red-chamber': { title: '红楼梦', author: '曹雪芹', tags: ['古典'], summary: '贾宝玉、林黛玉、薛宝钗' },
  anna: { title: 'Анна Каренина', author: 'Лев Толстой', summary: 'Все счастливые семьи' },
  strasse: { title: 'Die STRASSE', author: 'Ödön von Horváth' },
  wide: { title: 'ＷＩＤＥ Ｌｅｔｔｅｒｓ ２０２６', author: 'ｱｲｳ' },
  percent: { title: '100% sure_thing', author: "O'Brien", tags: ['a "quoted" tag', 'back\\slash', '*?[x]'] },
  percents: { title: '100 percent surely', summary: 'No sign of it: 50 of 100' },
  emoji: { title: 'Stars 🌟🌠 and 𠮷野家', summary: '👩‍👩‍👧 family' },
  short: { title: 'It', author: 'K' },
};

describe('search', () => {
  let hub: TestHub;
  let anyone: Person;
  let owner: Person;
  const search = (query: Record<string, string>, shop = '/stores/library') =>
    anyone.get<Page<BookView> & Failure>(`${shop}/books?${new URLSearchParams(query)}`);
  const finds = async (q: string, field?: string) => {
    const { status, body } = await search(field === undefined ? { q } : { q, field });
    expect([status, body.next]).toEqual([200, null]);
    return body.items.map(({ bookId }) => bookId);
  };

  beforeAll(async () => {
    hub = await TestHub.start();
    anyone = stranger(hub);
    owner = await hub.person();
    for (const storeId of ['library', 'kiosk', 'empty']) await owner.post('/stores', { storeId });
    for (const [bookId, book] of Object.entries(BOOKS)) {
      const { status } = await owner.post('/stores/library/books', { bookId, price: 1, stock: 1, ...book });
      expect(status).toBe(201);
    }
    await owner.post('/stores/kiosk/books', { bookId: 'paper', title: '三体 at the kiosk', price: 1, stock: 1 });
  });
  afterAll(() => hub.stop());

  test.each<[string, string, string[]]>([
    ['one Chinese character', '红', ['three-body', 'red-chamber']],
    ['two Chinese characters', '三体', ['three-body']],
    ['three Chinese characters', '刘慈欣', ['three-body', 'dark-forest']],
    ['four Chinese characters', '黑暗森林', ['dark-forest']],
    ['the end of a word', '森林', ['dark-forest']],
    ['one character at the end of a word', '梦', ['red-chamber']],
    ['the middle of a summary', '宝玉、林', ['red-chamber']],
    ['a tag', '科幻', ['three-body', 'dark-forest']],
    ['one English letter', 'k', ['percent', 'short']],
    ['two English letters', 'bo', ['three-body', 'dark-forest']],
    ['a part of a word', 'hree-bod', ['three-body', 'dark-forest']],
    ['a whole title', '三体 Three-Body', ['three-body']],
    ['a short title', 'it', ['percents', 'short']],
    ['upper case by lower case', 'strasse', ['strasse']],
    ['lower case by upper case', 'HUGO AWARD', ['three-body']],
    ['accented letters in another case', 'ÖDÖN VON HORVÁTH', ['strasse']],
    ['Cyrillic in another case', 'КАРЕНИНА', ['anna']],
    ['full-width letters by normal ones', 'wide letters 2026', ['wide']],
    ['normal letters by full-width ones', 'ｈｕｇｏ', ['three-body']],
    ['full-width letters in another case', 'ｗｉｄｅ', ['wide']],
    ['an emoji', '🌟', ['emoji']],
    ['a rare character', '𠮷', ['emoji']],
    ['two words in another order', 'cixin liu', ['three-body']],
    ['words of different fields', '三体 红岸', ['three-body']],
    ['no book when one word is absent', '三体 nowhere', []],
    ['words separated by an ideographic space', '三体　刘慈', ['three-body']],
    ['a word after a line break', 'signal', ['three-body']],
    ['a percent sign', '%', ['percent']],
    ['a percent sign inside', '0% s', ['percent']],
    ['an underscore', 'sure_', ['percent']],
    ['no book by an underscore as a wildcard', 't_ree', []],
    ['an apostrophe', "o'b", ['percent']],
    ['a quotation mark', '"', ['percent']],
    ['two quotation marks', '"quoted"', ['percent']],
    ['a backslash', '\\', ['percent']],
    ['a backslash inside', 'k\\s', ['percent']],
    ['an asterisk', '*', ['percent']],
    ['no book by an asterisk as a wildcard', 'thr*', []],
    ['brackets', '[x]', ['percent']],
    ['no book by an operator', '-three', []],
    ['no book by SQL', "'; DROP TABLE books; --", []],
    ['no book by absent text', 'zzz', []],
    ['no book by one absent character', '龘', []],
    ['no book across two fields', 'three-body刘慈欣', []],
    ['no book across two tags', '科幻hugo', []],
  ])('finds %s: %s', async (_, q, bookIds) => {
    expect(await finds(q)).toEqual(bookIds);
  });

  test.each<[string, string, string[]]>([
    ['three', 'title', ['three-body']],
    ['three', 'summary', ['dark-forest']],
    ['three', 'author', []],
    ['三体 红岸', 'title', []],
    ['慈', 'author', ['three-body', 'dark-forest']],
    ['慈', 'title', []],
    ['科', 'tags', ['three-body', 'dark-forest']],
    ['科', 'summary', []],
    ['hugo', 'tags', ['three-body']],
    ['红', 'title', ['red-chamber']],
    ['红', 'summary', ['three-body']],
  ])('for %s in the field %s finds matches in that field only', async (q, field, bookIds) => {
    expect(await finds(q, field)).toEqual(bookIds);
  });

  test('without words lists all books', async () => {
    const all = Object.keys(BOOKS);
    const { body } = await search({});
    expect(body.items.map(({ bookId }) => bookId)).toEqual(all);
    expect(body.next).toBeNull();
    expect((await search({ field: 'tags' })).body.items).toHaveLength(all.length);
    expect((await search({}, '/stores/empty')).body).toEqual({ items: [], next: null });
  });

  test('covers one store or all stores', async () => {
    const found = async (shop: string) => (await search({ q: '三体' }, shop)).body.items.map((book) => book.storeId);
    expect(await found('/stores/library')).toEqual(['library']);
    expect(await found('/stores/kiosk')).toEqual(['kiosk']);
    expect(await found('/stores/empty')).toEqual([]);
    expect(await found('')).toEqual(['library', 'kiosk']);
    expect((await search({}, '')).body.items).toHaveLength(Object.keys(BOOKS).length + 1);
  });

  test('returns books with their current stock', async () => {
    await owner.post('/stores/kiosk/books/paper/stock', { add: 41 });
    const { body } = await search({ q: 'kiosk' }, '');
    expect(body.items).toEqual([
      { storeId: 'kiosk', bookId: 'paper', title: '三体 at the kiosk', price: 1, stock: 42, lowMark: 5, listed: true },
    ]);
  });

  test.each<[string, Record<string, string>]>([
    ['all books', {}],
    ['the books that match a word', { q: '1' }],
    ['the books that match a part of a word in one field', { q: 'page', field: 'title' }],
  ])('returns %s once over all pages', async (_, query) => {
    const shop = `/stores/${await storeWith(13)}`;
    for (const limit of ['1', '4', '12', '13', '14']) {
      const found: string[] = [];
      const sizes: number[] = [];
      let next: string | null = '';
      while (next !== null) {
        const { body } = await search({ ...query, limit, ...(next === '' ? {} : { after: next }) }, shop);
        found.push(...body.items.map(({ bookId }) => bookId));
        sizes.push(body.items.length);
        next = body.next;
      }
      expect(found).toEqual(Array.from({ length: 13 }, (_, index) => `book-${index}`));
      expect(sizes.slice(0, -1).every((size) => size === Number(limit))).toBe(true);
      expect(sizes.at(-1)).toBeGreaterThan(0);
    }
  });

  test('returns 20 books by default', async () => {
    const { body } = await search({}, `/stores/${await storeWith(21)}`);
    expect(body.items).toHaveLength(20);
    expect(body.next).not.toBeNull();
  });

  test.each<[string, string, string]>([
    ['an unknown field', 'q=a&field=isbn', 'field'],
    ['an empty field', 'q=a&field=', 'field'],
    ['two fields', 'q=a&field=title&field=tags', 'field'],
    ['two queries', 'q=a&q=b', 'q'],
    ['a control character', 'q=a%00', 'q'],
    ['a limit of 0', 'limit=0', 'limit'],
    ['a limit of 101', 'limit=101', 'limit'],
    ['an invalid cursor', 'after=nonsense', 'after'],
    ['an unlisted parameter', 'query=a', 'query'],
    ['a store parameter', 'storeId=library', 'storeId'],
  ])('with %s is BAD_MESSAGE', async (_, query, path) => {
    for (const shop of ['', '/stores/library']) {
      const { status, body } = await anyone.get<Failure>(`${shop}/books?${query}`);
      expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', [path]]);
    }
  });

  test('accepts the longest query of characters that normalize to several words', async () => {
    expect(await finds('\ufdfa'.repeat(500))).toEqual([]);
    const words = range(250).map((index) => String.fromCodePoint(0x4e00 + index));
    expect(await finds(words.join(' '))).toEqual([]);
  });

  test('accepts the longest query of one word and of many', async () => {
    expect(await finds(repeated('三', 500))).toEqual([]);
    expect(await finds('三体 '.repeat(120))).toEqual(['three-body']);
  });

  async function storeWith(books: number): Promise<string> {
    const storeId = hub.name('store');
    await owner.post('/stores', { storeId });
    for (let index = 0; index < books; index++) {
      const book = { bookId: `book-${index}`, title: `Page ${index + 1}`, tags: ['1'], price: 1, stock: 1 };
      await owner.post(`/stores/${storeId}/books`, book);
    }
    return storeId;
  }
});
