import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { BookView } from '../../src/contract/stores.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { stranger } from '../support/refused.js';

const ISBN = '978-7-5366-9293-0';
const PLAIN = '9787536692930';
const OLD_ISBN = '0 306 40615 X';

describe('searching for an ISBN', () => {
  let hub: TestHub;
  let anyone: Person;
  let owner: Person;

  beforeAll(async () => {
    hub = await TestHub.start();
    anyone = stranger(hub);
    owner = await hub.person();
    for (const storeId of ['library', 'kiosk']) await owner.post('/stores', { storeId });
    const add = (storeId: string, bookId: string, book: object) =>
      owner.post(`/stores/${storeId}/books`, { bookId, title: bookId, price: 1, stock: 1, ...book });
    await add('library', 'with-hyphens', { isbn: ISBN });
    await add('library', 'without', { isbn: PLAIN });
    await add('library', 'old', { isbn: OLD_ISBN });
    await add('library', 'other', { isbn: 'no number' });
    await add('library', 'in-its-title', { title: '9780306406157 numbers' });
    await add('kiosk', 'at-the-kiosk', { isbn: ISBN });
  });
  afterAll(() => hub.stop());

  const finds = async (query: Record<string, string>, path = '/stores/library/books') =>
    (await anyone.get<Page<BookView>>(`${path}?${new URLSearchParams(query)}`)).body;
  const idsOf = ({ items }: Page<BookView>) => items.map(({ bookId }) => bookId);

  test.each([ISBN, PLAIN, '978 7536692930', 'ISBN 978‐7‐5366‐9293‐0', 'isbn:９７８-7-5366-9293-0'])(
    'finds it as %s',
    async (q) => {
      expect(idsOf(await finds({ q }))).toEqual(['with-hyphens', 'without']);
    },
  );

  test('finds one of ten characters, and an X in either letter case', async () => {
    for (const q of ['030640615X', '0-306-40615-x', OLD_ISBN]) expect(idsOf(await finds({ q }))).toEqual(['old']);
  });

  test('finds it in all stores, page by page', async () => {
    const first = await finds({ q: PLAIN, limit: '2' }, '/books');
    expect(idsOf(first)).toEqual(['with-hyphens', 'without']);
    const second = await finds({ q: PLAIN, limit: '2', after: first.next ?? '' }, '/books');
    expect([idsOf(second), second.next]).toEqual([['at-the-kiosk'], null]);
    const beyond = await finds({ q: PLAIN, after: '1000000' }, '/books');
    expect(beyond).toEqual({ items: [], next: null });
  });

  test('leaves a number that is no book’s ISBN to the texts, and so does a field', async () => {
    expect(idsOf(await finds({ q: '9780306406157' }))).toEqual(['in-its-title']);
    expect(idsOf(await finds({ q: PLAIN, field: 'title' }))).toEqual([]);
  });

  test('follows a change of the book', async () => {
    await owner.patch('/stores/library/books/other', { isbn: '979-12-200-0852-5' });
    expect(idsOf(await finds({ q: '9791220008525' }))).toEqual(['other']);
    await owner.patch('/stores/library/books/other', { isbn: 'none' });
    expect(idsOf(await finds({ q: '9791220008525' }))).toEqual([]);
  });

  test('finds books of earlier releases', async () => {
    await hub.database.writer.undoLastMigration();
    await hub.database.writer.runMigrations();
    expect(idsOf(await finds({ q: ISBN }))).toEqual(['with-hyphens', 'without']);
    expect(idsOf(await finds({ q: '030640615X' }))).toEqual(['old']);
  });
});
