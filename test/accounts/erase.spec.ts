import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { LoggedIn } from '../../src/contract/auth.js';
import { WordsRetention } from '../../src/orders/words.retention.js';
import { Clock } from '../../src/platform/clock/clock.js';
import { audit } from '../support/audit.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { type Failure, faultPaths } from '../support/refused.js';
import { range } from '../support/ways.js';

const OPERATOR_KEY = 'the-operators-key-of-this-very-shop';
const DAY_MS = 86_400_000;
const deliverTo = { name: 'Lin', lines: ['1 Elm Street'], phone: '555' };

describe('erasing', () => {
  let hub: TestHub;
  let seller: Person;
  let operator: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ operatorKey: OPERATOR_KEY });
    seller = await hub.seller([{ stock: 100_000 }]);
    await seller.connect();
    operator = new Person(hub, 'operator', OPERATOR_KEY);
  });
  afterAll(() => hub.stop());

  const erase = (by: Person, request: object = { password: PASSWORD }) => by.post<Failure>('/me/erase', request);
  /** An order with an address and a note of each party, moved on by these steps. */
  async function order(buyer: Person, ...steps: ('pay' | 'ship' | 'receive' | 'cancel')[]): Promise<string> {
    const items = [{ bookId: 'book-1', count: 1 }];
    const { orderId } = await buyer.does('order:place', {
      storeId: seller.storeId,
      items,
      deliverTo,
      note: 'of the buyer',
    });
    await seller.does('order:note', { orderId, text: 'of the seller' });
    for (const step of steps) await (step === 'ship' ? seller : buyer).does(`order:${step}`, { orderId });
    return orderId;
  }
  const wordsOf = async (by: Person, orderId: string) => {
    const { deliverTo: to, notes } = await by.does('order:get', { orderId });
    return [to === null ? null : to.name, ...notes.map(({ text }) => text)];
  };

  test('erases all words of what the caller bought, and leaves sums, items and the ledger', async () => {
    const buyer = await hub.buyer();
    const [received, cancelled] = [await order(buyer, 'pay', 'ship', 'receive'), await order(buyer, 'cancel')];
    const other = await hub.buyer();
    const others = await order(other, 'cancel');
    const read = async () => {
      const { items, total, status, timeline } = await buyer.does('order:get', { orderId: received });
      return { items, total, status, timeline, ledger: (await buyer.get('/wallet/entries')).body };
    };
    const before = await read();
    expect((await erase(buyer)).status).toBe(204);
    expect(await read()).toEqual(before);
    for (const orderId of [received, cancelled]) {
      expect(await wordsOf(buyer, orderId)).toEqual([null, null, null]);
      expect(await wordsOf(seller, orderId)).toEqual([null, null, null]);
    }
    expect(await wordsOf(other, others)).toEqual(['Lin', 'of the buyer', 'of the seller']);
    expect((await erase(buyer)).status).toBe(204);
  });

  test('erases of what the caller sold only the caller’s own notes', async () => {
    const [shop, buyer] = [await hub.seller(), await hub.buyer()];
    const items = [{ bookId: 'book-1', count: 1 }];
    const { orderId } = await buyer.does('order:place', {
      storeId: shop.storeId,
      items,
      deliverTo,
      note: 'of the buyer',
    });
    await shop.does('order:note', { orderId, text: 'of the shop' });
    await shop.does('order:cancel', { orderId });
    expect((await erase(shop)).status).toBe(204);
    expect(await wordsOf(buyer, orderId)).toEqual(['Lin', 'of the buyer', null]);
  });

  test.each(['buyer', 'seller'] as const)(
    'is refused with ORDER_STATE while the %s has an open order',
    async (role) => {
      const [shop, buyer] = [await hub.seller(), await hub.buyer(5_000)];
      const { orderId } = await buyer.place(shop);
      const caller = role === 'buyer' ? buyer : shop;
      const { status, body } = await erase(caller);
      expect([status, body.error.code, body.error.details]).toEqual([
        409,
        'ORDER_STATE',
        { open: 1, balance: role === 'buyer' ? 5_000 : 0 },
      ]);
      await buyer.does('order:cancel', { orderId });
      expect((await erase(caller)).status).toBe(204);
    },
  );

  test('needs the password of a user who has one', async () => {
    const buyer = await hub.buyer();
    const orderId = await order(buyer, 'cancel');
    for (const request of [{}, { password: 'not the password' }]) {
      const { status, body } = await erase(buyer, request);
      expect([status, body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
    }
    expect(await wordsOf(buyer, orderId)).toEqual(['Lin', 'of the buyer', 'of the seller']);
  });

  test('needs a session alone of a user without a password', async () => {
    const { body } = await operator.post<LoggedIn>('/auth/sessions', { userId: 'no-password' });
    const user = new Person(hub, 'no-password', body.token);
    const orderId = await order(user, 'cancel');
    expect((await erase(user, { password: PASSWORD })).body.error.code).toBe('UNAUTHENTICATED');
    expect((await erase(user, {})).status).toBe(204);
    expect(await wordsOf(seller, orderId)).toEqual([null, null, null]);
    user.disconnect();
  });

  test('is done by the operator’s key for the user that it names, also one who has unregistered', async () => {
    const buyer = await hub.buyer(0);
    const orderId = await order(buyer, 'cancel');
    const unnamed = await erase(operator, {});
    expect([unnamed.status, faultPaths(unnamed.body.error)]).toEqual([400, ['userId']]);
    const unknown = await erase(operator, { userId: 'nobody' });
    expect([unknown.status, unknown.body.error.code]).toEqual([404, 'USER_NOT_FOUND']);
    expect((await buyer.post('/auth/unregister', { password: PASSWORD })).status).toBe(204);
    expect((await erase(operator, { userId: buyer.userId })).status).toBe(204);
    expect(await wordsOf(seller, orderId)).toEqual([null, null, null]);
  });

  test('is FORBIDDEN for another user, and for an API key', async () => {
    const buyer = await hub.buyer();
    const named = await erase(buyer, { userId: seller.userId, password: PASSWORD });
    expect([named.status, named.body.error.details]).toEqual([403, { right: 'sessions' }]);
    const { body } = await buyer.post<{ secret: string }>('/auth/keys', {
      name: 'all',
      rights: ['read', 'buy', 'sell', 'money'],
    });
    const program = new Person(hub, buyer.userId, body.secret);
    expect((await erase(program)).body.error).toMatchObject({ code: 'FORBIDDEN', details: { right: 'sessions' } });
  });

  test('leaves a replay of what was said before as it was', async () => {
    const buyer = await hub.buyer();
    const request = {
      storeId: seller.storeId,
      items: [{ bookId: 'book-1', count: 1 }],
      deliverTo,
      note: 'x',
      key: 'erased',
    };
    const first = await buyer.send('order:place', request);
    const { items } = await buyer.does('order:list', { role: 'buyer' });
    await buyer.does('order:cancel', { orderId: items[0]?.orderId ?? '' });
    expect((await erase(buyer)).status).toBe(204);
    expect(await buyer.send('order:place', request)).toEqual({ ...first, replayed: true });
  });

  test('passes the audit', async () => {
    expect(await audit(hub, { erased: true })).toEqual([]);
  });
});

describe('KEEP_PERSONAL_DAYS', () => {
  const KEPT_DAYS = 30;
  /** More than one page of erasing. */
  const MANY = 600;
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ keepPersonalDays: KEPT_DAYS });
    seller = await hub.seller([{ stock: 100_000 }]);
    buyer = await hub.buyer(10 ** 9);
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(() => hub.stop());

  const items = [{ bookId: 'book-1', count: 1 }];
  const place = () => buyer.does('order:place', { storeId: seller.storeId, items, deliverTo, note: 'x' });
  const left = async () => {
    const tables = ['order_addresses', 'order_notes'];
    const rows = await Promise.all(
      tables.map((table) => hub.rows<{ order_id: string }>(`SELECT order_id FROM ${table}`)),
    );
    return rows.map((found) => found.map((row) => row.order_id).sort());
  };

  test('erases all words that long after an order’s end, and of no other order', async () => {
    const orders = await Promise.all(range(MANY).map(place));
    const open = orders.slice(0, 3).map(({ orderId }) => orderId);
    await Promise.all(orders.slice(3).map(({ orderId }) => buyer.does('order:cancel', { orderId })));
    const recent = orders.slice(3, 6).map(({ orderId }) => orderId);
    const now = hub.hub.app.get(Clock).now();
    const retention = hub.hub.app.get(WordsRetention);
    await retention.purge(now + KEPT_DAYS * DAY_MS - 60_000);
    expect((await left()).map((found) => found.length)).toEqual([MANY, MANY]);
    const sql = 'UPDATE orders SET cancelled_at = cancelled_at + 600000 WHERE order_id = ?';
    for (const orderId of recent) await hub.database.transaction((tx) => tx.query(sql, [orderId]));
    await retention.purge(now + KEPT_DAYS * DAY_MS + 300_000);
    const kept = [...open, ...recent].sort();
    expect(await left()).toEqual([kept, kept]);
  });

  test('does so soon after the start of a hub', async () => {
    const { orderId } = await place();
    await buyer.does('order:cancel', { orderId });
    const sql = 'UPDATE orders SET cancelled_at = ? WHERE order_id = ?';
    await hub.database.transaction((tx) => tx.query(sql, [Date.now() - (KEPT_DAYS + 1) * DAY_MS, orderId]));
    // The order's id says that it was placed just now: as if it had been placed before, too.
    const early = `018f0000${orderId.slice(8)}`;
    for (const table of ['orders', 'order_addresses', 'order_notes']) {
      await hub.database.transaction((tx) =>
        tx.query(`UPDATE ${table} SET order_id = ? WHERE order_id = ?`, [early, orderId]),
      );
    }
    await hub.database.transaction((tx) => tx.query("DELETE FROM leases WHERE name = 'personal-data'"));
    hub = await hub.restart();
    await until('the words are erased', async () => !(await left()).flat().includes(early), 60_000);
  });
});
