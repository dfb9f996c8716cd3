import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RoomsService } from '../../src/rooms/rooms.service.js';
import { audit } from '../support/audit.js';
import { inShort, listen } from '../support/event.recorder.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { device } from '../support/ways.js';

describe('stock alerts', () => {
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
  const place = (bookId: string, count: number) => buyer.place(owner, [{ bookId, count }]);
  const add = async (bookId: string, copies: number) => {
    const { status } = await owner.post(`/stores/${owner.storeId}/books/${bookId}/stock`, { add: copies });
    expect(status).toBe(200);
  };

  /** The stocks in the alerts that `work` causes. A later event follows them, so they have arrived when it does. */
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

  test('are pushed when orders take the stock to the low mark, and to zero', async () => {
    const bookId = await newBook(10, 5);
    expect(await alertsOf(bookId, () => place(bookId, 4))).toEqual([]);
    expect(await alertsOf(bookId, () => place(bookId, 1))).toEqual([5]);
    expect(await alertsOf(bookId, () => place(bookId, 1))).toEqual([]);
    expect(await alertsOf(bookId, () => place(bookId, 3))).toEqual([]);
    expect(await alertsOf(bookId, () => place(bookId, 1))).toEqual([0]);
  });

  test('use a low mark of 5 by default', async () => {
    const bookId = await newBook(7);
    expect(await alertsOf(bookId, () => place(bookId, 1))).toEqual([]);
    expect(await alertsOf(bookId, () => place(bookId, 1))).toEqual([5]);
  });

  test.each([
    { what: 'past the mark', stock: 10, lowMark: 5, count: 8, alerts: [2] },
    { what: 'past the mark to zero', stock: 10, lowMark: 5, count: 10, alerts: [0] },
    { what: 'to zero with a mark of 0', stock: 3, lowMark: 0, count: 3, alerts: [0] },
    { what: 'not to zero with a mark of 0', stock: 3, lowMark: 0, count: 2, alerts: [] },
    { what: 'from the mark to below it', stock: 5, lowMark: 5, count: 1, alerts: [] },
    { what: 'from below the mark to zero', stock: 2, lowMark: 5, count: 2, alerts: [0] },
  ])('for an order that takes the stock $what: $alerts', async ({ stock, lowMark, count, alerts }) => {
    const bookId = await newBook(stock, lowMark);
    expect(await alertsOf(bookId, () => place(bookId, count))).toEqual(alerts);
  });

  test('are pushed for stock reductions too, and not for increases', async () => {
    const bookId = await newBook(10, 5);
    expect(await alertsOf(bookId, () => add(bookId, -4))).toEqual([]);
    expect(await alertsOf(bookId, () => add(bookId, -2))).toEqual([4]);
    expect(await alertsOf(bookId, () => add(bookId, -4))).toEqual([0]);
    expect(await alertsOf(bookId, () => add(bookId, 5))).toEqual([]);
    expect(await alertsOf(bookId, () => add(bookId, 5))).toEqual([]);
    expect(await alertsOf(bookId, () => add(bookId, -5))).toEqual([5]);
  });

  test('are not pushed for a cancellation, after which the mark can be passed again', async () => {
    const bookId = await newBook(8, 5);
    let orderId = '';
    const placeFour = async () => {
      ({ orderId } = await place(bookId, 4));
    };
    expect(await alertsOf(bookId, placeFour)).toEqual([4]);
    expect(await alertsOf(bookId, () => buyer.does('order:cancel', { orderId }))).toEqual([]);
    expect(await alertsOf(bookId, placeFour)).toEqual([4]);
  });

  test('are not pushed for rejected commands', async () => {
    const bookId = await newBook(6, 5);
    const placeTooMany = () =>
      buyer.isRefused('order:place', { storeId: owner.storeId, items: [{ bookId, count: 7 }] });
    expect(await alertsOf(bookId, placeTooMany)).toEqual([]);
    const removeTooMany = () => owner.post(`/stores/${owner.storeId}/books/${bookId}/stock`, { add: -7 });
    expect(await alertsOf(bookId, removeTooMany)).toEqual([]);
  });

  test('are not pushed again for a replayed answer', async () => {
    const bookId = await newBook(6, 5);
    const message = { storeId: owner.storeId, items: [{ bookId, count: 1 }], key: 'alert-once' };
    expect(await alertsOf(bookId, () => buyer.does('order:place', message))).toEqual([5]);
    expect(await alertsOf(bookId, () => buyer.does('order:place', message))).toEqual([]);
  });

  test('are pushed for each book of an order', async () => {
    const [one, other, plenty] = [await newBook(6, 5), await newBook(1, 0), await newBook(100, 5)];
    const before = owner.stockAlerts.length;
    const items = [one, other, plenty].map((bookId) => ({ bookId, count: 1 }));
    await buyer.place(owner, items);
    await place('sentinel', 1);
    const { head } = await owner.does('room:read', { role: 'seller', after: 0, limit: 1 });
    await owner.hears(head);
    const alerts = owner.stockAlerts.slice(before).map(({ bookId, stock }) => [bookId, stock]);
    expect(alerts.sort()).toEqual(
      [
        [one, 5],
        [other, 0],
      ].sort(),
    );
  });

  test('hold the book, its stock and the time, have no seq and move no room', async () => {
    const bookId = await newBook(6, 5);
    const { head } = await owner.does('room:read', { role: 'seller', after: 0, limit: 1 });
    expect(await alertsOf(bookId, () => add(bookId, -1))).toEqual([5]);
    expect(owner.stockAlerts.at(-1)).toStrictEqual({
      storeId: owner.storeId,
      bookId,
      stock: 5,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    // Only the sentinel's order moved it.
    expect((await owner.does('room:read', { role: 'seller', after: head })).head).toBe(head + 1);
  });

  test('are pushed to the owner’s sockets only', async () => {
    const second = await device(owner).connect();
    const customer = await listen(buyer);
    const stranger = await listen(await hub.seller());
    const bookId = await newBook(6, 5);
    expect(await alertsOf(bookId, () => place(bookId, 1))).toEqual([5]);
    await second.hears(2);
    expect(second.stockAlerts).toEqual(owner.stockAlerts.slice(-1));
    await customer.at.hears(2);
    // The answer to a later message follows every earlier push.
    await stranger.at.does('room:read', { role: 'seller', after: 0 });
    expect(inShort(stranger)).toEqual(['room:ready']);
    expect(inShort(customer)).not.toContain('book:stock');
  });

  test('are not pushed to a socket before room:ready', async () => {
    const bookId = await newBook(6, 5);
    const rooms = hub.hub.app.get(RoomsService);
    const heads = rooms.heads;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let requested = false;
    rooms.heads = async (userId) => {
      requested = true;
      await held;
      return heads.call(rooms, userId);
    };
    const connecting = listen(owner);
    await until('the hub reads the heads', () => requested);
    rooms.heads = heads;
    expect(await alertsOf(bookId, () => place(bookId, 1))).toEqual([5]);
    release();
    expect(inShort(await connecting)).toEqual(['room:ready']);
  });

  test('pass the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
