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

  /** One response of every kind: page, missing asset, data, error, document, probe, handshake. */
  const paths = ['/', '/assets/none.js', '/books', '/wallet', '/no/such', '/docs', '/openapi.json', '/metrics'];
  const allResponses = () =>
    Promise.all(
      [...paths, '/health/live', '/health/ready', '/stores/%', POLLING].map(async (path) => ({
        path,
        ...(await rawHttp(hub, 'GET', path)),
      })),
    );

  test('sends security headers with every response', async () => {
    for (const { path, headers } of await allResponses()) {
      // Socket.IO answers its own handshake, which no browser renders.
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

  test('reveals no software or versions', async () => {
    for (const { path, headers, text } of await allResponses()) {
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

  test('sets no cookies and accepts none as a token', async () => {
    for (const { path, headers } of await allResponses())
      expect([path, headers['set-cookie']]).toEqual([path, undefined]);
    const names = ['token', 'session', 'io', 'connect.sid', 'authorization', 'Authorization'];
    const cookie = names.map((name) => `${name}=${person.token}`).join('; ');
    expect((await rawHttp(hub, 'GET', '/wallet', { headers: { cookie } })).status).toBe(401);
    const socket = io(hub.url, { extraHeaders: { cookie }, transports: ['websocket'], reconnection: false });
    const outcome = await new Promise((resolve) => {
      socket.once('connect_error', ({ message }) => resolve(message));
      socket.once('connect', () => resolve('connected'));
    });
    socket.disconnect();
    expect(outcome).toBe('UNAUTHENTICATED');
  });

  test('accepts no token in a URL', async () => {
    expect((await rawHttp(hub, 'GET', `/wallet?token=${person.token}`)).status).toBe(401);
    expect((await rawHttp(hub, 'GET', `/wallet?access_token=${person.token}`)).status).toBe(401);
    const socket = io(hub.url, { query: { token: person.token }, transports: ['websocket'], reconnection: false });
    const outcome = await new Promise((resolve) => {
      socket.once('connect_error', ({ message }) => resolve(message));
      socket.once('connect', () => resolve('connected'));
    });
    socket.disconnect();
    expect(outcome).toBe('UNAUTHENTICATED');
  });

  test.each(['TRACE', 'PUT', 'DELETE', 'PROPFIND', 'LOCK', 'SEARCH'])('refuses %s without an echo', async (method) => {
    for (const path of ['/', '/books', '/wallet', ...Object.values(routes).map(({ path: routePath }) => routePath)]) {
      const { status, text } = await rawHttp(hub, method, path, { headers: { 'x-canary': 'canary-1928' } });
      expect([path, status >= 400 && status < 500]).toEqual([path, true]);
      expect(text).not.toContain('canary-1928');
    }
  });

  test('refuses CONNECT', async () => {
    await expect(rawHttp(hub, 'CONNECT', 'example.org:80')).rejects.toThrow();
    expect((await rawHttp(hub, 'GET', '/health/live')).status).toBe(200);
  });

  test.each([
    ['an old protocol of Socket.IO', '/socket.io/?EIO=3&transport=polling'],
    ['no protocol', '/socket.io/?transport=polling'],
    ['the transport constructor', '/socket.io/?EIO=4&transport=constructor'],
    ['the transport __proto__', '/socket.io/?EIO=4&transport=__proto__'],
    ['an unknown session', `${POLLING}&sid=zzz`],
    ['the client script, which contains the version', '/socket.io/socket.io.js'],
    ['an encoded path traversal', '/assets/..%2f..%2fpackage.json'],
    ['a double-encoded path traversal', '/assets/%252e%252e/%252e%252e/package.json'],
    ['a path traversal with backslashes', '/assets/..\\..\\package.json'],
    ['a path with a NUL', '/assets/x%00.js'],
    ['a hidden file', '/.env'],
    ['the git folder', '/.git/config'],
    ['a source map', '/assets/index.js.map'],
  ])('refuses %s', async (_, path) => {
    const { status, text } = await rawHttp(hub, 'GET', path);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(text).not.toMatch(/order-hub"|dependencies|at \w+ \(/);
  });

  test('refuses JSONP', async () => {
    for (const parameter of ['j=0', 'j=', 'j', '%6a=0', 'x=1&j=alert']) {
      const { status, text } = await rawHttp(hub, 'GET', `${POLLING}&${parameter}`);
      expect([parameter, status]).toEqual([parameter, 403]);
      expect(text).not.toMatch(/___eio/);
    }
  });

  test('is immune to header injection', async () => {
    for (const path of ['/stores/a%0d%0aset-cookie:x=1', '/books?q=%0d%0aset-cookie:%20x=1', '/%0d%0aset-cookie:x=1']) {
      const { headers } = await rawHttp(hub, 'GET', path);
      expect([path, headers['set-cookie']]).toEqual([path, undefined]);
    }
  });

  test('is immune to prototype pollution by bodies, queries and handshakes', async () => {
    const seller = await hub.seller();
    const polluted = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}';
    for (const path of ['/auth/login', '/auth/register', '/stores', '/orders', `/stores/${seller.storeId}/books`]) {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${seller.token}` };
      const { status } = await rawHttp(hub, 'POST', path, { headers, body: `${polluted}}` });
      expect([path, status]).toEqual([path, 400]);
    }
    const nested = `${polluted},"bookId":"b","title":"t","price":1,"stock":1,"details":{"__proto__":{"polluted":1}}}`;
    const shelf = `/stores/${seller.storeId}/books`;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${seller.token}` };
    expect((await rawHttp(hub, 'POST', shelf, { headers, body: nested })).status).toBe(400);
    for (const query of ['__proto__[polluted]=1', 'constructor[prototype][polluted]=1', '__proto__.polluted=1']) {
      expect((await rawHttp(hub, 'GET', `/books?${query}`)).status).toBe(400);
    }
    for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
      const auth = JSON.parse(`{"token":"${seller.token}","${name}":{"polluted":1}}`);
      const socket = io(hub.url, { auth, transports: ['websocket'], reconnection: false, forceNew: true });
      const outcome = await new Promise((resolve) => {
        socket.once('connect_error', ({ message }) => resolve(message));
        socket.once('connect', () => resolve('connected'));
      });
      socket.disconnect();
      expect([name, outcome]).toEqual([name, 'BAD_MESSAGE']);
      expect(await seller.sendRaw(name, {})).toMatchObject({ ok: false, error: { code: 'UNKNOWN_MESSAGE' } });
      const field = JSON.parse(`{"orderId":"x","${name}":{"polluted":1}}`);
      expect(await seller.sendRaw('order:get', field)).toMatchObject({ ok: false, error: { code: 'BAD_MESSAGE' } });
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect('polluted' in {}).toBe(false);
  });

  test("admits no client to another user's room", async () => {
    const [buyer, seller, listener] = [await hub.buyer(), await hub.seller(), await hub.person()];
    await listener.connect();
    const received: unknown[] = [];
    listener.socket?.onAny((...packet: unknown[]) => received.push(packet));
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
    await until('the seller is up to date', () => seller.events.length > 0 || seller.ready.length > 0);
    await listener.does('order:list', { role: 'buyer' });
    expect(received).toEqual([]);
  });
});
