import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { RouteRow } from '../../src/contract/row.js';
import { routes } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { TestHub } from '../support/hub.js';
import { Person } from '../support/person.js';
import { type RawAnswer, rawHttp } from '../support/raw.http.js';
import { type Failure, faultPaths } from '../support/refused.js';

const FRAME_BYTES_MAX = 65_536;
const JSON_TYPE = { 'content-type': 'application/json' };

const everyRoute: [string, RouteRow][] = Object.values(routes).map((route: RouteRow) => [
  `${route.method} ${route.path}`,
  route,
]);
const protectedRoutes = everyRoute.filter(([, { isPublic }]) => !isPublic);
const publicRoutes = everyRoute.filter(([, { isPublic }]) => isPublic);
/** Those whose fields the hub reads. */
const withFields = everyRoute.filter(([, { hasRawBody }]) => !hasRawBody);
const withBody = withFields.filter(([, { method }]) => method !== 'GET');

/** A valid URL of the route. */
function urlOf({ path }: Pick<RouteRow, 'path'>): string {
  const parameters: Record<string, string> = {
    ':storeId': 'shop',
    ':bookId': 'book-1',
    ':orderId': '01900000-0000-7000-8000-000000000000',
    ':role': 'buyer',
  };
  return path.replace(/:\w+/g, (name) => parameters[name] ?? name);
}

/** The error of a response, which must have exactly the contract's shape. */
function errorOf({ text, type }: RawAnswer): ErrorBody {
  expect(type).toMatch(/^application\/json/);
  const body: unknown = JSON.parse(text);
  expect(body).toEqual({
    error: expect.objectContaining({
      code: expect.any(String),
      message: expect.any(String),
      retryable: expect.any(Boolean),
    }),
  });
  return (body as Failure).error;
}

const OPERATOR_KEY = 'the-operators-key-of-this-very-shop';

describe('HTTP', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  const bearer = (method: string, path: string) => {
    const isOperators = method === 'POST' && path.startsWith('/auth/sessions');
    return { authorization: `Bearer ${isOperators ? OPERATOR_KEY : seller.token}` };
  };
  const raw = (method: string, path: string, body?: string | Buffer, headers: Record<string, string> = JSON_TYPE) =>
    rawHttp(hub, method, path, {
      headers: { ...bearer(method, path), ...headers },
      ...(body === undefined ? {} : { body }),
    });
  const badPaths = (answer: RawAnswer) => {
    expect([answer.status, errorOf(answer)]).toEqual([
      400,
      { code: 'BAD_MESSAGE', message: expect.any(String), retryable: false, details: expect.any(Array) },
    ]);
    return faultPaths(errorOf(answer));
  };

  beforeAll(async () => {
    hub = await TestHub.start({ operatorKey: OPERATOR_KEY });
    seller = await hub.seller();
    buyer = await hub.buyer();
    await seller.post('/stores', { storeId: 'shop' });
    await seller.post('/stores/shop/books', { bookId: 'book-1', title: 'Book', price: 1_000, stock: 10 });
  });
  afterAll(() => hub.stop());

  describe('an unlisted field is BAD_MESSAGE', () => {
    test.each(withBody)('in the body of %s', async (_, route) => {
      const paths = badPaths(await raw(route.method, urlOf(route), '{"surprise": 1}'));
      expect(paths).toContain('surprise');
    });

    test.each(everyRoute.filter(([, { method }]) => method === 'GET'))(
      'in the body of %s, which takes none',
      async (_, route) => {
        const answer = await raw(route.method, urlOf(route), '{"surprise": 1}');
        expect(badPaths(answer)).toContain('surprise');
      },
    );

    test.each(withFields)('in the query of %s', async (_, route) => {
      const paths = badPaths(await raw(route.method, `${urlOf(route)}?surprise=1`));
      expect(paths).toContain('surprise');
    });

    test.each(withFields)('in the query of %s, named like an object property', async (_, route) => {
      for (const name of ['__proto__', 'constructor', 'toString']) {
        expect(badPaths(await raw(route.method, `${urlOf(route)}?${name}=1`))).toContain(name);
      }
    });

    test.each(withBody)('in the body of %s, named like an object property', async (_, route) => {
      for (const name of ['__proto__', 'constructor', 'toString', '']) {
        expect(badPaths(await raw(route.method, urlOf(route), `{"${name}": 1}`))).toContain(name);
      }
    });

    test.each(everyRoute.filter(([, { path, allowPathParamsInBody }]) => path.includes(':') && !allowPathParamsInBody))(
      'that repeats a path parameter of %s',
      async (_, route) => {
        const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
        const inQuery = await raw(route.method, `${urlOf(route)}?${names.map((name) => `${name}=x`).join('&')}`);
        expect(badPaths(inQuery)).toEqual(expect.arrayContaining(names));
        if (route.method === 'GET') return;
        const fields = Object.fromEntries(names.map((name) => [name, 'x']));
        expect(badPaths(await raw(route.method, urlOf(route), JSON.stringify(fields)))).toEqual(
          expect.arrayContaining(names),
        );
      },
    );
  });

  describe('an unknown route is UNKNOWN_MESSAGE', () => {
    const expectUnknown = (answer: RawAnswer) =>
      expect([answer.status, errorOf(answer)]).toEqual([
        404,
        { code: 'UNKNOWN_MESSAGE', message: expect.any(String), retryable: false },
      ]);

    test.each([
      'GET /no/such/route',
      'POST /no/such/route',
      'GET /stores/shop/books/book-1/stock',
      'POST /orders/01900000-0000-7000-8000-000000000000/steal',
      'GET /rooms/buyer',
      'GET /wallet/entries/1',
      'GET /auth',
      'GET /constructor',
      'GET /__proto__',
      'GET /..%2f..%2fetc%2fpasswd',
    ])('%s', async (route) => {
      const [method = '', path = ''] = route.split(' ');
      expectUnknown(await raw(method, path));
    });

    // A member of staff may be called `of`.
    const leadsTo = (pattern: string, path: string) => new RegExp(`^${pattern.replace(/:\w+/g, '[^/]+')}$`).test(path);
    const others = everyRoute.flatMap(([, { path }]) =>
      ['PUT', 'DELETE', 'PATCH', 'POST', 'GET']
        .filter((method) => !everyRoute.some(([, route]) => route.method === method && leadsTo(route.path, path)))
        .map((method): [string, string, Pick<RouteRow, 'path'>] => [method, path, { path }]),
    );
    const distinct = [...new Map(others.map((other) => [`${other[0]} ${other[1]}`, other])).values()];
    test.each(distinct)('%s %s', async (method, _, route) => {
      expectUnknown(await raw(method, urlOf(route)));
    });

    test('without a token, and is not echoed', async () => {
      const answer = await rawHttp(hub, 'GET', '/secret-words/in-the-path?and=the-query');
      expectUnknown(answer);
      expect(answer.text).not.toMatch(/secret|query/);
    });
  });

  describe('an unreadable body is BAD_MESSAGE', () => {
    test.each<[string, string | Buffer]>([
      ['not JSON', 'storeId=shop'],
      ['truncated JSON', '{"storeId": "sh'],
      ['two values', '{} {}'],
      ['a list', '[{"storeId": "unread"}]'],
      ['an empty list', '[]'],
      ['a string', '"unread"'],
      ['a number', '7'],
      ['null', 'null'],
      ['with a comment', '{/**/}'],
      ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
      ['6,000 nested lists', '['.repeat(6_000) + ']'.repeat(6_000)],
      ['12 KB of opening brackets', '['.repeat(12_288)],
      ['12 KB of opening brackets in a field', `{"a":${'['.repeat(12_288)}`],
    ])('%s', async (_, body) => {
      for (const [, route] of withBody) badPaths(await raw(route.method, urlOf(route), body));
    });

    test.each<[string, Record<string, string>]>([
      ['text/plain', { 'content-type': 'text/plain' }],
      ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['multipart', { 'content-type': 'multipart/form-data; boundary=x' }],
      ['no content type', {}],
      ['JSON of an unknown charset', { 'content-type': 'application/json; charset=klingon' }],
      ['JSON of an unknown content encoding', { ...JSON_TYPE, 'content-encoding': 'zip' }],
      ['JSON falsely declared gzip', { ...JSON_TYPE, 'content-encoding': 'gzip' }],
    ])('sent as %s, and changes nothing', async (_, headers) => {
      const body = '{"title": "Overlooked", "price": 5}';
      badPaths(await raw('PATCH', '/stores/shop/books/book-1', body, headers));
      badPaths(await raw('POST', '/stores', '{"storeId": "overlooked"}', headers));
      expect((await seller.get('/stores/shop/books/book-1')).body).toMatchObject({ title: 'Book', price: 1_000 });
      expect((await seller.get('/stores/overlooked')).status).toBe(404);
    });

    const padded = (bytes: number) => {
      const frame = '{"storeId": "padded", "name": ""}';
      return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
    };

    test('of more than 64 KB', async () => {
      expect(Buffer.byteLength(padded(FRAME_BYTES_MAX + 1))).toBe(FRAME_BYTES_MAX + 1);
      badPaths(await raw('POST', '/stores', padded(FRAME_BYTES_MAX + 1)));
      badPaths(await raw('POST', '/stores', padded(10 * FRAME_BYTES_MAX)));
    });

    test('unlike one of 64 KB', async () => {
      expect(badPaths(await raw('POST', '/stores', padded(FRAME_BYTES_MAX)))).toEqual(['name']);
      const book = { bookId: 'large', title: 'x', price: 1, stock: 1, summary: 'x'.repeat(20_000) };
      const answer = await raw('POST', '/stores/shop/books', JSON.stringify(book).padEnd(FRAME_BYTES_MAX));
      expect(answer.status).toBe(201);
    });

    test.each(['/stores/%', '/stores/%E4%A4', '/stores/%ff', '/stores/shop/books/%zz', '/orders/%c3%28'])(
      'as is the undecodable path %s',
      async (path) => {
        badPaths(await raw('GET', path));
      },
    );

    test('and is not echoed', async () => {
      for (const body of ['{"secret', 'secret', '["secret"]', '"secret"', '{"storeId": "\\u0007secret", "name": 7}']) {
        expect((await raw('POST', '/stores', body)).text).not.toContain('secret');
      }
      expect((await raw('GET', '/stores/secret%')).text).not.toContain('secret');
    });

    test('and leaves the hub ready', async () => {
      expect((await seller.get('/health/ready')).status).toBe(200);
    });
  });

  describe('a bearer token', () => {
    test.each(protectedRoutes)('is required by %s', async (_, route) => {
      const { token } = seller;
      const odd: Record<string, string>[] = [
        {},
        { authorization: '' },
        { authorization: 'Bearer' },
        { authorization: 'Bearer ' },
        { authorization: token },
        { authorization: `Basic ${Buffer.from(`${seller.userId}:${token}`).toString('base64')}` },
        { authorization: `Token ${token}` },
        { authorization: `Bearer ${token}x` },
        { authorization: `Bearer ${token.slice(0, -1)}` },
        { authorization: `Bearer ${token} ${token}` },
        { authorization: `Bearer "${token}"` },
        { authorization: `Bearer ${'A'.repeat(43)}` },
        { authorization: `Bearer ${'A'.repeat(5_000)}` },
        { cookie: `token=${token}` },
      ];
      for (const headers of odd) {
        const answer = await rawHttp(hub, route.method, urlOf(route), { headers });
        expect([headers, answer.status, errorOf(answer)]).toEqual([
          headers,
          401,
          { code: 'UNAUTHENTICATED', message: expect.any(String), retryable: false },
        ]);
        expect(answer.text).not.toContain(token);
      }
    });

    test.each(publicRoutes.filter(([, { hasRawBody }]) => !hasRawBody))(
      'is optional for %s, even an invalid one',
      async (_, route) => {
        const none: Record<string, string> = {};
        for (const headers of [none, { authorization: 'Bearer bad' }, { authorization: 'Basic x' }]) {
          const { status, text } = await rawHttp(hub, route.method, urlOf(route), { headers });
          expect([200, 400]).toContain(status);
          expect(text).not.toContain('{"error":{"code":"UNAUTHENTICATED"');
        }
      },
    );

    test('is not accepted in the query', async () => {
      for (const name of ['token', 'access_token']) {
        expect((await rawHttp(hub, 'GET', `/wallet?${name}=${seller.token}`)).status).toBe(401);
      }
    });

    test('is accepted with the scheme in any letter case', async () => {
      for (const word of ['bearer', 'BEARER']) {
        const headers = { authorization: `${word} ${seller.token}` };
        expect((await rawHttp(hub, 'GET', '/wallet', { headers })).status).toBe(200);
      }
    });
  });

  describe('a BAD_MESSAGE', () => {
    test('lists every fault with its path', async () => {
      const { status, body } = await buyer.post<Failure>('/orders', {
        storeId: ' ',
        items: [
          { bookId: 'fine', count: 1 },
          { bookId: '', count: 0 },
          { bookId: 'fine', count: 1.5, colour: 'red' },
          { count: '1' },
          'book-1',
        ],
        expectedTotal: -1,
        key: 'with blanks',
        coupon: 'x',
      });
      expect([status, body.error.code]).toEqual([400, 'BAD_MESSAGE']);
      expect(faultPaths(body.error)).toEqual([
        'coupon',
        'expectedTotal',
        'items.1.bookId',
        'items.1.count',
        'items.2.bookId',
        'items.2.colour',
        'items.2.count',
        'items.3.bookId',
        'items.3.count',
        'items.4',
        'key',
        'storeId',
      ]);
      for (const fault of body.error.details as object[]) {
        expect(fault).toEqual({ path: expect.any(String), problem: expect.stringMatching(/.{3,}/) });
      }
    });

    test('lists the faults of path, query, header and body together', async () => {
      const answer = await raw('POST', '/stores/%20shop/books/%09/stock?dry=1', '{"add": 0, "key": "a", "why": 1}', {
        ...JSON_TYPE,
        'idempotency-key': 'b',
      });
      expect(badPaths(answer)).toEqual(['add', 'bookId', 'dry', 'key', 'storeId', 'why']);
    });

    test('lists the faults inside lists and objects of a book', async () => {
      const answer = await seller.post<Failure>('/stores/shop/books', {
        bookId: 7,
        title: '',
        price: -1,
        tags: ['fine', '', 5],
        details: { fine: 1, nested: {}, null: null },
        isbn: null,
        Stock: 1,
      });
      expect(faultPaths(answer.body.error)).toEqual([
        'Stock',
        'bookId',
        'details.nested',
        'details.null',
        'isbn',
        'price',
        'stock',
        'tags.1',
        'tags.2',
        'title',
      ]);
    });

    test('never echoes a value', async () => {
      const secret = 'Geheimnis';
      const odd: unknown[] = [
        `${secret}\u0007`,
        [secret],
        { [`${secret}`]: secret },
        secret.repeat(3_000),
        `${secret} `,
      ];
      for (const [, route] of withBody) {
        const shape = (route.request as { shape?: Record<string, unknown> } | undefined)?.shape ?? {};
        const fields = Object.keys(shape).filter((name) => !route.path.includes(`:${name}`));
        // An empty body is valid there, and would log the seller out.
        if (fields.length === 0) continue;
        for (const value of odd) {
          const body = JSON.stringify(Object.fromEntries(fields.map((name) => [name, value])));
          const { text } = await raw(route.method, urlOf(route), body);
          expect([route.path, text.replaceAll(/"path":"[^"]*"/g, '')]).not.toEqual([
            route.path,
            expect.stringContaining(secret),
          ]);
        }
      }
    });
  });

  describe('nesting', () => {
    const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${'}'.repeat(depth - 1)}`;
    const lists = (depth: number) => `{"items":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;

    test.each(withBody)('of more than 32 levels is rejected by %s', async (_, route) => {
      for (const body of [nested(33), lists(33), nested(5_000), lists(20_000)]) {
        expect(badPaths(await raw(route.method, urlOf(route), body))).toEqual(['']);
      }
    });

    test('of 32 levels is parsed and validated', async () => {
      expect(badPaths(await raw('POST', '/orders', nested(32)))).toEqual(['a', 'items', 'storeId']);
      expect(badPaths(await raw('POST', '/orders', lists(32)))).toContain('storeId');
    });
  });

  describe('an unknown order id', () => {
    let real: string;
    beforeAll(async () => {
      real = (await buyer.place(seller)).orderId;
    });

    const ids = (): [string, string][] => [
      ['64 characters', 'x'.repeat(64)],
      ['64 emoji', '😀'.repeat(64)],
      ['control characters', 'a\u0000\u0007\n'],
      ['a space', ' '],
      ['SQL', "' OR '1'='1"],
      ['zero', '0'],
      ['a real id in upper case', real.toUpperCase()],
      ['a real id and a space', `${real} `],
      ['a real id and a zero byte', `${real}\u0000`],
      ['a real id without its last character', real.slice(0, -1)],
      ['a real id without hyphens', real.replaceAll('-', '')],
      ['__proto__', '__proto__'],
      ['a wildcard', '%'],
    ];

    test('is ORDER_NOT_FOUND over HTTP', async () => {
      for (const [what, orderId] of ids()) {
        const path = `/orders/${encodeURIComponent(orderId)}`;
        const answers = [
          await buyer.get<Failure>(path),
          await buyer.post<Failure>(`${path}/pay`, {}),
          await buyer.post<Failure>(`${path}/cancel`),
        ];
        for (const { status, body } of answers) {
          expect([what, status, body.error]).toEqual([
            what,
            404,
            { code: 'ORDER_NOT_FOUND', message: expect.any(String), retryable: false },
          ]);
        }
      }
    });

    test('is ORDER_NOT_FOUND over a socket, also when empty', async () => {
      for (const [what, orderId] of [...ids(), ['empty', '']]) {
        for (const message of ['order:get', 'order:pay', 'order:ship', 'order:receive', 'order:cancel'] as const) {
          const answer = await buyer.send(message, { orderId: `${orderId}` });
          expect([what, answer]).toEqual([
            what,
            { ok: false, error: { code: 'ORDER_NOT_FOUND', message: expect.any(String), retryable: false } },
          ]);
        }
      }
    });

    test('is BAD_MESSAGE from 65 characters on', async () => {
      for (const orderId of ['x'.repeat(65), '😀'.repeat(65)]) {
        badPaths(await raw('GET', `/orders/${encodeURIComponent(orderId)}`));
        expect(await buyer.isRefused('order:get', { orderId })).toMatchObject({
          code: 'BAD_MESSAGE',
          details: [{ path: 'orderId' }],
        });
      }
    });

    test('leaves the real order unchanged', async () => {
      expect(await buyer.does('order:get', { orderId: real })).toMatchObject({ status: 'placed', version: 1 });
    });
  });

  describe('a command', () => {
    test('may repeat its order id in the body', async () => {
      const { orderId } = await buyer.place(seller);
      const other = await buyer.place(seller);
      const differing = await buyer.post<Failure>(`/orders/${orderId}/pay`, { orderId: other.orderId });
      expect([differing.status, faultPaths(differing.body.error)]).toEqual([400, ['orderId']]);
      const { status, body } = await buyer.post(`/orders/${orderId}/pay`, { orderId, expectedTotal: 1_000 });
      expect([status, body]).toMatchObject([200, { orderId, status: 'paid' }]);
    });

    test('is answered with Event-Seq and Idempotency-Replayed headers', async () => {
      const person = await hub.buyer();
      const request = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] };
      const header = { 'Idempotency-Key': 'one-order' };
      const first = await person.post<{ orderId: string }>('/orders', request, header);
      expect(first.status).toBe(201);
      expect([first.headers.get('Event-Seq'), first.headers.get('Idempotency-Replayed')]).toEqual(['1', null]);
      const again = await person.post('/orders', request, header);
      expect([again.status, again.body]).toEqual([201, first.body]);
      expect([again.headers.get('Event-Seq'), again.headers.get('Idempotency-Replayed')]).toEqual(['1', 'true']);
      const paid = await person.post(`/orders/${first.body.orderId}/pay`);
      expect([paid.status, paid.headers.get('Event-Seq')]).toEqual([200, '2']);
      const plain = await person.get(`/orders/${first.body.orderId}`);
      expect([plain.headers.get('Event-Seq'), plain.headers.get('Idempotency-Replayed')]).toEqual([null, null]);
    });

    test('accepts a missing body as an empty one', async () => {
      const { orderId } = await buyer.place(seller);
      expect((await buyer.post(`/orders/${orderId}/cancel`)).status).toBe(200);
      const other = await buyer.place(seller);
      expect((await buyer.post(`/orders/${other.orderId}/cancel`, {})).status).toBe(200);
    });
  });

  test('a stranger’s read is FORBIDDEN and discloses no id', async () => {
    const { orderId } = await buyer.place(seller);
    const curious = new Person(hub, 'curious', (await hub.person()).token);
    const { status, body } = await curious.get<Failure>(`/orders/${orderId}`);
    expect([status, body.error]).toEqual([403, { code: 'FORBIDDEN', message: expect.any(String), retryable: false }]);
    expect(JSON.stringify(body)).not.toMatch(new RegExp(`${buyer.userId}|${seller.userId}|${orderId}`));
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
