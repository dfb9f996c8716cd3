import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CreatedKey } from '../../src/contract/auth.js';
import type { Page } from '../../src/contract/fields.js';
import type { MemberOfView, MemberView } from '../../src/contract/staff.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { type Failure, faultPaths } from '../support/refused.js';
import { range } from '../support/ways.js';

const STAFF_MAX = 100;

describe('the staff of a seller', () => {
  let hub: TestHub;
  let owner: Person;

  beforeAll(async () => {
    hub = await TestHub.start();
    owner = await hub.seller();
  });
  afterAll(() => hub.stop());

  const add = (by: Person, userId: string, rights: string[]) =>
    by.post<MemberView & Failure>('/staff', { userId, rights });
  /** As clients do: what was not done in time is sent again. */
  const addInTheEnd = async (by: Person, userId: string, rights: string[]) => {
    for (;;) {
      const answer = await add(by, userId, rights);
      if (answer.status !== 503) return answer;
    }
  };
  const remove = (by: Person, userId: string) =>
    by.request<Failure>('DELETE', `/staff/${encodeURIComponent(userId)}`, undefined, {});
  const list = async (by: Person, query = '') => (await by.get<Page<MemberView>>(`/staff${query}`)).body;
  const listOf = async (by: Person, query = '') => (await by.get<Page<MemberOfView>>(`/staff/of${query}`)).body;

  async function member(rights: string[], of = owner): Promise<Person> {
    const person = await hub.person();
    expect((await add(of, person.userId, rights)).status).toBe(201);
    person.actingFor = of.userId;
    person.storeId = of.storeId;
    return person;
  }

  async function keyOf(person: Person, rights: string[]): Promise<Person> {
    const { body } = await person.post<CreatedKey>('/auth/keys', { name: 'till', rights });
    return new Person(hub, person.userId, body.secret);
  }

  test('is added, listed by both sides, and removed', async () => {
    const [mei, ying] = [await hub.seller(), await hub.person()];
    const { status, body } = await add(mei, ying.userId, ['sell', 'read']);
    expect(status).toBe(201);
    expect(body).toEqual({ userId: ying.userId, rights: ['read', 'sell'], createdAt: expect.any(String) });
    expect(await list(mei)).toEqual({ items: [body], next: null });
    const { createdAt } = body;
    expect(await listOf(ying)).toEqual({
      items: [{ ownerId: mei.userId, rights: ['read', 'sell'], createdAt }],
      next: null,
    });
    expect((await remove(mei, ying.userId)).status).toBe(204);
    expect([await list(mei), await listOf(ying)]).toEqual([
      { items: [], next: null },
      { items: [], next: null },
    ]);
    const again = await remove(mei, ying.userId);
    expect([again.status, again.body.error]).toEqual([
      404,
      expect.objectContaining({ code: 'NOT_FOUND', details: { what: 'member' } }),
    ]);
  });

  test('has pages, in the order of ids', async () => {
    const mei = await hub.seller();
    const ids: string[] = [];
    for (const name of ['c', 'a', 'b']) {
      const { userId } = await hub.person(hub.name(name));
      ids.push(userId);
      await add(mei, userId, ['read']);
    }
    const first = await list(mei, '?limit=2');
    expect(first.items.map(({ userId }) => userId)).toEqual([...ids].sort().slice(0, 2));
    const second = await list(mei, `?limit=2&after=${first.next}`);
    expect([second.items.map(({ userId }) => userId), second.next]).toEqual(
      [[...ids].sort()[2]].map((id) => [id]).concat([null as never]),
    );
  });

  test('gets the rights that were given last, and keeps the day it came', async () => {
    const [mei, ying] = [await hub.seller(), await hub.person()];
    const { body: first } = await add(mei, ying.userId, ['read']);
    const { status, body } = await add(mei, ying.userId, ['read', 'stock']);
    expect([status, body]).toEqual([201, { ...first, rights: ['read', 'stock'] }]);
    expect(await list(mei)).toEqual({ items: [body], next: null });
  });

  test.each([
    ['oneself', () => ({ userId: owner.userId, rights: ['read'] }), 400, 'BAD_MESSAGE', ['userId']],
    ['nobody', () => ({ userId: 'nobody-at-all', rights: ['read'] }), 404, 'USER_NOT_FOUND', undefined],
    ['no rights', () => ({ userId: 'x', rights: [] }), 400, 'BAD_MESSAGE', ['rights']],
    ['a right twice', () => ({ userId: 'x', rights: ['read', 'read'] }), 400, 'BAD_MESSAGE', ['rights']],
    ['an unknown right', () => ({ userId: 'x', rights: ['funds'] }), 400, 'BAD_MESSAGE', ['rights.0']],
    ['a field too many', () => ({ userId: 'x', rights: ['read'], boss: true }), 400, 'BAD_MESSAGE', ['boss']],
    ['no user', () => ({ rights: ['read'] }), 400, 'BAD_MESSAGE', ['userId']],
  ])('refuses %s', async (_what, request, status, code, paths) => {
    const answer = await owner.post<Failure>('/staff', request());
    expect([answer.status, answer.body.error.code]).toEqual([status, code]);
    if (paths) expect(faultPaths(answer.body.error)).toEqual(paths);
  });

  test('does not take in who has unregistered, and loses who does', async () => {
    const [mei, ying, gone] = [await hub.seller(), await hub.register(), await hub.register()];
    await gone.post('/auth/unregister', { password: PASSWORD });
    expect((await add(mei, gone.userId, ['read'])).body.error.code).toBe('USER_NOT_FOUND');
    await add(mei, ying.userId, ['read']);
    await ying.post('/auth/unregister', { password: PASSWORD });
    expect(await list(mei)).toEqual({ items: [], next: null });
  });

  test('loses its seller, and its sockets, when the seller unregisters', async () => {
    const [mei, ying] = [await hub.register(), await hub.person()];
    await add(mei, ying.userId, ['read']);
    await ying.connect({ for: mei.userId });
    expect((await mei.post('/auth/unregister', { password: PASSWORD })).status).toBe(204);
    await until('the socket has ended', () => ying.endings.length > 0);
    expect(ying.endings).toEqual(['staff']);
    expect(await listOf(ying)).toEqual({ items: [], next: null });
  });

  test(`has ${STAFF_MAX} members at most, however many are added at once`, async () => {
    const mei = await hub.seller();
    const people = await Promise.all(range(STAFF_MAX + 3).map(() => hub.person()));
    const answers = await Promise.all(people.map(({ userId }) => addInTheEnd(mei, userId, ['read'])));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused.map(({ body }) => body.error.code)).toEqual(['BAD_MESSAGE', 'BAD_MESSAGE', 'BAD_MESSAGE']);
    const [first] = (await list(mei)).items;
    expect((await add(mei, first?.userId ?? '', ['read', 'sell'])).status).toBe(201);
    await remove(mei, first?.userId ?? '');
    const [late] = people.filter((_, index) => answers[index]?.status !== 201);
    expect((await add(mei, late?.userId ?? '', ['read'])).status).toBe(201);
  });

  test('is managed by who has the right, and nobody gives a right that is not theirs', async () => {
    const [key, clerk, chief] = [
      await keyOf(owner, ['staff', 'read']),
      await member(['read']),
      await member(['staff', 'sell']),
    ];
    const { userId } = await hub.person();
    const right = (answer: { status: number; body: Failure }) => [
      answer.status,
      answer.body.error?.code,
      answer.body.error?.details,
    ];
    expect(right(await add(clerk, userId, ['read']))).toEqual([403, 'FORBIDDEN', { right: 'staff' }]);
    expect(right(await remove(clerk, chief.userId))).toEqual([403, 'FORBIDDEN', { right: 'staff' }]);
    expect(right(await add(chief, userId, ['read']))).toEqual([403, 'FORBIDDEN', { right: 'read' }]);
    expect(right(await add(chief, userId, ['buy']))).toEqual([403, 'FORBIDDEN', { right: 'buy' }]);
    expect(right(await add(key, userId, ['sell']))).toEqual([403, 'FORBIDDEN', { right: 'sell' }]);
    expect((await add(chief, userId, ['sell'])).status).toBe(201);
    expect((await list(owner)).items.map((each) => each.userId)).toContain(userId);
    expect((await list(clerk)).items.map((each) => each.userId)).toContain(userId);
    expect((await remove(key, userId)).status).toBe(204);
    // What the chief adds for the seller is the seller's, not the chief's.
    chief.actingFor = undefined;
    expect((await list(chief)).items).toEqual([]);
  });
});
