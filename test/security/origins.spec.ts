import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { knock } from '../support/handshake.js';
import { TestHub } from '../support/hub.js';
import { rawHttp } from '../support/raw.http.js';

const LISTED = 'https://shop.example';
const LISTED_PORT = 'https://admin.example:8443';

/** Origins that resemble an allowed one, from a browser or a forged client. */
const hostileOrigins: [string, string][] = [
  ['another site', 'https://evil.example'],
  ['an opaque origin', 'null'],
  ['a host with a listed host as its suffix', 'https://evilshop.example'],
  ['a subdomain of a listed host', 'https://sub.shop.example'],
  ['a listed host as a subdomain of another site', 'https://shop.example.evil.example'],
  ['a host that matches if dots are wildcards', 'https://shopxexample'],
  ['a listed host over http', 'http://shop.example'],
  ['a listed host with another port', 'https://shop.example:8443'],
  ['a listed host without its listed port', 'https://admin.example'],
  ['a listed host with a trailing dot', 'https://shop.example.'],
  ['a listed host as userinfo of another site', 'https://shop.example@evil.example'],
  ['a listed origin as a path of another site', 'https://evil.example/https://shop.example'],
  ['a listed origin with a path', 'https://shop.example/'],
  ['a listed origin with a query', 'https://shop.example?x'],
  ['a homograph of a listed host', 'https://xn--hop-fsd.example'],
  ['two origins, the second one listed', 'https://evil.example, https://shop.example'],
  ['two origins, the first one listed', 'https://shop.example https://evil.example'],
  ['a wildcard', '*'],
  ['only a scheme', 'https://'],
  ['a file URL', 'file://'],
  ['a browser extension', 'chrome-extension://abcdefghijklmnop'],
  ['a data URL', 'data:text/html,x'],
  ['the word __proto__', '__proto__'],
  ['a host without a scheme', 'shop.example'],
  ['an empty origin', ''],
  ['a listed host over http with the port of https', 'http://shop.example:443'],
  ['a listed host over https with the port of http', 'https://shop.example:80'],
  ['a listed origin with a backslash', 'https://shop.example\\evil.example'],
  ['a listed host with a port out of range', 'https://shop.example:65979'],
  ['the same host with another port', 'http://127.0.0.1:1'],
  ['the same host by another name', 'http://localhost:1'],
  ['the same host over IPv6', 'http://[::1]:1'],
];

describe('foreign origins', () => {
  let hub: TestHub;
  let token: string;
  beforeAll(async () => {
    hub = await TestHub.start({ allowedOrigins: [LISTED, LISTED_PORT] });
    token = (await hub.person()).token;
  });
  afterAll(() => hub.stop());

  test('cannot use JSONP polling, which sends no origin', async () => {
    const { status } = await rawHttp(hub, 'GET', '/socket.io/?EIO=4&transport=polling&j=0');
    expect(status).toBe(403);
  });

  describe.each(['websocket', 'polling'] as const)('over %s', (transport) => {
    test('are refused, even with a valid token', async () => {
      const attempts = hostileOrigins.map(async ([name, origin]) => {
        const { ready, error } = await knock(hub, { token }, { transports: [transport], headers: { origin } });
        // Refused at the transport level, before the token is checked.
        return ready === undefined && error !== undefined && error.data === undefined ? [] : [name];
      });
      expect((await Promise.all(attempts)).flat()).toEqual([]);
    });

    test.each([
      ['the first listed site', LISTED],
      ['the second listed site', LISTED_PORT],
      ['a listed site with its explicit default port', 'https://shop.example:443'],
      ['a listed site in upper case', 'HTTPS://SHOP.example'],
    ])('are accepted if they are %s', async (_, origin) => {
      const { ready } = await knock(hub, { token }, { transports: [transport], headers: { origin } });
      expect(ready).toBeDefined();
    });
  });

  test('cannot read HTTP responses', async () => {
    const requests = hostileOrigins.flatMap(([name, origin]) =>
      ['OPTIONS', 'GET'].map(async (method) => {
        const options = { headers: { origin, 'access-control-request-method': 'POST' } };
        const { headers } = await rawHttp(hub, method, '/books', options);
        return Object.keys(headers).flatMap((header) =>
          /-allow-(origin|cred)/.test(header) ? `${name}: ${header}` : [],
        );
      }),
    );
    expect((await Promise.all(requests)).flat()).toEqual([]);
  });

  test.each([
    ['', LISTED],
    [', with an explicit default port', 'https://shop.example:443'],
    [', in upper case', 'HTTPS://SHOP.example'],
  ])('can read HTTP responses if listed%s, without credentials', async (_, origin) => {
    const { headers } = await rawHttp(hub, 'GET', '/books', { headers: { origin } });
    // A browser compares it with its own text.
    expect(headers['access-control-allow-origin']).toBe(origin);
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    // Prevents caches from serving one origin's response to another.
    expect(headers.vary).toMatch(/Origin/);
  });

  test.each([
    ['an unknown route', 'GET', '/nothing-here', '', 404],
    ['no token', 'GET', '/wallet', '', 401],
    ['invalid JSON', 'POST', '/auth/login', '{', 400],
    ['an oversized body', 'POST', '/auth/login', ' '.repeat(65_537), 400],
  ])('can read errors too if listed: %s', async (_, method, path, body, refused) => {
    const headers = { origin: LISTED, 'content-type': 'application/json' };
    const answer = await rawHttp(hub, method, path, { headers, body });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([refused, LISTED]);
  });

  test('are all refused without a list, except the own one', async () => {
    const standalone = await TestHub.start();
    const standaloneToken = (await standalone.person()).token;
    const connectFrom = (origin: string) =>
      knock(standalone, { token: standaloneToken }, { transports: ['websocket'], headers: { origin } });
    expect((await connectFrom(standalone.url)).ready).toBeDefined();
    expect((await connectFrom(LISTED)).ready).toBeUndefined();
    await standalone.stop();
  });
});

describe("the hub's own origin", () => {
  let plain: TestHub;
  let proxied: TestHub;
  beforeAll(async () => {
    [plain, proxied] = [await TestHub.start(), await TestHub.start({ trustProxy: true })];
  });
  afterAll(async () => {
    await plain.stop();
    await proxied.stop();
  });
  /** Whether this origin may connect, over either transport. */
  const admits = async (hub: TestHub, headers: Record<string, string>) => {
    const { ready } = await knock(hub, { token: (await hub.person()).token }, { headers });
    // Socket.IO's client sends its own Host when it polls.
    const { status } = await rawHttp(hub, 'GET', '/socket.io/?EIO=4&transport=polling', { headers });
    expect(status).toBe(ready ? 200 : 403);
    return status === 200;
  };

  const own: [string, string, string][] = [
    ['with the default port of https in Host', 'shop.example:443', 'https://shop.example'],
    ['with the default port of http in Host', 'shop.example:80', 'http://shop.example'],
    ['with the default port in Origin', 'shop.example', 'https://shop.example:443'],
    ['with Host in upper case', 'SHOP.Example', 'https://shop.example'],
    ['with Origin in upper case', 'shop.example', 'HTTPS://SHOP.EXAMPLE'],
    ['with another port in both', 'shop.example:8443', 'https://shop.example:8443'],
    ['of an IPv6 address', '[2001:DB8:0::1]:443', 'https://[2001:db8::1]'],
  ];
  test.each(own)('is recognized %s', async (_, host, origin) => {
    expect(await admits(plain, { host, origin })).toBe(true);
    expect(await admits(proxied, { host, origin })).toBe(true);
  });

  const foreign: [string, string, string][] = [
    ['at the default port of the other scheme', 'shop.example:443', 'http://shop.example'],
    ['at another port', 'shop.example:8443', 'https://shop.example'],
    ['of another host', 'shop.example:443', 'https://evil.example'],
    ['of a host that begins alike', 'shop.example:443', 'https://shop.example.evil.example'],
    ['of a user name in Host', 'shop.example@evil.example', 'https://evil.example'],
  ];
  test.each(foreign)('is not one %s', async (_, host, origin) => {
    expect(await admits(plain, { host, origin })).toBe(false);
    expect(await admits(proxied, { host, origin })).toBe(false);
  });

  const INSECURE = { 'x-forwarded-host': 'shop.example', origin: 'http://shop.example' };
  const behindProxy: [string, Record<string, string>, boolean][] = [
    ['a forwarded host with its default port', { 'x-forwarded-host': 'shop.example:443' }, true],
    ['a forwarded host in upper case', { 'x-forwarded-host': 'SHOP.example', 'x-forwarded-proto': 'HTTPS' }, true],
    [
      'lists of forwarded hosts and schemes',
      { 'x-forwarded-host': 'shop.example, hub.internal:3000', 'x-forwarded-proto': 'https,http' },
      true,
    ],
    ['the scheme of a WebSocket', { 'x-forwarded-host': 'shop.example', 'x-forwarded-proto': 'wss' }, true],
    ['the standard header', { forwarded: 'for=192.0.2.1;Host="shop.example:443";proto=https' }, true],
    ['TLS that ends before the proxy', { 'x-forwarded-host': 'shop.example', 'x-forwarded-proto': 'http' }, true],
    ['an insecure page of a secure hub', { ...INSECURE, 'x-forwarded-proto': 'https' }, false],
    ['the same by the standard header', { ...INSECURE, forwarded: 'proto=https' }, false],
    ['another forwarded port', { 'x-forwarded-host': 'shop.example:444' }, false],
    ['another forwarded host', { 'x-forwarded-host': 'evil.example, hub.internal' }, false],
  ];
  test.each(behindProxy)('behind a trusted proxy, with %s', async (_, headers, expected) => {
    expect(await admits(proxied, { origin: LISTED, ...headers })).toBe(expected);
    expect(await admits(plain, { origin: LISTED, ...headers })).toBe(false);
  });
});

describe('proxy headers', () => {
  const FORWARDED = {
    'x-forwarded-host': 'shop.example',
    'x-forwarded-proto': 'https',
    forwarded: 'host=shop.example',
  };

  test('are ignored unless a proxy is trusted', async () => {
    const hub = await TestHub.start();
    const { token } = await hub.person();
    const { ready } = await knock(hub, { token }, { headers: { origin: LISTED, ...FORWARDED } });
    expect(ready).toBeUndefined();
    await hub.stop();
  });

  test('define the own host behind a trusted proxy', async () => {
    const hub = await TestHub.start({ trustProxy: true });
    const { token } = await hub.person();
    expect((await knock(hub, { token }, { headers: { origin: LISTED, ...FORWARDED } })).ready).toBeDefined();
    const other = { origin: 'https://evil.example', ...FORWARDED };
    expect((await knock(hub, { token }, { headers: other })).ready).toBeUndefined();
    await hub.stop();
  });
});
