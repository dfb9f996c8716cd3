import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LINE_CHANGES_MAX, PARCELS_MAX } from '../../src/contract/order.requests.js';
import type { Order } from '../../src/contract/orders.js';
import { audit, readShelf, type Shelf } from '../support/audit.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { movementsOf } from '../support/ledger.js';
import type { Person } from '../support/person.js';
import { give, ways } from '../support/two.ways.js';
import { range } from '../support/ways.js';

const MONEY = 1_000_000;
const [DEAR, CHEAP] = [1_000, 30];
/** Three dear copies and two cheap ones. */
const ITEMS = [
  { bookId: 'book-1', count: 3 },
  { bookId: 'book-2', count: 2 },
];
const TOTAL = 3 * DEAR + 2 * CHEAP;
const STOCK = 1_000;
const dear = (count: number) => [{ bookId: 'book-1', count }];
const cheap = (count: number) => [{ bookId: 'book-2', count }];

async function marketOf(hub: TestHub): Promise<{ buyer: Person; seller: Person }> {
  const books = [
    { price: DEAR, stock: STOCK },
    { price: CHEAP, stock: STOCK },
  ];
  const [buyer, seller] = [await hub.buyer(MONEY), await hub.seller(books)];
  await Promise.all([buyer.connect(), seller.connect()]);
  return { buyer, seller };
}

async function paidOrder(buyer: Person, seller: Person, items = ITEMS): Promise<string> {
  const { orderId } = await buyer.place(seller, items);
  await buyer.does('order:pay', { orderId });
  return orderId;
}

/** Of each line, the copies shipped, cancelled and refunded. */
function countsOf({ items }: Order): [number, number, number][] {
  return items.map(({ shipped, cancelled, refunded }) => [shipped, cancelled, refunded]);
}

describe.each(['paid', 'received'] as const)('the lines of an order, with SETTLE_AT=%s', (settleAt) => {
  const isHeld = settleAt === 'received';
  let hub: TestHub;
  let shelf: Shelf;
  let buyer: Person;
  let seller: Person;
  let poor: { buyer: Person; seller: Person };

  beforeAll(async () => {
    hub = await TestHub.start({ settleAt });
    ({ buyer, seller } = await marketOf(hub));
    poor = await marketOf(hub);
    shelf = await readShelf(hub);
  });
  afterAll(() => hub.stop());

  const stocks = async () => [await seller.stock('book-1'), await seller.stock('book-2')];
  const money = async () => [await buyer.balance(), (await seller.wallet()).balance, (await seller.wallet()).held];

  test.each(ways)('go out in parcels, each received by itself, over %s', async (way) => {
    const orderId = await paidOrder(buyer, seller);
    const events = buyer.events.length;
    const before = await money();
    const first = { orderId, items: [...dear(2), ...cheap(1)], carrier: 'Owl', trackingNo: 'A1' };
    const one = await give(way, seller, 'order:ship', first);
    if (!one.ok) throw new Error(one.error.code);
    expect(one.data).toMatchObject({ status: 'paid', version: 3, shippedAt: null, carrier: 'Owl', trackingNo: 'A1' });
    expect(countsOf(one.data)).toEqual([
      [2, 0, 0],
      [1, 0, 0],
    ]);
    expect(one.data.allowed).toEqual(['ship', 'cancel', 'accept', 'refund', 'track']);
    expect((await buyer.does('order:get', { orderId })).allowed).toEqual(['receive', 'cancel']);

    const arrived = await give(way, buyer, 'order:receive', { orderId, parcel: 1 });
    if (!arrived.ok) throw new Error(arrived.error.code);
    expect(arrived.data).toMatchObject({ status: 'paid', receivedAt: null, allowed: ['cancel'] });
    expect(await buyer.isRefused('order:receive', { orderId })).toMatchObject({ code: 'ORDER_STATE' });

    const two = await give(way, seller, 'order:ship', { orderId });
    if (!two.ok) throw new Error(two.error.code);
    expect(two.data).toMatchObject({
      status: 'shipped',
      carrier: null,
      trackingNo: null,
      allowed: ['refund', 'track'],
    });
    expect(await money()).toEqual(before);
    const done = await give(way, buyer, 'order:receive', { orderId });
    if (!done.ok) throw new Error(done.error.code);
    const { shippedAt, receivedAt } = done.data;
    const [start, end] = [one.data.parcels[0]?.shippedAt, arrived.data.parcels[0]?.receivedAt];
    expect(done.data).toMatchObject({ status: 'received', total: TOTAL, refunded: 0 });
    expect(done.data.parcels).toEqual([
      { parcel: 1, items: first.items, carrier: 'Owl', trackingNo: 'A1', shippedAt: start, receivedAt: end },
      { parcel: 2, items: [...dear(1), ...cheap(1)], carrier: null, trackingNo: null, shippedAt, receivedAt },
    ]);
    expect(await money()).toEqual(isHeld ? [before[0], (before[1] ?? 0) + TOTAL, (before[2] ?? 0) - TOTAL] : before);

    const heard = (await buyer.hears(events + 4)).slice(events);
    expect(heard.map(({ command, previous, status }) => [command, previous, status])).toEqual([
      ['ship', 'paid', 'paid'],
      ['receive', 'paid', 'paid'],
      ['ship', 'paid', 'shipped'],
      ['receive', 'shipped', 'received'],
    ]);
    expect(heard[0]).toEqual({
      ...{
        role: 'buyer',
        seq: expect.any(Number),
        orderId,
        version: 3,
        status: 'paid',
        previous: 'paid',
        command: 'ship',
      },
      ...{ storeId: seller.storeId, buyerId: buyer.userId, sellerId: seller.userId, total: TOTAL },
      ...{ by: seller.userId, at: start, carrier: 'Owl', trackingNo: 'A1' },
    });
    const { timeline } = await seller.does('order:get', { orderId });
    expect(timeline.map(({ command, status }) => `${command} ${status}`)).toEqual([
      ...['place placed', 'pay paid', 'ship paid', 'receive paid', 'ship shipped', 'receive received'],
    ]);
  });

  test.each(ways)('are cancelled in part, with their price and their copies back, over %s', async (way) => {
    const orderId = await paidOrder(buyer, seller);
    const [[dears = 0, cheaps = 0], before] = [await stocks(), await money()];
    const answer = await give(way, buyer, 'order:cancel', { orderId, items: dear(1), reason: 'too many' });
    if (!answer.ok) throw new Error(answer.error.code);
    expect(answer.data).toMatchObject({ status: 'paid', total: TOTAL, refunded: DEAR, cancelReason: 'too many' });
    expect(await stocks()).toEqual([dears + 1, cheaps]);
    const from = isHeld ? 2 : 1;
    expect(await money()).toEqual(before.map((sum, index) => sum + (index === 0 ? DEAR : index === from ? -DEAR : 0)));
    const [latest] = await movementsOf(buyer);
    expect(latest).toEqual(['refund', DEAR, await buyer.balance(), orderId]);

    await give(way, seller, 'order:ship', { orderId, items: dear(2) });
    const rest = await give(way, seller, 'order:cancel', { orderId });
    if (!rest.ok) throw new Error(rest.error.code);
    expect(rest.data).toMatchObject({ status: 'shipped', refunded: DEAR + 2 * CHEAP, cancelledAt: null });
    expect(rest.data.shippedAt).not.toBeNull();
    expect(countsOf(rest.data)).toEqual([
      [2, 1, 0],
      [0, 2, 0],
    ]);
    expect(await stocks()).toEqual([dears + 1, cheaps + 2]);
    const done = await buyer.does('order:receive', { orderId });
    expect(done).toMatchObject({ status: 'received', refunded: DEAR + 2 * CHEAP, total: TOTAL });
  });

  test('are `cancelled` when nothing was shipped, and `received` when all that was has been', async () => {
    const one = await paidOrder(buyer, seller);
    await buyer.does('order:cancel', { orderId: one, items: dear(3) });
    const cancelled = await buyer.does('order:cancel', { orderId: one, items: cheap(2) });
    expect(cancelled).toMatchObject({ status: 'cancelled', refunded: TOTAL, allowed: [], shippedAt: null });

    const other = await paidOrder(buyer, seller);
    const sold = (await seller.wallet()).balance;
    await seller.does('order:ship', { orderId: other, items: cheap(2) });
    await buyer.does('order:receive', { orderId: other });
    const received = await buyer.does('order:cancel', { orderId: other });
    expect(received).toMatchObject({ status: 'received', refunded: 3 * DEAR, cancelledAt: null });
    expect([received.shippedAt, received.receivedAt]).toEqual([received.receivedAt, expect.any(String)]);
    expect((await seller.wallet()).balance - sold).toBe(isHeld ? 2 * CHEAP : -3 * DEAR);
  });

  test.each(ways)('are refunded by copies or by an amount, never twice, over %s', async (way) => {
    const orderId = await paidOrder(buyer, seller);
    await seller.does('order:ship', { orderId, items: dear(2) });
    const [[dears = 0, cheaps = 0], before] = [await stocks(), await money()];
    const items = [...dear(3), ...cheap(1)];
    const answer = await give(way, seller, 'order:refund', { orderId, items, restock: true, reason: 'bent' });
    if (!answer.ok) throw new Error(answer.error.code);
    // Of the dear copies, two were shipped.
    expect(await stocks()).toEqual([dears + 2, cheaps]);
    expect(answer.data).toMatchObject({ status: 'paid', refunded: 3 * DEAR + CHEAP });
    expect(countsOf(answer.data)).toEqual([
      [2, 0, 3],
      [0, 0, 1],
    ]);
    expect((await buyer.balance()) - (before[0] ?? 0)).toBe(3 * DEAR + CHEAP);
    expect(await seller.isRefused('order:refund', { orderId, items: dear(1) })).toEqual({
      ...{ code: 'ORDER_STATE', message: expect.any(String), retryable: false },
      details: { bookId: 'book-1', left: 0 },
    });
    expect(await seller.isRefused('order:refund', { orderId, amount: CHEAP + 1 })).toMatchObject({
      code: 'BAD_MESSAGE',
      details: [{ path: 'amount' }],
    });
    // The dear copy that is left was paid back; of the cheap ones, one was.
    const rest = await give(way, buyer, 'order:cancel', { orderId });
    if (!rest.ok) throw new Error(rest.error.code);
    expect(rest.data).toMatchObject({ status: 'shipped', refunded: TOTAL });
    expect(await stocks()).toEqual([dears + 3, cheaps + 2]);
    expect((await seller.does('order:get', { orderId })).allowed).toEqual(['track']);
    await buyer.does('order:receive', { orderId });
    expect(await seller.isRefused('order:refund', { orderId, amount: 1 })).toMatchObject({
      code: 'ORDER_STATE',
      details: { status: 'received', allowed: [] },
    });
  });

  test('are refunded from the seller’s balance once the order is received', async () => {
    const orderId = await paidOrder(buyer, seller);
    await seller.does('order:ship', { orderId });
    await buyer.does('order:receive', { orderId });
    const before = await money();
    const order = await seller.does('order:refund', { orderId, amount: 40 });
    expect(order).toMatchObject({ status: 'received', refunded: 40, allowed: ['refund'] });
    expect(await money()).toEqual([(before[0] ?? 0) + 40, (before[1] ?? 0) - 40, before[2]]);
    expect((await movementsOf(seller))[0]).toEqual(['refunded', -40, await seller.balance(), orderId]);
    await seller.post('/wallet/withdrawals', { amount: (before[1] ?? 0) - 41 });
    expect(await seller.isRefused('order:refund', { orderId, items: dear(1) })).toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
      details: { needed: DEAR, balance: 1 },
    });
    await seller.deposit(MONEY);
  });

  test('are not refunded to a buyer who has unregistered', async () => {
    const [guest, shop] = [await hub.buyer(DEAR), await hub.seller([{ price: DEAR }])];
    const orderId = await paidOrder(guest, shop, dear(1));
    await shop.does('order:ship', { orderId });
    await guest.does('order:receive', { orderId });
    expect((await guest.post('/auth/unregister', { password: PASSWORD })).status).toBe(204);
    expect(await shop.isRefused('order:refund', { orderId, amount: 1 })).toMatchObject({ code: 'USER_NOT_FOUND' });
    expect(await shop.wallet()).toEqual({ balance: DEAR, held: 0 });
    await shop.post('/wallet/withdrawals', { amount: DEAR });
  });

  test('cancelled in part need the seller’s money, unless the hub holds it', async () => {
    const orderId = await paidOrder(poor.buyer, poor.seller);
    await poor.seller.post('/wallet/withdrawals', { amount: (await poor.seller.balance()) || 1 });
    const request = { orderId, items: dear(1) };
    if (isHeld) {
      expect(await poor.buyer.does('order:cancel', request)).toMatchObject({ refunded: DEAR });
      expect(await poor.seller.wallet()).toEqual({ balance: 0, held: TOTAL - DEAR });
      return;
    }
    expect(await poor.seller.isRefused('order:cancel', request)).toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
      details: { needed: DEAR, balance: 0 },
    });
    const refusal = await poor.buyer.isRefused('order:cancel', request);
    expect(refusal).toMatchObject({ code: 'ORDER_STATE', details: { status: 'paid', allowed: [] } });
  });

  test('of a parcel have their tracking corrected, and a kept answer stays as it was', async () => {
    const orderId = await paidOrder(buyer, seller);
    const request = { orderId, items: dear(3), carrier: 'Owl', trackingNo: 'typo', key: `ship-${orderId}` };
    const shipped = await seller.send('order:ship', request);
    const tracked = await seller.does('order:track', { orderId, trackingNo: 'A1' });
    expect(tracked).toMatchObject({ status: 'paid', carrier: 'Owl', trackingNo: 'A1', version: 4 });
    await seller.does('order:ship', { orderId, carrier: 'Fox' });
    expect(await seller.isRefused('order:track', { orderId, trackingNo: 'A2' })).toMatchObject({
      code: 'BAD_MESSAGE',
      details: [{ path: 'parcel' }],
    });
    const order = await seller.does('order:track', { orderId, parcel: 1, trackingNo: 'A2' });
    expect(order.parcels).toMatchObject([
      { parcel: 1, carrier: 'Owl', trackingNo: 'A2' },
      { parcel: 2, carrier: 'Fox', trackingNo: null },
    ]);
    await buyer.does('order:receive', { orderId, parcel: 1 });
    for (const parcel of [1, 3]) {
      expect(await seller.isRefused('order:track', { orderId, parcel, trackingNo: 'A3' })).toMatchObject({
        code: 'ORDER_STATE',
        details: { status: 'shipped', allowed: ['refund'] },
      });
    }
    expect(await seller.send('order:ship', request)).toEqual({ ...shipped, replayed: true });
  });

  test('are refused as the contract says, without any effect', async () => {
    const { orderId } = await buyer.place(seller, ITEMS);
    const state = { code: 'ORDER_STATE', details: { status: 'placed' } };
    expect(await buyer.isRefused('order:cancel', { orderId, items: dear(1) })).toMatchObject(state);
    expect(await seller.isRefused('order:ship', { orderId, items: dear(1) })).toMatchObject(state);
    expect(await seller.isRefused('order:refund', { orderId, amount: 1 })).toMatchObject(state);
    await buyer.does('order:pay', { orderId });
    await seller.does('order:ship', { orderId, items: dear(2) });
    const before = await buyer.does('order:get', { orderId });
    for (const name of ['order:ship', 'order:cancel', 'order:refund'] as const) {
      const unknown = await seller.isRefused(name, { orderId, items: [{ bookId: 'book-3', count: 1 }] });
      expect(unknown).toMatchObject({ code: 'BOOK_NOT_FOUND', details: { bookId: 'book-3' } });
      const left = name === 'order:refund' ? 3 : 1;
      const tooMany = await seller.isRefused(name, { orderId, items: [...cheap(1), ...dear(left + 1)] });
      expect(tooMany).toMatchObject({ code: 'ORDER_STATE', details: { bookId: 'book-1', left } });
    }
    expect(await buyer.isRefused('order:receive', { orderId, parcel: 2 })).toMatchObject({ code: 'ORDER_STATE' });
    expect(await buyer.isRefused('order:refund', { orderId, amount: 1 })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await buyer.does('order:get', { orderId })).toEqual(before);
  });

  test('have limits: parcels, part cancels, refunds, and changes of tracking', async () => {
    const many = [{ bookId: 'book-1', count: 2 * LINE_CHANGES_MAX }];
    const orderId = await paidOrder(buyer, seller, many);
    for (const _ of range(PARCELS_MAX)) await seller.does('order:ship', { orderId, items: dear(1) });
    const refused = await seller.isRefused('order:ship', { orderId });
    expect(refused).toMatchObject({
      code: 'ORDER_STATE',
      details: { allowed: ['cancel', 'accept', 'refund', 'track'] },
    });
    for (const number of range(LINE_CHANGES_MAX)) {
      await Promise.all([
        buyer.does('order:cancel', { orderId, items: dear(1) }),
        seller.does('order:refund', { orderId, amount: 1 }),
        seller.does('order:track', { orderId, parcel: PARCELS_MAX, trackingNo: `T${number}` }),
      ]);
    }
    expect((await seller.does('order:get', { orderId })).allowed).toEqual(['cancel', 'accept']);
    expect(await seller.isRefused('order:refund', { orderId, amount: 1 })).toMatchObject({ code: 'ORDER_STATE' });
    const tracking = { orderId, parcel: 1, trackingNo: 'T' };
    expect(await seller.isRefused('order:track', tracking)).toMatchObject({ code: 'ORDER_STATE' });
    expect(await buyer.isRefused('order:cancel', { orderId, items: dear(1) })).toMatchObject({ code: 'ORDER_STATE' });
    expect(await buyer.does('order:cancel', { orderId })).toMatchObject({ status: 'shipped' });
  });

  test('pass the audit', async () => {
    expect(await audit(hub, { whole: true })).toEqual([]);
    const held = await readShelf(hub);
    expect([...shelf].filter(([bookNo, copies]) => held.get(bookNo) !== copies)).toEqual([]);
  });
});

describe('when its time has come', () => {
  const SECONDS = 3;
  let hub: TestHub;
  afterAll(() => hub.stop());

  const becomes = async (reader: Person, orderId: string, is: (order: Order) => boolean) => {
    const order = () => reader.does('order:get', { orderId });
    await until('the hub has acted', async () => is(await order()));
    return order();
  };

  test('the hub receives each parcel, and cancels and refunds what was not shipped', async () => {
    hub = await TestHub.start({ settleAt: 'received', shipWithinSeconds: SECONDS + 1, autoReceiveSeconds: SECONDS });
    const { buyer, seller } = await marketOf(hub);
    const orderId = await paidOrder(buyer, seller);
    await seller.does('order:ship', { orderId, items: dear(1) });
    const one = await becomes(buyer, orderId, ({ parcels }) => parcels[0]?.receivedAt !== null);
    expect(one).toMatchObject({ status: 'paid', receivedAt: null });
    expect(one.timeline.at(-1)).toMatchObject({ status: 'paid', command: 'timeout', by: 'hub' });
    const took = Date.parse(one.parcels[0]?.receivedAt ?? '') - Date.parse(one.parcels[0]?.shippedAt ?? '');
    expect(took).toBeGreaterThanOrEqual(SECONDS * 1_000);
    await seller.does('order:ship', { orderId, items: dear(1) });
    const two = await becomes(buyer, orderId, ({ status }) => status === 'shipped');
    expect(two).toMatchObject({ cancelReason: 'not shipped', refunded: DEAR + 2 * CHEAP, cancelledAt: null });
    expect(Date.parse(two.shippedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(two.shipBy ?? ''));
    const done = await becomes(buyer, orderId, ({ status }) => status === 'received');
    expect(done.parcels.map(({ receivedAt }) => receivedAt)).toEqual([one.parcels[0]?.receivedAt, done.receivedAt]);
    expect(await seller.wallet()).toEqual({ balance: 2 * DEAR, held: 0 });
    expect(await buyer.balance()).toBe(MONEY - 2 * DEAR);
    expect(await audit(hub)).toEqual([]);
  });
});
