import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { HubSocket } from '../../src/platform/sockets/hub.socket.js';
import { SocketRegistry } from '../../src/platform/sockets/socket.registry.js';
import { knock } from '../support/handshake.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { onServer } from '../support/on.server.js';
import { Person } from '../support/person.js';
import { type Failure, faultPaths, repeated, stranger } from '../support/refused.js';
import { range } from '../support/ways.js';

interface LoggedIn extends Failure {
  token: string;
  expiresAt: string;
  userId: string;
}

/** Logs the user in on another device. */
async function loginAgain(hub: TestHub, user: Person, password = PASSWORD, terminal?: string): Promise<Person> {
  const { body } = await stranger(hub).post<LoggedIn>('/auth/login', { userId: user.userId, password, terminal });
  return new Person(hub, user.userId, body.token);
}

async function expectDisconnected(person: Person, reason: string): Promise<void> {
  await until(`${person.userId} is disconnected`, () => person.socket?.connected === false);
  expect(person.endings).toEqual([reason]);
}

async function expectRevoked(person: Person): Promise<void> {
  const { status, body } = await person.get<Failure>('/auth/session');
  expect([status, body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
  const { error } = await knock(person.hub, { token: person.token });
  expect(error?.data).toMatchObject({ code: 'UNAUTHENTICATED' });
}

async function expectActive(person: Person): Promise<void> {
  expect((await person.get('/auth/session')).status).toBe(200);
  expect(await person.does('order:list', { role: 'buyer' })).toEqual({ items: [], next: null });
  expect(person.endings).toEqual([]);
}

describe('sessions', () => {
  let hub: TestHub;
  let anyone: Person;
  const login = (request: object) => anyone.post<LoggedIn>('/auth/login', request);

  beforeAll(async () => {
    hub = await TestHub.start();
    anyone = stranger(hub);
  });
  afterAll(() => hub.stop());

  describe('logging in', () => {
    test('returns a token whose session names the user, the terminal and the expiry', async () => {
      const { userId } = await hub.person();
      const before = hub.now();
      const { status, body } = await login({ userId, password: PASSWORD, terminal: '收银台 1' });
      const after = hub.now();
      expect(status).toBe(200);
      expect(Object.keys(body).sort()).toEqual(['expiresAt', 'token', 'userId']);
      expect(body.userId).toBe(userId);
      expect(body.expiresAt).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
      const loggedInAt = Date.parse(body.expiresAt) - 604_800_000;
      expect(loggedInAt >= before && loggedInAt <= after).toBe(true);

      const session = await anyone.get('/auth/session', { authorization: `Bearer ${body.token}` });
      expect(session.status).toBe(200);
      expect(session.body).toEqual({ userId, terminal: '收银台 1', expiresAt: body.expiresAt });
    });

    test('needs no terminal and opens a new session each time', async () => {
      const person = await hub.person();
      const [till, phone] = [await loginAgain(hub, person, PASSWORD, 'till'), await loginAgain(hub, person)];
      expect(new Set([person.token, till.token, phone.token]).size).toBe(3);
      expect((await till.get('/auth/session')).body).toMatchObject({ terminal: 'till' });
      expect((await phone.get('/auth/session')).body).toMatchObject({ terminal: null });
    });

    test('answers an unknown user and a wrong password identically', async () => {
      const { userId } = await hub.person();
      const former = await hub.person();
      expect((await former.post('/auth/unregister', { password: PASSWORD })).status).toBe(204);
      const answers = await Promise.all([
        login({ userId, password: 'not the password' }),
        login({ userId: 'unknown-user', password: PASSWORD }),
        login({ userId: former.userId, password: PASSWORD }),
        login({ userId: 'hub', password: PASSWORD }),
        login({ userId, password: 'x' }),
      ]);
      for (const { status, body, headers } of answers) {
        expect(status).toBe(401);
        expect(body).toEqual(answers[0]?.body);
        expect([...headers.keys()].sort()).toEqual([...(answers[0]?.headers.keys() ?? [])].sort());
      }
      expect(answers[0]?.body.error).toEqual({
        code: 'UNAUTHENTICATED',
        message: expect.any(String),
        retryable: false,
      });
    });

    test('compares the id and the password byte for byte', async () => {
      const { userId } = await hub.person('Case');
      for (const request of [
        { userId: 'case', password: PASSWORD },
        { userId: 'Casé', password: PASSWORD },
        { userId, password: PASSWORD.toUpperCase() },
        { userId, password: `${PASSWORD} ` },
      ]) {
        expect((await login(request)).status).toBe(401);
      }
    });

    test.each<[string, object, string[]]>([
      ['an unlisted field', { userId: 'x', password: PASSWORD, pasword: '' }, ['pasword']],
      ['a numeric password', { userId: 'x', password: 0 }, ['password']],
      ['a numeric user', { userId: 0, password: PASSWORD }, ['userId']],
      ['a list as the user', { userId: ['x'], password: PASSWORD }, ['userId']],
      ['an empty body', {}, ['password', 'userId']],
      ['a null terminal', { userId: 'x', password: PASSWORD, terminal: null }, ['terminal']],
      ['an empty terminal', { userId: 'x', password: PASSWORD, terminal: '' }, ['terminal']],
      [
        'a terminal of 101 characters',
        { userId: 'x', password: PASSWORD, terminal: repeated('码', 101) },
        ['terminal'],
      ],
      ['a control character in the terminal', { userId: 'x', password: PASSWORD, terminal: 'a\u0007' }, ['terminal']],
    ])('rejects %s', async (_, request, paths) => {
      const { status, body } = await login(request);
      expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', paths]);
    });

    test('accepts a terminal of 100 characters', async () => {
      const till = await loginAgain(hub, await hub.person(), PASSWORD, repeated('🛒', 100));
      expect((await till.get('/auth/session')).body).toMatchObject({ terminal: repeated('🛒', 100) });
    });

    test('stores no token in plain text', async () => {
      const person = await hub.person();
      const { token } = await loginAgain(hub, person);
      const rows = await hub.rows('SELECT * FROM sessions WHERE user_id = ?', [person.userId]);
      expect(rows).toHaveLength(2);
      const stored = JSON.stringify(await hub.rows('SELECT * FROM sessions'));
      for (const text of [token, Buffer.from(token, 'base64url').toString('hex')]) {
        expect(stored).not.toContain(text);
      }
    });
  });

  describe('logging out', () => {
    test('revokes the token, disconnects its sockets and keeps the other sessions', async () => {
      const here = await hub.person();
      const tab = new Person(hub, here.userId, here.token);
      const there = await loginAgain(hub, here);
      await Promise.all([here.connect(), tab.connect({ transports: ['polling'] }), there.connect()]);

      const { status, body } = await here.post('/auth/logout');
      expect([status, body]).toEqual([204, '']);
      await expectRevoked(here);
      await expectDisconnected(here, 'logout');
      await expectDisconnected(tab, 'logout');
      await expectActive(there);
      expect((await here.post('/auth/logout')).status).toBe(401);
      there.disconnect();
    });
  });

  test('that end during the handshake of their socket reject it, or disconnect it with the reason', async () => {
    const user = await hub.person();
    const devices = await Promise.all(range(60).map(() => loginAgain(hub, user)));
    const unexplained: string[][] = [];
    for (const [index, device] of devices.entries()) {
      device.connect().catch(() => {});
      const rejected = new Promise<boolean>((resolve) => {
        device.socket?.once('connect_error', () => resolve(true)).once('disconnect', () => resolve(false));
      });
      // Later each time, so that some sessions end between authentication and joining the rooms.
      await sleep(index / 6);
      expect((await device.post('/auth/logout')).status).toBe(204);
      if (!(await rejected) && device.endings.join() !== 'logout') unexplained.push(device.endings);
    }
    expect(unexplained).toEqual([]);
  });

  onServer('that were ended before others, and committed later, disconnect their sockets too', async () => {
    const [held, later] = [await hub.person(), await hub.person()];
    await Promise.all([held.connect(), later.connect()]);
    const signals = new EventEmitter();
    const isWritten = once(signals, 'written');
    const mayCommit = once(signals, 'commit');
    const committed = hub.database.transaction(async (tx) => {
      const ended = "SELECT token_hash, user_id, 'logout', 1 FROM sessions WHERE user_id = ?";
      await tx.query(`INSERT INTO ended_sessions (token_hash, user_id, reason, at) ${ended}`, [held.userId]);
      signals.emit('written');
      await mayCommit;
    });
    await isWritten;
    expect((await later.post('/auth/logout')).status).toBe(204);
    await until('the later one is disconnected', () => later.socket?.connected === false);
    // Some polls that find the number missing.
    await sleep(2_000);
    expect(held.socket?.connected).toBe(true);
    signals.emit('commit');
    await committed;
    await expectDisconnected(held, 'logout');
  });

  describe('changing the password', () => {
    test('ends every other session, and only the new password logs in', async () => {
      const here = await hub.person();
      const there = await loginAgain(hub, here);
      const elsewhere = await loginAgain(hub, here);
      await Promise.all([here.connect(), there.connect(), elsewhere.connect()]);

      const newPassword = 'a newer horse';
      const { status, body } = await here.post('/auth/password', { oldPassword: PASSWORD, newPassword });
      expect([status, body]).toEqual([204, '']);
      for (const other of [there, elsewhere]) {
        await expectRevoked(other);
        await expectDisconnected(other, 'password');
      }
      await expectActive(here);
      expect((await login({ userId: here.userId, password: PASSWORD })).status).toBe(401);
      await expectActive(await loginAgain(hub, here, newPassword));
    });

    test('requires the old one', async () => {
      const here = await hub.person();
      const there = await loginAgain(hub, here);
      await there.connect();
      const rejected = await here.post<Failure>('/auth/password', {
        oldPassword: 'not the old one',
        newPassword: 'a newer horse',
      });
      expect([rejected.status, rejected.body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
      await expectActive(here);
      await expectActive(there);
      expect((await login({ userId: here.userId, password: 'a newer horse' })).status).toBe(401);
      expect((await login({ userId: here.userId, password: PASSWORD })).status).toBe(200);
    });

    test('validates the new one as registering does', async () => {
      const here = await hub.person();
      for (const newPassword of ['7 chars', repeated('🔑', 257), null, undefined]) {
        const rejected = await here.post<Failure>('/auth/password', { oldPassword: PASSWORD, newPassword });
        expect([rejected.status, faultPaths(rejected.body.error)]).toEqual([400, ['newPassword']]);
      }
    });

    test('twice concurrently lets one win and answers the other 401', async () => {
      const here = await hub.person();
      const there = await loginAgain(hub, here);
      const change = (person: Person, newPassword: string) =>
        person.post('/auth/password', { oldPassword: PASSWORD, newPassword });
      const answers = await Promise.all([change(here, 'chosen here'), change(there, 'chosen there')]);
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 401]);
      const logins = await Promise.all(
        ['chosen here', 'chosen there', PASSWORD].map((password) => login({ userId: here.userId, password })),
      );
      const [wonHere] = answers.map(({ status }) => status === 204);
      expect(logins.map(({ status }) => status)).toEqual(wonHere ? [200, 401, 401] : [401, 200, 401]);
    });
  });
});

describe('a message that arrives too late', () => {
  let hub: TestHub;
  let person: Person;
  beforeAll(async () => {
    hub = await TestHub.start();
    person = await (await hub.person()).connect();
  });
  afterAll(() => hub.stop());

  const registry = () => hub.hub.app.get(SocketRegistry);
  const rejection = () => person.isRefused('order:list', { role: 'buyer' });

  test('is UNAVAILABLE while the hub drains', async () => {
    registry().draining = true;
    expect(await rejection()).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect((await knock(hub, { token: person.token })).error?.data).toMatchObject({ code: 'UNAVAILABLE' });
    registry().draining = false;
  });

  test('is UNAUTHENTICATED once the session has expired, before the socket is disconnected', async () => {
    // Stops the sweep that disconnects expired sessions every second.
    registry().onApplicationShutdown();
    const { byUser } = registry() as unknown as { byUser: Map<string, Set<HubSocket>> };
    for (const { data } of byUser.get(person.userId) ?? []) data.caller.expiresAt = hub.now();
    expect(await rejection()).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
  });
});

describe('an expired session', () => {
  let hub: TestHub;
  beforeAll(async () => {
    // Long enough for one use on a loaded machine.
    hub = await TestHub.start({ sessionTtlSeconds: 3 });
  });
  afterAll(() => hub.stop());

  test('is revoked, and its sockets receive session:ended before they are disconnected', async () => {
    const person = await hub.person();
    await person.connect();
    await expectDisconnected(person, 'expired').then(() => expectRevoked(person));
    const { body } = await stranger(hub).post<LoggedIn>('/auth/login', { userId: person.userId, password: PASSWORD });
    expect((await person.get('/auth/session', { authorization: `Bearer ${body.token}` })).status).toBe(200);
  });
});
