import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { COMMANDS_WAITING_MAX } from '../../src/commands/command.backlog.js';
import type { Answer } from '../../src/contract/wire.js';
import { MESSAGES_PER_SOCKET } from '../../src/platform/limits/rate.limiter.js';
import { RawClient } from '../input/raw.client.js';
import { freeze } from '../support/frozen.js';
import { TestHub, until } from '../support/hub.js';
import { holdStock } from '../support/locks.js';
import type { Person } from '../support/person.js';
import { codeOf, device, range } from '../support/ways.js';

const STOCK = 100_000;
/** Exceeds the backlog so far that one read contains hundreds of messages to shed. */
const FLOOD = COMMANDS_WAITING_MAX + 2_000;
/** Messages per flood; bursts repeat until the limit is reached, which depends on the machine's speed. */
const BURST = 1_000;
const OVERLOADED = {
  code: 'OVERLOADED',
  message: expect.any(String),
  retryable: true,
  details: { retryAfterMs: expect.any(Number) },
};

/** The hub's metric with this name and these labels. */
async function metricValue(person: Person, series: string): Promise<number> {
  const { body } = await person.get<string>('/metrics');
  const line = body.split('\n').find((text) => text.startsWith(`order_hub_${series} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

describe('a hub during a flood', () => {
  let hub: TestHub;
  let seller: Person;
  let place: string;
  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: STOCK }]);
    place = `["order:place",${JSON.stringify(basket())}]`;
  });
  afterAll(() => hub.stop());

  const basket = () => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });
  const answersOf = (client: RawClient, ids: string[]) =>
    ids.flatMap((id) => client.answersTo(id) as Answer<unknown>[]);
  const backlogIsFull = (client: RawClient, ids: string[]) =>
    until('some messages are refused', () => answersOf(client, ids).some((answer) => codeOf(answer) === 'OVERLOADED'));

  /** Blocks the hub's batches and overfills the backlog. Returns the flooding client, its message ids, and `empty` to release. */
  async function fillBacklog(person: Person) {
    const release = await holdStock(hub);
    const flood = await RawClient.connect(hub.url, person.token);
    const ids = range(FLOOD).map(() => flood.nextId());
    flood.socket.send(...ids.map((id) => `42${id}${place}`));
    await backlogIsFull(flood, ids);
    const drain = async () => {
      await release();
      await until('all messages are answered', () => ids.every((id) => flood.answersTo(id).length > 0), 20_000);
    };
    return { flood, ids, drain };
  }

  test('answers each message once with its own id, executes what it acknowledges, and counts what it refuses', async () => {
    const flooder = await hub.person();
    const refused = ['commands_total{message="order:place",code="OVERLOADED"}', 'refusals_total{limit="queue"}'];
    const count = () => Promise.all(refused.map((series) => metricValue(flooder, series)));
    const before = await count();
    const { flood, ids, drain } = await fillBacklog(flooder);
    await drain();
    expect(ids.filter((id) => flood.answersTo(id).length !== 1)).toEqual([]);
    const answers = answersOf(flood, ids);
    const withCode = (code: string) => answers.filter((answer) => codeOf(answer) === code);
    // On a slow machine, some time out in the backlog.
    expect(withCode('OK').length + withCode('OVERLOADED').length + withCode('UNAVAILABLE').length).toBe(FLOOD);
    expect(withCode('OVERLOADED')[0]).toEqual({ ok: false, error: OVERLOADED });
    const orders = await hub.rows('SELECT order_id FROM orders WHERE buyer_id = ?', [flooder.userId]);
    expect(orders.length).toBe(withCode('OK').length);
    const counts = (await count()).map((after, index) => after - (before[index] ?? 0));
    expect(counts).toEqual([withCode('OVERLOADED').length, withCode('OVERLOADED').length]);

    const after = flood.send(place);
    await flood.waitFor(after, 20_000);
    expect(answersOf(flood, [after])).toEqual([expect.objectContaining({ ok: true })]);
    flood.destroy();
  });

  test('refuses every message form on every transport, without cutting the connection', async () => {
    const flooder = await hub.person();
    const { flood, drain } = await fillBacklog(flooder);
    const client = await RawClient.connect(hub.url, flooder.token);
    const variants: [id: string, ...frames: (string | Buffer)[]][] = [
      ['0', `420${place}`],
      ['999999999999999', `42999999999999999${place}`],
      ['7', `42007${place}`], // Socket.IO reads it as a number
      ['8', `428[ "order:place",${JSON.stringify(basket())}]`],
      ['9', '429["order\\u003aplace",{}]'],
      ['10', '4210["order:place"]'],
      ['11', '4211["order:place",1,[],null]'],
      ['12', '4212["order:place",{"storeId":'], // shed before the JSON is parsed
      ['13', '451-13["order:place",{"_placeholder":true,"num":0}]', Buffer.from('binary')],
      ['14', `42/,14${place}`],
    ];
    for (const [, ...frames] of variants) client.socket.send(...frames);
    for (const [id] of variants) await client.waitFor(id, 5_000);
    const received = Object.fromEntries(variants.map(([id]) => [id, client.answersTo(id)]));
    expect(received).toEqual(Object.fromEntries(variants.map(([id]) => [id, [{ ok: false, error: OVERLOADED }]])));

    client.pushes.length = 0;
    client.socket.send(`42${place}`, `42${place}`);
    await until('both errors are pushed', () => client.pushes.length === 2);
    const push = { name: 'order:error', payload: { message: 'order:place', error: OVERLOADED } };
    expect(client.pushes).toEqual([push, push]);

    for (const transports of [['polling'], ['polling', 'websocket']] as const) {
      const other = await device(flooder).connect({ transports: [...transports] });
      const { engine } = other.socket?.io ?? {};
      await until('the transport is established', () => engine?.transport.name === transports.at(-1));
      const answers = await Promise.all(range(3).map(() => other.send('order:place', basket())));
      expect(answers).toEqual(range(3).map(() => ({ ok: false, error: OVERLOADED })));
      expect((await other.send('order:list', { role: 'buyer' })).ok).toBe(true);
      other.disconnect();
    }
    await drain();
    const after = client.send(place);
    await client.waitFor(after, 20_000);
    expect(answersOf(client, [after])).toEqual([expect.objectContaining({ ok: true })]);
    client.destroy();
    flood.destroy();
  });

  test("still accepts what completes an order, and another user's first order", async () => {
    const [flooder, buyer, other] = [await hub.person(), await hub.buyer(), await hub.buyer()];
    await Promise.all([buyer, other, seller].map((person) => person.connect()));
    const [unpaid, paid, shipped] = [await buyer.place(seller), await buyer.place(seller), await buyer.place(seller)];
    for (const { orderId } of [paid, shipped]) await buyer.does('order:pay', { orderId });
    await seller.does('order:ship', { orderId: shipped.orderId });
    const { flood, drain } = await fillBacklog(flooder);
    const pending = [
      buyer.send('order:pay', { orderId: unpaid.orderId, key: 'pay' }),
      seller.send('order:ship', { orderId: paid.orderId, key: 'ship' }),
      buyer.send('order:receive', { orderId: shipped.orderId, key: 'receive' }),
      other.send('order:place', { ...basket(), key: 'place' }),
    ];
    await drain();
    expect((await Promise.all(pending)).map(codeOf)).not.toContain('OVERLOADED');
    // On a slow machine they may have timed out; a retry settles them.
    const done = [
      await buyer.does('order:pay', { orderId: unpaid.orderId, key: 'pay' }),
      await seller.does('order:ship', { orderId: paid.orderId, key: 'ship' }),
      await buyer.does('order:receive', { orderId: shipped.orderId, key: 'receive' }),
      await other.does('order:place', { ...basket(), key: 'place' }),
    ];
    expect(done.map(({ status }) => status)).toEqual(['paid', 'shipped', 'received', 'placed']);
    flood.destroy();
  });
});

describe('a hub with rate limits during a flood', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start({ rateLimits: true });
  });
  afterAll(() => hub.stop());

  test('answers each message once, accepts the allowed burst, and counts every refusal', async () => {
    const flooder = await hub.person();
    const client = await RawClient.connect(hub.url, flooder.token);
    const ids: string[] = [];
    const codes = () => ids.flatMap((id) => client.answersTo(id) as Answer<unknown>[]).map(codeOf);
    while (!codes().includes('RATE_LIMITED')) {
      const burst = range(BURST).map(() => client.nextId());
      ids.push(...burst);
      client.socket.send(...burst.map((id) => `42${id}["no:such",{}]`));
      await until('the burst is answered', () => burst.every((id) => client.answersTo(id).length > 0), 20_000);
    }
    expect(codes()).toHaveLength(ids.length);
    const limited = codes().filter((code) => code === 'RATE_LIMITED').length;
    expect(codes().filter((code) => code === 'UNKNOWN_MESSAGE')).toHaveLength(ids.length - limited);
    expect(ids.length - limited).toBeGreaterThanOrEqual(MESSAGES_PER_SOCKET.burst);
    expect(await metricValue(flooder, 'refusals_total{limit="messages"}')).toBe(limited);
    expect(await metricValue(flooder, 'security_events_total{event="rate-limited"}')).toBe(limited);
    client.destroy();
  }, 60_000);

  test('pushes an error event when no acknowledgement was requested', async () => {
    const flooder = await hub.person();
    const client = await RawClient.connect(hub.url, flooder.token);
    const limited = () =>
      client.pushes.filter(({ payload }) => (payload as { error?: { code: string } }).error?.code === 'RATE_LIMITED');
    const burst = () => {
      client.socket.send(...range(BURST).map(() => '42["no:such",{}]'));
      return limited().length > 0;
    };
    await until('the error is pushed', burst, 30_000);
    expect(limited()[0]).toEqual({
      name: 'order:error',
      payload: {
        message: 'no:such',
        error: { code: 'RATE_LIMITED', message: expect.any(String), retryable: true, details: expect.anything() },
      },
    });
    client.destroy();
  }, 60_000);

  test('cuts a flooding client that does not read the refusals, and keeps serving', async () => {
    const flooder = await hub.person();
    const frozen = await device(flooder).connect();
    const sockets = () => metricValue(flooder, 'sockets');
    const before = await sockets();
    freeze(frozen);
    // The refusals far exceed the send buffer. The hub then stops reading, misses the pongs and closes the socket.
    for (const _ of range(50 * BURST)) (frozen.socket as unknown as Socket).emit('no:such', {}, () => {});
    await until('the hub cuts the socket', async () => (await sockets()) < before, 50_000);
    const other = await (await hub.person()).connect();
    expect((await other.send('order:list', { role: 'buyer' })).ok).toBe(true);
    other.disconnect();
  }, 60_000);
});
