import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { knock } from '../support/handshake.js';
import { TestHub } from '../support/hub.js';
import { rawHttp } from '../support/raw.http.js';

const LISTED = 'https://shop.example';
const LISTED_PORT = 'https://admin.example:8443';

/** Origins that look like one that may come in, and are not. A browser sends them, or somebody who plays one. */
const hostile: [string, string][] = [
  ['another site', 'https://evil.example'],
  ['a page that hides its origin', 'null'],
  ['a site whose name ends like a listed one', 'https://evilshop.example'],
  ['a site below a listed one', 'https://sub.shop.example'],
  ['a site that a listed name is below', 'https://shop.example.evil.example'],
  ['a name in which a dot stands for any letter', 'https://shopxexample'],
  ['a listed name without encryption', 'http://shop.example'],
  ['a listed name at another port', 'https://shop.example:8443'],
  ['a listed name at its port, said aloud', 'https://shop.example:443'],
  ['a listed name at no port, where one is listed', 'https://admin.example'],
  ['a listed name in capitals, as no browser sends it', 'https://SHOP.example'],
  ['a scheme in capitals', 'HTTPS://shop.example'],
  ['a listed name with a dot at its end', 'https://shop.example.'],
  ['a listed name as a user of another site', 'https://shop.example@evil.example'],
  ['a listed name as a path of another site', 'https://evil.example/https://shop.example'],
  ['a listed name with a path', 'https://shop.example/'],
  ['a listed name with a query', 'https://shop.example?x'],
  ['a listed name in letters that look the same', 'https://xn--hop-fsd.example'],
  ['two origins at once, one of them listed', 'https://evil.example, https://shop.example'],
  ['two origins at once, the other way round', 'https://shop.example https://evil.example'],
  ['a star', '*'],
  ['nothing but a scheme', 'https://'],
  ['a file', 'file://'],
  ['an extension', 'chrome-extension://abcdefghijklmnop'],
  ['data', 'data:text/html,x'],
  ['the name of a method of objects', '__proto__'],
  ['no address at all', 'shop.example'],
  ['an empty origin', ''],
  ['the same machine at another port', 'http://127.0.0.1:1'],
  ['the same machine by another name', 'http://localhost:1'],
  ['the same machine, IPv6', 'http://[::1]:1'],
];

describe('of pages from elsewhere,', () => {
  let hub: TestHub;
  let token: string;
  beforeAll(async () => {
    hub = await TestHub.start({ allowedOrigins: [LISTED, LISTED_PORT] });
    token = (await hub.person()).token;
  });
  afterAll(() => hub.stop());

  test('nobody is spoken to in scripts, which need no origin', async () => {
    const { status } = await rawHttp(hub, 'GET', '/socket.io/?EIO=4&transport=polling&j=0');
    expect(status).toBe(403);
  });

  describe.each(['websocket', 'polling'] as const)('over %s,', (transport) => {
    test('whoever only looks like a listed site is kept out, whatever token it bears', async () => {
      const knocks = hostile.map(async ([name, origin]) => {
        const { ready, error } = await knock(hub, { token }, { transports: [transport], headers: { origin } });
        // The door does not open at all: a hub that had looked at the token would have refused in its own words.
        return ready === undefined && error !== undefined && error.data === undefined ? [] : [name];
      });
      expect((await Promise.all(knocks)).flat()).toEqual([]);
    });

    test.each([
      ['the first listed site', LISTED],
      ['the second listed site', LISTED_PORT],
    ])('that of %s comes in', async (_, origin) => {
      const { ready } = await knock(hub, { token }, { transports: [transport], headers: { origin } });
      expect(ready).toBeDefined();
    });
  });

  test('whoever only looks like a listed site cannot read what it asks over HTTP', async () => {
    const questions = hostile.flatMap(([name, origin]) =>
      ['OPTIONS', 'GET'].map(async (method) => {
        const asked = { headers: { origin, 'access-control-request-method': 'POST' } };
        const { headers } = await rawHttp(hub, method, '/books', asked);
        return Object.keys(headers).flatMap((header) =>
          /-allow-(origin|cred)/.test(header) ? `${name}: ${header}` : [],
        );
      }),
    );
    expect((await Promise.all(questions)).flat()).toEqual([]);
  });

  test('a listed site can, and is told so by its own name, never by a star', async () => {
    const { headers } = await rawHttp(hub, 'GET', '/books', { headers: { origin: LISTED } });
    expect(headers['access-control-allow-origin']).toBe(LISTED);
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    // Otherwise a cache would give the answer for one site to another.
    expect(headers.vary).toMatch(/Origin/);
  });

  test.each([
    ['no such route', 'GET', '/nothing-here', '', 404],
    ['no token', 'GET', '/wallet', '', 401],
    ['a body that is no JSON', 'POST', '/auth/login', '{', 400],
    ['a body that is too long', 'POST', '/auth/login', ' '.repeat(65_537), 400],
  ])('it can read why it was refused, too: %s', async (_, method, path, body, refused) => {
    const headers = { origin: LISTED, 'content-type': 'application/json' };
    const answer = await rawHttp(hub, method, path, { headers, body });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([refused, LISTED]);
  });

  test('a hub without a list lets its own pages in, and no others', async () => {
    const alone = await TestHub.start();
    const visitor = (await alone.person()).token;
    const comeFrom = (origin: string) =>
      knock(alone, { token: visitor }, { transports: ['websocket'], headers: { origin } });
    expect((await comeFrom(alone.url)).ready).toBeDefined();
    expect((await comeFrom(LISTED)).ready).toBeUndefined();
    await alone.stop();
  });
});

describe('what a proxy says of the client', () => {
  const FORWARDED = {
    'x-forwarded-host': 'shop.example',
    'x-forwarded-proto': 'https',
    forwarded: 'host=shop.example',
  };

  test('is not believed unless the hub was told that there is one', async () => {
    const hub = await TestHub.start();
    const { token } = await hub.person();
    const { ready } = await knock(hub, { token }, { headers: { origin: LISTED, ...FORWARDED } });
    expect(ready).toBeUndefined();
    await hub.stop();
  });

  test('is believed if it was, of the host that the page was asked from', async () => {
    const hub = await TestHub.start({ trustProxy: true });
    const { token } = await hub.person();
    expect((await knock(hub, { token }, { headers: { origin: LISTED, ...FORWARDED } })).ready).toBeDefined();
    const other = { origin: 'https://evil.example', ...FORWARDED };
    expect((await knock(hub, { token }, { headers: other })).ready).toBeUndefined();
    await hub.stop();
  });
});
