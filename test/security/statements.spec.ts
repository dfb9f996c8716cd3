import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { TestHub } from '../support/hub.js';
import { Person } from '../support/person.js';
import { everyStatementOf, type Statement } from '../support/statements.js';

/** Part of every client string here, along with characters that end a literal in some database. */
const MARK = 'zq7';
const marked = (name: string) => `${MARK}${name}'"\`;--\\`;

/** Sends every kind of request once, with the mark in every string. */
async function sendEverything(hub: TestHub): Promise<void> {
  const password = marked('password');
  const register = async (userId: string) => {
    const person = new Person(hub, userId, '');
    await person.post('/auth/register', { userId, password });
    const login = { userId, password, terminal: marked('terminal') };
    person.token = (await person.post<{ token: string }>('/auth/login', login)).body.token;
    return person;
  };
  const [seller, buyer] = [await register(marked('seller')), await register(marked('buyer'))];
  const [storeId, bookId] = [marked('store'), marked('book')];
  await seller.post('/stores', { storeId, name: marked('name') });
  const texts = {
    title: marked('title'),
    author: marked('author'),
    tags: [marked('tag')],
    summary: marked('summary'),
    isbn: marked('isbn'),
  };
  const details = { [marked('field')]: marked('value') };
  await seller.post(`/stores/${encodeURIComponent(storeId)}/books`, {
    bookId,
    price: 1_000,
    stock: 9,
    ...texts,
    details,
  });
  const shelf = `/stores/${encodeURIComponent(storeId)}/books/${encodeURIComponent(bookId)}`;
  await seller.patch(shelf, { title: marked('another'), publisher: marked('publisher') });
  await seller.post(`${shelf}/stock`, { add: 1, key: `${MARK}-'stock'` });
  const search = encodeURIComponent(marked('title'));
  for (const field of ['', '&field=title', '&field=tags']) await buyer.get(`/books?q=${search}${field}`);
  await buyer.get(`/stores/${encodeURIComponent(storeId)}/books?q=${MARK}`);
  await buyer.get(`/stores?owner=${encodeURIComponent(marked('seller'))}&after=${search}`);
  await buyer.get(shelf);
  await buyer.post('/wallet/deposits', { amount: 5_000, key: `${MARK}-"deposit"` });
  await buyer.post('/wallet/withdrawals', { amount: 1, key: `${MARK}-;--` });

  const items = [{ bookId, count: 1 }];
  const { orderId } = await buyer.does('order:place', { storeId, items, key: `${MARK}-'place'` });
  await buyer.does('order:pay', { orderId, key: `${MARK}-'pay'` });
  await seller.does('order:ship', { orderId, carrier: marked('carrier'), trackingNo: marked('no') });
  await buyer.does('order:receive', { orderId });
  const second = await buyer.does('order:place', { storeId, items });
  await buyer.does('order:cancel', { orderId: second.orderId, reason: marked('reason') });
  for (const name of ['order:get', 'order:pay', 'order:ship']) await buyer.sendRaw(name, { orderId: marked('order') });
  await buyer.does('order:list', { role: 'buyer', storeId, status: 'cancelled' });
  await buyer.sendRaw('order:list', { role: 'buyer', after: marked('after') });
  await buyer.sendRaw('room:read', { role: marked('role'), after: 0 });
  await seller.get('/wallet/entries');
  await new Person(hub, 'nobody', marked('token')).get('/wallet');
  await seller.post('/auth/password', { oldPassword: password, newPassword: marked('new') });
  await seller.post('/auth/unregister', { password: marked('new') });
  await buyer.post('/auth/logout');
}

/** What a hub asks by itself, now and then. */
const PERIODIC =
  /hub_batches|due_at|ended_sessions|leases|database_info|UTC_TIMESTAMP|head FROM rooms WHERE role IN|FROM webhooks|push_/;

describe('client strings', () => {
  let hub: TestHub;
  let statements: Statement[];
  beforeAll(async () => {
    hub = await TestHub.start();
    statements = await everyStatementOf(hub, () => sendEverything(hub));
  });
  afterAll(() => hub.stop());

  test('reach every table as bound parameters', () => {
    const bound = statements.filter(({ parameters }) => JSON.stringify(parameters ?? []).includes(MARK));
    expect(bound.length).toBeGreaterThan(40);
    const tables = ['users', 'sessions', 'stores', 'books', 'book_texts', 'orders', 'command_answers', 'room_events'];
    const reachedTables = tables.filter((table) => bound.some(({ sql }) => new RegExp(`\\b${table}\\b`).test(sql)));
    expect(reachedTables).toEqual(tables);
  });

  test('never become part of a statement', () => {
    expect(statements.filter(({ sql }) => sql.toLowerCase().includes(MARK))).toEqual([]);
  });

  test("never become a quoted literal: those are only the hub's own", () => {
    const literals = statements.flatMap(({ sql }) => [...sql.matchAll(/'([^']*)'/g)].map(([, text]) => text));
    expect([...new Set(literals)].filter((text) => !/^(|%|hub|1970-01-01|[a-z:-]+)$/.test(text ?? ''))).toEqual([]);
  });

  test('never influence the text of statements', async () => {
    // Row counts differ, so placeholder lists count as one. On SQLite, TypeORM inlines validated numbers.
    const templatesOf = (all: Statement[]) =>
      new Set(
        all.map(({ sql }) => sql.replaceAll(/\b\d+\b/g, '?').replaceAll(/\(\?(, ?\?)*\)(, ?\(\?(, ?\?)*\))*/g, '(?)')),
      );
    const otherHub = await TestHub.start();
    const otherTemplates = templatesOf(await everyStatementOf(otherHub, () => sendEverything(otherHub)));
    await otherHub.stop();
    const ownOnly = [...templatesOf(statements)].filter((sql) => !otherTemplates.has(sql) && !PERIODIC.test(sql));
    expect(ownOnly).toEqual([]);
  });

  test('round-trip through the database unchanged', async () => {
    const rows = await hub.rows<{ reason: string }>('SELECT cancel_reason AS reason FROM orders WHERE status = ?', [
      'cancelled',
    ]);
    expect(rows).toEqual([{ reason: marked('reason') }]);
    expect(await audit(hub)).toEqual([]);
  });
});
