import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { type Answer, KEY_HEADER, REPLAYED_HEADER, type Request, SEQ_HEADER } from '../../src/contract/wire.js';
import { SocketRegistry } from '../../src/platform/sockets/socket.registry.js';
import { audit } from '../support/audit.js';
import type { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { asAnswer, codeOf, dataOf, device, overHttp, pick, range, stopBoth, twoHubs, waysOf } from '../support/ways.js';

type Place = Request<'order:place'>;

/** Every visible ASCII character; two keys hold them all. */
const VISIBLE = range(94).map((index) => String.fromCharCode(33 + index));

describe('idempotency keys', () => {
  let here: TestHub;
  let there: TestHub;
  let seller: Person;
  let buyer: Person;
  let keys = 0;

  const newKey = () => `key-${++keys}`;
  const placing = (more: Partial<Place> = {}): Place => ({
    storeId: seller.storeId,
    items: [{ bookId: 'book-1', count: 1 }],
    ...more,
  });
  const shelf = () => `/stores/${seller.storeId}/books`;
  const ordersOf = async (person: Person) =>
    (await here.rows('SELECT order_id FROM orders WHERE buyer_id = ?', [person.userId])).length;

  beforeAll(async () => {
    ({ here, there } = await twoHubs());
    seller = await here.seller([{ stock: 100_000 }, { price: 10 ** 12, stock: 1_000_000 }]);
    buyer = await here.buyer(100_000_000);
    await Promise.all([buyer.connect(), seller.connect()]);
  });
  afterAll(() => stopBoth(here, there));

  /** Fifty equal answers, of which all but one are replays. */
  function expectOneEffect(answers: Answer<unknown>[]): void {
    expect(answers).toHaveLength(50);
    const [first] = answers.filter(({ replayed }) => replayed === undefined);
    const replays = answers.filter(({ replayed }) => replayed === true);
    expect(first).toMatchObject({ ok: true });
    expect(replays).toHaveLength(49);
    for (const answer of replays) expect(answer).toEqual({ ...first, replayed: true });
  }

  test('50 concurrent sends of one order place it once and get one answer', async () => {
    const person = await here.person();
    const ways = await waysOf(person, here, there, here);
    for (const _ of range(5)) {
      const before = await ordersOf(person);
      const message = placing({ key: newKey() });
      const answers = await Promise.all(range(50).map((index) => pick(ways, index)('order:place', message)));
      expectOneEffect(answers);
      expect(answers.map((answer) => answer.ok && answer.seq)).toEqual(range(50).map(() => before + 1));
      expect(await ordersOf(person)).toBe(before + 1);
    }
  });

  test('50 concurrent sends of one payment debit once and get one answer', async () => {
    const ways = await waysOf(buyer, here, there);
    const { orderId, total } = await buyer.place(seller);
    const before = await buyer.balance();
    const message = { orderId, key: newKey() };
    expectOneEffect(await Promise.all(range(50).map((index) => pick(ways, index)('order:pay', message))));
    expect(await buyer.balance()).toBe(before - total);
  });

  test.each([
    {
      what: 'a deposit',
      path: () => '/wallet/deposits',
      body: { amount: 700 },
      read: () => seller.balance(),
      change: 700,
    },
    {
      what: 'a withdrawal',
      path: () => '/wallet/withdrawals',
      body: { amount: 300 },
      read: () => seller.balance(),
      change: -300,
    },
    {
      what: 'a stock change',
      path: () => `${shelf()}/book-1/stock`,
      body: { add: 5 },
      read: () => seller.stock(),
      change: 5,
    },
  ])('50 concurrent sends of $what take effect once', async ({ path, body, read, change }) => {
    await seller.deposit(1_000);
    const before = await read();
    const devices = [device(seller, here), device(seller, there)];
    const key = newKey();
    const answers = await Promise.all(
      range(50).map(async (index) => {
        const at = pick(devices, index);
        // A key is the same in the header and in the body.
        const sent = index % 4 < 2 ? { ...body, key } : body;
        return asAnswer<unknown>(await at.post(path(), sent, index % 4 < 2 ? {} : { [KEY_HEADER]: key }));
      }),
    );
    expectOneEffect(answers);
    expect(await read()).toBe(before + change);
  });

  describe('a key with another message', () => {
    const key = 'reused';
    let placed: Order;

    beforeAll(async () => {
      placed = await buyer.does('order:place', placing({ key }));
    });

    test.each<[string, () => Promise<Answer<unknown>>]>([
      ['another count', () => buyer.send('order:place', placing({ key, items: [{ bookId: 'book-1', count: 2 }] }))],
      ['another book', () => buyer.send('order:place', placing({ key, items: [{ bookId: 'book-2', count: 1 }] }))],
      ['another store', () => buyer.send('order:place', placing({ key, storeId: 'no-such-store' }))],
      ['an additional field', () => buyer.send('order:place', placing({ key, expectedTotal: 1_000 }))],
      ['another command', () => buyer.send('order:pay', { orderId: placed.orderId, key })],
      ['another command over HTTP', () => overHttp(buyer, 'order:cancel', { orderId: placed.orderId, key })],
      ['a deposit', async () => asAnswer(await buyer.post('/wallet/deposits', { amount: 5, key }))],
      ['a withdrawal', async () => asAnswer(await buyer.post('/wallet/withdrawals', { amount: 5, key }))],
    ])('is KEY_REUSED and has no effect: %s', async (_, send) => {
      const before = [await buyer.balance(), await ordersOf(buyer)];
      const answer = await send();
      expect(answer).toMatchObject({ ok: false, error: { code: 'KEY_REUSED', retryable: false } });
      expect([await buyer.balance(), await ordersOf(buyer)]).toEqual(before);
    });

    test('still replays the first answer to the first message', async () => {
      expect(await buyer.send('order:place', placing({ key }))).toMatchObject({
        ok: true,
        data: placed,
        replayed: true,
      });
    });

    test('is KEY_REUSED for a withdrawal after a deposit of the same amount', async () => {
      const body = { amount: 5, key: newKey() };
      expect((await buyer.post('/wallet/deposits', body)).status).toBe(200);
      const { status, body: answer } = await buyer.post<{ error: unknown }>('/wallet/withdrawals', body);
      expect(status).toBe(422);
      expect(answer.error).toMatchObject({ code: 'KEY_REUSED' });
    });

    test('is KEY_REUSED for one of two concurrent messages, and only the other takes effect', async () => {
      for (const round of range(10)) {
        const shared = newKey();
        const before = await ordersOf(buyer);
        const [one, other] = await Promise.all([
          buyer.send('order:place', placing({ key: shared })),
          overHttp(device(buyer, there), 'order:place', placing({ key: shared, expectedTotal: 1_000 })),
        ]);
        expect([codeOf(one), codeOf(other)].sort()).toEqual(['KEY_REUSED', 'OK']);
        expect({ round, orders: await ordersOf(buyer) }).toEqual({ round, orders: before + 1 });
      }
    });
  });

  test('a message with its fields reordered is the same message', async () => {
    const key = newKey();
    const first = await buyer.send('order:place', {
      storeId: seller.storeId,
      items: [{ bookId: 'book-1', count: 2 }],
      expectedTotal: 2_000,
      key,
    });
    const again = await buyer.send('order:place', {
      key,
      expectedTotal: 2_000,
      items: [{ count: 2, bookId: 'book-1' }],
      storeId: seller.storeId,
    });
    expect(first.ok).toBe(true);
    expect(again).toEqual({ ...first, replayed: true });
  });

  test('an answer over a socket is replayed over HTTP, with Event-Seq and Idempotency-Replayed', async () => {
    const key = newKey();
    const first = await buyer.send('order:place', placing({ key }));
    const { status, headers, body } = await buyer.post('/orders', placing(), { [KEY_HEADER]: key });
    expect(status).toBe(201);
    expect(body).toEqual(dataOf(first));
    expect(headers.get(REPLAYED_HEADER)).toBe('true');
    expect(headers.get(SEQ_HEADER)).toBe(String(first.ok && first.seq));
  });

  test('an answer over HTTP is replayed over a socket', async () => {
    const key = newKey();
    const { status, headers, body } = await buyer.post<Order>('/orders', { ...placing(), key });
    expect(status).toBe(201);
    expect(headers.get(REPLAYED_HEADER)).toBeNull();
    expect(await buyer.send('order:place', placing({ key }))).toEqual({
      ok: true,
      data: body,
      seq: Number(headers.get(SEQ_HEADER)),
      replayed: true,
    });
    const { orderId } = body;
    const payKey = newKey();
    const paid = await overHttp(buyer, 'order:pay', { orderId, key: payKey });
    expect(paid.ok).toBe(true);
    expect(await buyer.send('order:pay', { orderId, key: payKey })).toEqual({ ...paid, replayed: true });
  });

  test('different keys in header and body are BAD_MESSAGE, equal ones are one key', async () => {
    const key = newKey();
    const differing = await buyer.post<{ error: unknown }>('/orders', placing({ key }), { [KEY_HEADER]: `${key}-2` });
    expect(differing.status).toBe(400);
    expect(differing.body.error).toMatchObject({ code: 'BAD_MESSAGE', details: [{ path: 'key' }] });
    const same = await buyer.post('/orders', placing({ key }), { [KEY_HEADER]: key });
    expect([same.status, same.headers.get(REPLAYED_HEADER)]).toEqual([201, null]);
  });

  test('OUT_OF_STOCK is replayed on every hub after restocking', async () => {
    await seller.post(shelf(), { bookId: 'late', title: 'Late', price: 100, stock: 0 });
    const message = placing({ items: [{ bookId: 'late', count: 1 }], key: newKey() });
    const first = await buyer.send('order:place', message);
    expect(first).toEqual({
      ok: false,
      error: {
        code: 'OUT_OF_STOCK',
        message: expect.any(String),
        retryable: false,
        details: { bookId: 'late', wanted: 1, available: 0 },
      },
    });
    await seller.post(`${shelf()}/late/stock`, { add: 3 });
    expect(await buyer.send('order:place', message)).toEqual({ ...first, replayed: true });
    expect(await overHttp(device(buyer, there), 'order:place', message)).toEqual({ ...first, replayed: true });
    expect(await seller.stock('late')).toBe(3);
    expect((await buyer.send('order:place', { ...message, key: newKey() })).ok).toBe(true);
  });

  test.each<[string, () => Promise<{ send: () => Promise<Answer<unknown>>; resolve: () => Promise<unknown> }>]>([
    [
      'BOOK_NOT_FOUND',
      async () => ({
        send: () =>
          buyer.send('order:place', placing({ items: [{ bookId: 'unlisted', count: 1 }], key: 'stored-book' })),
        resolve: () => seller.post(shelf(), { bookId: 'unlisted', title: 'Listed', price: 1, stock: 1 }),
      }),
    ],
    [
      'STORE_NOT_FOUND',
      async () => ({
        send: () => buyer.send('order:place', placing({ storeId: 'unopened', key: 'stored-store' })),
        resolve: () => seller.post('/stores', { storeId: 'unopened' }),
      }),
    ],
    [
      'PRICE_CHANGED',
      async () => ({
        send: () => buyer.send('order:place', placing({ expectedTotal: 999, key: 'stored-price' })),
        resolve: () => seller.patch(`${shelf()}/book-1`, { price: 999 }),
      }),
    ],
    [
      'ORDER_STATE',
      async () => {
        const { orderId } = await buyer.place(seller);
        return {
          send: () => seller.send('order:ship', { orderId, key: 'stored-state' }),
          resolve: () => buyer.does('order:pay', { orderId }),
        };
      },
    ],
    [
      'INSUFFICIENT_FUNDS',
      async () => {
        const poor = await here.person();
        await poor.connect();
        const { orderId } = await poor.place(seller);
        return {
          send: () => poor.send('order:pay', { orderId, key: 'stored-funds' }),
          resolve: () => poor.deposit(1_000_000),
        };
      },
    ],
    [
      'FORBIDDEN',
      async () => {
        const { orderId } = await buyer.place(seller);
        return {
          send: () => seller.send('order:pay', { orderId, key: 'stored-no' }),
          resolve: () => buyer.does('order:pay', { orderId }),
        };
      },
    ],
  ])('%s is stored under its key and replayed after its cause is gone', async (code, prepare) => {
    const { send, resolve } = await prepare();
    const first = await send();
    expect(first).toMatchObject({ ok: false, error: { code, retryable: false } });
    expect(first.replayed).toBeUndefined();
    await resolve();
    expect(await send()).toEqual({ ...first, replayed: true });
  });

  test.each<[string, (key: string) => Promise<Answer<unknown>>, (key: string) => Promise<Answer<unknown>>]>([
    [
      'an empty list of items',
      (key) => buyer.sendRaw('order:place', { ...placing({ key }), items: [] }),
      (key) => buyer.send('order:place', placing({ key })),
    ],
    [
      'an unlisted field',
      (key) => buyer.sendRaw('order:place', { ...placing({ key }), remark: 'quick' }),
      (key) => buyer.send('order:place', placing({ key })),
    ],
    [
      'a total beyond 2^53−1',
      (key) => buyer.send('order:place', placing({ items: [{ bookId: 'book-2', count: 1_000_000 }], key })),
      (key) => buyer.send('order:place', placing({ key })),
    ],
    [
      'a stock above the limit',
      async (key) => asAnswer(await seller.post(`${shelf()}/book-2/stock`, { add: 1_000_000, key })),
      async (key) => asAnswer(await seller.post(`${shelf()}/book-2/stock`, { add: -1, key })),
    ],
  ])('BAD_MESSAGE is not stored: %s', async (_, sendBad, sendGood) => {
    const key = newKey();
    for (const _attempt of range(2)) {
      const bad = await sendBad(key);
      expect(bad).toMatchObject({ ok: false, error: { code: 'BAD_MESSAGE', retryable: false } });
      expect(bad.replayed).toBeUndefined();
    }
    const good = await sendGood(key);
    expect(good).toMatchObject({ ok: true });
    expect(good.replayed).toBeUndefined();
  });

  test('UNAVAILABLE of a draining hub is not stored', async () => {
    const registry = here.hub.app.get(SocketRegistry);
    const message = placing({ key: newKey() });
    registry.draining = true;
    for (const _ of range(2)) {
      expect(await buyer.send('order:place', message)).toEqual({
        ok: false,
        error: { code: 'UNAVAILABLE', message: expect.any(String), retryable: true },
      });
    }
    registry.draining = false;
    const answer = await buyer.send('order:place', message);
    expect(answer).toMatchObject({ ok: true, data: { status: 'placed' } });
    expect(answer.replayed).toBeUndefined();
  });

  test.each(['room_events', 'wallet_entries'])(
    'INTERNAL is not stored: the key succeeds once the table %s is back',
    async (table) => {
      const { orderId, total } = await buyer.place(seller);
      const before = await buyer.balance();
      const message = { orderId, key: newKey() };
      await here.database.writer.query(`ALTER TABLE ${table} RENAME TO renamed`);
      const failed = await buyer.send('order:pay', message);
      await here.database.writer.query(`ALTER TABLE renamed RENAME TO ${table}`);
      expect(failed).toEqual({
        ok: false,
        error: {
          code: 'INTERNAL',
          message: expect.not.stringContaining(table),
          retryable: true,
          details: { errorId: expect.any(String) },
        },
      });
      expect(await buyer.balance()).toBe(before);
      const answer = await buyer.send('order:pay', message);
      expect(answer).toMatchObject({ ok: true, data: { status: 'paid', version: 2 } });
      expect(answer.replayed).toBeUndefined();
      expect(await buyer.balance()).toBe(before - total);
    },
  );

  test('a key belongs to its user', async () => {
    const people = await Promise.all(range(3).map(() => here.person()));
    const key = 'shared';
    const answers = await Promise.all(
      people.map(async (person) => (await person.connect()).send('order:place', placing({ key }))),
    );
    for (const [index, answer] of answers.entries()) {
      expect(answer.replayed).toBeUndefined();
      expect(dataOf(answer).buyerId).toBe(pick(people, index).userId);
    }
    expect(new Set(answers.map((answer) => dataOf(answer).orderId)).size).toBe(3);
  });

  test('a placement is replayed as answered, though the order has moved on', async () => {
    const message = placing({ key: newKey() });
    const first = await buyer.send('order:place', message);
    const { orderId } = dataOf(first);
    await buyer.does('order:pay', { orderId });
    await seller.does('order:ship', { orderId, carrier: 'Post' });
    const again = await buyer.send('order:place', message);
    expect(again).toEqual({ ...first, replayed: true });
    expect(dataOf(again)).toMatchObject({ status: 'placed', version: 1, paidAt: null, allowed: ['pay', 'cancel'] });
  });

  test.each([
    ['the first visible character', '!'],
    ['the last visible character', '~'],
    ['64 characters', '~'.repeat(64)],
    ['the visible characters up to O', VISIBLE.slice(0, 47).join('')],
    ['the visible characters from P on', VISIBLE.slice(47).join('')],
  ])('a key may be %s', async (_, key) => {
    const first = await buyer.send('order:place', placing({ key }));
    expect(first).toMatchObject({ ok: true });
    expect(await buyer.send('order:place', placing({ key }))).toEqual({ ...first, replayed: true });
    expect(await overHttp(buyer, 'order:place', placing({ key }))).toEqual({ ...first, replayed: true });
  });

  test.each<[string, unknown]>([
    ['empty', ''],
    ['65 characters', 'x'.repeat(65)],
    ['a space', ' '],
    ['a key with a space inside', 'a b'],
    ['a key with a trailing space', 'a '],
    ['a key with a trailing line break', 'a\n'],
    ['a tab', '\t'],
    ['the delete character', '\x7f'],
    ['a letter with an accent', 'é'],
    ['a Chinese character', '书'],
    ['a fullwidth exclamation mark', '\uff01'],
    ['the null character', '\0'],
    ['a number', 1],
    ['null', null],
    ['a list', ['a']],
  ])('a key may not be %s', async (_, key) => {
    const before = await ordersOf(buyer);
    expect(await buyer.sendRaw('order:place', { ...placing(), key })).toMatchObject({
      ok: false,
      error: { code: 'BAD_MESSAGE', retryable: false, details: [{ path: 'key', problem: expect.any(String) }] },
    });
    expect(await ordersOf(buyer)).toBe(before);
  });

  test.each([
    ['empty', ''],
    ['65 characters', 'x'.repeat(65)],
    ['a key with a space inside', 'a b'],
    ['a letter with an accent', 'é'],
  ])('the header may not be %s', async (_, key) => {
    const { status, body } = await buyer.post<{ error: unknown }>('/orders', placing(), { [KEY_HEADER]: key });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'BAD_MESSAGE', details: [{ path: 'key' }] });
  });

  test('keys that differ in letter case or in their last characters are different keys', async () => {
    const keysApart = ['Apart', 'apart', 'APART', 'apart!', 'apart!!', 'apart~', 'apart0', 'apart%', 'apart_', 'aparT'];
    const answers = await Promise.all(keysApart.map((key) => buyer.send('order:place', placing({ key }))));
    expect(answers.map(({ replayed }) => replayed)).toEqual(keysApart.map(() => undefined));
    expect(new Set(answers.map((answer) => dataOf(answer).orderId)).size).toBe(keysApart.length);
    const again = await Promise.all(keysApart.map((key) => buyer.send('order:place', placing({ key }))));
    expect(again).toEqual(answers.map((answer) => ({ ...answer, replayed: true })));
  });

  test('answers are replayed after a restart', async () => {
    const [valid, rejected] = [placing({ key: newKey() }), placing({ key: newKey(), expectedTotal: 1 })];
    const before = [await buyer.send('order:place', valid), await buyer.send('order:place', rejected)];
    const deposit = { amount: 50, key: newKey() };
    const deposited = await buyer.post('/wallet/deposits', deposit);
    const wasSingle = here === there;
    here = await here.restart();
    if (wasSingle) there = here;

    const restarted = await device(buyer, here).connect();
    const after = [await restarted.send('order:place', valid), await restarted.send('order:place', rejected)];
    expect(before.map(codeOf)).toEqual(['OK', 'PRICE_CHANGED']);
    expect(after).toEqual(before.map((answer) => ({ ...answer, replayed: true })));
    const again = await restarted.post('/wallet/deposits', deposit);
    expect([again.headers.get(REPLAYED_HEADER), again.body]).toEqual(['true', deposited.body]);
  });

  test('passes the audit', async () => {
    expect(await audit(here)).toEqual([]);
  });
});
