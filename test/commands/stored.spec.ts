import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { messageHash } from '../../src/commands/command.js';
import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { Answer, MessageName } from '../../src/contract/wire.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { pick } from '../support/ways.js';

describe('stored answers and events', () => {
  let hub: TestHub;
  let buyer: Person;
  let seller: Person;
  let pushed: OrderStatusPush[];
  /** Each command of two orders, one received and one cancelled, with its answer. */
  const exchanges: { person: Person; name: MessageName; request: object; answer: Answer<unknown> }[] = [];

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ price: 1_000, stock: 10 }]);
    buyer = await hub.buyer(10_000);
    await Promise.all([seller.connect(), buyer.connect()]);
    const send = async (person: Person, name: MessageName, request: object) => {
      const message = { ...request, key: `key-${exchanges.length}` };
      const answer = await person.sendRaw(name, message);
      exchanges.push({ person, name, request: message, answer });
      return answer.ok ? (answer.data as { orderId: string }).orderId : '';
    };
    const items = [{ bookId: 'book-1', count: 1 }];
    const received = await send(buyer, 'order:place', { storeId: seller.storeId, items });
    await send(buyer, 'order:pay', { orderId: received });
    await send(seller, 'order:ship', { orderId: received, carrier: '顺丰', trackingNo: 'SF1' });
    await send(buyer, 'order:receive', { orderId: received });
    const cancelled = await send(buyer, 'order:place', { storeId: seller.storeId, items });
    await send(buyer, 'order:pay', { orderId: cancelled });
    await send(seller, 'order:cancel', { orderId: cancelled, reason: 'sold to a friend' });
    pushed = await buyer.hears(exchanges.length);
  });
  afterAll(() => hub.stop());

  const write = (sql: string, values: unknown[]) =>
    hub.database.transaction(async (tx) => void (await tx.query(sql, values)));
  const ordersOf = async () => {
    const orderIds = [...new Set(pushed.map(({ orderId }) => orderId))];
    return Promise.all(orderIds.map((orderId) => buyer.does('order:get', { orderId })));
  };
  const resend = () => Promise.all(exchanges.map(({ person, name, request }) => person.sendRaw(name, request)));

  test('replays an answer byte for byte after the order has moved on', async () => {
    const replays = (await resend()).map((answer) => JSON.stringify(answer));
    expect(replays).toEqual(exchanges.map(({ answer }) => JSON.stringify({ ...answer, replayed: true })));
  });

  test('keeps the message hash of earlier releases, so that their keys still match', () => {
    const [hash, shuffled] = [
      messageHash('order:place', { storeId: '店', items: [{ bookId: 'b', count: 2 }] }),
      messageHash('order:place', { items: [{ count: 2, bookId: 'b' }], expectedTotal: undefined, storeId: '店' }),
    ];
    expect(hash).toBe('9d46ad8d1720a2917f2d6f4e3dab6994a5ba55ced17d67087e45d77c2523aec8');
    expect(shuffled).toBe(hash);
  });

  test('tells each change by its command, once in an event and once in the timeline', async () => {
    expect(pushed.map(({ command }) => command)).toEqual(['place', 'pay', 'ship', 'receive', 'place', 'pay', 'cancel']);
    for (const order of await ordersOf()) {
      const events = pushed.filter(({ orderId }) => orderId === order.orderId);
      const changes = events.map(({ version, status, command, by, at }) => ({ version, status, command, by, at }));
      expect(order.timeline).toEqual(changes);
      expect(order.number).toBe(Math.min(...events.map(({ seq }) => seq)));
    }
  });

  test('replays an answer after the order has changed without changing its status', async () => {
    for (const { orderId, version, status } of await ordersOf()) {
      const [row] = await hub.rows<{ timeline: string }>('SELECT timeline FROM orders WHERE order_id = ?', [orderId]);
      const changes = { carrier: 'another', trackingNo: 'another', cancelReason: 'another' };
      const entry = { version: version + 1, status, command: 'track', by: seller.userId, at: Date.now(), changes };
      const timeline = JSON.stringify([...JSON.parse(row?.timeline ?? ''), entry]);
      await write(
        'UPDATE orders SET version = version + 1, timeline = ?, carrier = ?, tracking_no = ?, cancel_reason = ? WHERE order_id = ?',
        [timeline, 'another', 'another', 'another', orderId],
      );
    }
    expect(await resend()).toEqual(exchanges.map(({ answer }) => ({ ...answer, replayed: true })));
    for (const { timeline } of await ordersOf()) expect(timeline.at(-1)?.command).toBe('track');
  });

  test('replays an answer to somebody who is no party of the order any more', async () => {
    const member = await hub.buyer();
    await member.connect();
    const { request, answer } = pick(exchanges, 2);
    await write("UPDATE command_answers SET user_id = ? WHERE idem_key = 'key-2'", [member.userId]);
    expect(await member.sendRaw('order:ship', request)).toEqual({ ...answer, replayed: true });
    await write("UPDATE command_answers SET user_id = ? WHERE idem_key = 'key-2'", [seller.userId]);
  });

  test('reads what the release before 1.1 has stored: no command, no changes, no number', async () => {
    for (const { orderId } of await ordersOf()) {
      const [row] = await hub.rows<{ timeline: string }>('SELECT timeline FROM orders WHERE order_id = ?', [orderId]);
      const entries = JSON.parse(row?.timeline ?? '') as Record<string, unknown>[];
      const earlier = entries.filter(({ command }) => command === undefined).map(({ changes: _, ...entry }) => entry);
      const {
        carrier = null,
        trackingNo = null,
        cancelReason = null,
      } = pushed.findLast((push) => push.orderId === orderId) ?? {};
      await write(
        'UPDATE orders SET version = ?, timeline = ?, carrier = ?, tracking_no = ?, cancel_reason = ?, number = NULL WHERE order_id = ?',
        [earlier.length, JSON.stringify(earlier), carrier, trackingNo, cancelReason, orderId],
      );
    }
    for (const order of await ordersOf()) {
      const events = pushed.filter(({ orderId }) => orderId === order.orderId);
      expect(order.timeline.map(({ command }) => command)).toEqual(events.map(({ command }) => command));
      expect(order.number).toBeNull();
      const { shippedAt, receivedAt } = order;
      const parcel = { parcel: 1, items: [{ bookId: 'book-1', count: 1 }], carrier: '顺丰', trackingNo: 'SF1' };
      const isCancelled = order.status === 'cancelled';
      expect(order.parcels).toEqual(isCancelled ? [] : [{ ...parcel, shippedAt, receivedAt }]);
      expect(order.refunded).toBe(isCancelled ? order.total : 0);
      expect(order.items).toMatchObject([
        { shipped: isCancelled ? 0 : 1, cancelled: isCancelled ? 1 : 0, refunded: 0 },
      ]);
    }
    for (const [index, { person, answer }] of exchanges.entries()) {
      const { orderId, version } = (answer.ok ? answer.data : {}) as { orderId: string; version: number };
      const reference = JSON.stringify({ orderId, version, seq: index + 1 });
      const sql = 'UPDATE command_answers SET answer = ? WHERE user_id = ? AND idem_key = ?';
      await write(sql, [reference, person.userId, `key-${index}`]);
    }
    const withoutLaterFields = ({ answer }: (typeof exchanges)[number]) => {
      const {
        number: _,
        shipBy: _shipBy,
        refunded: _refunded,
        parcels: _parcels,
        acceptBy: _acceptBy,
        acceptedAt: _acceptedAt,
        readyAt: _readyAt,
        seenAt: _seenAt,
        claim: _claim,
        ...order
      } = (answer as { data: Order }).data;
      const items = order.items.map(({ bookId, title, count, price }) => ({ bookId, title, count, price }));
      const allowed = order.allowed.filter((command) => !['accept', 'refund', 'track'].includes(command));
      return JSON.stringify({ ...answer, data: { ...order, items, allowed }, replayed: true });
    };
    expect((await resend()).map((answer) => JSON.stringify(answer))).toEqual(exchanges.map(withoutLaterFields));
  });

  test('replays an answer stored in full by an earlier release', async () => {
    for (const [index, { person, answer }] of exchanges.entries()) {
      await write('UPDATE command_answers SET answer = ? WHERE user_id = ? AND idem_key = ?', [
        JSON.stringify(answer),
        person.userId,
        `key-${index}`,
      ]);
    }
    expect(await resend()).toEqual(exchanges.map(({ answer }) => ({ ...answer, replayed: true })));
  });

  test('reads events as they were pushed, also those stored in full by an earlier release', async () => {
    const read = async () => (await buyer.does('room:read', { role: 'buyer', after: 0 })).events;
    expect(await read()).toEqual(pushed);
    for (const { command: _, ...push } of pushed) {
      await write("UPDATE room_events SET body = ? WHERE role = 'buyer' AND user_id = ? AND seq = ?", [
        JSON.stringify(push),
        buyer.userId,
        push.seq,
      ]);
    }
    expect(await read()).toEqual(pushed);
  });
});
