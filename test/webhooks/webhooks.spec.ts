import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CreatedKey } from '../../src/contract/auth.js';
import type { Page } from '../../src/contract/fields.js';
import type { CreatedWebhook, WebhookView } from '../../src/contract/webhooks.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { type Failure, faultPaths } from '../support/refused.js';
import { createTestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';
import { WebhookReceiver } from '../support/webhook.receiver.js';

const OPERATOR_KEY = 'the-operators-key-of-this-very-shop';
/** An address: a name would wait for the name server of the machine. */
const URL_OF_SHOP = 'https://9.9.9.9/order-events';
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const base64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64');

describe('the webhooks of a user', () => {
  let hub: TestHub;
  let operator: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ operatorKey: OPERATOR_KEY });
    operator = new Person(hub, 'operator', OPERATOR_KEY);
  });
  afterAll(() => hub.stop());

  const create = (person: Person, request: object = {}) =>
    person.post<CreatedWebhook & Failure>('/webhooks', { url: URL_OF_SHOP, role: 'seller', ...request });
  const list = async (person: Person, query = '') => (await person.get<Page<WebhookView>>(`/webhooks${query}`)).body;
  const remove = (person: Person, webhookId: string) =>
    person.request<Failure>('DELETE', `/webhooks/${webhookId}`, undefined, {});

  test('are created with a secret that is told once, and listed newest first, in pages', async () => {
    const user = await hub.person();
    const created = [];
    for (const role of ['seller', 'buyer', 'buyer']) {
      const { status, body } = await create(user, { role });
      expect(status).toBe(201);
      created.push(body);
    }
    for (const { secret } of created) expect(Buffer.from(secret.slice('whsec_'.length), 'base64')).toHaveLength(32);
    const { items, next } = await list(user);
    const fields = [
      'webhookId',
      'url',
      'role',
      'paused',
      'createdAt',
      'delivered',
      'head',
      'failingSince',
      'lastStatus',
    ];
    for (const item of items) expect(Object.keys(item)).toEqual(fields);
    expect([items, next]).toEqual([created.map(({ secret: _, ...view }) => view).reverse(), null]);
    const first = await list(user, '?limit=2');
    const second = await list(user, `?limit=2&after=${first.next}`);
    expect([...first.items, ...second.items]).toEqual(items);
    expect((await create(user, { secret: SECRET })).body.secret).toBe(SECRET);
  });

  test('may lead to a name that cannot be resolved now', async () => {
    expect((await create(await hub.person(), { url: 'https://nobody.invalid/events' })).status).toBe(201);
  });

  test('are twenty at most, however many are created at once', async () => {
    const user = await hub.person();
    const answers = await Promise.all(range(25).map(() => create(user)));
    const refused = answers.filter(({ status }) => status !== 201);
    expect(answers).toHaveLength(refused.length + 20);
    for (const { body } of refused) expect(body.error).toMatchObject({ code: 'BAD_MESSAGE', details: [{ path: '' }] });
    const { items } = await list(user, '?limit=100');
    expect(items).toHaveLength(20);
    expect((await remove(user, items[0]?.webhookId ?? '')).status).toBe(204);
    expect((await create(user)).status).toBe(201);
  });

  test.each<[string, object, string]>([
    ['http', { url: 'http://shop.example/events' }, 'url'],
    ['a name and a password', { url: 'https://ann:secret@shop.example/events' }, 'url'],
    ['a name', { url: 'https://ann@shop.example/' }, 'url'],
    ['an empty name', { url: 'https://@shop.example/' }, 'url'],
    ['a fragment', { url: 'https://shop.example/events#a' }, 'url'],
    ['an empty fragment', { url: 'https://shop.example/events#' }, 'url'],
    ['no host', { url: 'https://' }, 'url'],
    ['another scheme', { url: 'ftp://shop.example/' }, 'url'],
    ['white space', { url: ' https://shop.example/' }, 'url'],
    ['a URL that is too long', { url: `https://shop.example/${'a'.repeat(2_000)}` }, 'url'],
    ['loopback', { url: 'https://127.0.0.1/' }, 'url'],
    ['loopback in another form', { url: 'https://127.1/' }, 'url'],
    ['loopback as one number', { url: 'https://2130706433/' }, 'url'],
    ['loopback in octal', { url: 'https://0177.0.0.1/' }, 'url'],
    ['loopback of IPv6', { url: 'https://[::1]/' }, 'url'],
    ['a name that resolves to loopback', { url: 'https://localhost/' }, 'url'],
    ['such a name with a dot', { url: 'https://LocalHost.:8443/' }, 'url'],
    ['a name below localhost', { url: 'https://shop.localhost/' }, 'url'],
    ['a private network', { url: 'https://10.1.2.3/' }, 'url'],
    ['another private network', { url: 'https://192.168.0.1:8443/' }, 'url'],
    ['link-local', { url: 'https://169.254.169.254/latest/meta-data' }, 'url'],
    ['a carrier’s network', { url: 'https://100.64.0.1/' }, 'url'],
    ['a network for documentation', { url: 'https://203.0.113.9/' }, 'url'],
    ['everybody', { url: 'https://255.255.255.255/' }, 'url'],
    ['this network', { url: 'https://0.0.0.0/' }, 'url'],
    ['multicast', { url: 'https://224.0.0.1/' }, 'url'],
    ['a mapped address', { url: 'https://[::ffff:127.0.0.1]/' }, 'url'],
    ['a mapped public address', { url: 'https://[::ffff:8.8.8.8]/' }, 'url'],
    ['an address in IPv6’s old form', { url: 'https://[::127.0.0.1]/' }, 'url'],
    ['NAT64', { url: 'https://[64:ff9b::7f00:1]/' }, 'url'],
    ['6to4', { url: 'https://[2002:7f00:1::]/' }, 'url'],
    ['Teredo', { url: 'https://[2001:0:1::1]/' }, 'url'],
    ['unique local', { url: 'https://[fd00::1]/' }, 'url'],
    ['link-local of IPv6', { url: 'https://[fe80::1]/' }, 'url'],
    ['a secret without its prefix', { secret: base64(32) }, 'secret'],
    ['a secret that is short', { secret: `whsec_${base64(23)}` }, 'secret'],
    ['a secret that is long', { secret: `whsec_${base64(65)}` }, 'secret'],
    ['a secret that is no base64', { secret: `whsec_${base64(32).replace('B', '*')}` }, 'secret'],
    ['a secret without padding', { secret: `whsec_${base64(32).replace('=', '')}` }, 'secret'],
    ['no role', { role: undefined }, 'role'],
    ['another role', { role: 'hub' }, 'role'],
    ['a negative number', { after: -1 }, 'after'],
  ])('are refused %s', async (_, request, path) => {
    const user = await hub.person();
    const { status, body } = await create(user, request);
    expect([status, body.error.code, faultPaths(body.error)]).toEqual([400, 'BAD_MESSAGE', [path]]);
    const { body: webhook } = await create(user);
    if (path !== 'url') return;
    const patched = await user.patch<Failure>(`/webhooks/${webhook.webhookId}`, request);
    expect([patched.status, faultPaths(patched.body.error)]).toEqual([400, ['url']]);
    expect((await list(user)).items).toMatchObject([{ url: URL_OF_SHOP }]);
  });

  test.each([24, 64])('may have a secret of %d bytes', async (bytes) => {
    const secret = `whsec_${base64(bytes)}`;
    expect((await create(await hub.person(), { secret })).body.secret).toBe(secret);
  });

  test('are nobody else’s', async () => {
    const [user, other] = [await hub.person(), await hub.person()];
    const { webhookId } = (await create(user)).body;
    const attempts = [
      other.patch<Failure>(`/webhooks/${webhookId}`, { paused: true }),
      other.post<Failure>(`/webhooks/${webhookId}/rewind`, { after: 0 }),
      other.post<Failure>(`/webhooks/${webhookId}/test`, {}),
      remove(other, webhookId),
      remove(user, 'no-such-webhook'),
    ];
    for (const { status, body } of await Promise.all(attempts))
      expect([status, body.error]).toMatchObject([404, { code: 'NOT_FOUND', details: { what: 'webhook' } }]);
    expect((await list(other)).items).toEqual([]);
    expect((await list(user)).items).toMatchObject([{ webhookId, paused: false }]);
  });

  test('are any user’s for the operator, and for no one else', async () => {
    const [user, other] = [await hub.person(), await hub.person()];
    const { userId } = user;
    const { webhookId } = (await create(operator, { userId })).body;
    expect((await list(user)).items).toMatchObject([{ webhookId }]);
    expect((await list(operator, `?userId=${userId}`)).items).toMatchObject([{ webhookId }]);
    const paused = await operator.patch(`/webhooks/${webhookId}`, { paused: true, userId });
    expect([paused.status, paused.body]).toMatchObject([200, { paused: true }]);
    expect((await operator.patch(`/webhooks/${webhookId}`, { paused: false })).status).toBe(200);
    expect((await remove(operator, webhookId)).status).toBe(204);
    for (const attempt of [
      create(other, { userId }),
      create(user, { userId }),
      user.get<Failure>(`/webhooks?userId=${userId}`),
    ]) {
      const { status, body } = await attempt;
      expect([status, body.error]).toMatchObject([403, { code: 'FORBIDDEN', details: { right: 'sessions' } }]);
    }
    const ofNobody = await create(operator);
    expect([ofNobody.status, ofNobody.body.error.details]).toEqual([403, { right: 'read' }]);
    expect((await create(operator, { userId: 'nobody-of-that-name' })).body.error.code).toBe('USER_NOT_FOUND');
  });

  test('need the right to read', async () => {
    const user = await hub.person();
    const withKey = async (rights: string[]) => {
      const { body } = await user.post<CreatedKey>('/auth/keys', { name: 'till', rights });
      return new Person(hub, user.userId, body.secret);
    };
    expect((await create(await withKey(['read']))).status).toBe(201);
    const { status, body } = await create(await withKey(['buy', 'sell', 'stock', 'money']));
    expect([status, body.error.details]).toEqual([403, { right: 'read' }]);
  });

  test('end with their user', async () => {
    const user = await hub.person();
    await create(user);
    expect((await user.post('/auth/unregister', { password: PASSWORD })).status).toBe(204);
    expect(await hub.rows('SELECT webhook_id FROM webhooks WHERE user_id = ?', [user.userId])).toEqual([]);
    expect((await create(operator, { userId: user.userId })).body.error.code).toBe('USER_NOT_FOUND');
  });
});

describe('an address that is private', () => {
  test('is not delivered to, though it was public when it was given', async () => {
    const database = await createTestDatabase();
    const first = await TestHub.start({ webhooksPrivate: true }, database);
    const receiver = await WebhookReceiver.start();
    const [seller, buyer] = [await first.seller(), await first.buyer()];
    const urls = [receiver.url, receiver.url.replace('127.0.0.1', 'localhost'), 'https://localhost:1/'];
    for (const url of urls) await receiver.of(seller, { url });
    const order = await buyer.place(seller);
    await until('http and names are delivered to', () => receiver.requests.length >= 2);
    const hub = await first.restart({ webhooksPrivate: false });
    const again = new Person(hub, seller.userId, seller.token);
    const count = receiver.requests.length;
    await new Person(hub, buyer.userId, buyer.token).does('order:pay', { orderId: order.orderId });
    const failing = async () => (await again.get<Page<WebhookView>>('/webhooks')).body.items;
    await until('all are failing', async () => (await failing()).every(({ failingSince }) => failingSince !== null));
    expect(receiver.requests).toHaveLength(count);
    for (const { lastStatus, delivered, head } of await failing()) {
      expect(lastStatus).toBeNull();
      expect(delivered).toBeLessThan(head);
    }
    await receiver.stop();
    await hub.stop();
  });
});

test('no log line has a webhook’s secret or the query of its URL', async () => {
  const lines: string[] = [];
  const log = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const hub = await TestHub.start({ webhooksPrivate: true, logLevel: 'trace' }, undefined, log as never);
  const receiver = await WebhookReceiver.start();
  receiver.behaviour = 500;
  const [seller, buyer] = [await hub.seller(), await hub.buyer()];
  const { webhookId } = await receiver.of(seller, { secret: SECRET });
  await seller.patch(`/webhooks/${webhookId}`, { url: `${receiver.url}&second` });
  await seller.post(`/webhooks/${webhookId}/test`, {});
  await buyer.place(seller);
  await until('it was tried', () => receiver.requests.length > 2);
  const metrics = await (await fetch(`${hub.url}/metrics`)).text();
  await hub.stop();
  await receiver.stop();
  expect(lines.length).toBeGreaterThan(0);
  for (const text of [...lines, metrics])
    for (const marker of [SECRET, SECRET.slice(6), 'of-the-query']) expect(text).not.toContain(marker);
  expect(metrics).toMatch(/order_hub_webhook_requests_total\{result="failed"\} [1-9]/);
});
