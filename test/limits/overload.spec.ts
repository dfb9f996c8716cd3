import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { COMMANDS_WAITING_MAX } from '../../src/commands/command.backlog.js';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { Answer } from '../../src/contract/wire.js';
import { freeze } from '../support/frozen.js';
import { TestHub, until } from '../support/hub.js';
import { holdStock } from '../support/locks.js';
import type { Person } from '../support/person.js';
import { codeOf, device, range } from '../support/ways.js';

const STOCK = 100_000;
const ORDERS = COMMANDS_WAITING_MAX / 2 + 200;
/** Exceeds the kernels' socket buffers for a client that does not read. */
const EVENTS = 20_000;

describe('an overloaded hub', () => {
  let hub: TestHub;
  let seller: Person;
  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: STOCK }]);
  });
  afterAll(() => hub.stop());

  /** The hub's number of sockets, from its metrics. */
  async function socketCount(): Promise<number> {
    const { body } = await seller.get<string>('/metrics');
    return Number(/^order_hub_sockets (\d+)/m.exec(body)?.[1]);
  }

  const basket = () => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });

  test('sheds new orders immediately, still accepts payments, and executes nothing that it refused', async () => {
    const [flooder, payer] = [await hub.person(), await hub.buyer()];
    await Promise.all([flooder.connect(), payer.connect()]);
    const unpaid = await payer.place(seller);
    const stock = await seller.stock();
    const release = await holdStock(hub);
    const refused: { key: string; error: ErrorBody }[] = [];
    const places = range(ORDERS).map(async (index) => {
      const key = `k${index}`;
      const answer = await flooder.send('order:place', { ...basket(), key });
      if (!answer.ok && answer.error.code === 'OVERLOADED') refused.push({ key, error: answer.error });
      return answer;
    });
    await until('some orders are refused', () => refused.length > 0);
    const httpAnswer = await flooder.post('/orders', basket());
    expect([httpAnswer.status, Number(httpAnswer.headers.get('Retry-After'))]).toEqual([503, expect.any(Number)]);
    const payment = payer.send('order:pay', { orderId: unpaid.orderId });
    await release();

    const first = await Promise.all(places);
    expect(codeOf(await payment)).not.toBe('OVERLOADED');
    // On a slow machine, some time out in the backlog; a retry by key settles them.
    const answers = await Promise.all(
      first.map((answer, index) =>
        codeOf(answer) === 'UNAVAILABLE' ? flooder.send('order:place', { ...basket(), key: `k${index}` }) : answer,
      ),
    );
    expect(new Set(answers.map(codeOf))).toEqual(new Set(['OK', 'OVERLOADED']));
    expect(refused[0]?.error).toEqual({
      code: 'OVERLOADED',
      message: expect.any(String),
      retryable: true,
      details: { retryAfterMs: expect.any(Number) },
    });
    const placed = answers.filter(({ ok }) => ok).length;
    expect(stock - (await seller.stock())).toBe(placed);
    // A shed command does not consume its key: a retry executes it.
    const retried = (await flooder.send('order:place', { ...basket(), key: refused[0]?.key ?? '' })) as Answer<Order>;
    expect([retried.ok, 'replayed' in retried]).toEqual([true, false]);
  });

  test('drops queued commands of disconnected clients', async () => {
    const [leaver, stayer] = [await hub.person(), await hub.person()];
    await Promise.all([leaver.connect(), stayer.connect()]);
    const release = await holdStock(hub);
    const first = stayer.send('order:place', basket());
    for (const _ of range(20)) leaver.socket?.emit('order:place', { ...basket(), key: 'given-up' });
    const before = await socketCount();
    leaver.disconnect();
    await until('the hub notices the disconnect', async () => (await socketCount()) < before);
    await release();
    expect((await first).ok).toBe(true);
    expect((await stayer.send('order:place', basket())).ok).toBe(true);
    const orders = await hub.rows('SELECT order_id FROM orders WHERE buyer_id = ?', [leaver.userId]);
    expect(orders).toEqual([]);
    const reconnected = await device(leaver).connect();
    expect((await reconnected.send('order:place', { ...basket(), key: 'given-up' })).ok).toBe(true);
    reconnected.disconnect();
  });

  test('answers any number of concurrent requests of a client that reads', async () => {
    const buyer = await hub.person();
    await fillRoom(hub, buyer);
    await buyer.connect();
    const disconnects: string[] = [];
    buyer.socket?.on('disconnect', (reason) => disconnects.push(reason));
    const pages = await Promise.all(
      range(100).map(() => buyer.send('room:read', { role: 'buyer', after: 0, limit: 100 })),
    );
    const unknownAnswers = await Promise.all(range(6_000).map(() => buyer.sendRaw('order:nothing', {})));
    // On a slow machine, the last ones may time out.
    expect(pages.map(codeOf).filter((code) => code !== 'OK' && code !== 'UNAVAILABLE')).toEqual([]);
    expect(new Set(unknownAnswers.map(codeOf))).toEqual(new Set(['UNKNOWN_MESSAGE']));
    expect(disconnects).toEqual([]);
  }, 60_000);

  test('serves other clients fairly during many requests of one', async () => {
    const [greedy, other] = [await hub.person(), await hub.person()];
    await Promise.all([greedy.connect(), other.connect()]);
    const answered: string[] = [];
    const list = (person: Person) =>
      person.send('order:list', { role: 'buyer' }).then(() => void answered.push(person.userId));
    await Promise.all([...range(500).map(() => list(greedy)), list(other)]);
    expect(answered).toHaveLength(501);
    expect(answered.at(-1)).toBe(greedy.userId);
  });

  test('waits for a slow consumer of answers without cutting it', async () => {
    const buyer = await hub.person();
    await fillRoom(hub, buyer);
    await buyer.connect();
    const thaw = freeze(buyer);
    const pages = range(EVENTS / 100).map((page) =>
      buyer.send('room:read', { role: 'buyer', after: page * 100, limit: 100 }),
    );
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    thaw();
    const codes = new Set((await Promise.all(pages)).map(codeOf));
    expect(codes.has('OK')).toBe(true);
    expect(buyer.socket?.connected).toBe(true);
  }, 60_000);

  test('cuts a client that does not read its answers; it reconnects and misses nothing', async () => {
    const shop = await hub.seller(range(100).map((index) => ({ bookId: `b${index}`, title: '书'.repeat(500) })));
    const buyer = await hub.person();
    const { orderId } = await buyer.place(
      shop,
      range(100).map((index) => ({ bookId: `b${index}`, count: 1 })),
    );
    const cancel = { orderId, key: 'again-and-again' };
    await buyer.does('order:cancel', cancel);
    const slow = await device(buyer).connect();
    const before = await socketCount();
    freeze(slow);
    // Exceeds the socket buffers plus the send buffer: each answer holds a hundred long titles.
    for (const _ of range(200)) slow.socket?.emit('order:cancel', cancel, () => {});
    await until('the hub cuts the socket', async () => (await socketCount()) < before);
    const reconnected = await device(buyer).connect({ last: { buyer: 1 } });
    expect(reconnected.events.map(({ seq, status }) => [seq, status])).toEqual([[2, 'cancelled']]);
    reconnected.disconnect();
  }, 60_000);

  test('waits for a slow consumer of a replay without cutting it', async () => {
    const reader = await hub.person();
    await fillRoom(hub, reader);
    const slow = device(reader);
    const connecting = slow.connect({ last: { buyer: 0 } });
    await until('the replay has begun', () => slow.events.length > 0);
    const thaw = freeze(slow);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(slow.ready).toEqual([]);
    thaw();
    await connecting;
    expect(slow.events.map(({ seq }) => seq)).toEqual(range(EVENTS).map((index) => index + 1));
  }, 60_000);
});

/** Inserts more events into a room than a test could cause by commands. */
async function fillRoom(hub: TestHub, { userId }: Person): Promise<void> {
  const event = (seq: number): OrderStatusPush => ({
    ...{ role: 'buyer', seq, orderId: String(seq), version: 1, status: 'placed', previous: null, storeId: 'store' },
    ...{ buyerId: userId, sellerId: 'seller', total: 1, by: userId, at: new Date().toISOString() },
    command: 'place',
    trackingNo: 'x'.repeat(100),
  });
  await hub.database.transaction(async (tx) => {
    for (let from = 1; from <= EVENTS; from += 100) {
      const rows = range(100).map((index) => from + index);
      const sql = `INSERT INTO room_events (role, user_id, seq, body, at) VALUES ${rows.map(() => '(?, ?, ?, ?, ?)').join()}`;
      const values = rows.flatMap((seq) => ['buyer', userId, seq, JSON.stringify(event(seq)), Date.now()]);
      await tx.query(sql, values);
    }
    await tx.query(`UPDATE rooms SET head = ? WHERE role = 'buyer' AND user_id = ?`, [EVENTS, userId]);
  });
}
