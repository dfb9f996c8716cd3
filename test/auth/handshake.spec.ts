import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { knock } from '../support/handshake.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { faultPaths } from '../support/refused.js';

const UNAUTHENTICATED = { code: 'UNAUTHENTICATED', message: expect.any(String), retryable: false };
const ALLOWED_ORIGIN = 'https://shop.example';

describe('the socket handshake', () => {
  let hub: TestHub;
  let person: Person;
  beforeAll(async () => {
    hub = await TestHub.start({ allowedOrigins: [ALLOWED_ORIGIN] });
    person = await hub.person();
  });
  afterAll(() => hub.stop());

  test.each<[string, unknown]>([
    ['no token', {}],
    ['an empty token', { token: '' }],
    ['null', { token: null }],
    ['a number', { token: 7 }],
    ['a list', { token: ['x'] }],
    ['an object', { token: { $ne: '' } }],
    ['an unknown token', { token: 'A'.repeat(43) }],
    ['a malformed token', { token: "' OR 1=1 --" }],
    ['a bad token and a bad last', { token: 'bad', last: -1 }],
    ['no token and a bad last', { last: 'x' }],
    ['a bad token and an unlisted field', { token: 'bad', room: 'buyer:other-user' }],
  ])('is rejected as UNAUTHENTICATED with %s', async (_, auth) => {
    const { error } = await knock(hub, auth);
    expect(error?.message).toBe('UNAUTHENTICATED');
    expect(error?.data).toEqual(UNAUTHENTICATED);
  });

  test('accepts the exact token only', async () => {
    const { token } = person;
    const stored = await hub.rows<{ hash: string }>('SELECT token_hash AS hash FROM sessions');
    const flipped = token.replace(/[a-zA-Z]/, (letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    );
    const variants = [flipped, `${token} `, ` ${token}`, `Bearer ${token}`, token.slice(0, -1), stored[0]?.hash ?? ''];
    for (const variant of variants) expect((await knock(hub, { token: variant })).error?.data).toEqual(UNAUTHENTICATED);
    expect((await knock(hub, { token })).ready).toMatchObject({ userId: person.userId });
  });

  test.each<[string, unknown, string]>([
    ['is negative', { buyer: -1 }, 'last.buyer'],
    ['is a fraction', { seller: 1.5 }, 'last.seller'],
    ['is a string', { buyer: '1' }, 'last.buyer'],
    ['is beyond 2^53−1', { buyer: 2 ** 53 }, 'last.buyer'],
    ['is null', { buyer: null }, 'last.buyer'],
    ['names an unknown room', { courier: 1 }, 'last.courier'],
    ['is a number', 5, 'last'],
    ['is a list', [], 'last'],
    ['is a string in place of the object', 'buyer', 'last'],
    ['is null in place of the object', null, 'last'],
  ])('is rejected as BAD_MESSAGE when last %s', async (_, last, path) => {
    const { error } = await knock(hub, { token: person.token, last });
    expect(error?.message).toBe('BAD_MESSAGE');
    expect(error?.data).toMatchObject({ code: 'BAD_MESSAGE', retryable: false });
    expect(error?.data && faultPaths(error.data)).toEqual([path]);
  });

  test('is rejected as BAD_MESSAGE with an unlisted field, and lists every fault', async () => {
    const { error } = await knock(hub, { token: person.token, last: { buyer: -1, x: 1 }, room: 'buyer:other-user' });
    expect(error?.data).toEqual({
      code: 'BAD_MESSAGE',
      message: expect.any(String),
      retryable: false,
      details: expect.arrayContaining(
        ['last.buyer', 'last.x', 'room'].map((path) => ({ path, problem: expect.any(String) })),
      ),
    });
    expect(JSON.stringify(error?.data)).not.toContain('other-user');
  });

  test.each<[string, object]>([
    ['no last', {}],
    ['an empty last', { last: {} }],
    ['a last of one room', { last: { seller: 0 } }],
    ['a last of both', { last: { buyer: 0, seller: 0 } }],
  ])('succeeds with %s', async (_, last) => {
    const { ready } = await knock(hub, { token: person.token, ...last });
    expect(ready?.rooms).toEqual({ buyer: { head: 0, complete: true }, seller: { head: 0, complete: true } });
  });

  describe.each<'websocket' | 'polling'>(['websocket', 'polling'])('over %s', (transport) => {
    const transports = [transport];

    test('lets the holder of a token in, and answers', async () => {
      const visitor = await hub.person();
      await visitor.connect({ transports });
      expect(await visitor.does('order:list', { role: 'seller' })).toEqual({ items: [], next: null });
      visitor.disconnect();
    });

    test('rejects with the same error', async () => {
      const { error } = await knock(hub, { token: 'bad' }, { transports });
      expect([error?.message, error?.data]).toEqual(['UNAUTHENTICATED', UNAUTHENTICATED]);
    });

    test.each([
      ['another site', 'https://evil.example'],
      ['a site whose name starts with an allowed one', 'https://shop.example.evil.example'],
      ['an allowed host at another port', 'https://shop.example:8443'],
      ['an allowed host without TLS', 'http://shop.example'],
      ['the origin null', 'null'],
      ['the same host at another port', 'http://127.0.0.1:1'],
    ])('rejects %s even with a valid token', async (_, origin) => {
      const { ready, error } = await knock(hub, { token: person.token }, { transports, headers: { origin } });
      expect(ready).toBeUndefined();
      expect(error).toBeInstanceOf(Error);
    });

    test("accepts the hub's own origin and an allowed one", async () => {
      for (const origin of [hub.url, ALLOWED_ORIGIN]) {
        const { ready } = await knock(hub, { token: person.token }, { transports, headers: { origin } });
        expect(ready).toMatchObject({ userId: person.userId });
      }
    });
  });
});
