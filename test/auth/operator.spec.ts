import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ListedSession, LoggedIn } from '../../src/contract/auth.js';
import type { Page } from '../../src/contract/fields.js';
import { knock } from '../support/handshake.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { type Failure, faultPaths, stranger } from '../support/refused.js';
import { range } from '../support/ways.js';

const OPERATOR_KEY = 'the-operators-key-of-this-very-shop';
const CALLS_AT_ONCE = 100;
const SESSION_TTL_SECONDS = 3_600;

describe('the operator’s key', () => {
  let hub: TestHub;
  let operator: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ operatorKey: OPERATOR_KEY, sessionTtlSeconds: SESSION_TTL_SECONDS });
    operator = new Person(hub, 'operator', OPERATOR_KEY);
  });
  afterAll(() => hub.stop());

  const signIn = (request: object, by = operator) => by.post<LoggedIn & Failure>('/auth/sessions', request);

  /** As a backend does, which tries again what a busy hub refuses. */
  async function signInAtLast(request: object): Promise<Awaited<ReturnType<typeof signIn>>> {
    const answer = await signIn(request);
    if (answer.status !== 503) return answer;
    await sleep(100);
    return signInAtLast(request);
  }

  test('signs a user in, who is added at the first call', async () => {
    const before = Date.now();
    const { status, body } = await signIn({ userId: 'shop-user-1', terminal: 'web' });
    expect(status).toBe(201);
    expect(body).toEqual({ token: expect.any(String), expiresAt: expect.any(String), userId: 'shop-user-1' });
    const ttlMs = Date.parse(body.expiresAt) - before;
    expect(Math.abs(ttlMs - SESSION_TTL_SECONDS * 1_000)).toBeLessThan(10_000);
    const user = new Person(hub, 'shop-user-1', body.token);
    expect(await user.deposit(500)).toBe(500);
    expect((await user.get('/auth/session')).body).toMatchObject({ userId: 'shop-user-1', terminal: 'web' });
    await user.connect();
    user.disconnect();
  });

  test('is the only way to become a user where registration is closed', async () => {
    const closed = await TestHub.start({ operatorKey: OPERATOR_KEY, registration: 'closed', currency: 'EUR' });
    try {
      const refused = await stranger(closed).post<Failure>('/auth/register', { userId: 'ada', password: PASSWORD });
      expect(refused.status).toBe(403);
      expect(refused.body.error.code).toBe('FORBIDDEN');
      const backend = new Person(closed, 'operator', OPERATOR_KEY);
      const { body } = await backend.post<LoggedIn>('/auth/sessions', { userId: 'ada' });
      const ada = await new Person(closed, 'ada', body.token).connect();
      expect(ada.ready).toMatchObject([{ userId: 'ada', currency: 'EUR' }]);
      ada.disconnect();
    } finally {
      await closed.stop();
    }
  });

  test('signs in a user who has registered, too', async () => {
    const registered = await hub.register();
    const { body } = await signIn({ userId: registered.userId, ttlSeconds: 60 });
    expect(Date.parse(body.expiresAt) - Date.now()).toBeLessThan(61_000);
    expect((await new Person(hub, registered.userId, body.token).get('/auth/session')).status).toBe(200);
  });

  test('adds one user however many first calls come at once', async () => {
    const answers = await Promise.all(range(CALLS_AT_ONCE).map(() => signInAtLast({ userId: 'everywhere' })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.token)).size).toBe(CALLS_AT_ONCE);
    expect(await hub.rows('SELECT user_id FROM users WHERE user_id = ?', ['everywhere'])).toHaveLength(1);
    expect(await hub.rows('SELECT role FROM rooms WHERE user_id = ?', ['everywhere'])).toHaveLength(2);
  });

  test('leaves the user without a password: a login is refused like a wrong one', async () => {
    const { body } = await signIn({ userId: 'no-password' });
    const user = new Person(hub, 'no-password', body.token);
    const change = { oldPassword: PASSWORD, newPassword: 'another password' };
    expect((await user.post<Failure>('/auth/password', change)).body.error.code).toBe('UNAUTHENTICATED');
    const login = await user.post<Failure>('/auth/login', { userId: 'no-password', password: PASSWORD });
    expect(login.body.error.code).toBe('UNAUTHENTICATED');
    const unknown = await user.post<Failure>('/auth/login', { userId: 'nobody', password: PASSWORD });
    expect(unknown.body).toEqual(login.body);
  });

  test('does not revive an unregistered user, and is not the hub', async () => {
    const gone = await hub.person();
    await gone.post('/auth/unregister', { password: PASSWORD });
    for (const userId of [gone.userId, 'hub']) {
      const { status, body } = await signIn({ userId });
      expect([status, body.error.code]).toEqual([409, 'USER_EXISTS']);
    }
  });

  test.each<[string, object, string[]]>([
    ['no user', {}, ['userId']],
    ['a new user with a format character', { userId: 'bob\u200b' }, ['userId']],
    ['a session too short', { userId: 'x', ttlSeconds: 59 }, ['ttlSeconds']],
    ['a session longer than SESSION_TTL_SECONDS', { userId: 'x', ttlSeconds: SESSION_TTL_SECONDS + 1 }, ['ttlSeconds']],
    ['a password', { userId: 'x', password: PASSWORD }, ['password']],
  ])('refuses %s', async (_, request, paths) => {
    const { status, body } = await signIn(request);
    expect([status, faultPaths(body.error)]).toEqual([400, paths]);
  });

  test('has no other right, and no socket', async () => {
    for (const [method, path, right] of [
      ['GET', '/wallet', 'money'],
      ['POST', '/wallet/withdrawals', 'money'],
      ['GET', '/orders?role=buyer', 'read'],
      ['POST', '/orders', 'buy'],
      ['POST', '/stores', 'stock'],
    ] as const) {
      const { status, body } = await operator.request<Failure>(method, path, method === 'GET' ? undefined : {}, {});
      expect([path, status, body.error.details]).toEqual([path, 403, { right }]);
    }
    for (const path of ['/auth/logout', '/auth/keys', '/auth/unregister']) {
      expect((await operator.post(path, {})).status).toBe(403);
    }
    expect((await knock(hub, { token: OPERATOR_KEY })).error?.data?.code).toBe('FORBIDDEN');
  });

  test('is compared in full, and a user’s token has none of its rights', async () => {
    for (const token of [`${OPERATOR_KEY}x`, OPERATOR_KEY.slice(0, -1), OPERATOR_KEY.toUpperCase()]) {
      expect((await signIn({ userId: 'x' }, new Person(hub, '', token))).status).toBe(401);
    }
    const { status, body } = await signIn({ userId: 'x' }, await hub.person());
    expect([status, body.error.details]).toEqual([403, { right: 'sessions' }]);
  });
});

describe('the list of sessions', () => {
  let hub: TestHub;

  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  const list = async (user: Person, query = '') => (await user.get<Page<ListedSession>>(`/auth/sessions${query}`)).body;
  const end = (user: Person, id: string) => user.request<Failure>('DELETE', `/auth/sessions/${id}`, undefined, {});

  async function loginAgain(user: Person, terminal: string): Promise<Person> {
    const { body } = await user.post<LoggedIn>('/auth/login', { userId: user.userId, password: PASSWORD, terminal });
    return new Person(hub, user.userId, body.token);
  }

  test('holds the caller’s own live sessions, newest first, in pages', async () => {
    const user = await hub.person();
    await hub.person();
    const devices = [user, await loginAgain(user, 'phone'), await loginAgain(user, 'till')];
    const { items, next } = await list(user);
    expect([items.map(({ terminal }) => terminal), next]).toEqual([['till', 'phone', null], null]);
    expect(items.map(({ current }) => current)).toEqual([false, false, true]);
    const first = await list(user, '?limit=2');
    const second = await list(user, `?limit=2&after=${first.next}`);
    expect([...first.items, ...second.items]).toEqual(items);
    expect(second.next).toBeNull();
    await devices[1]?.post('/auth/logout');
    expect((await list(user)).items).toHaveLength(2);
  });

  test('ends one of them like a logout, with its sockets', async () => {
    const user = await hub.person();
    const phone = await (await loginAgain(user, 'phone')).connect();
    const [session] = (await list(user)).items;
    expect((await end(user, session?.sessionId ?? '')).status).toBe(204);
    await until('the phone is disconnected', () => phone.socket?.connected === false);
    expect(phone.endings).toEqual(['logout']);
    expect((await phone.get('/auth/session')).status).toBe(401);
    const again = await end(user, session?.sessionId ?? '');
    expect(again.body.error).toMatchObject({ code: 'NOT_FOUND', details: { what: 'session' } });
  });

  test('knows nothing of other users’ sessions', async () => {
    const [user, other] = [await hub.person(), await hub.person()];
    const [session] = (await list(other)).items;
    expect((await end(user, session?.sessionId ?? '')).status).toBe(404);
    expect((await other.get('/auth/session')).status).toBe(200);
  });
});
