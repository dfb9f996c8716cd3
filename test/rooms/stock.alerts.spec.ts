import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RoomsService } from '../../src/rooms/rooms.service.js';
import { audit } from '../support/audit.js';
import { inShort, listen } from '../support/ear.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { device } from '../support/ways.js';

describe('alerts of low stock', () => {
  let hub: TestHub;
  let owner: Person;
  let buyer: Person;
  let books = 0;

  beforeAll(async () => {
    hub = await TestHub.start();
    owner = await hub.seller([{ bookId: 'sentinel', stock: 100_000 }]);
    buyer = await hub.buyer();
    await Promise.all([owner.connect(), buyer.connect()]);
  });
  afterAll(() => hub.stop());

  async function newBook(stock: number, lowMark?: number): Promise<string> {
    const bookId = `book-${++books}`;
    const body = { bookId, title: 'A book', price: 100, stock, ...(lowMark === undefined ? {} : { lowMark }) };
    const { status } = await owner.post(`/stores/${owner.storeId}/books`, body);
    expect(status).toBe(201);
    return bookId;
  }
  const order = (bookId: string, count: number) => buyer.place(owner, [{ bookId, count }]);
  const add = async (bookId: string, copies: number) => {
    const { status } = await owner.post(`/stores/${owner.storeId}/books/${bookId}/stock`, { add: copies });
    expect(status).toBe(200);
  };

  /** The stocks that the owner was told of this book meanwhile. What was told is known when a later event has come. */
  async function alertsOf(bookId: string, work: () => Promise<unknown>): Promise<number[]> {
    const before = owner.stockAlerts.length;
    await work();
    const answer = await buyer.send('order:place', {
      storeId: owner.storeId,
      items: [{ bookId: 'sentinel', count: 1 }],
    });
    expect(answer.ok).toBe(true);
    const { head } = await owner.does('room:read', { role: 'seller', after: 0, limit: 1 });
    await owner.hears(head);
    const alerts = owner.stockAlerts.slice(before);
    expect(alerts.every((alert) => alert.bookId === bookId)).toBe(true);
    return alerts.map(({ stock }) => stock);
  }

  test('the owner is told when orders take the stock to the low mark, and when they take it to nothing', async () => {
    const bookId = await newBook(10, 5);
    expect(await alertsOf(bookId, () => order(bookId, 4))).toEqual([]);
    expect(await alertsOf(bookId, () => order(bookId, 1))).toEqual([5]);
    expect(await alertsOf(bookId, () => order(bookId, 1))).toEqual([]);
    expect(await alertsOf(bookId, () => order(bookId, 3))).toEqual([]);
    expect(await alertsOf(bookId, () => order(bookId, 1))).toEqual([0]);
  });

  test('the low mark is 5 where none was given', async () => {
    const bookId = await newBook(7);
    expect(await alertsOf(bookId, () => order(bookId, 1))).toEqual([]);
    expect(await alertsOf(bookId, () => order(bookId, 1))).toEqual([5]);
  });

  test.each([
    { what: 'past the mark', stock: 10, lowMark: 5, count: 8, told: [2] },
    { what: 'past the mark to nothing', stock: 10, lowMark: 5, count: 10, told: [0] },
    { what: 'to nothing, where the mark is 0', stock: 3, lowMark: 0, count: 3, told: [0] },
    { what: 'not to nothing, where the mark is 0', stock: 3, lowMark: 0, count: 2, told: [] },
    { what: 'below a mark that it was at already', stock: 5, lowMark: 5, count: 1, told: [] },
    { what: 'from below the mark to nothing', stock: 2, lowMark: 5, count: 2, told: [0] },
  ])('one order that takes the stock $what is told as it should be', async ({ stock, lowMark, count, told }) => {
    const bookId = await newBook(stock, lowMark);
    expect(await alertsOf(bookId, () => order(bookId, count))).toEqual(told);
  });

  test('copies that leave by another way than an order are told alike, and copies that come are not', async () => {
    const bookId = await newBook(10, 5);
    expect(await alertsOf(bookId, () => add(bookId, -4))).toEqual([]);
    expect(await alertsOf(bookId, () => add(bookId, -2))).toEqual([4]);
    expect(await alertsOf(bookId, () => add(bookId, -4))).toEqual([0]);
    expect(await alertsOf(bookId, () => add(bookId, 5))).toEqual([]);
    expect(await alertsOf(bookId, () => add(bookId, 5))).toEqual([]);
    expect(await alertsOf(bookId, () => add(bookId, -5))).toEqual([5]);
  });

  test('a cancellation is not told, and the mark can be passed again after it', async () => {
    const bookId = await newBook(8, 5);
    let orderId = '';
    const place = async () => {
      ({ orderId } = await order(bookId, 4));
    };
    expect(await alertsOf(bookId, place)).toEqual([4]);
    expect(await alertsOf(bookId, () => buyer.does('order:cancel', { orderId }))).toEqual([]);
    expect(await alertsOf(bookId, place)).toEqual([4]);
  });

  test('what is refused is not told', async () => {
    const bookId = await newBook(6, 5);
    const refuse = () => buyer.isRefused('order:place', { storeId: owner.storeId, items: [{ bookId, count: 7 }] });
    expect(await alertsOf(bookId, refuse)).toEqual([]);
    const takeTooMany = () => owner.post(`/stores/${owner.storeId}/books/${bookId}/stock`, { add: -7 });
    expect(await alertsOf(bookId, takeTooMany)).toEqual([]);
  });

  test('an answer that is replayed is not told again', async () => {
    const bookId = await newBook(6, 5);
    const message = { storeId: owner.storeId, items: [{ bookId, count: 1 }], key: 'alert-once' };
    expect(await alertsOf(bookId, () => buyer.does('order:place', message))).toEqual([5]);
    expect(await alertsOf(bookId, () => buyer.does('order:place', message))).toEqual([]);
  });

  test('each book of an order is told by itself', async () => {
    const [one, other, plenty] = [await newBook(6, 5), await newBook(1, 0), await newBook(100, 5)];
    const before = owner.stockAlerts.length;
    const items = [one, other, plenty].map((bookId) => ({ bookId, count: 1 }));
    await alertsOfAny(() => buyer.place(owner, items));
    const told = owner.stockAlerts.slice(before).map(({ bookId, stock }) => [bookId, stock]);
    expect(told.sort()).toEqual(
      [
        [one, 5],
        [other, 0],
      ].sort(),
    );
  });

  async function alertsOfAny(work: () => Promise<unknown>): Promise<void> {
    await work();
    await order('sentinel', 1);
    const { head } = await owner.does('room:read', { role: 'seller', after: 0, limit: 1 });
    await owner.hears(head);
  }

  test('an alert has no number: it holds the book, its stock and the time, and moves no room', async () => {
    const bookId = await newBook(6, 5);
    const { head } = await owner.does('room:read', { role: 'seller', after: 0, limit: 1 });
    expect(await alertsOf(bookId, () => add(bookId, -1))).toEqual([5]);
    expect(owner.stockAlerts.at(-1)).toStrictEqual({
      storeId: owner.storeId,
      bookId,
      stock: 5,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    // Only the order of the sentinel moved it.
    expect((await owner.does('room:read', { role: 'seller', after: head })).head).toBe(head + 1);
  });

  test('it goes to all sockets of the owner, and to nobody else', async () => {
    const second = await device(owner).connect();
    const customer = await listen(buyer);
    const stranger = await listen(await hub.seller());
    const bookId = await newBook(6, 5);
    expect(await alertsOf(bookId, () => order(bookId, 1))).toEqual([5]);
    await second.hears(2);
    expect(second.stockAlerts).toEqual(owner.stockAlerts.slice(-1));
    await customer.at.hears(2);
    // An answer to a later message: all that the socket was to be told before has come.
    await stranger.at.does('room:read', { role: 'seller', after: 0 });
    expect(inShort(stranger)).toEqual(['room:ready']);
    expect(inShort(customer)).not.toContain('book:stock');
  });

  test('a socket that is not up to date yet is told nothing of it', async () => {
    const bookId = await newBook(6, 5);
    const rooms = hub.hub.app.get(RoomsService);
    const heads = rooms.heads;
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let asked = false;
    rooms.heads = async (userId) => {
      asked = true;
      await held;
      return heads.call(rooms, userId);
    };
    const coming = listen(owner);
    await until('the hub looks where the present is', () => asked);
    rooms.heads = heads;
    expect(await alertsOf(bookId, () => order(bookId, 1))).toEqual([5]);
    letGo();
    expect(inShort(await coming)).toEqual(['room:ready']);
  });

  test('after all this the books balance', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
