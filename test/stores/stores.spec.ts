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

  test('who opens one owns it, and everybody sees it without a token', async () => {
    const before = Date.now();
    const { status, body } = await open(owner, { storeId: 'corner', name: '街角书店' });
    const after = Date.now();
    expect(status).toBe(201);
    expect(body).toEqual({
      storeId: 'corner',
      name: '街角书店',
      ownerId: owner.userId,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    const createdAt = Date.parse(body.createdAt);
    expect(createdAt >= before && createdAt <= after).toBe(true);

    const seen = await anyone.get<StoreView>('/stores/corner');
    expect([seen.status, seen.body]).toEqual([200, body]);
  });

  test('a store needs no name', async () => {
    const { status, body } = await open(owner, { storeId: 'nameless' });
    expect([status, body.name]).toEqual([201, null]);
    expect((await anyone.get('/stores/nameless')).body).toEqual(body);
  });

  test('an id is given once, to whomever it was', async () => {
    await open(owner, { storeId: 'taken' });
    for (const person of [owner, await hub.person()]) {
      const { status, body } = await open(person, { storeId: 'taken', name: 'Mine now' });
      expect([status, body.error.code, body.error.retryable]).toEqual([409, 'STORE_EXISTS', false]);
    }
    expect((await anyone.get('/stores/taken')).body).toMatchObject({ ownerId: owner.userId, name: null });
  });

  test('of 20 who open one at once, one does', async () => {
    const people = await Promise.all(Array.from({ length: 20 }, () => hub.person()));
    const answers = await Promise.all(people.map((person) => open(person, { storeId: 'wanted' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
  });

  test.each([
    ['letter case', 'Shop', 'shop'],
    ['an accent', 'cafe', 'café'],
    ['the way an accent is written', 'ne\u0301e', 'n\u00e9e'],
    ['full width', 'abc', 'ａｂｃ'],
  ])('ids that differ in %s only belong to different stores', async (_, first, second) => {
    const other = await hub.person();
    expect((await open(owner, { storeId: first })).status).toBe(201);
    expect((await open(other, { storeId: second })).status).toBe(201);
    for (const [storeId, ownerId] of [
      [first, owner.userId],
      [second, other.userId],
    ] as const) {
      const seen = await anyone.get(`/stores/${encodeURIComponent(storeId)}`);
      expect(seen.body).toMatchObject({ storeId, ownerId });
    }
  });

  test.each([
    ['64 emoji', repeated('📚', 64)],
    ['what has a meaning in an address', 'a/b?c#d&e%20=+;:@'],
    ['what has a meaning in SQL', `'";--\\%_`],
  ])('an id may be %s', async (_, storeId) => {
    expect((await open(owner, { storeId })).status).toBe(201);
    expect((await anyone.get(`/stores/${encodeURIComponent(storeId)}`)).body).toMatchObject({ storeId });
  });

  test('one that is not there is STORE_NOT_FOUND, whatever is asked of it', async () => {
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
    ['has an id of 65', { storeId: repeated('📚', 65) }, 'storeId'],
    ['has white space around its id', { storeId: 'store\t' }, 'storeId'],
    ['has an empty name', { storeId: 'refused', name: '' }, 'name'],
    ['has null for a name', { storeId: 'refused', name: null }, 'name'],
    ['has a line break in its name', { storeId: 'refused', name: 'a\nb' }, 'name'],
    ['has a name of 501', { storeId: 'refused', name: repeated('店', 501) }, 'name'],
    ['names its owner', { storeId: 'refused', ownerId: 'somebody' }, 'ownerId'],
  ])('one is refused that %s', async (_, request, path) => {
    const { status, body } = await open(owner, request);
    expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', [path]]);
    expect((await anyone.get('/stores/refused')).status).toBe(404);
  });

  test('a name may have 500 characters', async () => {
    const name = repeated('🏪', 500);
    expect((await open(owner, { storeId: 'long', name })).status).toBe(201);
    expect((await anyone.get('/stores/long')).body).toMatchObject({ name });
  });

  describe('the list', () => {
    const list = (query: string) => anyone.get<Page<StoreView> & Failure>(`/stores?${query}`);

    test('of an owner is read page by page, without a token, each store once', async () => {
      const keeper = await hub.person('Keeper');
      const lookalike = await hub.person('keeper');
      const ids = ['b', 'a', 'C', 'ß', '中', '😀', 'a ä', 'a"b', 'zz', 'A', '%', '0'].map((id) => `list ${id}`);
      for (const storeId of ids) await open(keeper, { storeId });
      await open(lookalike, { storeId: 'list of another' });

      const seen: StoreView[] = [];
      let next: string | null = '';
      while (next !== null) {
        const after: string = next === '' ? '' : `&after=${encodeURIComponent(next)}`;
        const { status, body } = await list(`owner=Keeper&limit=5${after}`);
        expect(status).toBe(200);
        seen.push(...body.items);
        next = body.next;
      }
      expect(seen).toHaveLength(ids.length);
      expect(seen.map(({ storeId }) => storeId).sort()).toEqual([...ids].sort());
      for (const { ownerId } of seen) expect(ownerId).toBe('Keeper');
    });

    test('of an owner who has none, or is not there, is empty', async () => {
      const { userId } = await hub.person();
      for (const ownerId of [userId, 'nobody-of-that-name', 'KEEPER', `' OR 1=1 --`]) {
        const { status, body } = await list(`owner=${encodeURIComponent(ownerId)}`);
        expect([status, body]).toEqual([200, { items: [], next: null }]);
      }
    });

    test('without an owner holds the stores of all', async () => {
      const { body } = await list('limit=100');
      expect(new Set(body.items.map(({ ownerId }) => ownerId)).size).toBeGreaterThan(1);
      const seen = body.items.map(({ storeId }) => storeId);
      expect(seen).toEqual(expect.arrayContaining(['corner', 'nameless', 'taken']));
    });

    test.each([
      ['limit=0', 'limit'],
      ['limit=101', 'limit'],
      ['limit=many', 'limit'],
      ['owner=', 'owner'],
      ['owner=a&owner=b', 'owner'],
      ['ownerId=a', 'ownerId'],
      ['owner[$ne]=a', 'owner[$ne]'],
    ])('is not read with %s', async (query, path) => {
      const { status, body } = await list(query);
      expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', [path]]);
    });
  });
});
