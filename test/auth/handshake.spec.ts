import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { knock } from '../support/handshake.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { faultPaths } from '../support/refused.js';

const UNAUTHENTICATED = { code: 'UNAUTHENTICATED', message: expect.any(String), retryable: false };
const LISTED = 'https://shop.example';

describe('the handshake of a socket', () => {
  let hub: TestHub;
  let person: Person;
  beforeAll(async () => {
    hub = await TestHub.start({ allowedOrigins: [LISTED] });
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
    ['a token that nobody has', { token: 'A'.repeat(43) }],
    ['no token the hub could have given', { token: "' OR 1=1 --" }],
    ['a bad token and a bad last', { token: 'bad', last: -1 }],
    ['no token and a bad last', { last: 'x' }],
    ['a bad token and a field that is not listed', { token: 'bad', room: 'buyer:somebody' }],
  ])('is refused as UNAUTHENTICATED with %s', async (_, auth) => {
    const { error } = await knock(hub, auth);
    expect(error?.message).toBe('UNAUTHENTICATED');
    expect(error?.data).toEqual(UNAUTHENTICATED);
  });

  test('wants the token itself, to the letter', async () => {
    const { token } = person;
    const stored = await hub.rows<{ hash: string }>('SELECT token_hash AS hash FROM sessions');
    const flipped = token.replace(/[a-zA-Z]/, (letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    );
    const others = [flipped, `${token} `, ` ${token}`, `Bearer ${token}`, token.slice(0, -1), stored[0]?.hash ?? ''];
    for (const other of others) expect((await knock(hub, { token: other })).error?.data).toEqual(UNAUTHENTICATED);
    expect((await knock(hub, { token })).ready).toMatchObject({ userId: person.userId });
  });

  test.each<[string, unknown, string]>([
    ['is negative', { buyer: -1 }, 'last.buyer'],
    ['is a fraction', { seller: 1.5 }, 'last.seller'],
    ['is a text', { buyer: '1' }, 'last.buyer'],
    ['is beyond what a number can hold', { buyer: 2 ** 53 }, 'last.buyer'],
    ['is null', { buyer: null }, 'last.buyer'],
    ['names a room of another kind', { courier: 1 }, 'last.courier'],
    ['is no object', 5, 'last'],
    ['is a list', [], 'last'],
    ['is a text itself', 'buyer', 'last'],
    ['is null itself', null, 'last'],
  ])('is refused as BAD_MESSAGE when last %s', async (_, last, path) => {
    const { error } = await knock(hub, { token: person.token, last });
    expect(error?.message).toBe('BAD_MESSAGE');
    expect(error?.data).toMatchObject({ code: 'BAD_MESSAGE', retryable: false });
    expect(error?.data && faultPaths(error.data)).toEqual([path]);
  });

  test('is refused as BAD_MESSAGE with a field that is not listed, and tells every fault', async () => {
    const { error } = await knock(hub, { token: person.token, last: { buyer: -1, x: 1 }, room: 'buyer:somebody' });
    expect(error?.data).toEqual({
      code: 'BAD_MESSAGE',
      message: expect.any(String),
      retryable: false,
      details: expect.arrayContaining(
        ['last.buyer', 'last.x', 'room'].map((path) => ({ path, problem: expect.any(String) })),
      ),
    });
    expect(JSON.stringify(error?.data)).not.toContain('somebody');
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

    test('refuses in the same words', async () => {
      const { error } = await knock(hub, { token: 'bad' }, { transports });
      expect([error?.message, error?.data]).toEqual(['UNAUTHENTICATED', UNAUTHENTICATED]);
    });

    test.each([
      ['another site', 'https://evil.example'],
      ['a site whose name begins like a listed one', 'https://shop.example.evil.example'],
      ['a listed name at another port', 'https://shop.example:8443'],
      ['a listed name without encryption', 'http://shop.example'],
      ['a page without an origin', 'null'],
      ['the same host at another port', 'http://127.0.0.1:1'],
    ])('keeps the pages of %s out, whatever token they bear', async (_, origin) => {
      const { ready, error } = await knock(hub, { token: person.token }, { transports, headers: { origin } });
      expect(ready).toBeUndefined();
      expect(error).toBeInstanceOf(Error);
    });

    test("lets the hub's own pages in, and those of a listed site", async () => {
      for (const origin of [hub.url, LISTED]) {
        const { ready } = await knock(hub, { token: person.token }, { transports, headers: { origin } });
        expect(ready).toMatchObject({ userId: person.userId });
      }
    });
  });
});
