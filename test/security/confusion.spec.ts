import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { knock } from '../support/handshake.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type Failure, stranger } from '../support/refused.js';

/** Values that a driver may treat as a condition or coerce where a string is expected. */
const nonStrings: [string, unknown][] = [
  ['0, which equals every non-numeric string in MySQL', 0],
  ['1', 1],
  ['-1', -1],
  ['a fraction', 1.5],
  ['true', true],
  ['false', false],
  ['null', null],
  ['an empty list', []],
  ['a list with 0', [0]],
  ['a list with the right string', ['admin']],
  ['a list in a list', [['admin']]],
  ['an empty object', {}],
  ['a MongoDB operator', { $ne: '' }],
  ['a comparison operator', { $gt: '' }],
  ['a column, as mysql2 expands objects', { user_id: 1 }],
  ["TypeORM's operator", { '@instanceof': 'FindOperator', _type: 'not', _value: 'x' }],
  ["TypeORM's raw SQL", { '@instanceof': Symbol.for('FindOperator').toString(), _type: 'raw', _value: '1 = 1' }],
  ['an object with toSqlString', { toSqlString: '1 = 1' }],
  ['a string-like object', { toString: 'admin', valueOf: 'admin', length: 5 }],
  ['bytes', { type: 'Buffer', data: [97, 100, 109, 105, 110] }],
];

/** Strings that a lax database equates with another string or a number. */
const lookalikes = [
  ...[
    '0',
    '1 or 1=1',
    "' OR '1'='1",
    "admin' -- ",
    'admin"; --',
    "admin'/*",
    'admin\\',
    "\\' OR 1=1 -- ",
    '0x61646d696e',
  ],
  ...[
    'admin%',
    'a%',
    '_____',
    'ADMIN',
    'Admin',
    'ádmin',
    'ａｄｍｉｎ',
    'admin\u200b',
    'аdmin',
    '1e0',
    '+0',
    'NULL',
    'undefined',
  ],
];

describe('type confusion grants no access', () => {
  let hub: TestHub;
  let admin: Person;
  let buyer: Person;
  let seller: Person;
  let orderId: string;
  let initialSessions: number;

  const countSessions = async () => (await hub.rows('SELECT token_hash FROM sessions')).length;
  const login = (body: unknown) => stranger(hub).post<Failure>('/auth/login', body);

  beforeAll(async () => {
    hub = await TestHub.start();
    admin = await hub.register('admin');
    buyer = await hub.buyer();
    seller = await hub.seller();
    orderId = (await buyer.place(seller)).orderId;
    await buyer.connect();
    initialSessions = await countSessions();
  });
  afterAll(() => hub.stop());

  test.each(nonStrings)('by a login whose id or password is %s', async (_, value) => {
    for (const body of [
      { userId: 'admin', password: value },
      { userId: value, password: PASSWORD },
    ]) {
      const { status, body: answer } = await login(body);
      expect([status, answer.error.code]).toEqual([400, 'BAD_MESSAGE']);
    }
    expect(await countSessions()).toBe(initialSessions);
  });

  test('by a login with a similar id or password', async () => {
    for (const text of lookalikes) {
      // 400 for an invalid id, 401 for an unknown one.
      const asUser = await login({ userId: text, password: PASSWORD });
      expect([text, [400, 401].includes(asUser.status)]).toEqual([text, true]);
    }
    for (const password of ["' OR '1'='1", '0', PASSWORD.toUpperCase(), `${PASSWORD} `, `${PASSWORD}\u0000`]) {
      expect([password, (await login({ userId: 'admin', password })).status]).toEqual([password, 401]);
    }
    expect(await countSessions()).toBe(initialSessions);
  });

  test.each([
    ['text/plain', `{"userId":"admin","password":"${PASSWORD}"}`],
    ['application/x-www-form-urlencoded', 'userId=admin&password[$ne]='],
    ['application/x-www-form-urlencoded', `userId=admin&password=${encodeURIComponent(PASSWORD)}`],
    ['application/xml', '<userId>admin</userId>'],
    ['application/json', `["admin", "${PASSWORD}"]`],
    ['application/json', `{"userId":"admin","password":"${PASSWORD}","password":0}`],
  ])('by a login with content type %s: %s', async (type, body) => {
    const { status } = await stranger(hub).post('/auth/login', body, { 'content-type': type });
    expect(status).toBe(400);
    expect(await countSessions()).toBe(initialSessions);
  });

  test.each(nonStrings)('by a socket token that is %s', async (_, token) => {
    expect((await knock(hub, { token })).error?.message).toBe('UNAUTHENTICATED');
  });

  test('by an unknown HTTP token', async () => {
    const [stored] = await hub.rows<{ token_hash: string }>('SELECT token_hash FROM sessions');
    const tokens = ['0', '1', 'null', '[object Object]', "'OR'1'='1", 'x'.repeat(43), '_'.repeat(43), '%'.repeat(43)];
    for (const token of [...tokens, stored?.token_hash ?? '', `${admin.token},${admin.token}`]) {
      for (const header of [`Bearer ${token}`, `Basic ${token}`, token, `Bearer ${token} ${admin.token}`]) {
        const { status } = await stranger(hub).get('/wallet', { authorization: header });
        expect([header, status]).toEqual([header, 401]);
      }
    }
  });

  test.each(nonStrings)('by an order id that is %s', async (_, value) => {
    for (const message of ['order:get', 'order:pay', 'order:cancel']) {
      const answer = await buyer.sendRaw(message, { orderId: value });
      expect(answer).toMatchObject({ ok: false, error: { code: 'BAD_MESSAGE' } });
    }
    const place = { storeId: value, items: [{ bookId: 'book-1', count: 1 }] };
    expect(await buyer.sendRaw('order:place', place)).toMatchObject({ ok: false, error: { code: 'BAD_MESSAGE' } });
    const book = { storeId: seller.storeId, items: [{ bookId: value, count: 1 }] };
    expect(await buyer.sendRaw('order:place', book)).toMatchObject({ ok: false, error: { code: 'BAD_MESSAGE' } });
    const keyed = { orderId, key: value };
    expect(await buyer.sendRaw('order:cancel', keyed)).toMatchObject({ ok: false, error: { code: 'BAD_MESSAGE' } });
  });

  test('by a similar id: ids are compared byte by byte', async () => {
    const variants = [
      `${orderId} `,
      orderId.toUpperCase(),
      `${orderId}' OR '1'='1`,
      orderId.replaceAll('-', ''),
      `{${orderId}}`,
    ];
    for (const text of [...variants, ...lookalikes]) {
      const answer = await buyer.sendRaw('order:get', { orderId: text });
      expect([text, answer]).toMatchObject([text, { ok: false, error: { code: 'ORDER_NOT_FOUND' } }]);
      const path = encodeURIComponent(text);
      for (const address of [`/orders/${path}`, `/stores/${path}`, `/stores/${seller.storeId}/books/${path}`]) {
        expect([address, [400, 404].includes((await buyer.get(address)).status)]).toEqual([address, true]);
      }
    }
  });

  test('by a query parameter that parses as a list or an object', async () => {
    const lists = [
      'owner[]=admin',
      'owner[$ne]=x',
      'owner[0]=admin',
      'owner=a&owner=b',
      'limit[]=1',
      'limit=0x10',
      'limit=1e1',
    ];
    const numbers = ['limit=-1', 'limit=%2B1', 'limit=1.5', 'limit= 1', 'after[]=1'];
    for (const query of [...lists, ...numbers]) {
      expect([query, (await buyer.get(`/stores?${query}`)).status]).toEqual([query, 400]);
    }
  });

  test('and changes nothing', async () => {
    expect(await countSessions()).toBe(initialSessions);
    expect((await buyer.does('order:get', { orderId })).version).toBe(1);
    expect(await audit(hub)).toEqual([]);
  });
});
