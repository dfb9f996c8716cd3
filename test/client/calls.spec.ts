import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { HubError } from '../../src/client/connect.js';
import { newKey } from '../../src/client/retry.js';
import { type Follower, follow, isLive } from '../support/follower.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';

describe('calls of the client library', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  const open: Follower[] = [];

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ price: 1_000, stock: 10_000 }]);
    buyer = await hub.buyer();
  });
  afterEach(() => {
    for (const { client } of open.splice(0)) client.close();
  });
  afterAll(() => hub.stop());

  const page = (person: Person) => {
    const follower = follow(hub.url, person);
    open.push(follower);
    return follower;
  };
  const one = () => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });
  const rejectionOf = (call: Promise<unknown>): Promise<HubError> =>
    call.then(
      () => Promise.reject(new Error('The call was not rejected')),
      (error: unknown) => (error instanceof HubError ? error : Promise.reject(error)),
    );

  test('lead an order through its lifecycle, when made before the connection is up', async () => {
    const [at, shop] = [page(buyer), page(seller)];
    const placed = await at.client.place({ ...one(), expectedTotal: 1_000 });
    expect(placed).toMatchObject({ buyerId: buyer.userId, status: 'placed', total: 1_000, allowed: ['pay', 'cancel'] });
    const { orderId } = placed;
    expect((await at.client.pay({ orderId, expectedTotal: 1_000 })).status).toBe('paid');
    expect((await shop.client.ship({ orderId, carrier: '顺丰', trackingNo: 'SF1' })).status).toBe('shipped');
    expect((await at.client.receive({ orderId })).status).toBe('received');
    const { timeline } = await at.client.get(orderId);
    expect(timeline.map(({ status }) => status)).toEqual(['placed', 'paid', 'shipped', 'received']);
    const { items } = await shop.client.list({ role: 'seller', status: 'received', limit: 1 });
    expect(items.map((order) => order.orderId)).toEqual([orderId]);
    await until('both have received it', () => [at, shop].every(({ events }) => events.at(-1)?.status === 'received'));
    expect(at.events.map(({ status }) => status)).toEqual(['placed', 'paid', 'shipped', 'received']);
    // The seller connected later and starts at the head, before its own commands.
    expect(shop.events.map(({ status }) => status).slice(-2)).toEqual(['shipped', 'received']);
    for (const [{ client, events }, role] of [
      [at, 'buyer'],
      [shop, 'seller'],
    ] as const) {
      expect((await client.read({ role, after: 0, limit: 100 })).events.slice(-events.length)).toEqual(events);
    }
    const other = await at.client.place(one());
    const cancelled = await shop.client.cancel({ orderId: other.orderId, reason: 'sold to a friend' });
    expect(cancelled).toMatchObject({ status: 'cancelled', cancelReason: 'sold to a friend' });
  });

  test('reject with the code, message and details of the hub', async () => {
    const { client } = page(buyer);
    const rejected = await rejectionOf(client.place({ ...one(), items: [{ bookId: 'book-1', count: 10_001 }] }));
    expect(rejected).toMatchObject({
      name: 'HubError',
      code: 'OUT_OF_STOCK',
      retryable: false,
      details: { bookId: 'book-1', wanted: 10_001 },
    });
    expect(rejected.message).toMatch(/\w+\.$/);
    const { orderId } = await client.place(one());
    expect(await rejectionOf(page(seller).client.ship({ orderId }))).toMatchObject({
      code: 'ORDER_STATE',
      details: { status: 'placed', allowed: ['cancel'] },
    });
  });

  test('reject an invalid message with every fault, without sending it', async () => {
    const { client, pending } = page(buyer);
    const items = [{ bookId: 'x'.repeat(100_000), count: 0 }];
    const rejected = await rejectionOf(client.place({ storeId: seller.storeId, items }));
    expect(rejected).toMatchObject({ code: 'BAD_MESSAGE', retryable: false });
    expect((rejected.details as { path: string }[]).map(({ path }) => path)).toEqual([
      'items.0.bookId',
      'items.0.count',
    ]);
    expect(pending).toEqual([]);
  });

  test('send each command with a new key, or with the one passed', async () => {
    const { client } = page(buyer);
    const orders = await Promise.all([client.place(one()), client.place(one())]);
    expect(new Set(orders.map(({ orderId }) => orderId)).size).toBe(2);
    const key = newKey();
    const [first, again] = [await client.place(one(), { key }), await client.place(one(), { key })];
    expect(again).toEqual(first);
    const other = client.cancel({ orderId: first.orderId }, { key });
    expect(await rejectionOf(other)).toMatchObject({ code: 'KEY_REUSED' });
  });

  test('are executed in the order made', async () => {
    const at = page(buyer);
    const placed = await Promise.all(range(100).map(() => at.client.place(one())));
    await until('all events are received', () => at.events.length === 100);
    expect(at.events.map(({ orderId }) => orderId)).toEqual(placed.map(({ orderId }) => orderId));
  });

  test('on one order are executed one after another, without awaiting each', async () => {
    const at = page(buyer);
    const { orderId } = await at.client.place(one());
    const [paid, read, cancelled, rejected] = await Promise.all([
      at.client.pay({ orderId }),
      at.client.get(orderId),
      at.client.cancel({ orderId }),
      rejectionOf(at.client.pay({ orderId })),
    ]);
    expect([paid.status, read.status, cancelled.status, rejected.code]).toEqual([
      'paid',
      'paid',
      'cancelled',
      'ORDER_STATE',
    ]);
  });

  test('emit the number of pending commands, without reads', async () => {
    const at = page(buyer);
    await Promise.all([at.client.place(one()), at.client.list({ role: 'buyer' }), at.client.place(one())]);
    expect(at.pending).toEqual([1, 2, 1, 0]);
  });

  test('aborted before they are sent never take effect', async () => {
    const at = page(buyer);
    const before = await at.client.list({ role: 'buyer', limit: 1 });
    const controller = new AbortController();
    const late = page(buyer);
    const placing = late.client.place(one(), { signal: controller.signal });
    controller.abort(new Error('aborted'));
    await expect(placing).rejects.toThrow('aborted');
    await expect(late.client.place(one(), { signal: controller.signal })).rejects.toThrow('aborted');
    await isLive(late);
    expect(await late.client.list({ role: 'buyer', limit: 1 })).toEqual(before);
    expect(late.pending).toEqual([1, 0]);
  });

  test('reject with CLOSED when the client is closed, also pending ones', async () => {
    const at = page(buyer);
    const pending = rejectionOf(at.client.place(one()));
    at.client.close();
    expect(await pending).toMatchObject({ code: 'CLOSED', retryable: false });
    expect(await rejectionOf(at.client.list({ role: 'buyer' }))).toMatchObject({ code: 'CLOSED' });
    expect(at.client.state).toBe('offline');
  });
});
