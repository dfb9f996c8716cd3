import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { messageHash } from '../../src/commands/command.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { Answer, MessageName } from '../../src/contract/wire.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';

describe('what is stored short is told in full', () => {
  let hub: TestHub;
  let buyer: Person;
  let seller: Person;
  let told: OrderStatusPush[];
  /** What was said about each step of two orders, one received and one cancelled. */
  const said: { who: Person; name: MessageName; request: object; answer: Answer<unknown> }[] = [];

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ price: 1_000, stock: 10 }]);
    buyer = await hub.buyer(10_000);
    await Promise.all([seller.connect(), buyer.connect()]);
    const say = async (who: Person, name: MessageName, request: object) => {
      const message = { ...request, key: `key-${said.length}` };
      const answer = await who.sendRaw(name, message);
      said.push({ who, name, request: message, answer });
      return answer.ok ? (answer.data as { orderId: string }).orderId : '';
    };
    const items = [{ bookId: 'book-1', count: 1 }];
    const received = await say(buyer, 'order:place', { storeId: seller.storeId, items });
    await say(buyer, 'order:pay', { orderId: received });
    await say(seller, 'order:ship', { orderId: received, carrier: '顺丰', trackingNo: 'SF1' });
    await say(buyer, 'order:receive', { orderId: received });
    const cancelled = await say(buyer, 'order:place', { storeId: seller.storeId, items });
    await say(buyer, 'order:pay', { orderId: cancelled });
    await say(seller, 'order:cancel', { orderId: cancelled, reason: 'sold to a friend' });
    told = await buyer.hears(said.length);
  });
  afterAll(() => hub.stop());

  const write = (sql: string, values: unknown[]) =>
    hub.database.transaction(async (tx) => void (await tx.query(sql, values)));
  const sayAgain = () => Promise.all(said.map(({ who, name, request }) => who.sendRaw(name, request)));

  test('an answer about an order is given again word for word, however far the order has gone since', async () => {
    const again = (await sayAgain()).map((answer) => JSON.stringify(answer));
    expect(again).toEqual(said.map(({ answer }) => JSON.stringify({ ...answer, replayed: true })));
  });

  test('a message has the hash that it had before, so that a key from then is not taken for reused', () => {
    const [hash, shuffled] = [
      messageHash('order:place', { storeId: '店', items: [{ bookId: 'b', count: 2 }] }),
      messageHash('order:place', { items: [{ count: 2, bookId: 'b' }], expectedTotal: undefined, storeId: '店' }),
    ];
    expect(hash).toBe('9d46ad8d1720a2917f2d6f4e3dab6994a5ba55ced17d67087e45d77c2523aec8');
    expect(shuffled).toBe(hash);
  });

  test('an answer that was kept in full, as before, is given again too', async () => {
    for (const [index, { who, answer }] of said.entries()) {
      await write('UPDATE command_answers SET answer = ? WHERE user_id = ? AND idem_key = ?', [
        JSON.stringify(answer),
        who.userId,
        `key-${index}`,
      ]);
    }
    expect(await sayAgain()).toEqual(said.map(({ answer }) => ({ ...answer, replayed: true })));
  });

  test('events are read as they were told, and so are those that were stored in full, as before', async () => {
    const read = async () => (await buyer.does('room:read', { role: 'buyer', after: 0 })).events;
    expect(await read()).toEqual(told);
    for (const push of told) {
      await write("UPDATE room_events SET body = ? WHERE role = 'buyer' AND user_id = ? AND seq = ?", [
        JSON.stringify(push),
        buyer.userId,
        push.seq,
      ]);
    }
    expect(await read()).toEqual(told);
  });
});
