import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { messages, pushes, routes } from '../../src/contract/wire.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { Witness } from './witness.js';

describe('what a hub says is what its documents say', () => {
  let hub: TestHub;
  let witness: Witness;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start();
    witness = await Witness.of(hub.url);
    seller = new Person(hub, 'mei', '');
    buyer = new Person(hub, 'lin', '');
  });
  afterAll(() => hub.stop());

  const place = async (expectedTotal = 9_200) => {
    const items = [{ bookId: 'three-body', count: 2 }];
    const { body } = await witness.ask<Order>(buyer, 'POST /orders', { storeId: 'corner-books', items, expectedTotal });
    return body.orderId;
  };

  test('to two who join', async () => {
    for (const person of [seller, buyer]) {
      const { userId } = person;
      await witness.ask(person, 'POST /auth/register', { userId, password: PASSWORD });
      await witness.ask(person, 'POST /auth/register', { userId, password: PASSWORD });
      await witness.ask(person, 'POST /auth/login', { userId, password: 'a wrong one' });
      const login = { userId, password: PASSWORD, terminal: 'phone' };
      const { body } = await witness.ask<{ token: string }>(person, 'POST /auth/login', login);
      person.token = body.token;
      await witness.ask(person, 'GET /auth/session');
    }
    await witness.ask(buyer, 'POST /auth/password', { oldPassword: PASSWORD, newPassword: PASSWORD });
  });

  test('of money', async () => {
    const key = { 'Idempotency-Key': 'first' };
    await witness.ask(buyer, 'POST /wallet/deposits', { amount: 30_000 }, key);
    const again = await witness.ask(buyer, 'POST /wallet/deposits', { amount: 30_000, key: 'first' });
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
    await witness.ask(buyer, 'POST /wallet/deposits', { amount: 1 }, key);
    await witness.ask(buyer, 'POST /wallet/withdrawals', { amount: 1_000 });
    await witness.ask(buyer, 'POST /wallet/withdrawals', { amount: 1_000_000 });
    await witness.ask(buyer, 'GET /wallet');
  });

  test('of stores and books', async () => {
    await witness.ask(seller, 'POST /stores', { storeId: 'corner-books', name: 'Corner Books' });
    await witness.ask(seller, 'POST /stores', { storeId: 'corner-books' });
    const book = { bookId: 'three-body', title: '三体', price: 4_600, stock: 6, author: '刘慈欣', tags: ['科幻'] };
    await witness.ask(seller, 'POST /stores/corner-books/books', { ...book, details: { pages: 302 }, lowMark: 4 });
    await witness.ask(seller, 'POST /stores/corner-books/books', book);
    await witness.ask(buyer, 'POST /stores/corner-books/books', book);
    await witness.ask(seller, 'POST /stores/nowhere/books', book);
    await witness.ask(seller, 'POST /stores/corner-books/books', { ...book, price: -1 });
    await witness.ask(seller, 'PATCH /stores/corner-books/books/three-body', { summary: 'Of stars.\nAnd of people.' });
    await witness.ask(seller, 'POST /stores/corner-books/books/three-body/stock', { add: -1 });
    await witness.ask(seller, 'POST /stores/corner-books/books/three-body/stock', { add: -100 });
    await witness.ask(seller, 'POST /stores/corner-books/books/other/stock', { add: 1 });
    for (const path of [
      '/stores',
      '/stores/corner-books',
      '/stores/nowhere',
      '/stores/corner-books/books/three-body',
    ]) {
      await witness.ask(buyer, `GET ${path}`);
    }
    await witness.ask(buyer, 'GET /stores/corner-books/books?limit=1');
    await witness.ask(buyer, `GET /books?q=${encodeURIComponent('三体')}&field=title`);
    await witness.ask(buyer, 'GET /books?limit=many');
  });

  test('of an order’s life, over HTTP', async () => {
    await Promise.all([seller.connect(), buyer.connect()]);
    const orderId = await place();
    await place(1);
    await witness.ask(buyer, 'POST /orders', {
      storeId: 'corner-books',
      items: [{ bookId: 'three-body', count: 999 }],
    });
    await witness.ask(seller, `POST /orders/${orderId}/pay`, {});
    const paid = await witness.ask(buyer, `POST /orders/${orderId}/pay`, { expectedTotal: 9_200, orderId });
    expect(paid.headers.get('Event-Seq')).toBe('2');
    await witness.ask(buyer, `POST /orders/${orderId}/pay`, {});
    await witness.ask(seller, `POST /orders/${orderId}/ship`, { carrier: 'SF', trackingNo: 'SF1' });
    await witness.ask(buyer, `POST /orders/${orderId}/receive`, {});
    await witness.ask(buyer, `POST /orders/${await place()}/cancel`, { reason: 'The wrong one.' });
    await witness.ask(buyer, 'POST /orders/none/pay', {});
    await witness.ask(buyer, `GET /orders/${orderId}`);
    await witness.ask(buyer, 'GET /orders?role=buyer');
    await witness.ask(buyer, 'GET /wallet/entries?limit=2');
    await witness.ask(buyer, 'GET /rooms/buyer/events?after=0');
  });

  test('of an order’s life, over a socket', async () => {
    const items = [{ bookId: 'three-body', count: 1 }];
    const order = async () => {
      const request = { storeId: 'corner-books', items, key: crypto.randomUUID() };
      const answer = await witness.send<{ ok: true; data: Order }>(buyer, 'order:place', request);
      await witness.send(buyer, 'order:place', request);
      return { orderId: answer.data.orderId };
    };
    const one = await order();
    await witness.send(seller, 'order:pay', one);
    await witness.send(buyer, 'order:pay', one);
    await witness.send(seller, 'order:ship', { ...one, carrier: 'SF' });
    await witness.send(buyer, 'order:receive', one);
    await witness.send(buyer, 'order:receive', one);
    await witness.send(buyer, 'order:cancel', await order());
    await witness.send(buyer, 'order:get', one);
    await witness.send(seller, 'order:list', { role: 'seller', limit: 2 });
    await witness.send(buyer, 'room:read', { role: 'buyer', after: 0 });
    await witness.send(buyer, 'order:place', { storeId: 'corner-books', items: [] });
  });

  test('to a stranger, who is not let in', async () => {
    const refusal = await new Person(hub, 'nobody', 'not a token').connect().catch((error: { data: unknown }) => error);
    expect(refusal).toHaveProperty('data.code', 'UNAUTHENTICATED');
    if ('data' in refusal) witness.hears('connect_error', refusal.data);
  });

  test('to those who run it and those who learn to speak to it', async () => {
    for (const path of ['/health/live', '/health/ready', '/metrics', '/openapi.json', '/asyncapi.json', '/docs']) {
      await witness.ask(buyer, `GET ${path}`);
    }
  });

  test('by itself, and when they leave', async () => {
    const bystander = await (await hub.person()).connect();
    for (const { socket } of [buyer, seller, bystander]) {
      socket?.onAny((name: string, payload: unknown) => witness.hears(name, payload));
    }
    buyer.socket?.emit('order:pay', { orderId: 'none' });
    await until('the failure without an acknowledgement is told', () => witness.done.has('order:error'));

    await witness.ask(buyer, 'POST /auth/unregister', { password: PASSWORD });
    await witness.ask(buyer, 'POST /wallet/withdrawals', { amount: await buyer.balance() });
    await witness.ask(buyer, 'POST /auth/unregister', { password: PASSWORD });
    await witness.ask(seller, 'POST /auth/logout');
    await until('both sessions are ended', () => buyer.endings.length > 0 && seller.endings.length > 0);
    await hub.hub.close();
    await until('the hub tells that it shuts down', () => witness.done.has('hub:draining'));

    for (const event of [...buyer.events, ...seller.events]) witness.hears('order:status', event);
    for (const ready of [...buyer.ready, ...seller.ready]) witness.hears('room:ready', ready);
    for (const alert of seller.stockAlerts) witness.hears('book:stock', alert);
  });

  test('and nothing was left out', () => {
    const everything = [...Object.keys(routes), ...Object.keys(messages), ...Object.keys(pushes)];
    expect(everything.filter((name) => !witness.done.has(name))).toEqual([]);
    expect([...witness.refused].sort()).toEqual([
      'BAD_MESSAGE',
      'BOOK_EXISTS',
      'BOOK_NOT_FOUND',
      'FORBIDDEN',
      'INSUFFICIENT_FUNDS',
      'KEY_REUSED',
      'ORDER_NOT_FOUND',
      'ORDER_STATE',
      'OUT_OF_STOCK',
      'PRICE_CHANGED',
      'STORE_EXISTS',
      'STORE_NOT_FOUND',
      'UNAUTHENTICATED',
      'USER_EXISTS',
    ]);
  });
});
