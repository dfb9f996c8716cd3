import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { COMMANDS_WAITING_MAX } from '../../src/commands/waiting.line.js';
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
const PLACES = COMMANDS_WAITING_MAX / 2 + 200;
/** More than the kernels of both sides take for a client that reads nothing. */
const EVENTS = 20_000;

describe('a hub of which too much is asked', () => {
  let hub: TestHub;
  let seller: Person;
  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: STOCK }]);
  });
  afterAll(() => hub.stop());

  /** How many sockets the hub says that it has. */
  async function sockets(): Promise<number> {
    const { body } = await seller.get<string>('/metrics');
    return Number(/^order_hub_sockets (\d+)/m.exec(body)?.[1]);
  }

  const basket = () => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });

  test('refuses new orders at once while it still takes payments, and nothing was done for the refused', async () => {
    const [crowd, payer] = [await hub.person(), await hub.buyer()];
    await Promise.all([crowd.connect(), payer.connect()]);
    const unpaid = await payer.place(seller);
    const stock = await seller.stock();
    const release = await holdStock(hub);
    const refused: { key: string; error: ErrorBody }[] = [];
    const places = range(PLACES).map(async (index) => {
      const key = `k${index}`;
      const answer = await crowd.send('order:place', { ...basket(), key });
      if (!answer.ok && answer.error.code === 'OVERLOADED') refused.push({ key, error: answer.error });
      return answer;
    });
    await until('some are refused', () => refused.length > 0);
    const overHttp = await crowd.post('/orders', basket());
    expect([overHttp.status, Number(overHttp.headers.get('Retry-After'))]).toEqual([503, expect.any(Number)]);
    const paying = payer.send('order:pay', { orderId: unpaid.orderId });
    await release();

    const first = await Promise.all(places);
    expect(codeOf(await paying)).not.toBe('OVERLOADED');
    // On a slow machine some have waited too long; their keys tell what became of them.
    const answers = await Promise.all(
      first.map((answer, index) =>
        codeOf(answer) === 'UNAVAILABLE' ? crowd.send('order:place', { ...basket(), key: `k${index}` }) : answer,
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
    // A refused command has used no key: sent again, it is carried out for the first time.
    const again = (await crowd.send('order:place', { ...basket(), key: refused[0]?.key ?? '' })) as Answer<Order>;
    expect([again.ok, 'replayed' in again]).toEqual([true, false]);
  });

  test('does not begin what nobody waits for any more', async () => {
    const [gone, here] = [await hub.person(), await hub.person()];
    await Promise.all([gone.connect(), here.connect()]);
    const release = await holdStock(hub);
    const first = here.send('order:place', basket());
    for (const _ of range(20)) gone.socket?.emit('order:place', { ...basket(), key: 'given-up' });
    const before = await sockets();
    gone.disconnect();
    await until('the hub has seen it go', async () => (await sockets()) < before);
    await release();
    expect((await first).ok).toBe(true);
    expect((await here.send('order:place', basket())).ok).toBe(true);
    const orders = await hub.rows('SELECT order_id FROM orders WHERE buyer_id = ?', [gone.userId]);
    expect(orders).toEqual([]);
    const back = await device(gone).connect();
    expect((await back.send('order:place', { ...basket(), key: 'given-up' })).ok).toBe(true);
    back.disconnect();
  });

  test('answers all that is asked at once, however much it is, to whoever takes it', async () => {
    const buyer = await hub.person();
    await fill(hub, buyer);
    await buyer.connect();
    const cuts: string[] = [];
    buyer.socket?.on('disconnect', (reason) => cuts.push(reason));
    const pages = await Promise.all(
      range(100).map(() => buyer.send('room:read', { role: 'buyer', after: 0, limit: 100 })),
    );
    const nothings = await Promise.all(range(6_000).map(() => buyer.sendRaw('order:nothing', {})));
    // On a slow machine the last of them may be told to ask again.
    expect(pages.map(codeOf).filter((code) => code !== 'OK' && code !== 'UNAVAILABLE')).toEqual([]);
    expect(new Set(nothings.map(codeOf))).toEqual(new Set(['UNKNOWN_MESSAGE']));
    expect(cuts).toEqual([]);
  }, 60_000);

  test('hears others while one asks for much', async () => {
    const [eager, other] = [await hub.person(), await hub.person()];
    await Promise.all([eager.connect(), other.connect()]);
    const answered: string[] = [];
    const ask = (person: Person) =>
      person.send('order:list', { role: 'buyer' }).then(() => void answered.push(person.userId));
    await Promise.all([...range(500).map(() => ask(eager)), ask(other)]);
    expect(answered).toHaveLength(501);
    expect(answered.at(-1)).toBe(eager.userId);
  });

  test('waits for a slow reader of what it asked for, and does not cut it', async () => {
    const buyer = await hub.person();
    await fill(hub, buyer);
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

  test('cuts a socket that asks and does not take the answers; it comes back and misses nothing', async () => {
    const shop = await hub.seller(range(100).map((index) => ({ bookId: `b${index}`, title: '书'.repeat(500) })));
    const buyer = await hub.person();
    const { orderId } = await buyer.place(
      shop,
      range(100).map((index) => ({ bookId: `b${index}`, count: 1 })),
    );
    const cancel = { orderId, key: 'again-and-again' };
    await buyer.does('order:cancel', cancel);
    const greedy = await device(buyer).connect();
    const before = await sockets();
    freeze(greedy);
    // As much as the line takes, and then more than the hub keeps for anybody: each answer holds a hundred long titles.
    for (const _ of range(200)) greedy.socket?.emit('order:cancel', cancel, () => {});
    await until('the hub has cut it', async () => (await sockets()) < before);
    const back = await device(buyer).connect({ last: { buyer: 1 } });
    expect(back.events.map(({ seq, status }) => [seq, status])).toEqual([[2, 'cancelled']]);
    back.disconnect();
  }, 60_000);

  test('waits for a slow reader of what was missed, and does not cut it', async () => {
    const reader = await hub.person();
    await fill(hub, reader);
    const slow = device(reader);
    const connecting = slow.connect({ last: { buyer: 0 } });
    await until('it has begun', () => slow.events.length > 0);
    const thaw = freeze(slow);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(slow.ready).toEqual([]);
    thaw();
    await connecting;
    expect(slow.events.map(({ seq }) => seq)).toEqual(range(EVENTS).map((index) => index + 1));
  }, 60_000);
});

/** So many events in a room as nobody could cause in the time of a test. */
async function fill(hub: TestHub, { userId }: Person): Promise<void> {
  const event = (seq: number): OrderStatusPush => ({
    ...{ role: 'buyer', seq, orderId: String(seq), version: 1, status: 'placed', previous: null, storeId: 'store' },
    ...{ buyerId: userId, sellerId: 'seller', total: 1, by: userId, at: new Date().toISOString() },
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
