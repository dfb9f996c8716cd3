import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Connections } from '../../src/platform/connections.js';
import type { HubSocket } from '../../src/platform/socket.js';
import { knock } from '../support/handshake.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { type Failure, faultPaths, repeated, stranger } from '../support/refused.js';
import { range } from '../support/ways.js';

interface LoggedIn extends Failure {
  token: string;
  expiresAt: string;
  userId: string;
}

/** Another device of the same user: a login of its own. */
async function loginAgain(hub: TestHub, user: Person, password = PASSWORD, terminal?: string): Promise<Person> {
  const { body } = await stranger(hub).post<LoggedIn>('/auth/login', { userId: user.userId, password, terminal });
  return new Person(hub, user.userId, body.token);
}

async function isCut(person: Person, reason: string): Promise<void> {
  await until(`${person.userId} is cut`, () => person.socket?.connected === false);
  expect(person.endings).toEqual([reason]);
}

async function isDead(person: Person): Promise<void> {
  const { status, body } = await person.get<Failure>('/auth/session');
  expect([status, body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
  const { error } = await knock(person.hub, { token: person.token });
  expect(error?.data).toMatchObject({ code: 'UNAUTHENTICATED' });
}

async function livesOn(person: Person): Promise<void> {
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
    test('gives a token, and the session says whose it is, at which terminal and until when', async () => {
      const { userId } = await hub.person();
      const before = Date.now();
      const { status, body } = await login({ userId, password: PASSWORD, terminal: '收银台 1' });
      const after = Date.now();
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

    test('needs no terminal, and opens a session of its own each time', async () => {
      const person = await hub.person();
      const [till, phone] = [await loginAgain(hub, person, PASSWORD, 'till'), await loginAgain(hub, person)];
      expect(new Set([person.token, till.token, phone.token]).size).toBe(3);
      expect((await till.get('/auth/session')).body).toMatchObject({ terminal: 'till' });
      expect((await phone.get('/auth/session')).body).toMatchObject({ terminal: null });
    });

    test('tells a wrong user and a wrong password apart by nothing', async () => {
      const { userId } = await hub.person();
      const gone = await hub.person();
      expect((await gone.post('/auth/unregister', { password: PASSWORD })).status).toBe(204);
      const answers = await Promise.all([
        login({ userId, password: 'not the password' }),
        login({ userId: 'nobody-of-that-name', password: PASSWORD }),
        login({ userId: gone.userId, password: PASSWORD }),
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
      ['a field that is not listed', { userId: 'x', password: PASSWORD, pasword: '' }, ['pasword']],
      ['a number for a password', { userId: 'x', password: 0 }, ['password']],
      ['a number for a user', { userId: 0, password: PASSWORD }, ['userId']],
      ['a list for a user', { userId: ['x'], password: PASSWORD }, ['userId']],
      ['nothing at all', {}, ['password', 'userId']],
      ['null for a terminal', { userId: 'x', password: PASSWORD, terminal: null }, ['terminal']],
      ['an empty terminal', { userId: 'x', password: PASSWORD, terminal: '' }, ['terminal']],
      ['a terminal of 101', { userId: 'x', password: PASSWORD, terminal: repeated('码', 101) }, ['terminal']],
      ['a control character', { userId: 'x', password: PASSWORD, terminal: 'a\u0007' }, ['terminal']],
    ])('refuses %s', async (_, request, paths) => {
      const { status, body } = await login(request);
      expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', paths]);
    });

    test('takes a terminal of 100 characters', async () => {
      const till = await loginAgain(hub, await hub.person(), PASSWORD, repeated('🛒', 100));
      expect((await till.get('/auth/session')).body).toMatchObject({ terminal: repeated('🛒', 100) });
    });

    test('leaves no token in the database', async () => {
      const person = await hub.person();
      const { token } = await loginAgain(hub, person);
      const rows = await hub.rows('SELECT * FROM sessions WHERE user_id = ?', [person.userId]);
      expect(rows).toHaveLength(2);
      const everything = JSON.stringify(await hub.rows('SELECT * FROM sessions'));
      for (const text of [token, Buffer.from(token, 'base64url').toString('hex')]) {
        expect(everything).not.toContain(text);
      }
    });
  });

  describe('logging out', () => {
    test('kills the token at once, cuts its sockets and leaves the other sessions alone', async () => {
      const here = await hub.person();
      const tab = new Person(hub, here.userId, here.token);
      const there = await loginAgain(hub, here);
      await Promise.all([here.connect(), tab.connect({ transports: ['polling'] }), there.connect()]);

      const { status, body } = await here.post('/auth/logout');
      expect([status, body]).toEqual([204, '']);
      await isDead(here);
      await isCut(here, 'logout');
      await isCut(tab, 'logout');
      await livesOn(there);
      expect((await here.post('/auth/logout')).status).toBe(401);
      there.disconnect();
    });
  });

  test('that end while their socket is connecting are refused, or cut with the reason', async () => {
    const user = await hub.person();
    const devices = await Promise.all(range(60).map(() => loginAgain(hub, user)));
    const untold: string[][] = [];
    for (const [index, device] of devices.entries()) {
      device.connect().catch(() => {});
      const wasRefused = new Promise<boolean>((resolve) => {
        device.socket?.once('connect_error', () => resolve(true)).once('disconnect', () => resolve(false));
      });
      // A little later each time: at some of them the door has let it in already, and its rooms are not open yet.
      await sleep(index / 6);
      expect((await device.post('/auth/logout')).status).toBe(204);
      if (!(await wasRefused) && device.endings.join() !== 'logout') untold.push(device.endings);
    }
    expect(untold).toEqual([]);
  });

  describe('changing the password', () => {
    test('ends every other session, and only the new password logs in from then on', async () => {
      const here = await hub.person();
      const there = await loginAgain(hub, here);
      const elsewhere = await loginAgain(hub, here);
      await Promise.all([here.connect(), there.connect(), elsewhere.connect()]);

      const newPassword = 'a newer horse';
      const { status, body } = await here.post('/auth/password', { oldPassword: PASSWORD, newPassword });
      expect([status, body]).toEqual([204, '']);
      for (const other of [there, elsewhere]) {
        await isDead(other);
        await isCut(other, 'password');
      }
      await livesOn(here);
      expect((await login({ userId: here.userId, password: PASSWORD })).status).toBe(401);
      await livesOn(await loginAgain(hub, here, newPassword));
    });

    test('needs the old one', async () => {
      const here = await hub.person();
      const there = await loginAgain(hub, here);
      await there.connect();
      const refused = await here.post<Failure>('/auth/password', {
        oldPassword: 'not the old one',
        newPassword: 'a newer horse',
      });
      expect([refused.status, refused.body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
      await livesOn(here);
      await livesOn(there);
      expect((await login({ userId: here.userId, password: 'a newer horse' })).status).toBe(401);
      expect((await login({ userId: here.userId, password: PASSWORD })).status).toBe(200);
    });

    test('needs a new one that could be chosen when registering', async () => {
      const here = await hub.person();
      for (const newPassword of ['7 chars', repeated('🔑', 257), null, undefined]) {
        const refused = await here.post<Failure>('/auth/password', { oldPassword: PASSWORD, newPassword });
        expect([refused.status, faultPaths(refused.body.error)]).toEqual([400, ['newPassword']]);
      }
    });

    test('twice at once lets one win, and the loser is told that its password is wrong', async () => {
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

describe('a message that comes in a moment in which nothing is done any more', () => {
  let hub: TestHub;
  let person: Person;
  beforeAll(async () => {
    hub = await TestHub.start();
    person = await (await hub.person()).connect();
  });
  afterAll(() => hub.stop());

  const connections = () => hub.hub.app.get(Connections);
  const asks = () => person.isRefused('order:list', { role: 'buyer' });

  test('because the hub is about to leave, is told to come again', async () => {
    connections().draining = true;
    expect(await asks()).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect((await knock(hub, { token: person.token })).error?.data).toMatchObject({ code: 'UNAVAILABLE' });
    connections().draining = false;
  });

  test('because the session is over and the socket not cut yet, is refused', async () => {
    // The hub looks for such sessions once a second; now it does not.
    connections().onApplicationShutdown();
    const { byUser } = connections() as unknown as { byUser: Map<string, Set<HubSocket>> };
    for (const { data } of byUser.get(person.userId) ?? []) data.caller.expiresAt = Date.now();
    expect(await asks()).toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
  });
});

describe('a session whose time is over', () => {
  let hub: TestHub;
  beforeAll(async () => {
    // Long enough to be used once, also on a machine that has other things to do.
    hub = await TestHub.start({ sessionTtlSeconds: 3 });
  });
  afterAll(() => hub.stop());

  test('is dead, and its sockets are told so before they are cut', async () => {
    const person = await hub.person();
    await person.connect();
    await isCut(person, 'expired').then(() => isDead(person));
    const { body } = await stranger(hub).post<LoggedIn>('/auth/login', { userId: person.userId, password: PASSWORD });
    expect((await person.get('/auth/session', { authorization: `Bearer ${body.token}` })).status).toBe(200);
  });
});
