import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { newKey } from '../../src/client/again.js';
import { HubError } from '../../src/client/connect.js';
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
  const refusalOf = (call: Promise<unknown>): Promise<HubError> =>
    call.then(
      () => Promise.reject(new Error('It was not refused')),
      (error: unknown) => (error instanceof HubError ? error : Promise.reject(error)),
    );

  test('an order travels from its buyer to its seller and back, by calls that are made before there is a connection', async () => {
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
    await until('both have heard of it', () => [at, shop].every(({ events }) => events.at(-1)?.status === 'received'));
    expect(at.events.map(({ status }) => status)).toEqual(['placed', 'paid', 'shipped', 'received']);
    // A seller who came in late begins at the present, which is before what it does itself.
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

  test('a refusal rejects with the code, the words and the details of the hub', async () => {
    const { client } = page(buyer);
    const refused = await refusalOf(client.place({ ...one(), items: [{ bookId: 'book-1', count: 10_001 }] }));
    expect(refused).toMatchObject({
      name: 'HubError',
      code: 'OUT_OF_STOCK',
      retryable: false,
      details: { bookId: 'book-1', wanted: 10_001 },
    });
    expect(refused.message).toMatch(/\w+\.$/);
    const { orderId } = await client.place(one());
    expect(await refusalOf(page(seller).client.ship({ orderId }))).toMatchObject({
      code: 'ORDER_STATE',
      details: { status: 'placed', allowed: ['cancel'] },
    });
  });

  test('a message that is not what the contract says is refused with every fault, and never sent', async () => {
    const { client, pending } = page(buyer);
    const items = [{ bookId: 'x'.repeat(100_000), count: 0 }];
    const refused = await refusalOf(client.place({ storeId: seller.storeId, items }));
    expect(refused).toMatchObject({ code: 'BAD_MESSAGE', retryable: false });
    expect((refused.details as { path: string }[]).map(({ path }) => path)).toEqual([
      'items.0.bookId',
      'items.0.count',
    ]);
    expect(pending).toEqual([]);
  });

  test('each command has a key of its own, and one that is given is used', async () => {
    const { client } = page(buyer);
    const [first, second] = await Promise.all([client.place(one()), client.place(one())]);
    expect(first.orderId).not.toBe(second.orderId);
    const key = newKey();
    const [kept, again] = [await client.place(one(), { key }), await client.place(one(), { key })];
    expect(again).toEqual(kept);
    const other = client.cancel({ orderId: kept.orderId }, { key });
    expect(await refusalOf(other)).toMatchObject({ code: 'KEY_REUSED' });
  });

  test('many calls at once are carried out in the order in which they were made', async () => {
    const at = page(buyer);
    const placed = await Promise.all(range(100).map(() => at.client.place(one())));
    await until('all are heard of', () => at.events.length === 100);
    expect(at.events.map(({ orderId }) => orderId)).toEqual(placed.map(({ orderId }) => orderId));
  });

  test('calls about one order are carried out one after another, without being waited for', async () => {
    const at = page(buyer);
    const { orderId } = await at.client.place(one());
    const [paid, read, cancelled, refused] = await Promise.all([
      at.client.pay({ orderId }),
      at.client.get(orderId),
      at.client.cancel({ orderId }),
      refusalOf(at.client.pay({ orderId })),
    ]);
    expect([paid.status, read.status, cancelled.status, refused.code]).toEqual([
      'paid',
      'paid',
      'cancelled',
      'ORDER_STATE',
    ]);
  });

  test('it is told how many commands wait for their answers; reads are not counted', async () => {
    const at = page(buyer);
    await Promise.all([at.client.place(one()), at.client.list({ role: 'buyer' }), at.client.place(one())]);
    expect(at.pending).toEqual([1, 2, 1, 0]);
  });

  test('a call that is given up before it was sent never takes effect', async () => {
    const at = page(buyer);
    const before = await at.client.list({ role: 'buyer', limit: 1 });
    const leaving = new AbortController();
    const late = page(buyer);
    const given = late.client.place(one(), { signal: leaving.signal });
    leaving.abort(new Error('never mind'));
    await expect(given).rejects.toThrow('never mind');
    await expect(late.client.place(one(), { signal: leaving.signal })).rejects.toThrow('never mind');
    await isLive(late);
    expect(await late.client.list({ role: 'buyer', limit: 1 })).toEqual(before);
    expect(late.pending).toEqual([1, 0]);
  });

  test('a client that was closed answers nothing more, and says so to those who wait', async () => {
    const at = page(buyer);
    const waiting = refusalOf(at.client.place(one()));
    at.client.close();
    expect(await waiting).toMatchObject({ code: 'CLOSED', retryable: false });
    expect(await refusalOf(at.client.list({ role: 'buyer' }))).toMatchObject({ code: 'CLOSED' });
    expect(at.client.state).toBe('offline');
  });
});
