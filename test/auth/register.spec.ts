import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PASSWORD, TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type Failure, faultPaths, repeated, stranger } from '../support/refused.js';

const NFC = 'caf\u00e9';
const NFD = 'cafe\u0301';

describe('registering', () => {
  let hub: TestHub;
  let anyone: Person;
  const register = (userId: unknown, password: unknown = PASSWORD) =>
    anyone.post<{ userId: string } & Failure>('/auth/register', { userId, password });
  const login = (userId: string, password: string) =>
    anyone.post<{ token: string } & Failure>('/auth/login', { userId, password });

  beforeAll(async () => {
    hub = await TestHub.start();
    anyone = stranger(hub);
  });
  afterAll(() => hub.stop());

  test('answers 201 with the id of a user with a balance of zero and empty rooms', async () => {
    const answer = await register('ada');
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({ userId: 'ada' });

    const ada = await hub.register('ada-2');
    expect(await ada.balance()).toBe(0);
    await ada.connect();
    expect(ada.ready).toMatchObject([
      { userId: 'ada-2', rooms: { buyer: { head: 0, complete: true }, seller: { head: 0, complete: true } } },
    ]);
  });

  test('accepts an id once, whatever the password', async () => {
    expect((await register('taken')).status).toBe(201);
    for (const password of [PASSWORD, 'another password']) {
      const { status, body } = await register('taken', password);
      expect(status).toBe(409);
      expect(body.error).toMatchObject({ code: 'USER_EXISTS', retryable: false });
    }
  });

  test('reserves the id hub, which events use for the hub itself', async () => {
    const { status, body } = await register('hub');
    expect([status, body.error.code]).toEqual([409, 'USER_EXISTS']);
    expect((await register('Hub')).status).toBe(201);
  });

  test.each([
    ['letter case', 'Bob', 'bob'],
    ['an accent', 'a', 'á'],
    ['Unicode normalization', NFC, NFD],
    ['a ligature', 'strasse', 'straße'],
    ['full width', 'wide', 'ｗｉｄｅ'],
    ['inner spaces', 'two words', 'two  words'],
    ['a dotless i', 'i', 'ı'],
  ])('treats ids that differ only in %s as different users', async (_, first, second) => {
    expect((await register(first, 'password of the first')).status).toBe(201);
    expect((await register(second, 'password of the second')).status).toBe(201);
    for (const userId of [first, second]) expect((await register(userId)).body.error.code).toBe('USER_EXISTS');
    expect((await login(first, 'password of the second')).status).toBe(401);
    const { body } = await login(second, 'password of the second');
    const session = await anyone.get('/auth/session', { authorization: `Bearer ${body.token}` });
    expect(session.body).toMatchObject({ userId: second });
  });

  test.each([
    ['64 emoji', repeated('😀', 64)],
    ['Chinese', '三体读者'],
    ['characters special to SQL, HTML and URLs', `%_'"\\*;--<b>/..?#&`],
    ['three dots', '...'],
  ])('accepts an id of %s', async (_, userId) => {
    const answer = await register(userId);
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({ userId });
    expect((await register(userId)).status).toBe(409);
  });

  test.each<[string, unknown]>([
    ['is empty', ''],
    ['starts with a space', ' Bob'],
    ['ends with a space', 'Bob '],
    ['ends with an ideographic space', 'Bob\u3000'],
    ['starts with a no-break space', '\u00a0Bob'],
    ['ends with a line break', 'Bob\n'],
    ['contains a C0 control character', 'B\u0000b'],
    ['contains a C1 control character', 'B\u0085b'],
    ['is a dot', '.'],
    ['is two dots', '..'],
    ['contains a zero-width space', 'B\u200bob'],
    ['ends with a zero-width joiner', 'Bob\u200d'],
    ['contains a right-to-left override', 'B\u202eob'],
    ['contains a soft hyphen', 'B\u00adob'],
    ['has 65 characters', repeated('x', 65)],
    ['has 65 emoji', repeated('😀', 65)],
    ['is a lone surrogate', '\ud83d'],
    ['is a number', 7],
    ['is null', null],
    ['is missing', undefined],
    ['is a list', ['Bob']],
    ['is an object', { $ne: '' }],
  ])('rejects an id that %s', async (_, userId) => {
    const { status, body } = await register(userId);
    expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', ['userId']]);
  });

  test('an id stored before the rule against format characters can still log in and be read', async () => {
    const userId = 'old\u200bid';
    const person = await hub.person(userId);
    const { status, body } = await login(userId, PASSWORD);
    expect(status).toBe(200);
    const session = await anyone.get('/auth/session', { authorization: `Bearer ${body.token}` });
    expect(session.body).toMatchObject({ userId });
    await person.post('/stores', { storeId: 'store of an old id' });
    const stores = await anyone.get(`/stores?owner=${encodeURIComponent(userId)}`);
    expect(stores.body).toMatchObject({ items: [{ ownerId: userId }] });
  });

  test.each([
    ['8 characters', '8 is ok!'],
    ['256 characters', repeated('p', 256)],
    ['8 emoji', repeated('🔑', 8)],
    ['256 emoji', repeated('🔑', 256)],
    ['leading and trailing spaces', '  padded  '],
  ])('accepts a password of %s, all of it significant', async (_, password) => {
    const userId = hub.name('keeper');
    expect((await register(userId, password)).status).toBe(201);
    expect((await login(userId, password)).status).toBe(200);
    const shorter = await login(userId, [...password].slice(0, -1).join(''));
    expect([shorter.status, shorter.body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  test.each<[string, unknown]>([
    ['7 characters', '7 chars'],
    ['7 emoji', repeated('🔑', 7)],
    ['257 characters', repeated('p', 257)],
    ['257 emoji', repeated('🔑', 257)],
    ['a number', 12_345_678],
    ['null', null],
  ])('rejects a password of %s', async (_, password) => {
    const { status, body } = await register(hub.name('careless'), password);
    expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', ['password']]);
  });

  test('rejects an unlisted field without registering the user', async () => {
    const rejected = await anyone.post<Failure>('/auth/register', {
      userId: 'typist',
      password: PASSWORD,
      admin: true,
    });
    expect([rejected.status, faultPaths(rejected.body.error)]).toEqual([400, ['admin']]);
    expect((await register('typist')).status).toBe(201);
  });

  test('registers one of 64 concurrent requests for one id', async () => {
    const answers = await Promise.all(Array.from({ length: 64 }, () => register('contested')));
    const outcomes = answers.map(({ status, body }) => (status === 201 ? '201' : `${status} ${body.error.code}`));
    expect(outcomes.sort()).toEqual(['201', ...Array.from({ length: 63 }, () => '409 USER_EXISTS')]);
    for (const [table, rows] of Object.entries({ users: 1, wallets: 1, rooms: 2 })) {
      expect(await hub.rows(`SELECT user_id FROM ${table} WHERE user_id = 'contested'`)).toHaveLength(rows);
    }
  });

  test('stores passwords as argon2id with 19 MiB, 2 passes, 1 lane and a salt each', async () => {
    await Promise.all([register('salted-1'), register('salted-2')]);
    const rows = await hub.rows<{ hash: string }>(
      "SELECT password_hash AS hash FROM users WHERE user_id IN ('salted-1', 'salted-2')",
    );
    expect(rows).toHaveLength(2);
    for (const { hash } of rows) {
      expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]{22,}\$[^$]{43,}$/);
      expect(hash).not.toContain(PASSWORD);
    }
    expect(rows[0]?.hash).not.toBe(rows[1]?.hash);
  });
});
