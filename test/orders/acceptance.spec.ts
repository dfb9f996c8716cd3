import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { OrderScheduler } from '../../src/orders/order.scheduler.js';
import { audit } from '../support/audit.js';
import { contents } from '../support/contents.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { faultPaths } from '../support/refused.js';
import { give, ways } from '../support/two.ways.js';
import { codeOf, range } from '../support/ways.js';

const MONEY = 100_000;
const PRICE = 700;
/** The contract's second, doubled for a loaded machine. */
const DUE_WITHIN_MS = 2_000;
const ACCEPT_SECONDS = 1_800;
const READY_AT = '2999-01-01T12:30:00.000Z';

interface Market {
  buyer: Person;
  seller: Person;
}

/** A buyer, and a seller who accepts within that time. */
async function marketOf(hub: TestHub, acceptWithinSeconds: number): Promise<Market> {
  const [buyer, seller] = [await hub.buyer(MONEY), await hub.seller([{ price: PRICE, stock: 100 }, { price: PRICE }])];
  await Promise.all([buyer.connect(), seller.connect()]);
  await say(seller, acceptWithinSeconds);
  return { buyer, seller };
}

async function say(seller: Person, acceptWithinSeconds: number): Promise<void> {
  const { status } = await seller.patch(`/stores/${seller.storeId}`, { acceptWithinSeconds });
  expect(status).toBe(200);
}

async function paidOrder({ buyer, seller }: Market): Promise<Order> {
  const { orderId } = await buyer.place(seller);
  return buyer.does('order:pay', { orderId });
}

const secondsBetween = (from: string | null, to: string | null) =>
  (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1_000;

describe('a store that accepts its orders within a time', () => {
  let hub: TestHub;
  let market: Market;
  beforeAll(async () => {
    hub = await TestHub.start({ settleAt: 'received' });
    market = await marketOf(hub, 600);
  });
  afterAll(() => hub.stop());

  test('has acceptBy from paying on, and acceptedAt from accepting on', async () => {
    const { buyer, seller } = market;
    const placed = await buyer.place(seller);
    expect(placed).toMatchObject({ acceptBy: null, acceptedAt: null, readyAt: null });
    const paid = await buyer.does('order:pay', { orderId: placed.orderId });
    expect(secondsBetween(paid.paidAt, paid.acceptBy)).toBe(600);
    expect(paid).toMatchObject({ acceptedAt: null, shipBy: null });
    const events = [buyer.events.length, seller.events.length];
    const accepted = await seller.does('order:accept', { orderId: paid.orderId });
    expect(accepted).toMatchObject({
      ...{ status: 'paid', version: 3, acceptBy: paid.acceptBy, readyAt: null },
      allowed: ['ship', 'cancel', 'accept', 'refund'],
    });
    await buyer.hears((events[0] ?? 0) + 1);
    await seller.hears((events[1] ?? 0) + 1);
    for (const person of [buyer, seller]) {
      expect(person.events.at(-1)).toMatchObject({
        ...{
          orderId: paid.orderId,
          command: 'accept',
          status: 'paid',
          previous: 'paid',
          version: 3,
          by: seller.userId,
        },
        at: accepted.acceptedAt,
      });
    }
    const read = await buyer.does('order:get', { orderId: paid.orderId });
    expect(read).toMatchObject({ acceptedAt: accepted.acceptedAt, allowed: ['cancel'] });
    expect(read.timeline.at(-1)).toMatchObject({ version: 3, status: 'paid', command: 'accept', by: seller.userId });
  });

  test.each(ways)('moves readyAt by accepting again, over %s', async (way) => {
    const { seller } = market;
    const { orderId } = await paidOrder(market);
    const accept = async (readyAt?: string) => {
      const answer = await give(way, seller, 'order:accept', {
        orderId,
        ...(readyAt === undefined ? {} : { readyAt }),
      });
      return answer as { ok: true; data: Order };
    };
    const first = await accept(READY_AT);
    expect(first).toMatchObject({ ok: true, data: { readyAt: READY_AT, version: 3 } });
    const later = '2999-01-01T13:00:00.000Z';
    expect(await accept(later)).toMatchObject({
      data: { readyAt: later, acceptedAt: first.data.acceptedAt, version: 4 },
    });
    expect(await accept()).toMatchObject({ data: { readyAt: later, version: 5 } });
    const shipped = await seller.does('order:ship', { orderId });
    expect(shipped).toMatchObject({ readyAt: later, acceptedAt: first.data.acceptedAt });
  });

  test('accepts what it ships', async () => {
    const { orderId } = await paidOrder(market);
    const shipped = await market.seller.does('order:ship', { orderId });
    expect(shipped.acceptedAt).toBe(shipped.shippedAt);
  });

  test('answers a repeated key with the first acceptance, word for word', async () => {
    const { buyer, seller } = market;
    const { orderId } = await paidOrder(market);
    const message = { orderId, readyAt: READY_AT, key: 'accepts-once' };
    const first = await seller.send('order:accept', message);
    await seller.does('order:accept', { orderId, readyAt: '2999-02-01T00:00:00.000Z' });
    await seller.does('order:ship', { orderId });
    expect(await seller.send('order:accept', message)).toStrictEqual({ ...first, replayed: true });
    expect((await buyer.does('order:get', { orderId })).version).toBe(5);
    expect(codeOf(await seller.send('order:accept', { orderId, key: 'accepts-once' }))).toBe('KEY_REUSED');
  });

  test('is refused to the buyer, to strangers, and in every status but paid', async () => {
    const { buyer, seller } = market;
    const stranger = await hub.person();
    const { orderId } = await buyer.place(seller);
    const refused = async (person: Person) => person.isRefused('order:accept', { orderId });
    expect((await refused(buyer)).code).toBe('FORBIDDEN');
    expect((await refused(stranger)).code).toBe('FORBIDDEN');
    expect(await refused(seller)).toMatchObject({
      code: 'ORDER_STATE',
      details: { status: 'placed', allowed: ['cancel'] },
    });
    await buyer.does('order:pay', { orderId });
    expect((await refused(buyer)).code).toBe('FORBIDDEN');
    await seller.does('order:ship', { orderId });
    expect(await refused(seller)).toMatchObject({ code: 'ORDER_STATE', details: { status: 'shipped' } });
    await buyer.does('order:receive', { orderId });
    expect(await refused(seller)).toMatchObject({ code: 'ORDER_STATE', details: { status: 'received' } });
    const cancelled = await buyer.place(seller);
    await seller.does('order:cancel', { orderId: cancelled.orderId });
    expect(await seller.isRefused('order:accept', { orderId: cancelled.orderId })).toMatchObject({
      code: 'ORDER_STATE',
      details: { status: 'cancelled', allowed: [] },
    });
    expect((await seller.isRefused('order:accept', { orderId: 'none' })).code).toBe('ORDER_NOT_FOUND');
  });

  test('is limited to 200 acceptances an order', async () => {
    const { seller } = market;
    const { orderId } = await paidOrder(market);
    const answers = await Promise.all(range(201).map(() => seller.send('order:accept', { orderId })));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(200);
    expect(answers.find(({ ok }) => !ok)).toMatchObject({
      error: { code: 'ORDER_STATE', details: { status: 'paid', allowed: ['ship', 'cancel', 'refund'] } },
    });
    expect(await seller.does('order:ship', { orderId })).toMatchObject({ status: 'shipped', version: 203 });
  });

  test('keeps with each order what was said when it was placed', async () => {
    const { buyer, seller } = market;
    const before = await buyer.place(seller);
    await say(seller, 60);
    const after = await paidOrder(market);
    expect(secondsBetween(after.paidAt, after.acceptBy)).toBe(60);
    const paid = await buyer.does('order:pay', { orderId: before.orderId });
    expect(secondsBetween(paid.paidAt, paid.acceptBy)).toBe(600);
    await say(seller, 0);
    const byItself = await paidOrder(market);
    expect(byItself).toMatchObject({ acceptBy: null, acceptedAt: byItself.paidAt });
    expect((await buyer.does('order:get', { orderId: after.orderId })).acceptedAt).toBeNull();
    await say(seller, 600);
  });

  describe('refuses by cancelling', () => {
    test('what is unavailable has no copies left, and the buyer has the money back', async () => {
      const { buyer, seller } = market;
      const [balance, other] = [await buyer.balance(), await seller.stock('book-2')];
      const items = ['book-1', 'book-2'].map((bookId) => ({ bookId, count: 1 }));
      const { orderId } = await buyer.does('order:place', { storeId: seller.storeId, items });
      await buyer.does('order:pay', { orderId });
      const message = { orderId, reason: 'Sold in the shop.', unavailable: ['book-1'], key: 'sold-out' };
      const alerts = seller.stockAlerts.length;
      const first = await seller.send('order:cancel', message);
      expect(first).toMatchObject({ ok: true, data: { status: 'cancelled', cancelReason: 'Sold in the shop.' } });
      expect([await seller.stock('book-1'), await seller.stock('book-2')]).toEqual([0, other]);
      expect(await buyer.balance()).toBe(balance);
      await until('the seller is alerted', () => seller.stockAlerts.length > alerts);
      expect(seller.stockAlerts.slice(alerts)).toMatchObject([{ bookId: 'book-1', stock: 0 }]);
      await seller.post(`/stores/${seller.storeId}/books/book-1/stock`, { add: 100 });
      expect(await seller.send('order:cancel', message)).toStrictEqual({ ...first, replayed: true });
      expect(await seller.stock('book-1')).toBe(100);
    });

    test('an order that is only placed, too', async () => {
      const { buyer, seller } = market;
      const { orderId } = await buyer.place(seller);
      await seller.does('order:cancel', { orderId, unavailable: ['book-1'] });
      expect(await seller.stock()).toBe(0);
      await seller.post(`/stores/${seller.storeId}/books/book-1/stock`, { add: 100 });
    });

    test.each(ways)('with books of the order only, and only as the seller, over %s', async (way) => {
      const { buyer, seller } = market;
      const { orderId } = await paidOrder(market);
      const stranger = await hub.person();
      const before = await contents(hub);
      const refusal = async (person: Person, unavailable: string[], id = orderId) => {
        const answer = await give(way, person, 'order:cancel', { orderId: id, unavailable });
        if (answer.ok) throw new Error('It was not refused');
        return answer.error;
      };
      const unknown = await refusal(seller, ['book-1', 'book-2']);
      expect(unknown).toMatchObject({ code: 'BOOK_NOT_FOUND', details: { bookId: 'book-2' } });
      expect((await refusal(buyer, ['book-1'])).code).toBe('FORBIDDEN');
      expect((await refusal(buyer, [])).code).toBe('FORBIDDEN');
      expect((await refusal(stranger, ['book-1'])).code).toBe('FORBIDDEN');
      const twice = await refusal(seller, ['book-1', 'book-1']);
      expect([twice.code, faultPaths(twice)]).toEqual(['BAD_MESSAGE', ['unavailable']]);
      expect(await contents(hub)).toEqual(before);
      await seller.does('order:ship', { orderId });
      expect((await refusal(buyer, ['book-1'])).code).toBe('FORBIDDEN');
      expect((await refusal(seller, ['book-1'])).code).toBe('ORDER_STATE');
    });
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});

describe('a store that accepts by itself', () => {
  test.each(['paid', 'received'] as const)('with SETTLE_AT=%s has accepted what is paid', async (settleAt) => {
    const hub = await TestHub.start({ settleAt });
    try {
      const market = await marketOf(hub, 0);
      const paid = await paidOrder(market);
      expect(paid).toMatchObject({ acceptBy: null, acceptedAt: paid.paidAt, readyAt: null });
      const [row] = await hub.rows<{ dueAt: number | null }>('SELECT due_at AS dueAt FROM orders');
      expect(row?.dueAt).toBeNull();
      const again = await market.seller.does('order:accept', { orderId: paid.orderId, readyAt: READY_AT });
      expect(again).toMatchObject({ acceptedAt: paid.paidAt, readyAt: READY_AT, version: 3 });
    } finally {
      await hub.stop();
    }
  });
});

describe('at acceptBy', () => {
  let hub: TestHub;
  let market: Market;
  beforeAll(async () => {
    hub = await TestHub.start({ sandbox: true, settleAt: 'received', shipWithinSeconds: 3_600 });
    market = await marketOf(hub, ACCEPT_SECONDS);
  });
  afterAll(() => hub.stop());

  test('the hub cancels and refunds what is not accepted', async () => {
    const { buyer, seller } = market;
    const stock = await seller.stock();
    const { orderId, acceptBy } = await paidOrder(market);
    await hub.advance(ACCEPT_SECONDS);
    const order = await buyer.does('order:get', { orderId });
    expect(order).toMatchObject({ cancelReason: 'not accepted', acceptBy, acceptedAt: null, version: 3, allowed: [] });
    expect(order.timeline.at(-1)).toMatchObject({ status: 'cancelled', command: 'timeout', by: 'hub' });
    const delay = secondsBetween(acceptBy, order.cancelledAt) * 1_000;
    expect(delay).toBeGreaterThanOrEqual(0);
    expect(delay).toBeLessThan(DUE_WITHIN_MS);
    expect(await buyer.wallet()).toEqual({ balance: MONEY, held: 0 });
    expect(await seller.wallet()).toEqual({ balance: 0, held: 0 });
    expect(await seller.stock()).toBe(stock);
    expect(seller.events.at(-1)).toMatchObject({
      ...{ status: 'cancelled', previous: 'paid', command: 'timeout', by: 'hub', cancelReason: 'not accepted' },
    });
  });

  test('what is accepted in time goes on, and waits to be shipped by shipBy', async () => {
    const { seller } = market;
    const { orderId, shipBy } = await paidOrder(market);
    await seller.does('order:accept', { orderId });
    const other = await paidOrder(market);
    await hub.advance(ACCEPT_SECONDS);
    expect(await market.buyer.does('order:get', { orderId: other.orderId })).toMatchObject({ status: 'cancelled' });
    expect(await seller.does('order:get', { orderId })).toMatchObject({ status: 'paid', shipBy });
    const [row] = await hub.rows<{ dueAt: number }>('SELECT due_at AS dueAt FROM orders WHERE order_id = ?', [orderId]);
    expect(Number(row?.dueAt)).toBe(Date.parse(shipBy ?? ''));
    await seller.does('order:cancel', { orderId });
  });

  test('what is shipped in time goes on, and so does what a note or a new address has changed', async () => {
    const { buyer, seller } = market;
    const shipped = await paidOrder(market);
    await seller.does('order:ship', { orderId: shipped.orderId });
    const noted = await paidOrder(market);
    await buyer.does('order:note', { orderId: noted.orderId, text: 'Please.' });
    await seller.does('order:readdress', {
      orderId: noted.orderId,
      deliverTo: { name: 'Ann', lines: ['1 Elm Street'] },
    });
    await hub.advance(ACCEPT_SECONDS);
    const order = await buyer.does('order:get', { orderId: noted.orderId });
    expect(order).toMatchObject({ status: 'cancelled', cancelReason: 'not accepted' });
    expect(await buyer.does('order:get', { orderId: shipped.orderId })).toMatchObject({ status: 'shipped' });
  });

  test('an order can be neither accepted nor shipped, whether or not the hub has acted', async () => {
    const idle = await TestHub.start({ sandbox: true, settleAt: 'received' });
    try {
      await idle.hub.app.get(OrderScheduler).stop();
      const { buyer, seller } = await marketOf(idle, ACCEPT_SECONDS);
      const { orderId, acceptBy } = await paidOrder({ buyer, seller });
      expect((await seller.does('order:get', { orderId })).allowed).toEqual(['ship', 'cancel', 'accept', 'refund']);
      await idle.advance(ACCEPT_SECONDS);
      expect(idle.now()).toBeGreaterThanOrEqual(Date.parse(acceptBy ?? ''));
      for (const message of ['order:accept', 'order:ship'] as const) {
        expect(await seller.isRefused(message, { orderId })).toMatchObject({
          code: 'ORDER_STATE',
          details: { status: 'paid', allowed: ['cancel', 'refund'] },
        });
      }
      expect((await seller.does('order:get', { orderId })).allowed).toEqual(['cancel', 'refund']);
      await buyer.does('order:cancel', { orderId });
      expect(await buyer.wallet()).toEqual({ balance: MONEY, held: 0 });
    } finally {
      await idle.stop();
    }
  });

  test('a restart with another setting changes no order', async () => {
    let other = await TestHub.start({ settleAt: 'received' });
    const { buyer, seller } = await marketOf(other, 3_600);
    const kept = await paidOrder({ buyer, seller });
    other = await other.restart({ settleAt: 'paid' });
    for (const person of [buyer, seller]) await Object.assign(person, { hub: other }).connect();
    expect(await buyer.does('order:get', { orderId: kept.orderId })).toMatchObject({
      acceptBy: kept.acceptBy,
      acceptedAt: null,
    });
    // What the store has said cannot be kept where the money is the seller's at once.
    const direct = await paidOrder({ buyer, seller });
    expect(direct).toMatchObject({ acceptBy: null, acceptedAt: direct.paidAt });
    expect(await seller.does('order:accept', { orderId: kept.orderId })).toMatchObject({ status: 'paid' });
    expect(await audit(other)).toEqual([]);
    await other.stop();
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
