import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Order } from '../../src/contract/orders.js';
import { OrderScheduler } from '../../src/orders/order.scheduler.js';
import { audit, copiesInOrders } from '../support/audit.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { device, pick, range, stopBoth, twoHubs } from '../support/ways.js';

/** The contract's second, doubled for a loaded machine. */
const DUE_WITHIN_MS = 2_000;
const MANY = 600;
/** Long enough for a sequence of commands before the timeout on a loaded machine. */
const TTL_SECONDS = 2;
const TIMES = { unpaidTtlSeconds: TTL_SECONDS, autoReceiveSeconds: TTL_SECONDS };

async function sleepUntil(time: string | null): Promise<void> {
  await sleep(Math.max(0, Date.parse(time ?? '') - Date.now()));
}

/** Counts the completed polls of a hub's scheduler from now on. */
function countPolls(hub: TestHub): () => number {
  const scheduler = hub.hub.app.get(OrderScheduler) as unknown as { poll(): Promise<void> };
  const poll = scheduler.poll;
  let polls = 0;
  scheduler.poll = async () => {
    await poll.call(scheduler);
    polls++;
  };
  return () => polls;
}

describe('the order scheduler', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start(TIMES);
    seller = await hub.seller([{ stock: 10_000 }]);
    buyer = await hub.buyer(100_000_000);
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(() => hub.stop());

  const statusIs = (status: string, orders: readonly { orderId: string }[]) =>
    until(`${orders.length} orders are ${status}`, async () => {
      const rows = await hub.rows<{ order_id: string }>('SELECT order_id FROM orders WHERE status = ?', [status]);
      const found = new Set(rows.map((row) => row.order_id));
      return orders.every(({ orderId }) => found.has(orderId));
    });
  const shippedOrder = async (by = buyer, from = seller): Promise<Order> => {
    const { orderId } = await by.place(from);
    await by.does('order:pay', { orderId });
    return from.does('order:ship', { orderId });
  };

  test('cancels an unpaid order at expiresAt, restores its stock and notifies both parties', async () => {
    const stock = await seller.stock();
    const [buyersEvents, sellersEvents] = [buyer.events.length, seller.events.length];
    const { orderId, placedAt, expiresAt } = await buyer.place(seller, [{ bookId: 'book-1', count: 3 }]);
    expect(Date.parse(expiresAt) - Date.parse(placedAt)).toBe(TTL_SECONDS * 1_000);
    expect(await seller.stock()).toBe(stock - 3);
    await buyer.hears(buyersEvents + 2);
    await seller.hears(sellersEvents + 2);

    const order = await buyer.does('order:get', { orderId });
    expect(order).toMatchObject({
      status: 'cancelled',
      version: 2,
      cancelReason: 'expired',
      paidAt: null,
      allowed: [],
    });
    expect(order.timeline.map(({ status, by }) => [status, by])).toEqual([
      ['placed', buyer.userId],
      ['cancelled', 'hub'],
    ]);
    const delay = Date.parse(order.cancelledAt ?? '') - Date.parse(expiresAt);
    expect(delay).toBeGreaterThanOrEqual(0);
    expect(delay).toBeLessThan(DUE_WITHIN_MS);
    expect(await seller.stock()).toBe(stock);
    for (const [role, person] of [
      ['buyer', buyer],
      ['seller', seller],
    ] as const) {
      const event = person.events.at(-1);
      expect(event).toStrictEqual({
        role,
        seq: person.events.length,
        orderId,
        version: 2,
        status: 'cancelled',
        previous: 'placed',
        command: 'timeout',
        storeId: seller.storeId,
        buyerId: buyer.userId,
        sellerId: seller.userId,
        total: 3_000,
        by: 'hub',
        at: order.cancelledAt,
        cancelReason: 'expired',
      });
    }
  });

  test('receives a shipped order after its timeout and notifies both parties', async () => {
    const { orderId, shippedAt } = await shippedOrder();
    await statusIs('received', [{ orderId }]);
    const order = await buyer.does('order:get', { orderId });
    expect(order).toMatchObject({ status: 'received', version: 4, cancelReason: null, allowed: [] });
    expect(order.timeline.map(({ by }) => by)).toEqual([buyer.userId, buyer.userId, seller.userId, 'hub']);
    const delay = Date.parse(order.receivedAt ?? '') - (Date.parse(shippedAt ?? '') + TTL_SECONDS * 1_000);
    expect(delay).toBeGreaterThanOrEqual(0);
    expect(delay).toBeLessThan(DUE_WITHIN_MS);
    for (const person of [buyer, seller]) {
      await until('the event is received', () => person.events.at(-1)?.version === 4);
      expect(person.events.at(-1)).toMatchObject({ orderId, status: 'received', previous: 'shipped', by: 'hub' });
    }
  });

  test('leaves a paid and a received order unchanged', async () => {
    const paid = await buyer.place(seller);
    await buyer.does('order:pay', { orderId: paid.orderId });
    const received = await shippedOrder();
    await buyer.does('order:receive', { orderId: received.orderId });
    // A later order that expires proves that the scheduler has polled since.
    const later = await buyer.place(seller);
    await statusIs('cancelled', [later]);
    expect(await buyer.does('order:get', { orderId: paid.orderId })).toMatchObject({ status: 'paid', version: 2 });
    const order = await buyer.does('order:get', { orderId: received.orderId });
    expect(order).toMatchObject({ status: 'received', version: 4 });
    expect(order.timeline.at(-1)?.by).toBe(buyer.userId);
  });

  test('handles hundreds of orders that fall due together, with one event each', async () => {
    const [slow, quick] = [await hub.seller([{ stock: MANY }]), await hub.seller([{ stock: MANY }])];
    const customers = await Promise.all(range(4).map(async () => (await hub.buyer(MANY * 1_000)).connect()));
    await Promise.all([slow.connect(), quick.connect()]);
    const unpaid = await Promise.all(range(MANY).map((index) => pick(customers, index).place(slow)));
    // In portions, so that each is paid in time on a loaded machine.
    const shipped: Order[] = [];
    while (shipped.length < MANY / 2) {
      const portion = range(MANY / 20).map((index) => shippedOrder(pick(customers, index), quick));
      shipped.push(...(await Promise.all(portion)));
    }
    await statusIs('cancelled', unpaid);
    await statusIs('received', shipped);

    expect(await slow.stock()).toBe(MANY);
    expect(await copiesInOrders(hub, slow.storeId, 'book-1')).toBe(0);
    expect(await quick.balance()).toBe((MANY / 2) * 1_000);
    expect(await copiesInOrders(hub, quick.storeId, 'book-1')).toBe(MANY / 2);
    // Two events per expired order and four per received one: equally many in both rooms.
    for (const [shop, status, orders] of [
      [slow, 'cancelled', unpaid],
      [quick, 'received', shipped],
    ] as const) {
      const events = await shop.hears(MANY * 2);
      expect(events.map(({ seq }) => seq)).toEqual(range(events.length).map((index) => index + 1));
      const byHub = events.filter((event) => event.status === status && event.by === 'hub');
      expect(byHub.map(({ orderId }) => orderId).sort()).toEqual(orders.map(({ orderId }) => orderId).sort());
    }
  });

  test('handles orders that fell due while the hub was down', async () => {
    const unpaid = await Promise.all(range(5).map(() => buyer.place(seller)));
    const shipped = await Promise.all(range(5).map(() => shippedOrder()));
    const late = await buyer.place(seller);
    const database = await hub.leave();
    await sleepUntil(late.expiresAt);
    hub = await TestHub.start(TIMES, database);
    buyer = device(buyer, hub);
    seller = device(seller, hub);
    await Promise.all([buyer.connect(), seller.connect()]);
    await statusIs('cancelled', [...unpaid, late]);
    await statusIs('received', shipped);
    const { timeline, cancelReason } = await buyer.does('order:get', { orderId: late.orderId });
    expect(cancelReason).toBe('expired');
    expect(timeline.at(-1)?.by).toBe('hub');
  });

  test('is not blocked by due orders that cannot change', async () => {
    const received = (await buyer.does('order:list', { role: 'buyer', status: 'received', limit: 1 })).items[0];
    const [row = {}] = await hub.rows('SELECT * FROM orders WHERE order_id = ?', [received?.orderId]);
    const columns = Object.keys(row);
    const stuck = range(MANY).map(() => ({ ...row, order_id: uuidv7(), due_at: 1 }));
    const ids = stuck.map(({ order_id }) => order_id);
    const rows = stuck.map((order: Record<string, unknown>) => columns.map((column) => order[column]));
    await hub.database.transaction((tx) => tx.query(...hub.database.dialect.write({ table: 'orders', columns, rows })));
    await statusIs('cancelled', [await buyer.place(seller)]);
    const [where, parameters] = hub.database.dialect.inCondition.values('order_id', ids);
    await hub.database.transaction((tx) => tx.query(`DELETE FROM orders WHERE ${where}`, parameters));
  });

  test('answers ORDER_STATE to a payment after expiresAt, before and after the cancellation', async () => {
    const { items } = await buyer.does('order:list', { role: 'buyer', status: 'cancelled', limit: 1 });
    expect(items[0]?.cancelReason).toBe('expired');
    expect(await buyer.isRefused('order:pay', { orderId: items[0]?.orderId ?? '' })).toMatchObject({
      code: 'ORDER_STATE',
      retryable: false,
      details: { status: 'cancelled', allowed: [] },
    });

    // Without its scheduler the hub cannot have cancelled the order.
    await hub.hub.app.get(OrderScheduler).stop();
    const before = await buyer.balance();
    const { orderId, expiresAt, allowed } = await buyer.place(seller);
    expect(allowed).toEqual(['pay', 'cancel']);
    await sleepUntil(expiresAt);
    expect(await buyer.isRefused('order:pay', { orderId })).toMatchObject({
      code: 'ORDER_STATE',
      retryable: false,
      details: { status: 'placed', allowed: ['cancel'] },
    });
    expect(await buyer.balance()).toBe(before);
    expect(await buyer.does('order:get', { orderId })).toMatchObject({ status: 'placed', allowed: ['cancel'] });
    const cancelled = await buyer.does('order:cancel', { orderId, reason: 'too late' });
    expect(cancelled).toMatchObject({ status: 'cancelled', cancelReason: 'too late' });
  });

  test('of two hubs handle each order once', async () => {
    const { here, there } = await twoHubs(TIMES);
    const polls = [here, there].map(countPolls);
    const other = await here.seller([{ stock: 1_000 }]);
    const customer = await (await here.buyer()).connect();
    await other.connect();
    const shipped = range(20).map(async () => {
      const order = await customer.place(other);
      await customer.does('order:pay', { orderId: order.orderId });
      await other.does('order:ship', { orderId: order.orderId });
      return order;
    });
    const orders = [
      ...(await Promise.all(shipped)),
      ...(await Promise.all(range(40).map(() => customer.place(other)))),
    ];
    await other.hears(40 + 60 + 20 + 40);
    const before = polls.map((count) => count());
    await until('both have polled twice more', () =>
      polls.every((count, index) => count() >= (before[index] ?? 0) + 3),
    );
    for (const [index, { orderId }] of orders.entries()) {
      const { timeline } = await customer.does('order:get', { orderId });
      const statuses = index < 20 ? ['placed', 'paid', 'shipped', 'received'] : ['placed', 'cancelled'];
      expect(timeline.map(({ status }) => status)).toEqual(statuses);
    }
    expect(other.events.map(({ seq }) => seq)).toEqual(range(160).map((event) => event + 1));
    expect(await other.stock()).toBe(980);
    expect(await audit(here)).toEqual([]);
    await stopBoth(here, there);
  });

  test('never receives a shipped order with AUTO_RECEIVE_SECONDS 0', async () => {
    hub = await hub.restart({ autoReceiveSeconds: 0 });
    [buyer, seller] = [device(buyer, hub), device(seller, hub)];
    await Promise.all([buyer.connect(), seller.connect()]);
    const { orderId } = await shippedOrder();
    const [row] = await hub.rows<{ due_at: number | null }>('SELECT due_at FROM orders WHERE order_id = ?', [orderId]);
    expect(row?.due_at).toBeNull();
    const later = await buyer.place(seller);
    await statusIs('cancelled', [later]);
    expect(await buyer.does('order:get', { orderId })).toMatchObject({ status: 'shipped', version: 3 });
    expect(await buyer.does('order:receive', { orderId })).toMatchObject({ status: 'received', version: 4 });
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
