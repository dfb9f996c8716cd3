import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';
import { routes } from '../../src/contract/wire.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { rawHttp } from '../support/raw.http.js';

const POLLING = '/socket.io/?EIO=4&transport=polling';

describe('over HTTP, the hub', () => {
  let hub: TestHub;
  let person: Person;
  beforeAll(async () => {
    hub = await TestHub.start();
    person = await hub.person();
  });
  afterAll(() => hub.stop());

  /** One answer of every kind: a page, an asset that is not there, data, a refusal, a document, a probe, a handshake. */
  const addresses = ['/', '/assets/none.js', '/books', '/wallet', '/no/such', '/docs', '/openapi.json', '/metrics'];
  const everyAnswer = () =>
    Promise.all(
      [...addresses, '/health/live', '/health/ready', '/stores/%', POLLING].map(async (path) => ({
        path,
        ...(await rawHttp(hub, 'GET', path)),
      })),
    );

  test('says with every answer what a browser must not do with it', async () => {
    for (const { path, headers } of await everyAnswer()) {
      // Socket.IO answers its own handshake, which is read by scripts only.
      if (path === POLLING) continue;
      expect([path, headers]).toMatchObject([
        path,
        {
          'content-security-policy': expect.stringContaining("default-src '"),
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'SAMEORIGIN',
          'referrer-policy': 'no-referrer',
          'cross-origin-opener-policy': 'same-origin',
          'strict-transport-security': expect.stringContaining('max-age='),
        },
      ]);
    }
  });

  test('says nowhere what it is made of', async () => {
    for (const { path, headers, text } of await everyAnswer()) {
      expect([path, headers.server, headers['x-powered-by'], headers.via]).toEqual([
        path,
        undefined,
        undefined,
        undefined,
      ]);
      if (path === '/metrics') continue;
      expect([path, /nestjs|(express|node|socket\.io)[/ @]v?\d|v\d+\.\d+\.\d+/i.test(text)]).toEqual([path, false]);
    }
  });

  test('sets no cookie, and takes none for a token', async () => {
    for (const { path, headers } of await everyAnswer())
      expect([path, headers['set-cookie']]).toEqual([path, undefined]);
    const names = ['token', 'session', 'io', 'connect.sid', 'authorization', 'Authorization'];
    const cookie = names.map((name) => `${name}=${person.token}`).join('; ');
    expect((await rawHttp(hub, 'GET', '/wallet', { headers: { cookie } })).status).toBe(401);
    const socket = io(hub.url, { extraHeaders: { cookie }, transports: ['websocket'], reconnection: false });
    const said = await new Promise((resolve) => {
      socket.once('connect_error', ({ message }) => resolve(message));
      socket.once('connect', () => resolve('connected'));
    });
    socket.disconnect();
    expect(said).toBe('UNAUTHENTICATED');
  });

  test('takes no token from an address, where logs and histories would keep it', async () => {
    expect((await rawHttp(hub, 'GET', `/wallet?token=${person.token}`)).status).toBe(401);
    expect((await rawHttp(hub, 'GET', `/wallet?access_token=${person.token}`)).status).toBe(401);
    const socket = io(hub.url, { query: { token: person.token }, transports: ['websocket'], reconnection: false });
    const said = await new Promise((resolve) => {
      socket.once('connect_error', ({ message }) => resolve(message));
      socket.once('connect', () => resolve('connected'));
    });
    socket.disconnect();
    expect(said).toBe('UNAUTHENTICATED');
  });

  test.each(['TRACE', 'PUT', 'DELETE', 'PROPFIND', 'LOCK', 'SEARCH'])(
    'answers no %s, and repeats nothing of it',
    async (method) => {
      for (const path of ['/', '/books', '/wallet', ...Object.values(routes).map(({ path: known }) => known)]) {
        const { status, text } = await rawHttp(hub, method, path, { headers: { 'x-canary': 'canary-1928' } });
        expect([path, status >= 400 && status < 500]).toEqual([path, true]);
        expect(text).not.toContain('canary-1928');
      }
    },
  );

  test('refuses CONNECT, as no proxy of anybody', async () => {
    await expect(rawHttp(hub, 'CONNECT', 'example.org:80')).rejects.toThrow();
    expect((await rawHttp(hub, 'GET', '/health/live')).status).toBe(200);
  });

  test.each([
    ['an old protocol of Socket.IO', '/socket.io/?EIO=3&transport=polling'],
    ['no protocol', '/socket.io/?transport=polling'],
    ['a transport that is a method of objects', '/socket.io/?EIO=4&transport=constructor'],
    ['a transport that is the prototype', '/socket.io/?EIO=4&transport=__proto__'],
    ['a session that nobody has', `${POLLING}&sid=zzz`],
    ['the client script, which tells the version', '/socket.io/socket.io.js'],
    ['a path out of the folder of the pages', '/assets/..%2f..%2fpackage.json'],
    ['a path out of it, coded twice', '/assets/%252e%252e/%252e%252e/package.json'],
    ['a path out of it, with other slashes', '/assets/..\\..\\package.json'],
    ['a path with a NUL', '/assets/x%00.js'],
    ['what a folder keeps hidden', '/.env'],
    ['what git keeps', '/.git/config'],
    ['a source map', '/assets/index.js.map'],
  ])('refuses %s', async (_, path) => {
    const { status, text } = await rawHttp(hub, 'GET', path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(text).not.toMatch(/order-hub"|dependencies|at \w+ \(/);
  });

  test('calls no function whose name comes with a request (JSONP)', async () => {
    for (const parameter of ['j=0', 'j=', 'j', '%6a=0', 'x=1&j=alert']) {
      const { status, text } = await rawHttp(hub, 'GET', `${POLLING}&${parameter}`);
      expect([parameter, status]).toEqual([parameter, 403]);
      expect(text).not.toMatch(/___eio/);
    }
  });

  test('lets no line break of a request become a line of its answer', async () => {
    for (const path of ['/stores/a%0d%0aset-cookie:x=1', '/books?q=%0d%0aset-cookie:%20x=1', '/%0d%0aset-cookie:x=1']) {
      const { headers } = await rawHttp(hub, 'GET', path);
      expect([path, headers['set-cookie']]).toEqual([path, undefined]);
    }
  });

  test('gives no prototype to whoever asks for it by a body, a query or a handshake', async () => {
    const seller = await hub.seller();
    const pollution = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}';
    for (const path of ['/auth/login', '/auth/register', '/stores', '/orders', `/stores/${seller.storeId}/books`]) {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${seller.token}` };
      const { status } = await rawHttp(hub, 'POST', path, { headers, body: `${pollution}}` });
      expect([path, status]).toEqual([path, 400]);
    }
    const nested = `${pollution},"bookId":"b","title":"t","price":1,"stock":1,"details":{"__proto__":{"polluted":1}}}`;
    const shelf = `/stores/${seller.storeId}/books`;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${seller.token}` };
    expect((await rawHttp(hub, 'POST', shelf, { headers, body: nested })).status).toBe(400);
    for (const query of ['__proto__[polluted]=1', 'constructor[prototype][polluted]=1', '__proto__.polluted=1']) {
      expect((await rawHttp(hub, 'GET', `/books?${query}`)).status).toBe(400);
    }
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
      const auth = JSON.parse(`{"token":"${seller.token}","${name}":{"polluted":1}}`);
      const socket = io(hub.url, { auth, transports: ['websocket'], reconnection: false, forceNew: true });
      const said = await new Promise((resolve) => {
        socket.once('connect_error', ({ message }) => resolve(message));
        socket.once('connect', () => resolve('connected'));
      });
      socket.disconnect();
      expect([name, said]).toEqual([name, 'BAD_MESSAGE']);
      expect(await seller.sendRaw(name, {})).toMatchObject({ ok: false, error: { code: 'UNKNOWN_MESSAGE' } });
      const field = JSON.parse(`{"orderId":"x","${name}":{"polluted":1}}`);
      expect(await seller.sendRaw('order:get', field)).toMatchObject({ ok: false, error: { code: 'BAD_MESSAGE' } });
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect('polluted' in {}).toBe(false);
  });

  test('lets no client into a room of another: no message names one, and none is heard there', async () => {
    const [buyer, seller, listener] = [await hub.buyer(), await hub.seller(), await hub.person()];
    await listener.connect();
    const heard: unknown[] = [];
    listener.socket?.onAny((...packet: unknown[]) => heard.push(packet));
    for (const name of ['join', 'subscribe', 'room:join', 'room:read', 'order:subscribe', 'watch']) {
      for (const room of [`buyer:${buyer.userId}`, `seller:${seller.userId}`]) {
        for (const payload of [room, { room }, { rooms: [room] }, { role: room, after: 0 }, { userId: buyer.userId }]) {
          expect(await listener.sendRaw(name, payload)).toMatchObject({ ok: false });
        }
      }
    }
    const { orderId } = await buyer.place(seller);
    await buyer.does('order:pay', { orderId });
    await seller.connect();
    await seller.does('order:ship', { orderId });
    await until('the seller has heard of it', () => seller.events.length > 0 || seller.ready.length > 0);
    await listener.does('order:list', { role: 'buyer' });
    expect(heard).toEqual([]);
  });
});
