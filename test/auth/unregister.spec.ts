import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { knock } from '../support/handshake.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { type Failure, stranger } from '../support/refused.js';

describe('unregistering', () => {
  let hub: TestHub;
  const unregister = (person: Person, password: string = PASSWORD) =>
    person.post<Failure>('/auth/unregister', { password });

  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  test('requires the password', async () => {
    const person = await hub.person();
    const { status, body } = await unregister(person, 'not the password');
    expect([status, body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect((await person.get('/auth/session')).status).toBe(200);
  });

  test('is rejected with a balance', async () => {
    const person = await hub.buyer(7);
    const { status, body } = await unregister(person);
    expect(status).toBe(409);
    expect(body.error).toMatchObject({ code: 'ORDER_STATE', retryable: false, details: { open: 0, balance: 7 } });
    await person.post('/wallet/withdrawals', { amount: 7 });
    expect((await unregister(person)).status).toBe(204);
  });

  test('is rejected for both parties of an open order', async () => {
    const seller = await hub.seller();
    const buyer = await hub.buyer(1_000);
    const attempt = async (person: Person) => {
      const { status, body } = await unregister(person);
      return [status, body.error?.code, body.error?.details];
    };
    const { orderId } = await buyer.place(seller);
    expect(await attempt(buyer)).toEqual([409, 'ORDER_STATE', { open: 1, balance: 1_000 }]);
    expect(await attempt(seller)).toEqual([409, 'ORDER_STATE', { open: 1, balance: 0 }]);
    await buyer.does('order:pay', { orderId });
    expect(await attempt(buyer)).toEqual([409, 'ORDER_STATE', { open: 1, balance: 0 }]);
    expect(await attempt(seller)).toEqual([409, 'ORDER_STATE', { open: 1, balance: 1_000 }]);
    await seller.post('/wallet/withdrawals', { amount: 1_000 });
    await seller.does('order:ship', { orderId });
    expect(await attempt(seller)).toEqual([409, 'ORDER_STATE', { open: 1, balance: 0 }]);
    await buyer.does('order:receive', { orderId });
    for (const person of [buyer, seller]) expect(await attempt(person)).toEqual([204, undefined, undefined]);
  });

  test('counts open orders only', async () => {
    const [first, second] = [await hub.seller(), await hub.seller()];
    await first.place(second);
    await second.place(first);
    const closed = await first.place(second);
    await first.does('order:cancel', { orderId: closed.orderId });
    expect((await unregister(first)).body.error.details).toEqual({ open: 2, balance: 0 });
  });

  test('ends every session of the user and disconnects the sockets', async () => {
    const here = await hub.person();
    const { body } = await stranger(hub).post<{ token: string }>('/auth/login', {
      userId: here.userId,
      password: PASSWORD,
    });
    const there = new Person(hub, here.userId, body.token);
    const bystander = await hub.person();
    await Promise.all([here.connect(), there.connect(), bystander.connect()]);

    const answer = await unregister(here);
    expect([answer.status, answer.body]).toEqual([204, '']);
    for (const person of [here, there]) {
      await until(`${person.userId} is disconnected`, () => person.socket?.connected === false);
      expect(person.endings).toEqual(['unregistered']);
      expect((await person.get('/auth/session')).status).toBe(401);
      expect((await knock(hub, { token: person.token })).error?.data).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    expect(await bystander.does('order:list', { role: 'buyer' })).toEqual({ items: [], next: null });
    expect(bystander.endings).toEqual([]);
  });

  test('is permanent: the user cannot log in and the id stays reserved', async () => {
    const former = await hub.person();
    expect((await unregister(former)).status).toBe(204);
    const anyone = stranger(hub);
    const login = await anyone.post<Failure>('/auth/login', { userId: former.userId, password: PASSWORD });
    expect([login.status, login.body.error.code]).toEqual([401, 'UNAUTHENTICATED']);
    const again = await anyone.post<Failure>('/auth/register', { userId: former.userId, password: PASSWORD });
    expect([again.status, again.body.error.code]).toEqual([409, 'USER_EXISTS']);
  });

  test('keeps the stores readable but rejects orders', async () => {
    const seller = await hub.seller([{ title: '孤本' }]);
    const buyer = await hub.buyer();
    expect((await unregister(seller)).status).toBe(204);

    const anyone = stranger(hub);
    const store = await anyone.get(`/stores/${seller.storeId}`);
    expect([store.status, store.body]).toMatchObject([200, { storeId: seller.storeId, ownerId: seller.userId }]);
    expect((await anyone.get(`/stores?owner=${seller.userId}`)).body).toMatchObject({
      items: [{ storeId: seller.storeId }],
    });
    expect((await anyone.get(`/stores/${seller.storeId}/books/book-1`)).body).toMatchObject({
      title: '孤本',
      stock: 10,
    });
    expect((await anyone.get('/books?q=孤')).body).toMatchObject({ items: [{ bookId: 'book-1' }] });

    const request = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] };
    expect(await buyer.isRefused('order:place', request)).toMatchObject({ code: 'USER_NOT_FOUND', retryable: false });
    expect((await anyone.get(`/stores/${seller.storeId}/books/book-1`)).body).toMatchObject({ stock: 10 });
  });

  test('keeps the history of the other party', async () => {
    const seller = await hub.seller();
    const buyer = await hub.buyer(1_000);
    await buyer.connect();
    const { orderId } = await buyer.place(seller);
    await buyer.does('order:pay', { orderId });
    await seller.does('order:ship', { orderId });
    await buyer.does('order:receive', { orderId });
    await seller.post('/wallet/withdrawals', { amount: 1_000 });
    expect((await unregister(seller)).status).toBe(204);

    const order = await buyer.does('order:get', { orderId });
    expect(order).toMatchObject({ status: 'received', sellerId: seller.userId, storeId: seller.storeId });
    expect(order.timeline.map(({ by }) => by)).toEqual([buyer.userId, buyer.userId, seller.userId, buyer.userId]);
    expect((await buyer.does('order:list', { role: 'buyer' })).items).toMatchObject([{ orderId }]);
    const { events } = await buyer.does('room:read', { role: 'buyer', after: 0 });
    expect(events.map(({ status }) => status)).toEqual(['placed', 'paid', 'shipped', 'received']);
    expect((await buyer.get('/wallet/entries')).body).toMatchObject({
      items: [{ kind: 'payment', orderId }, { kind: 'deposit' }],
    });
  });

  test('against a concurrent order leaves no order without its seller', async () => {
    for (let round = 0; round < 8; round++) {
      const seller = await hub.seller();
      const buyer = await hub.buyer();
      const [unregistered, placed] = await Promise.all([
        unregister(seller),
        buyer.post<Failure>('/orders', { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] }),
      ]);
      const outcome = `${unregistered.status} ${placed.status}`;
      expect(['204 404', '409 201']).toContain(outcome);
      if (unregistered.status === 409) expect(unregistered.body.error.details).toEqual({ open: 1, balance: 0 });
      else expect(placed.body.error.code).toBe('USER_NOT_FOUND');
    }
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
