import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { TestHub } from '../support/hub.js';
import { Person } from '../support/person.js';
import { everyStatementOf, type Statement } from '../support/statements.js';

/** Stands in everything that clients say here, in the company of what ends a literal on some database. */
const MARK = 'zq7';
const odd = (name: string) => `${MARK}${name}'"\`;--\\`;

/** Everything that can be said to the hub, once, with the mark in every text of it. */
async function sayEverything(hub: TestHub): Promise<void> {
  const password = odd('password');
  const come = async (userId: string) => {
    const person = new Person(hub, userId, '');
    await person.post('/auth/register', { userId, password });
    const login = { userId, password, terminal: odd('terminal') };
    person.token = (await person.post<{ token: string }>('/auth/login', login)).body.token;
    return person;
  };
  const [seller, buyer] = [await come(odd('seller')), await come(odd('buyer'))];
  const [storeId, bookId] = [odd('store'), odd('book')];
  await seller.post('/stores', { storeId, name: odd('name') });
  const texts = {
    title: odd('title'),
    author: odd('author'),
    tags: [odd('tag')],
    summary: odd('summary'),
    isbn: odd('isbn'),
  };
  const details = { [odd('field')]: odd('value') };
  await seller.post(`/stores/${encodeURIComponent(storeId)}/books`, {
    bookId,
    price: 1_000,
    stock: 9,
    ...texts,
    details,
  });
  const shelf = `/stores/${encodeURIComponent(storeId)}/books/${encodeURIComponent(bookId)}`;
  await seller.patch(shelf, { title: odd('another'), publisher: odd('publisher') });
  await seller.post(`${shelf}/stock`, { add: 1, key: `${MARK}-'stock'` });
  const search = encodeURIComponent(odd('title'));
  for (const field of ['', '&field=title', '&field=tags']) await buyer.get(`/books?q=${search}${field}`);
  await buyer.get(`/stores/${encodeURIComponent(storeId)}/books?q=${MARK}`);
  await buyer.get(`/stores?owner=${encodeURIComponent(odd('seller'))}&after=${search}`);
  await buyer.get(shelf);
  await buyer.post('/wallet/deposits', { amount: 5_000, key: `${MARK}-"deposit"` });
  await buyer.post('/wallet/withdrawals', { amount: 1, key: `${MARK}-;--` });

  const items = [{ bookId, count: 1 }];
  const { orderId } = await buyer.does('order:place', { storeId, items, key: `${MARK}-'place'` });
  await buyer.does('order:pay', { orderId, key: `${MARK}-'pay'` });
  await seller.does('order:ship', { orderId, carrier: odd('carrier'), trackingNo: odd('no') });
  await buyer.does('order:receive', { orderId });
  const second = await buyer.does('order:place', { storeId, items });
  await buyer.does('order:cancel', { orderId: second.orderId, reason: odd('reason') });
  for (const name of ['order:get', 'order:pay', 'order:ship']) await buyer.sendRaw(name, { orderId: odd('order') });
  await buyer.does('order:list', { role: 'buyer', storeId, status: 'cancelled' });
  await buyer.sendRaw('order:list', { role: 'buyer', after: odd('after') });
  await buyer.sendRaw('room:read', { role: odd('role'), after: 0 });
  await seller.get('/wallet/entries');
  await new Person(hub, 'nobody', odd('token')).get('/wallet');
  await seller.post('/auth/password', { oldPassword: password, newPassword: odd('new') });
  await seller.post('/auth/unregister', { password: odd('new') });
  await buyer.post('/auth/logout');
}

describe('of what clients say', () => {
  let hub: TestHub;
  let statements: Statement[];
  beforeAll(async () => {
    hub = await TestHub.start();
    statements = await everyStatementOf(hub, () => sayEverything(hub));
  });
  afterAll(() => hub.stop());

  test('much reaches the database, bound beside the statements', () => {
    const bound = statements.filter(({ parameters }) => JSON.stringify(parameters ?? []).includes(MARK));
    expect(bound.length).toBeGreaterThan(40);
    const tables = ['users', 'sessions', 'stores', 'books', 'book_texts', 'orders', 'command_answers', 'room_events'];
    const reached = tables.filter((table) => bound.some(({ sql }) => new RegExp(`\\b${table}\\b`).test(sql)));
    expect(reached).toEqual(tables);
  });

  test('no text is ever a part of a statement', () => {
    expect(statements.filter(({ sql }) => sql.toLowerCase().includes(MARK))).toEqual([]);
  });

  test('nothing that stands in quotes is, either: those that are there are names, or the hub’s own words', () => {
    const quoted = statements.flatMap(({ sql }) => [...sql.matchAll(/'([^']*)'/g)].map(([, text]) => text));
    expect([...new Set(quoted)].filter((text) => !/^(|%|hub|[a-z:-]+)$/.test(text ?? ''))).toEqual([]);
  });

  test('no statement depends, in its text, on what was said: the same ones come again with other words', async () => {
    // How many rows there are differs, so lists of marks count as one. TypeORM writes checked numbers out on SQLite.
    const shapes = (all: Statement[]) =>
      new Set(
        all.map(({ sql }) => sql.replaceAll(/\b\d+\b/g, '?').replaceAll(/\(\?(, ?\?)*\)(, ?\(\?(, ?\?)*\))*/g, '(?)')),
      );
    const again = await TestHub.start();
    const others = shapes(await everyStatementOf(again, () => sayEverything(again)));
    await again.stop();
    const own = [...shapes(statements)].filter(
      (sql) => !others.has(sql) && !/hub_batches|due_at|ended_sessions/.test(sql),
    );
    expect(own).toEqual([]);
  });

  test('nothing was lost or changed on its way into the database and back', async () => {
    const rows = await hub.rows<{ reason: string }>('SELECT cancel_reason AS reason FROM orders WHERE status = ?', [
      'cancelled',
    ]);
    expect(rows).toEqual([{ reason: odd('reason') }]);
    expect(await audit(hub)).toEqual([]);
  });
});
