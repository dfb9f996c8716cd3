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

  test('a new user gets 201 and the id, and starts with nothing', async () => {
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

  test('an id is given once, whatever the password', async () => {
    expect((await register('taken')).status).toBe(201);
    for (const password of [PASSWORD, 'another password']) {
      const { status, body } = await register('taken', password);
      expect(status).toBe(409);
      expect(body.error).toMatchObject({ code: 'USER_EXISTS', retryable: false });
    }
  });

  test('the word by which events name the hub is taken from the start', async () => {
    const { status, body } = await register('hub');
    expect([status, body.error.code]).toEqual([409, 'USER_EXISTS']);
    expect((await register('Hub')).status).toBe(201);
  });

  test.each([
    ['letter case', 'Bob', 'bob'],
    ['an accent', 'a', 'á'],
    ['the way an accent is written', NFC, NFD],
    ['a ligature', 'strasse', 'straße'],
    ['full width', 'wide', 'ｗｉｄｅ'],
    ['blanks within', 'two words', 'two  words'],
    ['a dotless i', 'i', 'ı'],
  ])('ids that differ in %s only belong to different users', async (_, first, second) => {
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
    ['what other languages give a meaning', `%_'"\\*;--<b>/..?#&`],
  ])('an id may be %s', async (_, userId) => {
    const answer = await register(userId);
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({ userId });
    expect((await register(userId)).status).toBe(409);
  });

  test.each<[string, unknown]>([
    ['is empty', ''],
    ['begins with a blank', ' Bob'],
    ['ends with a blank', 'Bob '],
    ['ends with an ideographic blank', 'Bob\u3000'],
    ['begins with a blank that does not break', '\u00a0Bob'],
    ['ends with a line break', 'Bob\n'],
    ['holds a control character', 'B\u0000b'],
    ['holds a control character of the second row', 'B\u0085b'],
    ['has 65 characters', repeated('x', 65)],
    ['has 65 emoji', repeated('😀', 65)],
    ['is half a character', '\ud83d'],
    ['is a number', 7],
    ['is nothing', null],
    ['is missing', undefined],
    ['is a list', ['Bob']],
    ['is an object', { $ne: '' }],
  ])('an id is refused that %s', async (_, userId) => {
    const { status, body } = await register(userId);
    expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', ['userId']]);
  });

  test.each([
    ['8 characters', '8 is ok!'],
    ['256 characters', repeated('p', 256)],
    ['8 emoji', repeated('🔑', 8)],
    ['256 emoji', repeated('🔑', 256)],
    ['blanks at its ends', '  padded  '],
  ])('a password may have %s, and each counts', async (_, password) => {
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
    ['no text', 12_345_678],
    ['nothing', null],
  ])('a password is refused that has %s', async (_, password) => {
    const { status, body } = await register(hub.name('careless'), password);
    expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', ['password']]);
  });

  test('a field that is not listed is refused, and nobody is registered', async () => {
    const refused = await anyone.post<Failure>('/auth/register', { userId: 'typist', password: PASSWORD, admin: true });
    expect([refused.status, faultPaths(refused.body.error)]).toEqual([400, ['admin']]);
    expect((await register('typist')).status).toBe(201);
  });

  test('of 64 who ask for one id at once, one gets it', async () => {
    const answers = await Promise.all(Array.from({ length: 64 }, () => register('wanted')));
    const told = answers.map(({ status, body }) => (status === 201 ? '201' : `${status} ${body.error.code}`));
    expect(told.sort()).toEqual(['201', ...Array.from({ length: 63 }, () => '409 USER_EXISTS')]);
    for (const [table, rows] of Object.entries({ users: 1, wallets: 1, rooms: 2 })) {
      expect(await hub.rows(`SELECT user_id FROM ${table} WHERE user_id = 'wanted'`)).toHaveLength(rows);
    }
  });

  test('a password is kept as argon2id with 19 MiB, 2 passes and 1 lane, each under a salt of its own', async () => {
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
