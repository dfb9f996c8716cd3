import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { StoreView } from '../../src/contract/stores.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type Failure, faultPaths, repeated, stranger } from '../support/refused.js';

describe('stores', () => {
  let hub: TestHub;
  let owner: Person;
  let anyone: Person;
  const open = (person: Person, body: unknown) => person.post<StoreView & Failure>('/stores', body);

  beforeAll(async () => {
    hub = await TestHub.start();
    owner = await hub.person();
    anyone = stranger(hub);
  });
  afterAll(() => hub.stop());

  test('belong to the user who opens them and are readable without a token', async () => {
    const before = hub.now();
    const { status, body } = await open(owner, { storeId: 'corner', name: '街角书店' });
    const after = hub.now();
    expect(status).toBe(201);
    expect(body).toEqual({
      storeId: 'corner',
      name: '街角书店',
      ownerId: owner.userId,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      ...{ acceptWithinSeconds: 0, open: true, pausedUntil: null },
    });
    const createdAt = Date.parse(body.createdAt);
    expect(createdAt >= before && createdAt <= after).toBe(true);

    const read = await anyone.get<StoreView>('/stores/corner');
    expect([read.status, read.body]).toEqual([200, body]);
  });

  test('need no name', async () => {
    const { status, body } = await open(owner, { storeId: 'nameless' });
    expect([status, body.name]).toEqual([201, null]);
    expect((await anyone.get('/stores/nameless')).body).toEqual(body);
  });

  test('have unique ids', async () => {
    await open(owner, { storeId: 'taken' });
    for (const person of [owner, await hub.person()]) {
      const { status, body } = await open(person, { storeId: 'taken', name: 'Mine now' });
      expect([status, body.error.code, body.error.retryable]).toEqual([409, 'STORE_EXISTS', false]);
    }
    expect((await anyone.get('/stores/taken')).body).toMatchObject({ ownerId: owner.userId, name: null });
  });

  test('are opened once by 20 concurrent requests', async () => {
    const people = await Promise.all(Array.from({ length: 20 }, () => hub.person()));
    const answers = await Promise.all(people.map((person) => open(person, { storeId: 'contested' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
  });

  test.each([
    ['letter case', 'Shop', 'shop'],
    ['an accent', 'cafe', 'café'],
    ['Unicode normalization', 'ne\u0301e', 'n\u00e9e'],
    ['full width', 'abc', 'ａｂｃ'],
  ])('are different when their ids differ only in %s', async (_, first, second) => {
    const other = await hub.person();
    expect((await open(owner, { storeId: first })).status).toBe(201);
    expect((await open(other, { storeId: second })).status).toBe(201);
    for (const [storeId, ownerId] of [
      [first, owner.userId],
      [second, other.userId],
    ] as const) {
      const { body } = await anyone.get(`/stores/${encodeURIComponent(storeId)}`);
      expect(body).toMatchObject({ storeId, ownerId });
    }
  });

  test.each([
    ['64 emoji', repeated('📚', 64)],
    ['characters special to URLs', 'a/b?c#d&e%20=+;:@'],
    ['characters special to SQL', `'";--\\%_`],
  ])('may have an id of %s', async (_, storeId) => {
    expect((await open(owner, { storeId })).status).toBe(201);
    expect((await anyone.get(`/stores/${encodeURIComponent(storeId)}`)).body).toMatchObject({ storeId });
  });

  test('that do not exist are STORE_NOT_FOUND on every route', async () => {
    const book = { bookId: 'book-1', title: 'Book', price: 1, stock: 1 };
    const answers = [
      await anyone.get<Failure>('/stores/nowhere'),
      await anyone.get<Failure>('/stores/nowhere/books'),
      await anyone.get<Failure>('/stores/nowhere/books?q=x'),
      await anyone.get<Failure>('/stores/nowhere/books/book-1'),
      await owner.post<Failure>('/stores/nowhere/books', book),
      await owner.patch<Failure>('/stores/nowhere/books/book-1', { price: 1 }),
      await owner.post<Failure>('/stores/nowhere/books/book-1/stock', { add: 1 }),
    ];
    for (const { status, body } of answers) {
      expect([status, body.error.code, body.error.retryable]).toEqual([404, 'STORE_NOT_FOUND', false]);
    }
  });

  test.each<[string, object, string]>([
    ['has no id', { name: 'Store' }, 'storeId'],
    ['has an empty id', { storeId: '' }, 'storeId'],
    ['has an id of 65 characters', { storeId: repeated('📚', 65) }, 'storeId'],
    ['has trailing white space in its id', { storeId: 'store\t' }, 'storeId'],
    ['has a dot as its id', { storeId: '.' }, 'storeId'],
    ['has two dots as its id', { storeId: '..' }, 'storeId'],
    ['has a zero-width space in its id', { storeId: 'corner\u200b' }, 'storeId'],
    ['has a left-to-right mark in its id', { storeId: 'corner\u200e' }, 'storeId'],
    ['has an empty name', { storeId: 'rejected', name: '' }, 'name'],
    ['has a null name', { storeId: 'rejected', name: null }, 'name'],
    ['has a line break in its name', { storeId: 'rejected', name: 'a\nb' }, 'name'],
    ['has a name of 501 characters', { storeId: 'rejected', name: repeated('店', 501) }, 'name'],
    ['names its owner', { storeId: 'rejected', ownerId: 'other-user' }, 'ownerId'],
  ])('reject a store that %s', async (_, request, path) => {
    const { status, body } = await open(owner, request);
    expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', [path]]);
    expect((await anyone.get('/stores/rejected')).status).toBe(404);
  });

  test('accept a name of 500 characters', async () => {
    const name = repeated('🏪', 500);
    expect((await open(owner, { storeId: 'long', name })).status).toBe(201);
    expect((await anyone.get('/stores/long')).body).toMatchObject({ name });
  });

  describe('listed', () => {
    const list = (query: string) => anyone.get<Page<StoreView> & Failure>(`/stores?${query}`);

    test('by owner appear once over all pages, without a token', async () => {
      const keeper = await hub.person('Keeper');
      const lookalike = await hub.person('keeper');
      const ids = ['b', 'a', 'C', 'ß', '中', '😀', 'a ä', 'a"b', 'zz', 'A', '%', '0'].map((id) => `list ${id}`);
      for (const storeId of ids) await open(keeper, { storeId });
      await open(lookalike, { storeId: 'list of another' });

      const listed: StoreView[] = [];
      let next: string | null = '';
      while (next !== null) {
        const after: string = next === '' ? '' : `&after=${encodeURIComponent(next)}`;
        const { status, body } = await list(`owner=Keeper&limit=5${after}`);
        expect(status).toBe(200);
        listed.push(...body.items);
        next = body.next;
      }
      expect(listed).toHaveLength(ids.length);
      expect(listed.map(({ storeId }) => storeId).sort()).toEqual([...ids].sort());
      for (const { ownerId } of listed) expect(ownerId).toBe('Keeper');
    });

    test('by an owner without stores, or unknown, are an empty page', async () => {
      const { userId } = await hub.person();
      for (const ownerId of [userId, 'unknown-user', 'KEEPER', `' OR 1=1 --`]) {
        const { status, body } = await list(`owner=${encodeURIComponent(ownerId)}`);
        expect([status, body]).toEqual([200, { items: [], next: null }]);
      }
    });

    test('without an owner include the stores of all', async () => {
      const { body } = await list('limit=100');
      expect(new Set(body.items.map(({ ownerId }) => ownerId)).size).toBeGreaterThan(1);
      const ids = body.items.map(({ storeId }) => storeId);
      expect(ids).toEqual(expect.arrayContaining(['corner', 'nameless', 'taken']));
    });

    test.each([
      ['limit=0', 'limit'],
      ['limit=101', 'limit'],
      ['limit=many', 'limit'],
      ['owner=', 'owner'],
      ['owner=a&owner=b', 'owner'],
      ['ownerId=a', 'ownerId'],
      ['owner[$ne]=a', 'owner[$ne]'],
    ])('reject the query %s', async (query, path) => {
      const { status, body } = await list(query);
      expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', [path]]);
    });
  });
});
