import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { BookView } from '../../src/contract/stores.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { stranger } from '../support/refused.js';
import { overHttp, range } from '../support/ways.js';

describe('a book that is not listed', () => {
  let hub: TestHub;
  let owner: Person;
  let buyer: Person;
  const path = (bookId: string) => `/stores/${owner.storeId}/books/${bookId}`;
  const list = async (query: string) => (await stranger(hub).get<Page<BookView>>(query)).body;
  const titles = async (query: string) => (await list(query)).items.map(({ title }) => title);
  const placing = (bookId: string) => ({ storeId: owner.storeId, items: [{ bookId, count: 1 }] });

  beforeAll(async () => {
    hub = await TestHub.start();
    owner = await hub.seller([{ title: 'Shown' }, { title: 'Hidden Tales' }, { title: 'Tales' }]);
    buyer = await hub.buyer();
    expect((await owner.get<BookView>(path('book-2'))).body.listed).toBe(true);
    const { status, body } = await owner.patch<BookView>(path('book-2'), { listed: false });
    expect([status, body.listed, body.stock]).toEqual([200, false, 10]);
  });
  afterAll(() => hub.stop());

  test('is in no list and no search, of its store or of all', async () => {
    for (const at of [`/stores/${owner.storeId}/books`, '/books']) {
      expect(await titles(at)).toEqual(['Shown', 'Tales']);
      expect(await titles(`${at}?q=tales`)).toEqual(['Tales']);
      expect(await titles(`${at}?q=hidden`)).toEqual([]);
      expect(await titles(`${at}?q=ta&field=title`)).toEqual(['Tales']);
    }
  });

  test('cannot be ordered, alone or with others', async () => {
    const refused = { ok: false, error: { code: 'BOOK_NOT_FOUND', details: { bookId: 'book-2' } } };
    expect(await buyer.send('order:place', placing('book-2'))).toMatchObject(refused);
    expect(await overHttp(buyer, 'order:place', placing('book-2'))).toMatchObject(refused);
    const items = ['book-1', 'book-2'].map((bookId) => ({ bookId, count: 1 }));
    expect(await buyer.send('order:place', { storeId: owner.storeId, items })).toMatchObject(refused);
    expect(await owner.stock('book-1')).toBe(10);
  });

  test('is still shown by its id, changed and stocked by its owner, and taken along', async () => {
    expect((await stranger(hub).get<BookView>(path('book-2'))).body).toMatchObject({ bookId: 'book-2', listed: false });
    expect((await owner.patch<BookView>(path('book-2'), { price: 1_200 })).body).toMatchObject({ listed: false });
    expect((await owner.post<BookView>(`${path('book-2')}/stock`, { add: 1 })).body).toMatchObject({
      stock: 11,
      listed: false,
    });
    const lines = (await owner.get<string>('/me/export')).body.trim().split('\n');
    const books = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'book');
    expect(books.map(({ bookId, listed }) => [bookId, listed])).toEqual([
      ['book-1', true],
      ['book-2', false],
      ['book-3', true],
    ]);
  });

  test('goes on in the orders that hold it, and comes back to its shelf when they are cancelled', async () => {
    const [shipped, cancelled] = [await buyer.place(owner), await buyer.place(owner)];
    await owner.patch(path('book-1'), { listed: false });
    await buyer.does('order:pay', { orderId: shipped.orderId });
    await owner.does('order:ship', { orderId: shipped.orderId });
    expect(await buyer.does('order:receive', { orderId: shipped.orderId })).toMatchObject({ status: 'received' });
    await buyer.does('order:cancel', { orderId: cancelled.orderId });
    expect(await owner.stock('book-1')).toBe(9);
    await owner.patch(path('book-1'), { listed: true });
    expect(await buyer.place(owner)).toMatchObject({ status: 'placed' });
  });

  test('is found and ordered again once it is listed', async () => {
    expect((await owner.patch<BookView>(path('book-2'), { listed: true })).body.listed).toBe(true);
    expect(await titles(`/books?q=hidden`)).toEqual(['Hidden Tales']);
    expect(await buyer.does('order:place', placing('book-2'))).toMatchObject({ status: 'placed' });
  });

  test('leaves no empty page behind: pages are of what is listed', async () => {
    const other = await hub.seller(range(12).map((n) => ({ title: `Volume ${n}` })));
    for (const n of range(10)) await other.patch(`/stores/${other.storeId}/books/book-${n + 1}`, { listed: false });
    for (const query of ['limit=1', 'limit=1&q=volume']) {
      const first = await list(`/stores/${other.storeId}/books?${query}`);
      expect(first.items.map(({ title }) => title)).toEqual(['Volume 10']);
      const second = await list(`/stores/${other.storeId}/books?${query}&after=${first.next}`);
      expect([second.items.map(({ title }) => title), second.next]).toEqual([['Volume 11'], null]);
    }
  });

  test('cannot be hidden by others, nor by what is no boolean', async () => {
    expect((await buyer.patch(path('book-3'), { listed: false })).status).toBe(403);
    for (const listed of [null, 0, 'false']) expect((await owner.patch(path('book-3'), { listed })).status).toBe(400);
    expect(
      (
        await owner.post(`/stores/${owner.storeId}/books`, {
          bookId: 'new',
          title: 'N',
          price: 1,
          stock: 1,
          listed: false,
        })
      ).status,
    ).toBe(400);
    expect(await titles(`/books?q=tales`)).toEqual(['Hidden Tales', 'Tales']);
  });
});
