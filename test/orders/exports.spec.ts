import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import type { Entry } from '../../src/contract/wallet.js';
import { TestHub } from '../support/hub.js';
import { Person } from '../support/person.js';
import { type Failure, faultPaths } from '../support/refused.js';
import { range } from '../support/ways.js';

/** Harmless in a shop, and a formula in a spreadsheet; with what CSV has to quote. */
const TITLE = '=HYPERLINK("http://evil.example"), "三体"';

describe('an export', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let orders: Order[];

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([
      { title: TITLE, stock: 1_000, price: 100 },
      { title: '@plain', price: 7 },
    ]);
    buyer = await hub.buyer(10 ** 6);
    const both = ['book-1', 'book-2'].map((bookId, index) => ({ bookId, count: index + 1 }));
    orders = [await buyer.place(seller, both), await buyer.place(seller)];
    await buyer.does('order:pay', { orderId: orders[0]?.orderId ?? '' });
    await seller.does('order:ship', { orderId: orders[0]?.orderId ?? '', carrier: '+49', trackingNo: '-1' });
  });
  afterAll(() => hub.stop());

  async function download(person: Person, path: string) {
    const response = await fetch(`${hub.url}${path}`, { headers: { authorization: `Bearer ${person.token}` } });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
  const lines = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  test('of orders is a row for each line, as CSV that is harmless in a spreadsheet', async () => {
    const { status, headers, text } = await download(seller, '/orders/export?role=seller');
    expect([status, headers.get('content-type'), headers.get('content-disposition')]).toEqual([
      ...[200, 'text/csv; charset=utf-8', 'attachment; filename=orders.csv'],
    ]);
    const rows = text.split('\r\n');
    expect(rows).toHaveLength(1 + 3 + 1);
    expect(rows[0]).toBe(
      'orderId,number,storeId,buyerId,sellerId,status,placedAt,paidAt,shippedAt,receivedAt,cancelledAt,carrier,trackingNo,cancelReason,total,line,bookId,title,count,price',
    );
    const [first, second] = orders;
    const shipped = await seller.does('order:get', { orderId: first?.orderId ?? '' });
    const start = [first?.orderId, first?.number, seller.storeId, buyer.userId, seller.userId, 'shipped'];
    const times = [shipped.placedAt, shipped.paidAt, shipped.shippedAt];
    const title = `"'=HYPERLINK(""http://evil.example""), ""三体"""`;
    expect(rows[1]).toBe([...start, ...times, '', '', "'+49", "'-1", '', 114, 1, 'book-1', title, 1, 100].join());
    expect(rows[2]).toBe([...start, ...times, '', '', "'+49", "'-1", '', 114, 2, 'book-2', "'@plain", 2, 7].join());
    expect(rows[3]).toContain(`${second?.orderId},${second?.number},`);
  });

  test('of orders is the same as lines of JSON, for the role that is asked for', async () => {
    const { headers, text } = await download(buyer, '/orders/export?role=buyer&format=ndjson');
    expect([headers.get('content-type'), headers.get('content-disposition')]).toEqual([
      ...['application/x-ndjson', 'attachment; filename=orders.ndjson'],
    ]);
    expect(lines(text)).toEqual([
      expect.objectContaining({ orderId: orders[0]?.orderId, line: 1, title: TITLE, price: 100, carrier: '+49' }),
      expect.objectContaining({ orderId: orders[0]?.orderId, line: 2, count: 2, price: 7, total: 114 }),
      expect.objectContaining({ orderId: orders[1]?.orderId, line: 1, paidAt: null, trackingNo: null }),
    ]);
    expect((await download(buyer, '/orders/export?role=seller&format=ndjson')).text).toBe('');
    expect((await download(buyer, '/orders/export?role=seller')).text).toMatch(/^orderId,[\w,]+\r\n$/);
  });

  test('of orders has each of them once, oldest first, however many there are', async () => {
    const busy = await hub.buyer(10 ** 6);
    const placed = await Promise.all(range(650).map(() => busy.place(seller)));
    const { text } = await download(busy, '/orders/export?role=buyer&format=ndjson');
    expect(lines(text).map(({ orderId }) => orderId)).toEqual(placed.map(({ orderId }) => orderId).sort());
  });

  test('of a wallet is its ledger, oldest entry first, with numbers as they are', async () => {
    const { text } = await download(buyer, '/wallet/export');
    const { items } = (await buyer.get<{ items: Entry[] }>('/wallet/entries')).body;
    const rows = items.toReversed().map(({ entryId, at, kind, amount, balance, orderId }) => {
      return [entryId, at, kind, amount, balance, orderId ?? ''].join();
    });
    expect(text.split('\r\n')).toEqual(['entryId,at,kind,amount,balance,orderId', ...rows, '']);
    expect(rows[1]).toContain(',payment,-114,');
    const asJson = await download(buyer, '/wallet/export?format=ndjson');
    expect(lines(asJson.text)).toEqual(items.toReversed());
  });

  test('of a wallet is paged through', async () => {
    const person = await hub.buyer(1);
    await Promise.all(range(1_010).map(() => person.deposit(1)));
    const found = lines((await download(person, '/wallet/export?format=ndjson')).text);
    expect(found.map(({ entryId }) => entryId)).toEqual(range(1_011).map((index) => String(index + 1)));
  });

  test('needs the right of what it holds, and no more parameters than it has', async () => {
    const { body } = await buyer.post<{ secret: string }>('/auth/keys', { name: 'clerk', rights: ['read'] });
    const clerk = new Person(hub, buyer.userId, body.secret);
    expect((await download(clerk, '/orders/export?role=buyer')).status).toBe(200);
    const refused = await clerk.get<Failure>('/wallet/export');
    expect([refused.status, refused.body.error.details]).toEqual([403, { right: 'money' }]);
    expect((await new Person(hub, 'nobody', '').get<Failure>('/orders/export?role=buyer')).status).toBe(401);
    for (const [query, path] of [
      ['', 'role'],
      ['?role=buyer&format=xlsx', 'format'],
      ['?role=buyer&limit=1', 'limit'],
    ]) {
      const { body } = await buyer.get<Failure>(`/orders/export${query}`);
      expect(faultPaths(body.error)).toEqual([path]);
    }
  });
});
