import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CreatedKey, ListedSession } from '../../src/contract/auth.js';
import type { Page } from '../../src/contract/fields.js';
import type { Order } from '../../src/contract/orders.js';
import type { TopupPage } from '../../src/contract/payments.js';
import type { Subscribed } from '../../src/contract/push.js';
import type { CreatedWebhook, WebhookView } from '../../src/contract/webhooks.js';
import { messages, pushes, routes } from '../../src/contract/wire.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { signedEvent, withTestProvider } from '../support/payments.js';
import { Person } from '../support/person.js';
import { BrowserSubscription } from '../support/push.endpoint.js';
import { WebhookReceiver } from '../support/webhook.receiver.js';
import { ResponseRecorder } from './response.recorder.js';

const OPERATOR_KEY = 'the-operators-key-of-this-very-shop';

describe('a hub answers as its API documents describe', () => {
  let hub: TestHub;
  let recorder: ResponseRecorder;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ operatorKey: OPERATOR_KEY, webhooksPrivate: true, ...withTestProvider });
    recorder = await ResponseRecorder.of(hub.url);
    seller = new Person(hub, 'mei', '');
    buyer = new Person(hub, 'lin', '');
  });
  afterAll(() => hub.stop());

  const place = async (expectedTotal = 9_200) => {
    const items = [{ bookId: 'three-body', count: 2 }];
    const { body } = await recorder.request<Order>(buyer, 'POST /orders', {
      storeId: 'corner-books',
      items,
      expectedTotal,
    });
    return body.orderId;
  };

  test('to registration and login', async () => {
    for (const person of [seller, buyer]) {
      const { userId } = person;
      await recorder.request(person, 'POST /auth/register', { userId, password: PASSWORD });
      await recorder.request(person, 'POST /auth/register', { userId, password: PASSWORD });
      await recorder.request(person, 'POST /auth/login', { userId, password: 'a wrong one' });
      const login = { userId, password: PASSWORD, terminal: 'phone' };
      const { body } = await recorder.request<{ token: string }>(person, 'POST /auth/login', login);
      person.token = body.token;
      await recorder.request(person, 'GET /auth/session');
    }
    await recorder.request(buyer, 'POST /auth/password', { oldPassword: PASSWORD, newPassword: PASSWORD });
  });

  test('to sessions and API keys', async () => {
    const operator = new Person(hub, '', OPERATOR_KEY);
    await recorder.request(operator, 'POST /auth/sessions', { userId: 'shop-user', ttlSeconds: 3_600 });
    await recorder.request(buyer, 'POST /auth/sessions', { userId: 'shop-user' });
    const request = { name: 'till 2', rights: ['read', 'sell'] };
    const { body: key } = await recorder.request<CreatedKey>(buyer, 'POST /auth/keys', request);
    const program = new Person(hub, buyer.userId, key.secret);
    await recorder.request(program, 'GET /auth/session');
    await recorder.request(program, 'GET /wallet');
    await recorder.request(program, 'GET /auth/keys');
    await recorder.request(buyer, 'GET /auth/keys?limit=1');
    await recorder.request(buyer, `DELETE /auth/keys/${key.keyId}`);
    await recorder.request(buyer, `DELETE /auth/keys/${key.keyId}`);
    await recorder.request(buyer, 'POST /auth/login', { userId: buyer.userId, password: PASSWORD });
    const { body } = await recorder.request<Page<ListedSession>>(buyer, 'GET /auth/sessions?limit=2');
    const other = body.items.find(({ current }) => !current);
    await recorder.request(buyer, `DELETE /auth/sessions/${other?.sessionId}`);
  });

  test('to wallet requests', async () => {
    const key = { 'Idempotency-Key': 'first' };
    await recorder.request(buyer, 'POST /wallet/deposits', { amount: 30_000 }, key);
    const again = await recorder.request(buyer, 'POST /wallet/deposits', { amount: 30_000, key: 'first' });
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
    await recorder.request(buyer, 'POST /wallet/deposits', { amount: 1 }, key);
    await recorder.request(buyer, 'POST /wallet/withdrawals', { amount: 1_000 });
    await recorder.request(buyer, 'POST /wallet/withdrawals', { amount: 1_000_000 });
    await recorder.request(buyer, 'GET /wallet');
  });

  test('to payment requests', async () => {
    const { body } = await recorder.request<TopupPage>(buyer, 'POST /wallet/topups', { amount: 500, key: 'top-up' });
    await recorder.request(buyer, 'POST /wallet/topups', { amount: 500, orderId: 'none' });
    await recorder.request(buyer, `GET /wallet/topups/${body.topupId}`);
    await recorder.request(seller, `GET /wallet/topups/${body.topupId}`);
    await recorder.request(buyer, 'GET /wallet/topups?limit=1');
    const event = await signedEvent(hub, body.topupId);
    await recorder.request(new Person(hub, '', ''), 'POST /payments/events', event.body, event.headers);
    await recorder.request(new Person(hub, '', ''), 'POST /payments/events', event.body);
    await recorder.request(buyer, `GET /wallet/topups/${body.topupId}`);
    await recorder.request(new Person(hub, '', OPERATOR_KEY), 'POST /wallet/deposits', { userId: 'nobody', amount: 1 });
  });

  test('to store and book requests', async () => {
    await recorder.request(seller, 'POST /stores', { storeId: 'corner-books', name: 'Corner Books' });
    await recorder.request(seller, 'POST /stores', { storeId: 'corner-books' });
    const book = { bookId: 'three-body', title: '三体', price: 4_600, stock: 6, author: '刘慈欣', tags: ['科幻'] };
    await recorder.request(seller, 'POST /stores/corner-books/books', { ...book, details: { pages: 302 }, lowMark: 4 });
    await recorder.request(seller, 'POST /stores/corner-books/books', book);
    await recorder.request(buyer, 'POST /stores/corner-books/books', book);
    await recorder.request(seller, 'POST /stores/nowhere/books', book);
    await recorder.request(seller, 'POST /stores/corner-books/books', { ...book, price: -1 });
    await recorder.request(seller, 'PATCH /stores/corner-books/books/three-body', {
      summary: 'Of stars.\nAnd of people.',
    });
    const store = 'PATCH /stores/corner-books';
    await recorder.request(seller, store, { name: 'Corner Books', acceptWithinSeconds: 0, pausedUntil: null });
    await recorder.request(seller, store, { acceptWithinSeconds: 60 });
    await recorder.request(seller, store, { open: 'yes' });
    await recorder.request(buyer, store, { open: false });
    await recorder.request(seller, 'PATCH /stores/nowhere', { open: false });
    await recorder.request(seller, 'POST /stores/corner-books/books/three-body/stock', { add: -1 });
    await recorder.request(seller, 'POST /stores/corner-books/books/three-body/stock', { add: -100 });
    await recorder.request(seller, 'POST /stores/corner-books/books/other/stock', { add: 1 });
    for (const path of [
      '/stores',
      '/stores/corner-books',
      '/stores/nowhere',
      '/stores/corner-books/books/three-body',
    ]) {
      await recorder.request(buyer, `GET ${path}`);
    }
    await recorder.request(buyer, 'GET /stores/corner-books/books?limit=1');
    await recorder.request(buyer, `GET /books?q=${encodeURIComponent('三体')}&field=title`);
    await recorder.request(buyer, 'GET /books?limit=many');
  });

  test('to order commands over HTTP', async () => {
    await Promise.all([seller.connect(), buyer.connect()]);
    const orderId = await place();
    await place(1);
    const pausedUntil = '2999-01-01T00:00:00.000Z';
    for (const policy of [{ open: false }, { open: true, pausedUntil }, { pausedUntil: null }]) {
      await recorder.request(seller, 'PATCH /stores/corner-books', policy);
      if ('open' in policy) {
        const items = [{ bookId: 'three-body', count: 1 }];
        await recorder.request(buyer, 'POST /orders', { storeId: 'corner-books', items });
      }
    }
    await recorder.request(buyer, 'POST /orders', {
      storeId: 'corner-books',
      items: [{ bookId: 'three-body', count: 999 }],
    });
    await recorder.request(seller, `POST /orders/${orderId}/pay`, {});
    const deliverTo = { name: 'Lin', lines: ['1 Elm Street'], country: 'CN' };
    await recorder.request(buyer, `POST /orders/${orderId}/readdress`, { deliverTo });
    const paid = await recorder.request(buyer, `POST /orders/${orderId}/pay`, { expectedTotal: 9_200, orderId });
    expect(paid.headers.get('Event-Seq')).toBe('3');
    await recorder.request(buyer, `POST /orders/${orderId}/pay`, {});
    await recorder.request(seller, `POST /orders/${orderId}/accept`, { readyAt: '2999-01-01T12:30:00.000Z' });
    await recorder.request(buyer, `POST /orders/${orderId}/accept`, {});
    await recorder.request(seller, `POST /orders/${orderId}/ship`, { carrier: 'SF', trackingNo: 'SF1' });
    await recorder.request(seller, `POST /orders/${orderId}/track`, { parcel: 1, trackingNo: 'SF2' });
    await recorder.request(buyer, `POST /orders/${orderId}/receive`, { parcel: 1 });
    const items = [{ bookId: 'three-body', count: 1 }];
    await recorder.request(seller, `POST /orders/${orderId}/refund`, {
      items,
      restock: true,
      reason: 'A bent corner.',
    });
    await recorder.request(seller, `POST /orders/${orderId}/refund`, { items, amount: 1 });
    await recorder.request(seller, `POST /orders/${orderId}/refund`, { items: [{ bookId: 'three-body', count: 2 }] });
    await recorder.request(buyer, `POST /orders/${await place()}/cancel`, { reason: 'The wrong one.' });
    await recorder.request(seller, `POST /orders/${orderId}/note`, { text: 'Thank you.' });
    await recorder.request(buyer, 'POST /orders/none/pay', {});
    const refused = { unavailable: ['three-body'] };
    await recorder.request(seller, `POST /orders/${await place()}/cancel`, refused);
    await recorder.request(buyer, `POST /orders/${orderId}/cancel`, refused);
    await recorder.request(seller, 'POST /stores/corner-books/books/three-body/stock', { add: 10 });
    await recorder.request(buyer, `GET /orders/${orderId}`);
    await recorder.request(buyer, 'GET /orders?role=buyer');
    await recorder.request(buyer, 'GET /orders/counts?role=buyer');
    await recorder.request(buyer, 'GET /orders/export?role=buyer');
    await recorder.request(buyer, 'GET /wallet/export');
    const times = '2026-01-01T00:00:00.000Z,2999-01-01T00:00:00.000Z';
    await recorder.request(buyer, `GET /wallet/totals?times=${times}`);
    await recorder.request(buyer, 'GET /wallet/totals?times=today');
    await recorder.request(buyer, 'GET /me/export');
    await recorder.request(buyer, 'POST /me/erase', {});
    await recorder.request(buyer, 'GET /wallet/entries?limit=2');
    await recorder.request(buyer, 'GET /rooms/buyer/events?after=0');
  });

  test('to order commands over a socket', async () => {
    const items = [{ bookId: 'three-body', count: 1 }];
    const order = async () => {
      const request = { storeId: 'corner-books', items, key: crypto.randomUUID() };
      const answer = await recorder.send<{ ok: true; data: Order }>(buyer, 'order:place', request);
      await recorder.send(buyer, 'order:place', request);
      return { orderId: answer.data.orderId };
    };
    const one = await order();
    await recorder.send(seller, 'order:pay', one);
    await recorder.send(buyer, 'order:readdress', { ...one, deliverTo: { name: 'Lin', lines: ['1 Elm Street'] } });
    await recorder.send(seller, 'order:note', { ...one, text: 'Soon.' });
    await recorder.send(buyer, 'order:pay', one);
    await recorder.send(seller, 'order:accept', one);
    await recorder.send(seller, 'order:cancel', { ...one, unavailable: ['no-such-book'] });
    await recorder.send(seller, 'order:ship', { ...one, items, carrier: 'SF' });
    await recorder.send(seller, 'order:track', { ...one, trackingNo: 'SF1' });
    await recorder.send(seller, 'order:refund', { ...one, amount: 1 });
    await recorder.send(buyer, 'order:receive', one);
    await recorder.send(buyer, 'order:receive', one);
    await recorder.send(buyer, 'order:cancel', await order());
    await recorder.send(buyer, 'order:get', one);
    await recorder.send(seller, 'order:list', { role: 'seller', limit: 2 });
    await recorder.send(buyer, 'room:read', { role: 'buyer', after: 0 });
    await recorder.send(buyer, 'order:place', { storeId: 'corner-books', items: [] });
  });

  test('to requests about the staff, and of its members', async () => {
    const clerks = [await hub.person(), await hub.person()];
    for (const clerk of clerks) {
      await recorder.request(seller, 'POST /staff', { userId: clerk.userId, rights: ['read', 'sell'] });
      clerk.actingFor = seller.userId;
    }
    const [one, other] = clerks as [Person, Person];
    await recorder.request(seller, 'POST /staff', { userId: 'nobody', rights: ['read'] });
    await recorder.request(one, 'POST /staff', { userId: other.userId, rights: ['read'] });
    await recorder.request(seller, 'GET /staff?limit=1');
    await recorder.request(one, 'GET /staff/of');
    await one.connect();
    one.socket?.on('order:claimed', (push) => recorder.receive('order:claimed', push));
    const orderId = await place();
    await recorder.request(one, `POST /orders/${orderId}/seen`, {});
    await recorder.send(one, 'order:seen', { orderIds: [orderId] });
    await recorder.send(buyer, 'order:seen', { orderIds: [orderId] });
    await recorder.request(one, `POST /orders/${orderId}/claim`, { seconds: 60 });
    await recorder.send(one, 'order:claim', { orderId, seconds: 60 });
    await recorder.send(buyer, 'order:claim', { orderId, seconds: 60 });
    await recorder.request(other, `POST /orders/${orderId}/claim`, { seconds: 60 });
    await recorder.request(other, `POST /orders/${orderId}/cancel`, {});
    await until('the claim is pushed', () => recorder.succeeded.has('order:claimed'));
    await recorder.request(buyer, `POST /orders/${orderId}/cancel`, {});
    await recorder.request(seller, `DELETE /staff/${other.userId}`);
    await recorder.request(seller, `DELETE /staff/${other.userId}`);
    one.disconnect();
  });

  test('to webhook requests', async () => {
    const receiver = await WebhookReceiver.start();
    receiver.behaviour = 500;
    const request = { url: receiver.url, role: 'seller', after: 0 };
    const { body } = await recorder.request<CreatedWebhook>(seller, 'POST /webhooks', request);
    await recorder.request(seller, 'POST /webhooks', { ...request, url: 'no address' });
    await recorder.request(seller, 'POST /webhooks', { ...request, userId: buyer.userId });
    const path = `/webhooks/${body.webhookId}`;
    await until('it is failing', async () => {
      const { items } = (await recorder.request<Page<WebhookView>>(seller, 'GET /webhooks?limit=1')).body;
      return items[0]?.lastStatus === 500;
    });
    // As if that were five minutes ago.
    await hub.database.transaction((tx) => tx.query('UPDATE webhooks SET failing_since = failing_since - 300000'));
    seller.socket?.on('webhook:failing', (push) => recorder.receive('webhook:failing', push));
    await until('its owner is told', () => recorder.succeeded.has('webhook:failing'));
    await recorder.request(seller, `PATCH ${path}`, { paused: true });
    await recorder.request(seller, `POST ${path}/rewind`, { after: 0 });
    await recorder.request(seller, `POST ${path}/test`, {});
    await recorder.request(buyer, `POST ${path}/test`, {});
    await recorder.request(seller, `DELETE ${path}`);
    await receiver.stop();
  });

  test('to requests about push messages', async () => {
    await recorder.request(buyer, 'GET /push/key');
    const subscription = new BrowserSubscription('http://127.0.0.1:9/send').toJSON();
    const { body } = await recorder.request<Subscribed>(buyer, 'POST /push/subscriptions', { subscription });
    await recorder.request(buyer, 'POST /push/subscriptions', { subscription: { ...subscription, keys: {} } });
    await recorder.request(buyer, `DELETE /push/subscriptions/${body.subscriptionId}`);
    await recorder.request(buyer, `DELETE /push/subscriptions/${body.subscriptionId}`);
  });

  test('to a handshake with an unknown token', async () => {
    const refusal = await new Person(hub, 'nobody', 'not a token').connect().catch((error: { data: unknown }) => error);
    expect(refusal).toHaveProperty('data.code', 'UNAUTHENTICATED');
    if ('data' in refusal) recorder.receive('connect_error', refusal.data);
  });

  test('to operational and documentation requests', async () => {
    for (const path of ['/health/live', '/health/ready', '/metrics', '/openapi.json', '/asyncapi.json', '/docs']) {
      await recorder.request(buyer, `GET ${path}`);
    }
  });

  test('with pushes, at the end of sessions and at shutdown', async () => {
    const bystander = await (await hub.person()).connect();
    for (const { socket } of [buyer, seller, bystander]) {
      socket?.onAny((name: string, payload: unknown) => recorder.receive(name, payload));
    }
    buyer.socket?.emit('order:pay', { orderId: 'none' });
    await until('the error without an acknowledgement is pushed', () => recorder.succeeded.has('order:error'));

    await recorder.request(buyer, 'POST /auth/unregister', { password: PASSWORD });
    await recorder.request(buyer, 'POST /wallet/withdrawals', { amount: await buyer.balance() });
    await recorder.request(buyer, 'POST /me/erase', { password: PASSWORD });
    const pending = "SELECT payout_id FROM payouts WHERE status = 'pending'";
    await until('the withdrawal is paid out', async () => (await hub.rows(pending)).length === 0);
    await recorder.request(buyer, 'POST /auth/unregister', { password: PASSWORD });
    await recorder.request(seller, 'POST /auth/logout');
    await until('both sessions are ended', () => buyer.endings.length > 0 && seller.endings.length > 0);
    await hub.hub.close();
    await until('the hub announces its shutdown', () => recorder.succeeded.has('hub:draining'));

    for (const event of [...buyer.events, ...seller.events]) recorder.receive('order:status', event);
    for (const ready of [...buyer.ready, ...seller.ready]) recorder.receive('room:ready', ready);
    for (const alert of seller.stockAlerts) recorder.receive('book:stock', alert);
    for (const status of seller.stores) recorder.receive('store:status', status);
  });

  test('for every route, message and push', () => {
    const everything = [...Object.keys(routes), ...Object.keys(messages), ...Object.keys(pushes)];
    expect(everything.filter((name) => !recorder.succeeded.has(name))).toEqual([]);
    expect([...recorder.refused].sort()).toEqual([
      'BAD_MESSAGE',
      'BOOK_EXISTS',
      'BOOK_NOT_FOUND',
      'CLAIMED',
      'FORBIDDEN',
      'INSUFFICIENT_FUNDS',
      'KEY_REUSED',
      'NOT_FOUND',
      'ORDER_NOT_FOUND',
      'ORDER_STATE',
      'OUT_OF_STOCK',
      'PRICE_CHANGED',
      'STORE_EXISTS',
      'STORE_NOT_FOUND',
      'STORE_PAUSED',
      'UNAUTHENTICATED',
      'USER_EXISTS',
      'USER_NOT_FOUND',
    ]);
  });
});
