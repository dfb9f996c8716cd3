import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CreatedKey } from '../../src/contract/auth.js';
import type { RoomEvents } from '../../src/contract/rooms.js';
import type { MessageName, Request } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import type { Failure } from '../support/refused.js';

const PRICE = 1_000;

describe('a member of staff who acts for a seller', () => {
  let hub: TestHub;
  let owner: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start();
    owner = await hub.seller([{ price: PRICE, stock: 1_000 }]);
    buyer = await hub.buyer(1_000_000);
    await Promise.all([owner.connect(), buyer.connect()]);
  });
  afterAll(() => hub.stop());

  async function member(rights: string[], of = owner): Promise<Person> {
    const person = await hub.person();
    expect((await of.post('/staff', { userId: person.userId, rights })).status).toBe(201);
    person.actingFor = of.userId;
    person.storeId = of.storeId;
    return person;
  }

  async function paidOrder(): Promise<string> {
    const { orderId } = await buyer.place(owner);
    await buyer.does('order:pay', { orderId });
    return orderId;
  }

  const refusal = ({ status, body }: { status: number; body: Failure }) => [
    status,
    body.error?.code,
    body.error?.details,
  ];

  test('joins the seller’s room and no other, with the same numbers', async () => {
    const clerk = await (await member(['read', 'sell'])).connect();
    expect(clerk.ready[0]).toMatchObject({
      userId: clerk.userId,
      rooms: { seller: owner.ready[0]?.rooms.seller && {} },
    });
    expect(Object.keys(clerk.ready[0]?.rooms ?? {})).toEqual(['seller']);
    const orderId = await paidOrder();
    await until('both have heard of it', () =>
      [clerk, owner].every(({ events }) =>
        events.some((event) => event.orderId === orderId && event.status === 'paid'),
      ),
    );
    const about = ({ events }: Person) => events.filter((event) => event.orderId === orderId);
    expect(about(clerk)).toEqual(about(owner));
    expect(clerk.events.every(({ role }) => role === 'seller')).toBe(true);
    const { body } = await clerk.get<RoomEvents>('/rooms/seller/events?after=0&limit=100');
    expect(body).toEqual((await owner.get<RoomEvents>('/rooms/seller/events?after=0&limit=100')).body);
  });

  test('comes back with the number that it had, and misses nothing', async () => {
    const clerk = await (await member(['read'])).connect();
    const head = clerk.ready[0]?.rooms.seller?.head ?? 0;
    clerk.disconnect();
    const orderId = await paidOrder();
    const again = new Person(hub, clerk.userId, clerk.token);
    await again.connect({ for: owner.userId, last: { seller: head } });
    expect(again.events.map(({ seq, status }) => [seq, status])).toEqual([
      [head + 1, 'placed'],
      [head + 2, 'paid'],
    ]);
    expect(again.events.every((event) => event.orderId === orderId)).toBe(true);
    again.disconnect();
  });

  test('does the seller’s work under its own name', async () => {
    const clerk = await (await member(['read', 'sell'])).connect();
    const orderId = await paidOrder();
    const answer = await clerk.send('order:ship', { orderId, carrier: 'SF' });
    expect(answer).toMatchObject({
      ok: true,
      data: { status: 'shipped', sellerId: owner.userId },
      seq: expect.any(Number),
    });
    const { timeline } = await buyer.does('order:get', { orderId });
    expect(timeline.at(-1)).toMatchObject({ command: 'ship', by: clerk.userId });
    await until('the seller has heard', () => owner.events.at(-1)?.status === 'shipped');
    expect(owner.events.at(-1)).toMatchObject({ by: clerk.userId, seq: answer.ok ? answer.seq : 0 });
    expect(await clerk.does('order:get', { orderId })).toEqual(await owner.does('order:get', { orderId }));
  });

  test('does it over HTTP, and has keys of its own', async () => {
    const [clerk, other] = [await member(['read', 'sell', 'stock']), await member(['read', 'sell'])];
    const orderId = await paidOrder();
    const key = { 'idempotency-key': 'same' };
    const shipped = await clerk.post<{ status: string }>(`/orders/${orderId}/ship`, { carrier: 'SF' }, key);
    expect([shipped.status, shipped.body.status, shipped.headers.get('event-seq')]).toEqual([
      200,
      'shipped',
      expect.stringMatching(/^\d+$/),
    ]);
    const again = await clerk.post(`/orders/${orderId}/ship`, { carrier: 'SF' }, key);
    expect([again.status, again.body, again.headers.get('idempotency-replayed')]).toEqual([200, shipped.body, 'true']);
    expect((await other.post<Failure>(`/orders/${orderId}/ship`, { carrier: 'SF' }, key)).body.error.code).toBe(
      'ORDER_STATE',
    );
    const { storeId } = owner;
    expect((await clerk.post(`/stores/${storeId}/books/book-1/stock`, { add: 5 })).status).toBe(200);
    expect((await clerk.patch(`/stores/${storeId}/books/book-1`, { lowMark: 2 })).status).toBe(200);
    expect((await clerk.patch(`/stores/${storeId}`, { name: 'By the clerk' })).status).toBe(200);
    const opened = await clerk.post<{ ownerId: string }>('/stores', { storeId: hub.name('second') });
    expect([opened.status, opened.body.ownerId]).toEqual([201, owner.userId]);
  });

  test('reads and moves the seller’s money with the right for it', async () => {
    const [clerk, treasurer] = [await member(['read', 'sell']), await member(['money', 'read'])];
    await paidOrder();
    await treasurer.connect();
    expect(await treasurer.wallet()).toEqual(await owner.wallet());
    const balance = await owner.balance();
    const { status, body } = await treasurer.post<{ balance: number }>('/wallet/withdrawals', { amount: 1 });
    expect([status, body.balance, await owner.balance()]).toEqual([200, balance - 1, balance - 1]);
    await until('the wallet is told', () => treasurer.wallets.at(-1)?.balance === balance - 1);
    expect(refusal(await clerk.get<Failure>('/wallet'))).toEqual([403, 'FORBIDDEN', { right: 'money' }]);
    const pauper = await hub.seller([{ price: PRICE }]);
    const helper = await member(['sell', 'read'], pauper);
    const { orderId } = await buyer.place(pauper);
    await buyer.does('order:pay', { orderId });
    await pauper.post('/wallet/withdrawals', { amount: PRICE });
    for (const verb of ['cancel', 'refund']) {
      const refund = verb === 'refund' ? { amount: 10 } : {};
      // The balance is the seller's, and not said to who may not read it.
      const answer = await helper.post<Failure>(`/orders/${orderId}/${verb}`, refund);
      expect(refusal(answer)).toEqual([402, 'INSUFFICIENT_FUNDS', undefined]);
    }
  });

  test.each<[string, string, unknown?]>([
    ['POST', '/auth/logout'],
    ['POST', '/auth/password', { oldPassword: 'x', newPassword: 'correct horse' }],
    ['POST', '/auth/unregister', { password: 'x' }],
    ['POST', '/auth/keys', { name: 'till', rights: ['read'] }],
    ['GET', '/auth/keys'],
    ['DELETE', '/auth/keys/none'],
    ['GET', '/auth/sessions'],
    ['DELETE', '/auth/sessions/none'],
    ['GET', '/me/export'],
    ['POST', '/me/erase', { password: 'x' }],
    ['GET', '/orders?role=buyer'],
    ['GET', '/orders/counts?role=buyer'],
    ['GET', '/orders/export?role=buyer'],
    ['GET', '/rooms/buyer/events?after=0'],
    ['POST', '/webhooks', { url: 'https://shop.example/x', role: 'buyer' }],
    ['POST', '/orders', { storeId: 'any', items: [{ bookId: 'b', count: 1 }] }],
    ['POST', '/orders/none/pay', {}],
    ['POST', '/orders/none/receive', {}],
  ])('has no part in what is the seller’s own: %s %s', async (...[method, path, body]) => {
    const chief = await member(['read', 'sell', 'stock', 'money', 'staff', 'buy']);
    const answer = await chief.request<Failure>(method, path, body, {});
    expect([answer.status, answer.body.error.code]).toEqual([403, 'FORBIDDEN']);
  });

  test('moves the seller’s money or its own, never one for the other by a key of both', async () => {
    const clerk = await member(['read', 'money']);
    const deposit = () =>
      clerk.post<Failure & { balance: number }>('/wallet/deposits', { amount: 500, key: 'of-both' });
    const before = (await owner.get<{ balance: number }>('/wallet')).body.balance;
    expect((await deposit()).body.balance).toBe(before + 500);
    expect((await deposit()).body.balance).toBe(before + 500);
    clerk.actingFor = undefined;
    const own = await deposit();
    expect([own.status, own.body.error.code]).toEqual([422, 'KEY_REUSED']);
    expect((await clerk.get<{ balance: number }>('/wallet')).body.balance).toBe(0);
    expect((await owner.get<{ balance: number }>('/wallet')).body.balance).toBe(before + 500);
  });

  test('has no part in what the seller buys elsewhere', async () => {
    const other = await hub.seller();
    await owner.deposit(PRICE);
    const { orderId } = await owner.place(other);
    const clerk = await (await member(['read', 'sell', 'money'])).connect();
    const requests: [MessageName, object][] = [
      ['order:get', { orderId }],
      ['order:cancel', { orderId }],
      ['order:note', { orderId, text: 'Hello.' }],
      ['order:list', { role: 'buyer' }],
      ['room:read', { role: 'buyer', after: 0 }],
    ];
    for (const [name, request] of requests) {
      expect((await clerk.isRefused(name, request as Request<typeof name>)).code).toBe('FORBIDDEN');
    }
    await owner.does('order:cancel', { orderId });
  });

  test('may not buy at the seller’s stores, also as himself, and may at others', async () => {
    const clerk = await member(['read']);
    clerk.actingFor = undefined;
    await clerk.deposit(10 * PRICE);
    const request = { storeId: owner.storeId, items: [{ bookId: 'book-1', count: 1 }] };
    expect(await clerk.isRefused('order:place', request)).toMatchObject({ code: 'FORBIDDEN' });
    expect((await clerk.post<Failure>('/orders', request)).body.error.code).toBe('FORBIDDEN');
    await clerk.place(await hub.seller());
    await owner.request('DELETE', `/staff/${clerk.userId}`, undefined, {});
    await clerk.place(owner);
  });

  test('is refused where the right is missing, and nothing is done', async () => {
    const clerk = await (await member(['read'])).connect();
    const orderId = await paidOrder();
    const requests: [MessageName, object][] = [
      ['order:ship', { orderId }],
      ['order:accept', { orderId }],
      ['order:refund', { orderId, amount: 1 }],
      ['order:track', { orderId, carrier: 'SF' }],
      ['order:claim', { orderId, seconds: 1 }],
      ['order:seen', { orderIds: [orderId] }],
      ['order:cancel', { orderId }],
      ['order:note', { orderId, text: 'x' }],
    ];
    for (const [name, request] of requests) {
      const error = await clerk.isRefused(name, request as Request<typeof name>);
      expect([name, error.code, error.details]).toEqual([name, 'FORBIDDEN', { right: expect.any(String) }]);
    }
    expect((await owner.does('order:get', { orderId })).version).toBe(2);
    const silent = await (await member(['sell'])).connect();
    expect(silent.ready[0]?.rooms).toEqual({});
    expect((await silent.isRefused('order:list', { role: 'seller' })).details).toEqual({ right: 'read' });
  });

  test('with an API key has no more rights than the key', async () => {
    const clerk = await member(['read', 'sell']);
    clerk.actingFor = undefined;
    const { body } = await clerk.post<CreatedKey>('/auth/keys', { name: 'scanner', rights: ['sell', 'buy'] });
    const scanner = new Person(hub, clerk.userId, body.secret);
    scanner.actingFor = owner.userId;
    const orderId = await paidOrder();
    expect((await scanner.post(`/orders/${orderId}/ship`, {})).status).toBe(200);
    expect(refusal(await scanner.get<Failure>(`/orders/${orderId}`))).toEqual([403, 'FORBIDDEN', { right: 'read' }]);
  });

  test('is nobody to a seller of whose staff it is not', async () => {
    const [clerk, other] = [await member(['read', 'sell']), await hub.seller()];
    for (const ownerId of [other.userId, clerk.userId, 'nobody-at-all', '三体书店']) {
      clerk.actingFor = ownerId;
      expect(refusal(await clerk.get<Failure>('/orders?role=seller'))).toEqual([403, 'FORBIDDEN', undefined]);
      await expect(clerk.connect()).rejects.toMatchObject({ message: 'FORBIDDEN', data: { code: 'FORBIDDEN' } });
    }
    for (const ownerId of ['', ' padded', 'x'.repeat(65)]) {
      clerk.actingFor = ownerId;
      expect((await clerk.get<Failure>('/orders?role=seller')).body.error.code).toBe('BAD_MESSAGE');
      await expect(clerk.connect()).rejects.toMatchObject({ message: 'BAD_MESSAGE' });
    }
  });

  test('may act for a seller whose id no header can hold as it is', async () => {
    const shop = await hub.person('三体书店 100%');
    const clerk = await member(['read'], shop);
    expect((await clerk.get('/orders?role=seller')).status).toBe(200);
    await clerk.connect();
  });

  test('manages webhooks with the right for the staff only, as they outlive it', async () => {
    const [clerk, chief] = [await member(['read']), await member(['read', 'staff'])];
    const request = { url: 'https://8.8.8.8/x', role: 'seller' };
    expect(refusal(await clerk.post<Failure>('/webhooks', request))).toEqual([403, 'FORBIDDEN', { right: 'staff' }]);
    const { status, body } = await chief.post<{ webhookId: string }>('/webhooks', request);
    expect(status).toBe(201);
    const listed = await clerk.get<{ items: { webhookId: string }[] }>('/webhooks');
    expect(listed.body.items.map(({ webhookId }) => webhookId)).toEqual([body.webhookId]);
    const path = `/webhooks/${body.webhookId}`;
    expect((await clerk.request('DELETE', path, undefined, {})).status).toBe(403);
    expect((await chief.request('DELETE', path, undefined, {})).status).toBe(204);
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
