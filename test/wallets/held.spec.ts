import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { OrderScheduler } from '../../src/orders/order.scheduler.js';
import { audit } from '../support/audit.js';
import { contents } from '../support/contents.js';
import { TestHub } from '../support/hub.js';
import { fillTo, movementsOf } from '../support/ledger.js';
import type { Person } from '../support/person.js';
import { give, ways } from '../support/two.ways.js';

const BALANCE_MAX = 2 ** 53 - 1;
const MONEY = 10_000;
const PRICE = 700;
const TOTAL = 2 * PRICE;
/** The contract's second, doubled for a loaded machine. */
const DUE_WITHIN_MS = 2_000;
const SHIP_SECONDS = 3 * 86_400;
const RECEIVE_SECONDS = 14 * 86_400;

/** What orders gained after `shipBy`: the counts of their lines, and their acceptance. */
const LINES = ['refunded', 'parcels'];
const ACCEPTANCE = ['acceptBy', 'acceptedAt', 'readyAt'];
const STAFF = ['seenAt', 'claim'];
const ITEMS = [{ bookId: 'book-1', count: 2 }];

async function marketOf(hub: TestHub): Promise<{ buyer: Person; seller: Person }> {
  const [buyer, seller] = [await hub.buyer(MONEY), await hub.seller([{ price: PRICE, stock: 100 }])];
  await Promise.all([buyer.connect(), seller.connect()]);
  return { buyer, seller };
}

async function paidOrder(buyer: Person, seller: Person): Promise<Order> {
  const { orderId } = await buyer.place(seller, ITEMS);
  return buyer.does('order:pay', { orderId });
}

async function shippedOrder(buyer: Person, seller: Person): Promise<Order> {
  const { orderId } = await paidOrder(buyer, seller);
  return seller.does('order:ship', { orderId });
}

describe('under SETTLE_AT=received', () => {
  let hub: TestHub;
  let buyer: Person;
  let seller: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ settleAt: 'received' });
  });
  afterAll(() => hub.stop());

  describe.each(ways)('over %s', (way) => {
    beforeAll(async () => {
      ({ buyer, seller } = await marketOf(hub));
    });

    test('paying moves the buyer’s money into what is held for the seller, without an entry of the seller’s', async () => {
      const { orderId } = await buyer.place(seller, ITEMS);
      const answer = await give(way, buyer, 'order:pay', { orderId });
      expect(answer).toMatchObject({ ok: true, data: { status: 'paid', shipBy: null } });
      expect(await buyer.wallet()).toEqual({ balance: MONEY - TOTAL, held: 0 });
      expect(await seller.wallet()).toEqual({ balance: 0, held: TOTAL });
      expect(await movementsOf(seller)).toEqual([]);
      expect((await movementsOf(buyer))[0]).toEqual(['payment', -TOTAL, MONEY - TOTAL, orderId]);
      expect(await seller.post('/wallet/withdrawals', { amount: 1 })).toMatchObject({
        status: 402,
        body: { error: { code: 'INSUFFICIENT_FUNDS', details: { needed: 1, balance: 0 } } },
      });

      await seller.does('order:ship', { orderId });
      expect(await seller.wallet()).toEqual({ balance: 0, held: TOTAL });
      expect(await give(way, buyer, 'order:receive', { orderId })).toMatchObject({ ok: true });
      expect(await seller.wallet()).toEqual({ balance: TOTAL, held: 0 });
      expect(await movementsOf(seller)).toEqual([['sale', TOTAL, TOTAL, orderId]]);
      expect(await buyer.wallet()).toEqual({ balance: MONEY - TOTAL, held: 0 });
    });

    test.each(['buyer', 'seller'] as const)(
      'the %s can cancel a paid order whatever the seller has withdrawn',
      async (by) => {
        const { balance } = await seller.wallet();
        if (balance > 0) await seller.post('/wallet/withdrawals', { amount: balance });
        const before = await buyer.wallet();
        const sellersEntries = await movementsOf(seller);
        const [stock, other] = [await seller.stock(), await paidOrder(buyer, seller)];
        const { orderId } = await paidOrder(buyer, seller);
        expect(await seller.wallet()).toEqual({ balance: 0, held: 2 * TOTAL });
        const person = by === 'buyer' ? buyer : seller;
        expect(await give(way, person, 'order:cancel', { orderId })).toMatchObject({
          ok: true,
          data: { status: 'cancelled' },
        });
        // The other order's money stays.
        expect(await seller.wallet()).toEqual({ balance: 0, held: TOTAL });
        expect(await buyer.wallet()).toEqual({ balance: before.balance - TOTAL, held: 0 });
        expect((await movementsOf(buyer))[0]?.slice(0, 2)).toEqual(['refund', TOTAL]);
        expect(await movementsOf(seller)).toEqual(sellersEntries);
        expect(await seller.stock()).toBe(stock - 2);
        await buyer.does('order:cancel', { orderId: other.orderId });
        expect(await seller.wallet()).toEqual({ balance: 0, held: 0 });
      },
    );
  });

  test('a repeated key moves no money again, and gives the first answer', async () => {
    const { buyer, seller } = await marketOf(hub);
    const { orderId } = await buyer.place(seller, ITEMS);
    const sent = { orderId, key: 'once' };
    const first = await buyer.send('order:pay', sent);
    await seller.does('order:ship', { orderId });
    await buyer.does('order:receive', { orderId });
    const before = await contents(hub);
    expect(await buyer.send('order:pay', sent)).toEqual({ ...first, replayed: true });
    expect(await contents(hub)).toEqual(before);
  });

  test('what is held counts toward the limit of a wallet, so that it can always be released', async () => {
    const { buyer, seller } = await marketOf(hub);
    await fillTo(hub, seller, BALANCE_MAX - TOTAL);
    const { orderId } = await shippedOrder(buyer, seller);
    expect(await seller.wallet()).toEqual({ balance: BALANCE_MAX - TOTAL, held: TOTAL });
    const tooMuch = await seller.post('/wallet/deposits', { amount: 1 });
    expect(tooMuch).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_MESSAGE', details: [{ path: 'amount' }] } },
    });
    const next = await buyer.place(seller);
    expect(await buyer.isRefused('order:pay', { orderId: next.orderId })).toMatchObject({
      code: 'BAD_MESSAGE',
      details: [{ path: 'orderId' }],
    });
    await buyer.does('order:receive', { orderId });
    expect(await seller.wallet()).toEqual({ balance: BALANCE_MAX, held: 0 });
    await seller.post('/wallet/withdrawals', { amount: 1_000_000_000_000 });
    // The other tests' sums are to stay exact.
    await fillTo(hub, seller, 0);
  });

  test('nobody unregisters while money is held', async () => {
    const { buyer, seller } = await marketOf(hub);
    const { orderId } = await shippedOrder(buyer, seller);
    const leave = (person: Person) => person.post('/auth/unregister', { password: 'correct horse battery' });
    const refusal = (balance: number) => ({
      status: 409,
      body: { error: { code: 'ORDER_STATE', details: { open: 1, balance } } },
    });
    expect(await leave(seller)).toMatchObject(refusal(0));
    expect(await leave(buyer)).toMatchObject(refusal(MONEY - TOTAL));
    await buyer.does('order:receive', { orderId });
    expect(await leave(seller)).toMatchObject({
      status: 409,
      body: { error: { details: { open: 0, balance: TOTAL } } },
    });
    await seller.post('/wallet/withdrawals', { amount: TOTAL });
    expect((await leave(seller)).status).toBe(204);
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});

describe('SHIP_WITHIN_SECONDS', () => {
  const settings = {
    sandbox: true,
    settleAt: 'received',
    shipWithinSeconds: SHIP_SECONDS,
    autoReceiveSeconds: RECEIVE_SECONDS,
  } as const;
  let hub: TestHub;
  let buyer: Person;
  let seller: Person;

  beforeAll(async () => {
    hub = await TestHub.start(settings);
    ({ buyer, seller } = await marketOf(hub));
  });
  afterAll(() => hub.stop());

  test('cancels and refunds what is paid and not shipped by shipBy, which orders tell from paying on', async () => {
    const stock = await seller.stock();
    const placed = await buyer.place(seller, ITEMS);
    expect(placed.shipBy).toBeNull();
    const paid = await buyer.does('order:pay', { orderId: placed.orderId, key: 'paid-late' });
    expect(Date.parse(paid.shipBy ?? '') - Date.parse(paid.paidAt ?? '')).toBe(SHIP_SECONDS * 1_000);
    await hub.advance(SHIP_SECONDS);
    const order = await seller.does('order:get', { orderId: paid.orderId });
    expect(order).toMatchObject({ cancelReason: 'not shipped', shipBy: paid.shipBy, version: 3, allowed: [] });
    expect(order.timeline.at(-1)).toMatchObject({ status: 'cancelled', command: 'timeout', by: 'hub' });
    const delay = Date.parse(order.cancelledAt ?? '') - Date.parse(paid.shipBy ?? '');
    expect(delay).toBeGreaterThanOrEqual(0);
    expect(delay).toBeLessThan(DUE_WITHIN_MS);
    expect(await buyer.wallet()).toEqual({ balance: MONEY, held: 0 });
    expect(await seller.wallet()).toEqual({ balance: 0, held: 0 });
    expect((await movementsOf(buyer)).slice(0, 2)).toEqual([
      ['refund', TOTAL, MONEY, paid.orderId],
      ['payment', -TOTAL, MONEY - TOTAL, paid.orderId],
    ]);
    expect(await seller.stock()).toBe(stock);
    expect(seller.events.at(-1)).toMatchObject({
      ...{ status: 'cancelled', previous: 'paid', command: 'timeout', by: 'hub', cancelReason: 'not shipped' },
    });
    // Word for word, although it has been cancelled since.
    const again = await buyer.send('order:pay', { orderId: paid.orderId, key: 'paid-late' });
    expect(again).toEqual({ ok: true, data: paid, seq: 2, replayed: true });
  });

  test('leaves what is shipped in time to be received, by the hub too, which pays the seller', async () => {
    const { orderId, shipBy } = await paidOrder(buyer, seller);
    const shipped = await seller.does('order:ship', { orderId });
    expect(shipped.shipBy).toBe(shipBy);
    await hub.advance(RECEIVE_SECONDS);
    const order = await buyer.does('order:get', { orderId });
    expect(order).toMatchObject({ status: 'received' });
    expect(order.timeline.at(-1)).toMatchObject({ command: 'timeout', by: 'hub' });
    expect(await seller.wallet()).toEqual({ balance: TOTAL, held: 0 });
    expect((await movementsOf(seller))[0]).toEqual(['sale', TOTAL, TOTAL, orderId]);
  });

  test('from shipBy on, an order cannot be shipped, whether or not the hub has acted', async () => {
    const idle = await TestHub.start(settings);
    try {
      await idle.hub.app.get(OrderScheduler).stop();
      const { buyer, seller } = await marketOf(idle);
      const { orderId, shipBy } = await paidOrder(buyer, seller);
      expect((await seller.does('order:get', { orderId })).allowed).toEqual(['ship', 'cancel', 'accept', 'refund']);
      await idle.advance(SHIP_SECONDS);
      expect(idle.now()).toBeGreaterThanOrEqual(Date.parse(shipBy ?? ''));
      expect(await seller.isRefused('order:ship', { orderId })).toMatchObject({
        code: 'ORDER_STATE',
        details: { status: 'paid', allowed: ['cancel', 'refund'] },
      });
      expect((await seller.does('order:get', { orderId })).allowed).toEqual(['cancel', 'refund']);
      await buyer.does('order:cancel', { orderId });
      expect(await buyer.wallet()).toEqual({ balance: MONEY, held: 0 });
    } finally {
      await idle.stop();
    }
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});

describe('a restart with other settings', () => {
  test('changes no order that was placed before', async () => {
    let hub = await TestHub.start({ settleAt: 'received', shipWithinSeconds: 3_600 });
    const { buyer, seller } = await marketOf(hub);
    const held = {
      placed: await buyer.place(seller, ITEMS),
      paid: await paidOrder(buyer, seller),
      shipped: await shippedOrder(buyer, seller),
      kept: await paidOrder(buyer, seller),
    };
    const movedTo = async (next: TestHub) => {
      hub = next;
      for (const person of [buyer, seller]) Object.assign(person, { hub });
      await Promise.all([buyer.connect(), seller.connect()]);
    };

    await movedTo(await hub.restart({ settleAt: 'paid', shipWithinSeconds: 0 }));
    expect(await seller.wallet()).toEqual({ balance: 0, held: 3 * TOTAL });
    const late = await buyer.does('order:pay', { orderId: held.placed.orderId });
    expect(Date.parse(late.shipBy ?? '') - Date.parse(late.paidAt ?? '')).toBe(3_600_000);
    expect(await seller.wallet()).toEqual({ balance: 0, held: 4 * TOTAL });
    await seller.does('order:cancel', { orderId: held.paid.orderId });
    await buyer.does('order:receive', { orderId: held.shipped.orderId });
    expect(await seller.wallet()).toEqual({ balance: TOTAL, held: 2 * TOTAL });
    // A new order is the seller's at once, and has no time to be shipped by.
    const direct = await paidOrder(buyer, seller);
    expect(direct.shipBy).toBeNull();
    expect(await seller.wallet()).toEqual({ balance: 2 * TOTAL, held: 2 * TOTAL });

    await movedTo(await hub.restart({ settleAt: 'received', shipWithinSeconds: 60 }));
    expect((await buyer.does('order:get', { orderId: held.kept.orderId })).shipBy).toBe(held.kept.shipBy);
    await seller.post('/wallet/withdrawals', { amount: 2 * TOTAL });
    // By the seed's rule still: the seller no longer has the money of this order.
    expect(await buyer.isRefused('order:cancel', { orderId: direct.orderId })).toMatchObject({ code: 'ORDER_STATE' });
    expect(await seller.isRefused('order:cancel', { orderId: direct.orderId })).toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
      details: { needed: TOTAL, balance: 0 },
    });
    await seller.does('order:ship', { orderId: direct.orderId });
    await buyer.does('order:receive', { orderId: direct.orderId });
    expect(await seller.wallet()).toEqual({ balance: 0, held: 2 * TOTAL });
    expect(await audit(hub)).toEqual([]);
    await hub.stop();
  });
});

describe('with the defaults', () => {
  test('nothing is held, and no order has a time to be shipped by', async () => {
    const hub = await TestHub.start();
    const { buyer, seller } = await marketOf(hub);
    const order = await shippedOrder(buyer, seller);
    expect(order.shipBy).toBeNull();
    expect(await seller.wallet()).toEqual({ balance: TOTAL, held: 0 });
    const [stored] = await hub.rows<{ timeline: string }>('SELECT timeline FROM orders');
    expect(JSON.parse(stored?.timeline ?? '')[0]).not.toHaveProperty('changes');
    expect((await buyer.post('/wallet/deposits', { amount: 5 })).body).toEqual({ balance: MONEY - TOTAL + 5 });
    await hub.stop();
  });

  test.each([
    {
      release: 'before 1.1',
      without: ['role', 'form'],
      fields: ['number', 'shipBy', ...LINES, ...ACCEPTANCE, ...STAFF],
    },
    { release: 'with numbers only', without: ['form'], fields: ['shipBy', ...LINES, ...ACCEPTANCE, ...STAFF] },
    { release: 'before lines', without: ['form'], form: 2, fields: [...LINES, ...ACCEPTANCE, ...STAFF] },
    { release: 'before acceptance', without: ['form'], form: 3, fields: [...ACCEPTANCE, ...STAFF] },
    { release: 'before staff', without: ['form'], form: 4, fields: STAFF },
  ])('an answer that a release $release has stored gains no field', async ({ without, fields, form }) => {
    const hub = await TestHub.start();
    const { buyer, seller } = await marketOf(hub);
    const message = { storeId: seller.storeId, items: ITEMS, key: 'kept' };
    const first = await buyer.does('order:place', message);
    const [{ answer } = { answer: '' }] = await hub.rows<{ answer: string }>('SELECT answer FROM command_answers');
    const kept = Object.entries(JSON.parse(answer)).filter(([name]) => !without.includes(name));
    const earlier = { ...Object.fromEntries(kept), ...(form === undefined ? {} : { form }) };
    await hub.database.transaction((tx) =>
      tx.query('UPDATE command_answers SET answer = ?', [JSON.stringify(earlier)]).then(() => undefined),
    );
    const expected: Record<string, unknown> = Object.fromEntries(
      Object.entries(first).filter(([name]) => !fields.includes(name)),
    );
    if (fields.includes('parcels')) {
      expected.items = first.items.map(({ bookId, title, count, price }) => ({ bookId, title, count, price }));
    }
    expect(await buyer.does('order:place', message)).toStrictEqual(expected);
    await hub.stop();
  });
});
