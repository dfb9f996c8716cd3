import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApiKeyView, ListedSession } from '../../src/contract/auth.js';
import type { Page } from '../../src/contract/fields.js';
import type { TopupPage, TopupView } from '../../src/contract/payments.js';
import { TestHub } from '../support/hub.js';
import { lockRow } from '../support/locks.js';
import { onServer } from '../support/on.server.js';
import { withTestProvider } from '../support/payments.js';
import { Person } from '../support/person.js';
import { PushEndpoint } from '../support/push.endpoint.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { WebhookReceiver } from '../support/webhook.receiver.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Between when something is due and when it is done. */
const TOLERANCE = 2 * SECOND;
/** Longer than a command waits for a row. */
const HELD_MS = 5_000;

describe('the clock of a sandbox', () => {
  let own: TestDatabase;
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    own = await createTestDatabase();
    const policies = { settleAt: 'received', shipWithinSeconds: 3 * 86_400, autoReceiveSeconds: 14 * 86_400 } as const;
    const overrides = {
      ...withTestProvider,
      ...policies,
      sandbox: true,
      funds: 'open',
      webhooksPrivate: true,
    } as const;
    hub = await TestHub.start({ ...overrides, keepPersonalDays: 90 }, own);
    seller = await hub.seller([{ stock: 100_000 }]);
    buyer = await hub.buyer();
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(() => hub.stop());

  const advance = async (advanceMs: number): Promise<number> => {
    const { status, body } = await buyer.post<{ now: string }>('/sandbox/clock', { advanceMs });
    expect(status).toBe(200);
    return Date.parse(body.now);
  };
  const events = (orderId: string) =>
    buyer.events
      .filter((event) => event.orderId === orderId)
      .map(({ status, command, at, cancelReason }) => ({ status, command, at: Date.parse(at), cancelReason }));
  const expectAt = (actual: number | undefined, expected: number) => {
    expect(actual).toBeGreaterThanOrEqual(expected);
    expect(actual).toBeLessThan(expected + TOLERANCE);
  };

  test('answers with the time that it was moved to, also by nothing', async () => {
    const before = hub.now();
    expectAt(await advance(0), before);
    expectAt(await advance(HOUR), before + HOUR);
    expectAt(Date.parse(buyer.ready[0]?.serverTime ?? ''), before - TOLERANCE / 2);
  });

  test('expires an order at its time, and has told so when it answers', async () => {
    const { orderId, expiresAt } = await buyer.place(seller);
    await advance(400 * DAY);
    // Not awaited: the event was delivered before the answer.
    const [, expired] = events(orderId);
    expect(expired).toMatchObject({ status: 'cancelled', command: 'timeout', cancelReason: 'expired' });
    expectAt(expired?.at, Date.parse(expiresAt));
    expect(seller.events.at(-1)).toMatchObject({ orderId, status: 'cancelled' });
  });

  test('moves a little too: before its time an order is still there', async () => {
    const { orderId } = await buyer.place(seller);
    await advance(15 * MINUTE - 10 * SECOND);
    expect(events(orderId)).toHaveLength(1);
    await advance(10 * SECOND);
    expect(events(orderId)).toHaveLength(2);
    expect(await buyer.isRefused('order:pay', { orderId })).toMatchObject({ code: 'ORDER_STATE' });
  });

  test('receives a shipped order after its fourteen days', async () => {
    const { orderId } = await buyer.place(seller);
    await buyer.does('order:pay', { orderId });
    const { shippedAt } = await seller.does('order:ship', { orderId });
    await advance(20 * DAY);
    const received = events(orderId).at(-1);
    expect(received).toMatchObject({ status: 'received', command: 'timeout' });
    expectAt(received?.at, Date.parse(shippedAt ?? '') + 14 * DAY);
  });

  test('goes from one due moment to the next: each order at its own', async () => {
    const first = await buyer.place(seller);
    await advance(10 * MINUTE);
    const second = await buyer.place(seller);
    const third = await buyer.place(seller);
    const { paidAt } = await buyer.does('order:pay', { orderId: third.orderId });
    await advance(DAY * 10);
    expectAt(events(first.orderId).at(-1)?.at, Date.parse(first.expiresAt));
    expectAt(events(second.orderId).at(-1)?.at, Date.parse(second.expiresAt));
    expect(events(third.orderId).at(-1)).toMatchObject({ status: 'cancelled', cancelReason: 'not shipped' });
    expectAt(events(third.orderId).at(-1)?.at, Date.parse(paidAt ?? '') + 3 * DAY);
  });

  test('cancels what is not accepted in time', async () => {
    const strict = await hub.seller();
    await strict.patch(`/stores/${strict.storeId}`, { acceptWithinSeconds: 3_600 });
    const { orderId } = await buyer.place(strict);
    const { paidAt } = await buyer.does('order:pay', { orderId });
    await advance(2 * HOUR);
    expect(events(orderId).at(-1)).toMatchObject({ status: 'cancelled', cancelReason: 'not accepted' });
    expectAt(events(orderId).at(-1)?.at, Date.parse(paidAt ?? '') + HOUR);
  });

  test('ends the pause of a store', async () => {
    const resting = await hub.seller();
    const pausedUntil = new Date(hub.now() + DAY).toISOString();
    await resting.patch(`/stores/${resting.storeId}`, { pausedUntil });
    const items = [{ bookId: 'book-1', count: 1 }];
    const request = { storeId: resting.storeId, items };
    expect(await buyer.isRefused('order:place', request)).toMatchObject({ code: 'STORE_PAUSED' });
    await advance(DAY);
    expect(await buyer.does('order:place', request)).toMatchObject({ status: 'placed' });
  });

  test('forgets keys after their week', async () => {
    const request = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: 'of-a-week' };
    const first = await buyer.does('order:place', request);
    await advance(7 * DAY - HOUR);
    expect(await buyer.send('order:place', request)).toMatchObject({
      data: { orderId: first.orderId },
      replayed: true,
    });
    await advance(2 * HOUR);
    const again = await buyer.send('order:place', request);
    expect(again).toMatchObject({ ok: true, data: { status: 'placed' } });
    expect(again).not.toMatchObject({ data: { orderId: first.orderId } });
  });

  onServer('does at its moment what another client holds up for a while', async () => {
    const other = await hub.buyer();
    const { orderId, placedAt } = await other.place(seller);
    const release = await lockRow(own, 'SELECT order_id FROM orders WHERE order_id = ?', [orderId]);
    const moved = advance(29 * DAY);
    await sleep(HELD_MS);
    await release();
    await moved;
    const { status, cancelledAt } = await other.does('order:get', { orderId });
    expect(status).toBe('cancelled');
    expect(Date.parse(cancelledAt ?? '')).toBeLessThan(Date.parse(placedAt) + HOUR);
  });

  test('deletes events past their thirty days', async () => {
    const other = await hub.buyer();
    await other.place(seller);
    await advance(29 * DAY);
    const read = () => other.does('room:read', { role: 'buyer', after: 0 });
    expect(await read()).toMatchObject({ complete: true, head: 2 });
    await advance(2 * DAY);
    expect(await read()).toMatchObject({ complete: false, head: 2, events: [] });
    const late = await new Person(hub, other.userId, other.token).connect({ last: { buyer: 0 } });
    expect(late.ready[0]?.rooms.buyer).toEqual({ head: 2, complete: false });
    late.disconnect();
  });

  test('erases addresses and notes past their keeping time', async () => {
    const deliverTo = { name: 'Lin', lines: ['1 Elm Street'] };
    const request = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], deliverTo, note: 'Soon.' };
    const { orderId } = await buyer.does('order:place', request);
    await buyer.does('order:cancel', { orderId });
    await advance(89 * DAY);
    expect(await buyer.does('order:get', { orderId })).toMatchObject({ deliverTo, notes: [{ text: 'Soon.' }] });
    await advance(2 * DAY);
    expect(await buyer.does('order:get', { orderId })).toMatchObject({ deliverTo: null });
  });

  test('ages no session and no key: what is left of them stays', async () => {
    const expiresAt = new Date(hub.now() + HOUR).toISOString();
    const { body: key } = await buyer.post<{ secret: string; keyId: string }>('/auth/keys', {
      name: 'till',
      rights: ['read'],
      expiresAt,
    });
    const program = await new Person(hub, buyer.userId, key.secret).connect();
    const before = (await buyer.get<{ expiresAt: string }>('/auth/session')).body;
    await advance(300 * DAY);
    await sleep(1_500);
    expect(buyer.socket?.connected).toBe(true);
    expect(program.socket?.connected).toBe(true);
    expect([...buyer.endings, ...program.endings]).toEqual([]);
    expect((await program.get('/auth/session')).status).toBe(200);
    const after = (await buyer.get<{ expiresAt: string }>('/auth/session')).body;
    expectAt(Date.parse(after.expiresAt), Date.parse(before.expiresAt) + 300 * DAY - 1_000);
    const { items } = (await buyer.get<Page<ListedSession>>('/auth/sessions')).body;
    expect(items).toMatchObject([{ current: true, expiresAt: after.expiresAt }]);
    const keys = (await buyer.get<Page<ApiKeyView>>('/auth/keys')).body.items;
    expectAt(Date.parse(keys[0]?.expiresAt ?? ''), Date.parse(expiresAt) + 300 * DAY - 1_000);
    const again = await new Person(hub, buyer.userId, buyer.token).connect();
    again.disconnect();
    program.disconnect();
  });

  test('does one thing after another, and lets commands in meanwhile', async () => {
    const before = hub.now();
    const busy = (async () => {
      for (let round = 0; round < 20; round++) await buyer.place(seller);
    })();
    const times = await Promise.all([advance(DAY), advance(DAY), advance(DAY)]);
    await busy;
    expect(times).toEqual([...times].sort());
    expectAt(times.at(-1), before + 3 * DAY);
    await advance(HOUR);
    const open = await buyer.does('order:list', { role: 'buyer', status: 'placed' });
    expect(open.items).toEqual([]);
  });

  test('ends the top-ups that nobody pays', async () => {
    const provided = await TestHub.start({ ...withTestProvider, sandbox: true });
    const person = await provided.person();
    const { body } = await person.post<TopupPage>('/wallet/topups', { amount: 500 });
    await person.post('/sandbox/clock', { advanceMs: 400 * DAY });
    const topup = (await person.get<TopupView>(`/wallet/topups/${body.topupId}`)).body;
    expect(topup.status).toBe('failed');
    expect(Date.parse(topup.settledAt ?? '')).toBeLessThan(Date.parse(topup.createdAt) + 2 * DAY);
    await provided.stop();
  });

  test('tries a failing webhook again at its times, and tells its owner of it', async () => {
    const receiver = await WebhookReceiver.start();
    receiver.behaviour = 500;
    const owner = await hub.seller();
    const { body } = await owner.post<{ webhookId: string }>('/webhooks', { url: receiver.url, role: 'seller' });
    const failing: unknown[] = [];
    await owner.connect();
    owner.socket?.on('webhook:failing', (push) => failing.push(push));
    await buyer.place(owner);
    await advance(HOUR);
    expect(failing).toMatchObject([{ webhookId: body.webhookId }]);
    // After 1, 2, 4 … seconds, each a quarter more or less: ten or twelve in an hour.
    const list = async () => (await owner.get<Page<{ delivered: number; head: number }>>('/webhooks')).body.items[0];
    expect((await list())?.delivered).toBe(0);
    receiver.behaviour = 200;
    await advance(2 * HOUR);
    const webhook = await list();
    expect(webhook?.delivered).toBe(webhook?.head);
    await receiver.stop();
  });

  test('rings a device for an unseen paid order at its times: after 20 s, then each minute, five times', async () => {
    const endpoint = await PushEndpoint.start();
    const owner = await hub.seller();
    const browser = await endpoint.subscribe(owner);
    const rings = () => endpoint.sentTo(browser).length;
    await owner.connect();
    const { orderId } = await buyer.place(owner);
    await buyer.does('order:pay', { orderId });
    await advance(10 * SECOND);
    expect(rings()).toBe(0);
    await advance(12 * SECOND);
    expect(rings()).toBe(1);
    await advance(2 * MINUTE);
    expect(rings()).toBe(3);
    await advance(HOUR);
    expect(rings()).toBe(5);
    expect(endpoint.faults).toEqual([]);
    await endpoint.stop();
  });

  test('ends a claim', async () => {
    const { orderId } = await buyer.place(seller);
    await buyer.does('order:pay', { orderId });
    await seller.does('order:claim', { orderId, seconds: 600 });
    const claim = async () => (await seller.does('order:get', { orderId })).claim;
    expect(await claim()).toMatchObject({ by: seller.userId });
    await advance(10 * MINUTE);
    expect(await claim()).toBeNull();
  });

  test('goes on from where it was after a restart', async () => {
    const time = await advance(DAY);
    const order = await buyer.place(seller);
    hub = await hub.restart();
    expect(hub.now()).toBeGreaterThanOrEqual(time);
    expect(hub.now()).toBeLessThan(time + 5 * MINUTE);
    const back = await new Person(hub, buyer.userId, buyer.token).connect();
    expect(await back.does('order:get', { orderId: order.orderId })).toMatchObject({ status: 'placed' });
    back.disconnect();
  });
});
