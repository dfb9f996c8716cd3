import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { knock } from '../support/handshake.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type Failure, stranger } from '../support/refused.js';

/** What a driver may take for a condition, or for another value than it is, where a text is asked for. */
const notTexts: [string, unknown][] = [
  ['0, which equals every text that is no number on a server', 0],
  ['1', 1],
  ['-1', -1],
  ['a fraction', 1.5],
  ['true', true],
  ['false', false],
  ['null', null],
  ['an empty list', []],
  ['a list with 0', [0]],
  ['a list with the right text', ['admin']],
  ['a list in a list', [['admin']]],
  ['an empty object', {}],
  ['an operator of another database', { $ne: '' }],
  ['an operator that compares', { $gt: '' }],
  ['a column, as the driver writes objects', { user_id: 1 }],
  ["TypeORM's own operator", { '@instanceof': 'FindOperator', _type: 'not', _value: 'x' }],
  ["TypeORM's raw SQL", { '@instanceof': Symbol.for('FindOperator').toString(), _type: 'raw', _value: '1 = 1' }],
  ['an object with SQL of its own', { toSqlString: '1 = 1' }],
  ['an object that says it is a text', { toString: 'admin', valueOf: 'admin', length: 5 }],
  ['bytes', { type: 'Buffer', data: [97, 100, 109, 105, 110] }],
];

/** Texts that a lax database takes for another text or a number. */
const otherTexts = [
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

describe('nobody comes in, and nothing is found,', () => {
  let hub: TestHub;
  let admin: Person;
  let buyer: Person;
  let seller: Person;
  let orderId: string;
  let sessions: number;

  const sessionsNow = async () => (await hub.rows('SELECT token_hash FROM sessions')).length;
  const login = (body: unknown) => stranger(hub).post<Failure>('/auth/login', body);

  beforeAll(async () => {
    hub = await TestHub.start();
    admin = await hub.register('admin');
    buyer = await hub.buyer();
    seller = await hub.seller();
    orderId = (await buyer.place(seller)).orderId;
    await buyer.connect();
    sessions = await sessionsNow();
  });
  afterAll(() => hub.stop());

  test.each(notTexts)('by a login whose id or password is %s', async (_, value) => {
    for (const body of [
      { userId: 'admin', password: value },
      { userId: value, password: PASSWORD },
    ]) {
      const { status, body: answer } = await login(body);
      expect([status, answer.error.code]).toEqual([400, 'BAD_MESSAGE']);
    }
    expect(await sessionsNow()).toBe(sessions);
  });

  test('by a login whose id or password is another text', async () => {
    for (const text of otherTexts) {
      // One that could not be an id is refused for its shape; all others, like any that is not known.
      const asUser = await login({ userId: text, password: PASSWORD });
      expect([text, [400, 401].includes(asUser.status)]).toEqual([text, true]);
    }
    for (const password of ["' OR '1'='1", '0', PASSWORD.toUpperCase(), `${PASSWORD} `, `${PASSWORD}\u0000`]) {
      expect([password, (await login({ userId: 'admin', password })).status]).toEqual([password, 401]);
    }
    expect(await sessionsNow()).toBe(sessions);
  });

  test.each([
    ['text/plain', `{"userId":"admin","password":"${PASSWORD}"}`],
    ['application/x-www-form-urlencoded', 'userId=admin&password[$ne]='],
    ['application/x-www-form-urlencoded', `userId=admin&password=${encodeURIComponent(PASSWORD)}`],
    ['application/xml', '<userId>admin</userId>'],
    ['application/json', `["admin", "${PASSWORD}"]`],
    ['application/json', `{"userId":"admin","password":"${PASSWORD}","password":0}`],
  ])('by a login that is sent as %s: %s', async (type, body) => {
    const { status } = await stranger(hub).post('/auth/login', body, { 'content-type': type });
    expect(status).toBe(400);
    expect(await sessionsNow()).toBe(sessions);
  });

  test.each(notTexts)('by a token over a socket that is %s', async (_, token) => {
    expect((await knock(hub, { token })).error?.message).toBe('UNAUTHENTICATED');
  });

  test('by a token over HTTP that is no token of the hub', async () => {
    const [stored] = await hub.rows<{ token_hash: string }>('SELECT token_hash FROM sessions');
    const tokens = ['0', '1', 'null', '[object Object]', "'OR'1'='1", 'x'.repeat(43), '_'.repeat(43), '%'.repeat(43)];
    for (const token of [...tokens, stored?.token_hash ?? '', `${admin.token},${admin.token}`]) {
      for (const header of [`Bearer ${token}`, `Basic ${token}`, token, `Bearer ${token} ${admin.token}`]) {
        const { status } = await stranger(hub).get('/wallet', { authorization: header });
        expect([header, status]).toEqual([header, 401]);
      }
    }
  });

  test.each(notTexts)('by an order id that is %s', async (_, value) => {
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

  test('by an id that is another text: what is asked for is what is compared, to the letter', async () => {
    const near = [
      `${orderId} `,
      orderId.toUpperCase(),
      `${orderId}' OR '1'='1`,
      orderId.replaceAll('-', ''),
      `{${orderId}}`,
    ];
    for (const text of [...near, ...otherTexts]) {
      const answer = await buyer.sendRaw('order:get', { orderId: text });
      expect([text, answer]).toMatchObject([text, { ok: false, error: { code: 'ORDER_NOT_FOUND' } }]);
      const path = encodeURIComponent(text);
      for (const address of [`/orders/${path}`, `/stores/${path}`, `/stores/${seller.storeId}/books/${path}`]) {
        expect([address, [400, 404].includes((await buyer.get(address)).status)]).toEqual([address, true]);
      }
    }
  });

  test('by a query parameter that becomes a list or an object', async () => {
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

  test('and nothing has changed by all of it', async () => {
    expect(await sessionsNow()).toBe(sessions);
    expect((await buyer.does('order:get', { orderId })).version).toBe(1);
    expect(await audit(hub)).toEqual([]);
  });
});
