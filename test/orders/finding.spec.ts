import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/contract/fields.js';
import type { ListedOrder, Order } from '../../src/contract/orders.js';
import { COMPARED_ORDERS_MAX } from '../../src/orders/order.search.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type Failure, faultPaths } from '../support/refused.js';
import { range } from '../support/ways.js';

type Listed = Page<ListedOrder> & Failure;
const idOf = (order: Order | undefined) => order?.orderId ?? '';
const newestFirst = (...orders: (Order | undefined)[]) => orders.map(idOf).sort().reverse();

async function list(person: Person, query: Record<string, string | number>): Promise<Listed> {
  const fields = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
  const parameters = new URLSearchParams(fields);
  return (await person.get<Listed>(`/orders?${parameters}`)).body;
}
/** All pages, one after another, some of which may be short. */
async function all(person: Person, query: Record<string, string | number>): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page: Listed = await list(person, { ...query, ...(after === undefined ? {} : { after }) });
    found.push(...page.items.map(({ orderId }) => orderId));
    after = page.next;
  }
  return found;
}

describe('finding orders', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let other: Person;
  let orders: Order[];

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([
      { title: 'The Three-Body Problem 三体', stock: 1_000 },
      { title: 'Red Chamber 红楼梦', stock: 1_000 },
    ]);
    [buyer, other] = [await hub.buyer(10 ** 6), await hub.buyer(10 ** 6)];
    const red = [{ bookId: 'book-2', count: 1 }];
    orders = [];
    for (const [person, items] of [[buyer], [buyer, red], [other], [other, red]] as const) {
      orders.push(await person.place(seller, items && [...items]));
    }
    await buyer.does('order:pay', { orderId: idOf(orders[0]) });
    await seller.does('order:ship', { orderId: idOf(orders[0]), trackingNo: 'SF-77' });
  });
  afterAll(() => hub.stop());

  test('by number, by the end of the id, by the other party, by tracking number and by words of a title', async () => {
    const [first, second, third, fourth] = orders;
    for (const [q, expected] of [
      [String(first?.number).padStart(2, '0'), []],
      [idOf(second).slice(-6), [second]],
      [idOf(second).slice(-14).toUpperCase(), [second]],
      [idOf(second), [second]],
      [other.userId, [third, fourth]],
      ['SF-77', [first]],
      ['三体', [first, third]],
      ['three PROB', [first, third]],
      ['ChAmB', [second, fourth]],
      ['nothing like this', []],
    ] as const) {
      const { items } = await list(seller, { role: 'seller', q });
      expect([q, items.map(({ orderId }) => orderId)]).toEqual([q, newestFirst(...expected)]);
    }
    expect(await all(buyer, { role: 'buyer', q: seller.userId })).toEqual(newestFirst(first, second));
    expect(await all(buyer, { role: 'buyer', q: idOf(third).slice(-8) })).toEqual([]);
    expect(await all(buyer, { role: 'buyer', q: 'SF-77' })).toEqual([idOf(first)]);
  });

  test('together with the other filters, page by page', async () => {
    const [first, , third] = orders;
    expect(await all(seller, { role: 'seller', q: '三体', limit: 1 })).toEqual(newestFirst(first, third));
    expect(await all(seller, { role: 'seller', q: '三体', status: 'shipped' })).toEqual([idOf(first)]);
    expect(await all(seller, { role: 'seller', q: '三体', storeId: 'another' })).toEqual([]);
    const overSocket = await seller.does('order:list', { role: 'seller', q: '三体', ids: idOf(first) });
    expect(overSocket.items.map(({ orderId }) => orderId)).toEqual([idOf(first)]);
  });

  test('by the time of placing, to the millisecond', async () => {
    const [first, second, third, fourth] = orders.map(({ placedAt }) => placedAt);
    const found = (query: Record<string, string>) => all(seller, { role: 'seller', ...query });
    const since = orders.filter(({ placedAt }) => placedAt >= String(second));
    const until = orders.filter(({ placedAt }) => placedAt < String(third));
    expect(await found({ from: String(second) })).toEqual(newestFirst(...since));
    expect(await found({ to: String(third) })).toEqual(newestFirst(...until));
    expect(await found({ from: String(first), to: String(first) })).toEqual([]);
    expect(await found({ from: '1970-01-01T00:00:00.000Z', to: '9999-12-31T23:59:59.999Z' })).toHaveLength(4);
    const ms = new Date(Date.parse(String(fourth)) + 1).toISOString();
    expect(await found({ from: ms })).toEqual([]);
  });

  test('by ids, of which others’ and unknown ones are left out', async () => {
    const ids = [idOf(orders[3]), idOf(orders[0]), 'none', idOf(orders[0]), crypto.randomUUID()].join();
    expect(await all(seller, { role: 'seller', ids })).toEqual(newestFirst(orders[0], orders[3]));
    expect(await all(buyer, { role: 'buyer', ids })).toEqual([idOf(orders[0])]);
    expect(await all(buyer, { role: 'seller', ids })).toEqual([]);
    expect(await all(seller, { role: 'seller', ids: 'none' })).toEqual([]);
    const many = [...range(99).map((index) => `id-${index}`), idOf(orders[1])].join();
    expect(await all(seller, { role: 'seller', ids: many })).toEqual([idOf(orders[1])]);
  });

  test.each<Record<string, string>>([
    { q: 'x' },
    { q: 'x'.repeat(201) },
    { from: 'yesterday' },
    { to: '2026-01-01' },
    { ids: '' },
    { ids: 'a,,b' },
    { ids: range(101).join() },
    { ids: 'x'.repeat(65) },
    { find: 'me' },
  ])('refuses %j at its path', async (fault) => {
    const answer = await list(seller, { role: 'seller', ...fault });
    expect([answer.error.code, faultPaths(answer.error)]).toEqual(['BAD_MESSAGE', Object.keys(fault)]);
  });
});

describe('finding one of many orders', () => {
  let hub: TestHub;
  let seller: Person;
  let rare: Order;
  let rareBuyer: Person;
  let rest: Order[];

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([
      { title: 'Rare Bird', stock: 1_000 },
      { title: 'Common', stock: 1_000_000 },
    ]);
    rareBuyer = await hub.buyer(10 ** 6);
    const crowd = await hub.buyer();
    rare = await rareBuyer.place(seller, [{ bookId: 'book-1', count: 1 }]);
    await rareBuyer.does('order:pay', { orderId: rare.orderId });
    await seller.does('order:ship', { orderId: rare.orderId, trackingNo: 'RR 1' });
    const common = [{ bookId: 'book-2', count: 1 }];
    rest = [];
    while (rest.length < COMPARED_ORDERS_MAX + 600)
      rest.push(...(await Promise.all(range(200).map(() => crowd.place(seller, common)))));
  });
  afterAll(() => hub.stop());

  const first = async (q: string) => {
    const { items, next } = await list(seller, { role: 'seller', q });
    return [items.map(({ orderId }) => orderId), next];
  };

  test('takes one page, by what an index has', async () => {
    for (const q of [rare.orderId.slice(-8), rare.orderId, 'RR 1', rareBuyer.userId]) {
      expect([q, ...(await first(q))]).toEqual([q, [rare.orderId], null]);
    }
    const some = rest[1_234] as Order;
    expect((await first(String(some.number)))[0]).toContain(some.orderId);
    expect(await first('nothing like this')).toEqual([[], null]);
  });

  test('by short ends of ids has each of them once', async () => {
    const end = rare.orderId.slice(-2);
    const expected = [rare, ...rest].filter(({ orderId, number }) => orderId.endsWith(end) || String(number) === end);
    expect(await all(seller, { role: 'seller', q: end, limit: 3 })).toEqual(newestFirst(...expected));
  });

  test('by a title may take several pages, which have each of them once', async () => {
    expect(await all(seller, { role: 'seller', q: 'rare bird' })).toEqual([rare.orderId]);
    expect(await all(seller, { role: 'seller', q: 'common', limit: 100 })).toEqual(newestFirst(...rest));
  });

  test('finds those of earlier releases, which have no number', async () => {
    const old = rest[5] as Order;
    const sql = 'UPDATE orders SET number = NULL WHERE order_id = ?';
    await hub.database.transaction((tx) => tx.query(sql, [old.orderId]));
    expect((await first(old.orderId.slice(-8)))[0]).toEqual([old.orderId]);
  });
});
