import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import type { PushKey } from '../../src/contract/push.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { type BrowserSubscription, PushEndpoint, type ReceivedPush } from '../support/push.endpoint.js';
import { range } from '../support/ways.js';

/** Longer than a hub takes to send what it has to. */
const QUIET_MS = 2_500;

describe('push messages', () => {
  let hub: TestHub;
  let endpoint: PushEndpoint;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ webhooksPrivate: true });
    endpoint = await PushEndpoint.start();
  });
  afterAll(async () => {
    expect(endpoint.faults).toEqual([]);
    await hub.stop();
    await endpoint.stop();
  });
  beforeEach(async () => {
    endpoint.behaviour = 201;
    seller = await hub.seller([{ stock: 1_000, title: 'A book' }]);
    buyer = await hub.buyer();
  });

  /** Over HTTP: nobody has a socket. */
  const http = async (person: Person, path: string, body: object = {}): Promise<Order> => {
    const answer = await person.post<Order>(path, body);
    if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const place = (fields: object = {}) =>
    http(buyer, '/orders', { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], ...fields });
  const paid = async (fields: object = {}) => http(buyer, `/orders/${(await place(fields)).orderId}/pay`);
  const has = async (browser: BrowserSubscription, count: number): Promise<ReceivedPush[]> => {
    await until(`${count} are sent`, () => endpoint.sentTo(browser).length >= count);
    return endpoint.sentTo(browser);
  };
  const notices = (browser: { subscriptionId: string }) =>
    hub.rows<{ kind: string; sent: number; nextAt: number }>(
      'SELECT kind, sent, next_at AS nextAt FROM push_notices WHERE subscription_id = ?',
      [browser.subscriptionId],
    );
  /** As if a minute had passed for the notices of this browser. */
  const passMinute = ({ subscriptionId }: { subscriptionId: string }) =>
    hub.database.transaction((tx) =>
      tx.query('UPDATE push_notices SET next_at = next_at - 60000, epoch = epoch + 1 WHERE subscription_id = ?', [
        subscriptionId,
      ]),
    );
  const isStored = (browser: { subscriptionId: string }, sent: number) =>
    until(`${sent} are counted`, async () => (await notices(browser))[0]?.sent === sent);

  test('tell a seller of a paid order, encrypted for its browser and signed by the hub', async () => {
    const browser = await endpoint.subscribe(seller);
    const order = await paid();
    const [push] = await has(browser, 1);
    expect(push?.message).toEqual({
      kind: 'paid',
      role: 'seller',
      orderId: order.orderId,
      number: order.number,
      status: 'paid',
      storeId: seller.storeId,
      storeName: null,
    });
    const { key } = (await seller.get<PushKey>('/push/key')).body;
    expect(push?.key).toBe(key);
    expect(push?.headers).toMatchObject({ urgency: 'high', 'content-type': 'application/octet-stream' });
    expect(push?.bytes.toString('latin1')).not.toContain(order.orderId);
  });

  test('tell a buyer of shipping and of a cancellation by the seller, not of its own', async () => {
    const browser = await endpoint.subscribe(buyer);
    const [first, second, third] = [await paid(), await paid(), await paid()];
    await http(seller, `/orders/${first.orderId}/ship`, { carrier: 'SF' });
    await http(seller, `/orders/${second.orderId}/cancel`);
    await http(buyer, `/orders/${third.orderId}/cancel`);
    const pushes = await has(browser, 2);
    const told = pushes.map(({ message: { kind, role, status, orderId } }) => [kind, role, status, orderId]);
    expect(told.sort()).toEqual([
      ['cancelled', 'buyer', 'cancelled', second.orderId],
      ['shipped', 'buyer', 'shipped', first.orderId],
    ]);
    await sleep(QUIET_MS);
    expect(endpoint.sentTo(browser)).toHaveLength(2);
    expect(pushes.every(({ headers }) => headers.urgency === 'normal')).toBe(true);
  });

  test('tell each party of the other’s notes', async () => {
    const [ofSeller, ofBuyer] = [await endpoint.subscribe(seller), await endpoint.subscribe(buyer)];
    const { orderId } = await place();
    await http(buyer, `/orders/${orderId}/note`, { text: 'Is it wrapped?' });
    await http(seller, `/orders/${orderId}/note`, { text: 'It is.' });
    expect((await has(ofSeller, 1)).map(({ message }) => [message.kind, message.role])).toEqual([['note', 'seller']]);
    expect((await has(ofBuyer, 1)).map(({ message }) => [message.kind, message.role])).toEqual([['note', 'buyer']]);
    await sleep(QUIET_MS);
    expect([endpoint.sentTo(ofSeller).length, endpoint.sentTo(ofBuyer).length]).toEqual([1, 1]);
  });

  test('carry no address, no phone and no word of a note', async () => {
    const [ofSeller, ofBuyer] = [await endpoint.subscribe(seller), await endpoint.subscribe(buyer)];
    const deliverTo = { name: 'MARK-name', lines: ['MARK-line'], city: 'MARK-city', phone: 'MARK-555' };
    const { orderId } = await paid({ deliverTo, note: 'MARK-first' });
    await has(ofSeller, 1);
    await http(buyer, `/orders/${orderId}/note`, { text: 'MARK-second' });
    await http(seller, `/orders/${orderId}/note`, { text: 'MARK-third' });
    await http(seller, `/orders/${orderId}/ship`, { carrier: 'SF', trackingNo: 'SF1' });
    await Promise.all([has(ofSeller, 2), has(ofBuyer, 2)]);
    const all = JSON.stringify(endpoint.pushes.map(({ text, headers, path }) => [text, headers, path]));
    expect(all).toContain(orderId);
    expect(all).not.toContain('MARK');
    const stored = await Promise.all(
      ['push_notices', 'push_subscriptions', 'push_cursors'].map((table) => hub.rows(`SELECT * FROM ${table}`)),
    );
    expect(JSON.stringify(stored)).not.toContain('MARK');
  });

  test('are five in all, a minute apart, each in place of the one before', async () => {
    const browser = await endpoint.subscribe(seller);
    await paid();
    for (const number of range(5)) {
      expect((await has(browser, number + 1)).length).toBe(number + 1);
      if (number === 4) break;
      await isStored(browser, number + 1);
      const [notice] = await notices(browser);
      const waitMs = Number(notice?.nextAt) - hub.now();
      expect(waitMs).toBeGreaterThan(50_000);
      expect(waitMs).toBeLessThanOrEqual(60_000);
      await passMinute(browser);
    }
    await until('it has come to its end', async () => (await notices(browser)).length === 0);
    await sleep(QUIET_MS);
    const pushes = endpoint.sentTo(browser);
    expect(pushes).toHaveLength(5);
    expect(new Set(pushes.map(({ headers }) => headers.topic)).size).toBe(1);
    expect(new Set(pushes.map(({ text }) => text)).size).toBe(1);
  });

  test('end when the order is no longer paid', async () => {
    const browser = await endpoint.subscribe(seller);
    const { orderId } = await paid();
    await has(browser, 1);
    await isStored(browser, 1);
    await http(seller, `/orders/${orderId}/ship`);
    await passMinute(browser);
    await until('it has come to its end', async () => (await notices(browser)).length === 0);
    expect(endpoint.sentTo(browser)).toHaveLength(1);
  });

  test('end when someone of the shop has acted on the order', async () => {
    const browser = await endpoint.subscribe(seller);
    const { orderId } = await paid();
    await has(browser, 1);
    await isStored(browser, 1);
    await http(seller, `/orders/${orderId}/note`, { text: 'Soon.' });
    await until('it has come to its end', async () => (await notices(browser)).length === 0);
  });

  test('end when someone of the shop has seen the order', async () => {
    const browser = await endpoint.subscribe(seller);
    const { orderId } = await paid();
    await has(browser, 1);
    await isStored(browser, 1);
    await http(seller, `/orders/${orderId}/seen`);
    await until('it has come to its end', async () => (await notices(browser)).length === 0);
    expect(endpoint.sentTo(browser)).toHaveLength(1);
  });

  test('go to the staff that may read or sell, as long as it is the staff', async () => {
    const [clerk, packer, keeper] = [await hub.person(), await hub.person(), await hub.person()];
    const rights: [Person, string[]][] = [
      [clerk, ['read']],
      [packer, ['sell']],
      [keeper, ['stock']],
    ];
    const [ofClerk, ofPacker] = [await endpoint.subscribe(clerk), await endpoint.subscribe(packer)];
    for (const [{ userId }, given] of rights) await seller.post('/staff', { userId, rights: given });
    const ofKeeper = await endpoint.subscribe(keeper);
    // Those who were subscribed before are found by a walk.
    await sleep(QUIET_MS);
    const { orderId } = await paid();
    await Promise.all([has(ofClerk, 1), has(ofPacker, 1)]);
    const [push] = endpoint.sentTo(ofPacker);
    expect(push?.message).toMatchObject({ kind: 'paid', role: 'seller', orderId });
    await isStored(ofClerk, 1);
    await seller.request('DELETE', `/staff/${clerk.userId}`, undefined, {});
    await passMinute(ofClerk);
    await passMinute(ofPacker);
    await has(ofPacker, 2);
    await until('it has come to its end', async () => (await notices(ofClerk)).length === 0);
    await paid();
    await has(ofPacker, 3);
    expect([endpoint.sentTo(ofClerk).length, endpoint.sentTo(ofKeeper).length]).toEqual([1, 0]);
    // What the seller buys itself is not its staff's.
    await seller.deposit(10_000);
    const other = await hub.seller();
    const items = [{ bookId: 'book-1', count: 1 }];
    const bought = await http(seller, '/orders', { storeId: other.storeId, items });
    await http(seller, `/orders/${bought.orderId}/pay`);
    await http(other, `/orders/${bought.orderId}/ship`);
    await sleep(QUIET_MS);
    expect(endpoint.sentTo(ofPacker).filter(({ message }) => message.role === 'buyer')).toEqual([]);
  }, 60_000);

  test('wait for twenty seconds while the seller has a socket', async () => {
    const browser = await endpoint.subscribe(seller);
    await seller.connect();
    await until('the socket is recorded', async () => {
      const rows = await hub.rows('SELECT 1 FROM push_presence WHERE user_id = ? AND is_live = 1', [seller.userId]);
      return rows.length === 1;
    });
    const from = Date.now();
    await paid();
    const [push] = await has(browser, 1);
    expect(Number(push?.at) - from).toBeGreaterThan(19_500);
    expect(Number(push?.at) - from).toBeLessThan(28_000);
  }, 60_000);

  test('are not sent to a buyer with a socket, which has the event already', async () => {
    const browser = await endpoint.subscribe(buyer);
    const order = await paid();
    await buyer.connect();
    await until('the socket is recorded', async () => {
      const rows = await hub.rows('SELECT 1 FROM push_presence WHERE user_id = ? AND is_live = 1', [buyer.userId]);
      return rows.length === 1;
    });
    await http(seller, `/orders/${order.orderId}/ship`);
    await until('there is a notice', async () => (await notices(browser)).length === 1);
    await until('it has come to its end', async () => (await notices(browser)).length === 0, 15_000);
    expect(endpoint.sentTo(browser)).toEqual([]);
    buyer.disconnect();
    const next = await paid();
    await sleep(500);
    await http(seller, `/orders/${next.orderId}/ship`);
    expect((await has(browser, 1))[0]?.message).toMatchObject({ kind: 'shipped', orderId: next.orderId });
  }, 60_000);

  test('to a buyer end once it has had a socket, also if it has none by then', async () => {
    const browser = await endpoint.subscribe(buyer);
    const { orderId } = await paid();
    await http(seller, `/orders/${orderId}/ship`);
    await has(browser, 1);
    await isStored(browser, 1);
    await buyer.connect();
    const seen = async (isLive: number) => {
      const sql = 'SELECT 1 FROM push_presence WHERE user_id = ? AND is_live = ?';
      return (await hub.rows(sql, [buyer.userId, isLive])).length === 1;
    };
    await until('the socket is recorded', () => seen(1));
    buyer.disconnect();
    await until('its end is recorded', () => seen(0));
    await passMinute(browser);
    await until('it has come to its end', async () => (await notices(browser)).length === 0);
    expect(endpoint.sentTo(browser)).toHaveLength(1);
  });

  test.each([404, 410])('delete the subscription that is answered with %i', async (status) => {
    const browser = await endpoint.subscribe(seller);
    endpoint.behaviour = status;
    await paid();
    await has(browser, 1);
    const left = () => hub.rows('SELECT 1 FROM push_subscriptions WHERE subscription_id = ?', [browser.subscriptionId]);
    await until('it is deleted', async () => (await left()).length === 0);
    await paid();
    await sleep(QUIET_MS);
    expect(endpoint.sentTo(browser)).toHaveLength(1);
    expect(await notices(browser)).toEqual([]);
  });

  test('are sent again after a failure, and not before the push service wants them', async () => {
    const browser = await endpoint.subscribe(seller);
    const answers = [500, { status: 429, headers: { 'retry-after': '7' } }, 201] as const;
    endpoint.behaviour = () => answers[Math.min(endpoint.sentTo(browser).length - 1, 2)] ?? 201;
    await paid();
    await has(browser, 2);
    const waitMs = async () => Number((await notices(browser))[0]?.nextAt) - hub.now();
    await until('the failure is stored', async () => {
      const left = await waitMs();
      return left > 3_000 && left <= 7_000;
    });
    const pushes = await has(browser, 3);
    expect(Number(pushes[2]?.at) - Number(pushes[1]?.at)).toBeGreaterThan(6_500);
    await isStored(browser, 1);
  }, 60_000);

  test('that a push service refuses for another reason are not repeated', async () => {
    const browser = await endpoint.subscribe(seller);
    endpoint.behaviour = 403;
    await paid();
    await has(browser, 1);
    await until('it has come to its end', async () => (await notices(browser)).length === 0);
    endpoint.behaviour = 201;
    await paid();
    await has(browser, 2);
  });

  test('go on to other browsers while one push service is mute', async () => {
    const [mute, other] = [await endpoint.subscribe(seller), await endpoint.subscribe(seller)];
    endpoint.behaviour = ({ path }) => (mute.endpoint.endsWith(path) ? 'hang' : 201);
    for (const _ of range(20)) await paid();
    await has(other, 20);
    expect(endpoint.sentTo(mute).length).toBeLessThan(5);
  }, 60_000);

  test('that were due when the hub stopped are sent by the next one', async () => {
    const own = await TestHub.start({ webhooksPrivate: true });
    const [shop, guest] = [await own.seller(), await own.buyer()];
    const browser = await endpoint.subscribe(shop);
    endpoint.behaviour = 503;
    const { orderId } = await guest.place(shop);
    await guest.does('order:pay', { orderId });
    await until('one is refused', () => endpoint.sentTo(browser).length > 0);
    const next = await own.restart();
    endpoint.behaviour = 201;
    const before = endpoint.sentTo(browser).length;
    await has(browser, before + 1);
    const { key } = (await next.person('someone').then((person) => person.get<PushKey>('/push/key'))).body;
    expect(new Set(endpoint.sentTo(browser).map((push) => push.key))).toEqual(new Set([key]));
    await next.stop();
  }, 60_000);
});
