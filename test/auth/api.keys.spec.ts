import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApiKeyView, CreatedKey } from '../../src/contract/auth.js';
import type { Page } from '../../src/contract/fields.js';
import { routes } from '../../src/contract/wire.js';
import { knock } from '../support/handshake.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { type Failure, faultPaths } from '../support/refused.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const RIGHTS = ['read', 'buy', 'sell', 'stock', 'money', 'staff'];
const KEYS_MAX = 100;
const EXPIRES_MS = 1_500;

describe('API keys', () => {
  let hub: TestHub;
  let buyer: Person;
  let seller: Person;

  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await TestHub.start({}, database);
    buyer = await hub.buyer();
    seller = await hub.seller([{ stock: 1_000 }]);
  });
  afterAll(() => hub.stop());

  async function create(owner: Person, rights: string[], fields = {}): Promise<CreatedKey> {
    const { status, body } = await owner.post<CreatedKey>('/auth/keys', { name: 'till', rights, ...fields });
    expect(status).toBe(201);
    return body;
  }
  const withKey = async (owner: Person, rights: string[]) => {
    const person = new Person(hub, owner.userId, (await create(owner, rights)).secret);
    person.storeId = owner.storeId;
    return person;
  };
  const remove = (owner: Person, keyId: string) =>
    owner.request<Failure>('DELETE', `/auth/keys/${keyId}`, undefined, {});
  const list = async (owner: Person) => (await owner.get<Page<ApiKeyView>>('/auth/keys')).body.items;

  test('is created with a secret, told once, and listed without it', async () => {
    const owner = await hub.person();
    const created = await create(owner, ['sell', 'read'], { name: 'till 2' });
    expect(created).toEqual({
      ...{ keyId: expect.any(String), secret: expect.stringMatching(/^ohk_[\w-]{43}$/), name: 'till 2' },
      ...{ rights: ['read', 'sell'], createdAt: expect.any(String), expiresAt: null },
    });
    const { secret, ...rest } = created;
    expect(await list(owner)).toEqual([{ ...rest, lastUsedAt: null }]);
    expect(JSON.stringify(await hub.rows('SELECT * FROM api_keys'))).not.toContain(secret);
  });

  test('authenticates over HTTP and over a socket, and records its use to the minute', async () => {
    const owner = await hub.person();
    const key = await withKey(owner, RIGHTS);
    const before = Date.now();
    expect((await key.get('/auth/session')).body).toEqual({ userId: owner.userId, terminal: null, expiresAt: null });
    expect(await key.does('order:list', { role: 'buyer' })).toEqual({ items: [], next: null });
    expect(key.ready[0]?.userId).toBe(owner.userId);
    const [listed] = await list(owner);
    expect(Math.abs(Date.parse(listed?.lastUsedAt ?? '') - before)).toBeLessThan(60_000);
    key.disconnect();
  });

  test.each([
    ['read', 'GET', '/orders?role=buyer'],
    ['read', 'GET', '/orders/unknown'],
    ['read', 'GET', '/rooms/buyer/events?after=0'],
    ['read', 'GET', '/auth/session'],
    ['buy', 'POST', '/orders'],
    ['buy', 'POST', '/orders/unknown/pay'],
    ['buy', 'POST', '/orders/unknown/receive'],
    ['sell', 'POST', '/orders/unknown/ship'],
    ['stock', 'POST', '/stores'],
    ['stock', 'POST', '/stores/x/books'],
    ['stock', 'PATCH', '/stores/x/books/y'],
    ['stock', 'POST', '/stores/x/books/y/stock'],
    ['money', 'GET', '/wallet'],
    ['money', 'GET', '/wallet/entries'],
    ['money', 'GET', '/wallet/totals'],
    ['money', 'POST', '/wallet/deposits'],
    ['money', 'POST', '/wallet/withdrawals'],
    ['sessions', 'POST', '/auth/sessions'],
  ])('needs the right %s for %s %s, and no other', async (right, method, path) => {
    const others = await withKey(
      buyer,
      RIGHTS.filter((each) => each !== right),
    );
    const refused = await others.request<Failure>(method, path, method === 'GET' ? undefined : {}, {});
    expect([refused.status, refused.body.error]).toMatchObject([403, { code: 'FORBIDDEN', details: { right } }]);
    if (right === 'sessions') return;
    const alone = await withKey(buyer, [right]);
    const { body } = await alone.request<Partial<Failure>>(method, path, method === 'GET' ? undefined : {}, {});
    expect(body.error?.code).not.toBe('FORBIDDEN');
    expect(body.error?.code).not.toBe('UNAUTHENTICATED');
  });

  test('may send over a socket what it may send over HTTP', async () => {
    const reader = await withKey(buyer, ['read']);
    for (const [message, right] of [
      ...[
        ['order:place', 'buy'],
        ['order:pay', 'buy'],
        ['order:receive', 'buy'],
        ['order:ship', 'sell'],
      ],
      ['order:cancel', 'buy'],
    ] as const) {
      const answer = await reader.sendRaw(message, {});
      expect(answer).toMatchObject({ ok: false, error: { code: 'FORBIDDEN', details: { right } } });
    }
    const trader = await withKey(buyer, ['buy']);
    for (const message of ['order:get', 'order:list', 'room:read']) {
      const answer = await trader.sendRaw(message, {});
      expect(answer).toMatchObject({ ok: false, error: { code: 'FORBIDDEN', details: { right: 'read' } } });
    }
    const { orderId } = await trader.place(seller);
    expect(await trader.does('order:pay', { orderId })).toMatchObject({ status: 'paid' });
    for (const person of [reader, trader]) person.disconnect();
  });

  test('cancels as the buyer with one right and as the seller with another', async () => {
    const [asBuyer, asSeller] = [await withKey(buyer, ['sell']), await withKey(seller, ['buy'])];
    const { orderId } = await buyer.place(seller);
    const missing = async (person: Person) =>
      (await person.isRefused('order:cancel', { orderId, key: 'same' })).details;
    expect(await missing(asBuyer)).toEqual({ right: 'buy' });
    expect(await missing(asSeller)).toEqual({ right: 'sell' });
    const right = await withKey(buyer, ['buy']);
    // The refusal has not used the key up.
    expect(await right.does('order:cancel', { orderId, key: 'same' })).toMatchObject({ status: 'cancelled' });
    for (const person of [asBuyer, asSeller, right]) person.disconnect();
  });

  test('hears no events without the right to read, and is ready all the same', async () => {
    const trader = await withKey(buyer, ['buy']);
    await trader.connect();
    expect(trader.ready[0]?.rooms).toEqual({});
    const { orderId } = await trader.place(seller);
    await buyer.does('order:cancel', { orderId });
    await trader.sendRaw('order:list', { role: 'buyer' });
    expect(trader.events).toEqual([]);
    trader.disconnect();
  });

  test('makes no keys, and ends no sessions and no account', async () => {
    const key = await withKey(await hub.person(), RIGHTS);
    for (const [method, path, body] of [
      ['POST', '/auth/keys', { name: 'x', rights: ['read'] }],
      ['GET', '/auth/keys', undefined],
      ['DELETE', '/auth/keys/x', undefined],
      ['GET', '/auth/sessions', undefined],
      ['DELETE', '/auth/sessions/x', undefined],
      ['POST', '/auth/logout', undefined],
      ['POST', '/auth/password', { oldPassword: PASSWORD, newPassword: 'another password' }],
      ['POST', '/auth/unregister', { password: PASSWORD }],
    ] as const) {
      const refused = await key.request<Failure>(method, path, body, {});
      expect([path, refused.status, refused.body.error.code]).toEqual([path, 403, 'FORBIDDEN']);
    }
  });

  test('gets no right that its maker lacks', async () => {
    for (const right of ['sessions', 'funds']) {
      const refused = await buyer.post<Failure>('/auth/keys', { name: 'x', rights: ['read', right] });
      expect(refused.body.error).toMatchObject({ code: 'FORBIDDEN', details: { right } });
    }
  });

  test.each<[string, object, string[]]>([
    ['an unknown right', { rights: ['admin'] }, ['rights.0']],
    ['no right', { rights: [] }, ['rights']],
    ['a right twice', { rights: ['read', 'read'] }, ['rights']],
    ['no name', { name: '' }, ['name']],
    ['a time that is past', { expiresAt: '2020-01-01T00:00:00.000Z' }, ['expiresAt']],
    ['no time', { expiresAt: 'tomorrow' }, ['expiresAt']],
    ['an unlisted field', { right: 'read' }, ['right']],
  ])('cannot have %s', async (_, fields, paths) => {
    const request = { name: 'x', rights: ['read'], ...fields };
    const { status, body } = await buyer.post<Failure>('/auth/keys', request);
    expect([status, faultPaths(body.error)]).toEqual([400, paths]);
  });

  test('is refused beyond a hundred, also when many are made at once', async () => {
    const owner = await hub.person();
    const attempt = async () => (await owner.post('/auth/keys', { name: 'x', rights: ['read'] })).status;
    for (const _ of range(KEYS_MAX - 5)) expect(await attempt()).toBe(201);
    const statuses = await Promise.all(range(10).map(attempt));
    expect(statuses.filter((status) => status === 201).length).toBeLessThanOrEqual(5);
    // A busy hub may have refused some for now.
    await until('no further key can be made', async () => (await attempt()) === 400);
    const page = await owner.get<Page<ApiKeyView>>('/auth/keys?limit=60');
    const rest = await owner.get<Page<ApiKeyView>>(`/auth/keys?limit=60&after=${page.body.next}`);
    const ids = [...page.body.items, ...rest.body.items].map(({ keyId }) => keyId);
    expect([new Set(ids).size, rest.body.next]).toEqual([KEYS_MAX, null]);
  });

  test('ends its sockets when it is deleted, and no others', async () => {
    const owner = await hub.person();
    const { keyId, secret } = await create(owner, ['read']);
    const key = await new Person(hub, owner.userId, secret).connect();
    await owner.connect();
    expect((await remove(owner, keyId)).status).toBe(204);
    await until('the key’s socket is disconnected', () => key.socket?.connected === false);
    expect(key.endings).toEqual(['revoked']);
    expect((await key.get('/auth/session')).status).toBe(401);
    expect((await knock(hub, { token: secret })).error?.data?.code).toBe('UNAUTHENTICATED');
    expect(owner.socket?.connected).toBe(true);
    expect((await remove(owner, keyId)).body.error).toMatchObject({ code: 'NOT_FOUND', details: { what: 'key' } });
    owner.disconnect();
  });

  test('is deleted by its owner only', async () => {
    const { keyId } = await create(buyer, ['read']);
    expect((await remove(seller, keyId)).status).toBe(404);
    expect((await remove(buyer, keyId)).status).toBe(204);
  });

  test('survives a change of the password, and ends with the account', async () => {
    const owner = await hub.person();
    const key = await (await withKey(owner, ['read'])).connect();
    const change = { oldPassword: PASSWORD, newPassword: 'another password' };
    expect((await owner.post('/auth/password', change)).status).toBe(204);
    expect((await key.get('/auth/session')).status).toBe(200);
    expect(key.socket?.connected).toBe(true);
    expect((await owner.post('/auth/unregister', { password: 'another password' })).status).toBe(204);
    await until('the key’s socket is disconnected', () => key.socket?.connected === false);
    expect(key.endings).toEqual(['unregistered']);
    expect((await key.get('/auth/session')).status).toBe(401);
  });

  test('ends at its time', async () => {
    const owner = await hub.person();
    const expiresAt = new Date(Date.now() + EXPIRES_MS).toISOString();
    const { secret } = await create(owner, ['read'], { expiresAt });
    const key = await new Person(hub, owner.userId, secret).connect();
    await until('the key’s socket is disconnected', () => key.socket?.connected === false);
    expect(key.endings).toEqual(['expired']);
    expect((await key.get('/auth/session')).status).toBe(401);
  });

  test('no route is open to API keys that no right names', () => {
    const sessionOnly = Object.entries(routes).filter(([, route]) => !('isPublic' in route) && !('right' in route));
    const names = ['createKey', 'deleteKey', 'endSession', 'keys', 'logout', 'password', 'sessions', 'unregister'];
    expect(sessionOnly.map(([name]) => name).sort()).toEqual(names);
  });

  test('is deleted at one hub, and its sockets end at another', async () => {
    // The embedded database allows one hub only.
    if (hub.database.dialect.singleWriter) return;
    const other = await TestHub.start({}, { ...database, drop: async () => {} });
    const { keyId, secret } = await create(buyer, ['read']);
    const key = await new Person(other, buyer.userId, secret).connect();
    expect((await remove(buyer, keyId)).status).toBe(204);
    await until('the key’s socket is disconnected', () => key.socket?.connected === false);
    expect(key.endings).toEqual(['revoked']);
    await other.stop();
  });
});
