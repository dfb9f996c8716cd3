import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { COMMANDS_WAITING_MAX } from '../../src/commands/waiting.line.js';
import type { Answer } from '../../src/contract/wire.js';
import { MESSAGES_PER_SOCKET } from '../../src/platform/limits.js';
import { Speaker } from '../input/speaker.js';
import { freeze } from '../support/frozen.js';
import { TestHub, until } from '../support/hub.js';
import { holdStock } from '../support/locks.js';
import type { Person } from '../support/person.js';
import { codeOf, device, range } from '../support/ways.js';

const STOCK = 100_000;
/** More than wait for anybody, and so many more that a read brings hundreds of those who do not. */
const FLOOD = COMMANDS_WAITING_MAX + 2_000;
/** So much is sent at once to a hub that is full, until something happens: how fast the machine is decides when. */
const BURST = 1_000;
const OVERLOADED = {
  code: 'OVERLOADED',
  message: expect.any(String),
  retryable: true,
  details: { retryAfterMs: expect.any(Number) },
};

/** What the hub has counted under this name and these labels. */
async function counted(person: Person, series: string): Promise<number> {
  const { body } = await person.get<string>('/metrics');
  const line = body.split('\n').find((text) => text.startsWith(`order_hub_${series} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

describe('a hub in a flood', () => {
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
  const answersOf = (speaker: Speaker, ids: string[]) => ids.flatMap((id) => speaker.said(id) as Answer<unknown>[]);
  const isFullFor = (speaker: Speaker, ids: string[]) =>
    until('some are refused', () => answersOf(speaker, ids).some((answer) => codeOf(answer) === 'OVERLOADED'));

  /** Holds the hub's work and lets a person ask for more than can wait. Gives its line, what it has asked, and the way out. */
  async function fill(person: Person) {
    const release = await holdStock(hub);
    const crowd = await Speaker.connect(hub.url, person.token);
    const ids = range(FLOOD).map(() => crowd.nextId());
    crowd.line.send(...ids.map((id) => `42${id}${place}`));
    await isFullFor(crowd, ids);
    const empty = async () => {
      await release();
      await until('all are answered', () => ids.every((id) => crowd.said(id).length > 0), 20_000);
    };
    return { crowd, ids, empty };
  }

  test('answers each message once and by its own number, does what it says, and counts what it refuses', async () => {
    const flooder = await hub.person();
    const refused = ['commands_total{message="order:place",code="OVERLOADED"}', 'refusals_total{limit="queue"}'];
    const count = () => Promise.all(refused.map((series) => counted(flooder, series)));
    const before = await count();
    const { crowd, ids, empty } = await fill(flooder);
    await empty();
    expect(ids.filter((id) => crowd.said(id).length !== 1)).toEqual([]);
    const answers = answersOf(crowd, ids);
    const of = (code: string) => answers.filter((answer) => codeOf(answer) === code);
    // On a slow machine some have waited too long.
    expect(of('OK').length + of('OVERLOADED').length + of('UNAVAILABLE').length).toBe(FLOOD);
    expect(of('OVERLOADED')[0]).toEqual({ ok: false, error: OVERLOADED });
    const orders = await hub.rows('SELECT order_id FROM orders WHERE buyer_id = ?', [flooder.userId]);
    expect(orders.length).toBe(of('OK').length);
    const told = (await count()).map((after, index) => after - (before[index] ?? 0));
    expect(told).toEqual([of('OVERLOADED').length, of('OVERLOADED').length]);

    const after = crowd.say(place);
    await crowd.once(after, 20_000);
    expect(answersOf(crowd, [after])).toEqual([expect.objectContaining({ ok: true })]);
    crowd.hangUp();
  });

  test('refuses whatever is written and however it comes, and cuts nobody for it', async () => {
    const flooder = await hub.person();
    const { crowd, empty } = await fill(flooder);
    const speaker = await Speaker.connect(hub.url, flooder.token);
    const ways: [id: string, ...frames: (string | Buffer)[]][] = [
      ['0', `420${place}`],
      ['999999999999999', `42999999999999999${place}`],
      ['7', `42007${place}`], // Socket.IO reads it as a number
      ['8', `428[ "order:place",${JSON.stringify(basket())}]`],
      ['9', '429["order\\u003aplace",{}]'],
      ['10', '4210["order:place"]'],
      ['11', '4211["order:place",1,[],null]'],
      ['12', '4212["order:place",{"storeId":'], // nobody reads on to find out that it is broken
      ['13', '451-13["order:place",{"_placeholder":true,"num":0}]', Buffer.from('binary')],
      ['14', `42/,14${place}`],
    ];
    for (const [, ...frames] of ways) speaker.line.send(...frames);
    for (const [id] of ways) await speaker.once(id, 5_000);
    const heard = Object.fromEntries(ways.map(([id]) => [id, speaker.said(id)]));
    expect(heard).toEqual(Object.fromEntries(ways.map(([id]) => [id, [{ ok: false, error: OVERLOADED }]])));

    speaker.pushes.length = 0;
    speaker.line.send(`42${place}`, `42${place}`);
    await until('both are told', () => speaker.pushes.length === 2);
    const push = { name: 'order:error', payload: { message: 'order:place', error: OVERLOADED } };
    expect(speaker.pushes).toEqual([push, push]);

    for (const transports of [['polling'], ['polling', 'websocket']] as const) {
      const other = await device(flooder).connect({ transports: [...transports] });
      const { engine } = other.socket?.io ?? {};
      await until('it has its transport', () => engine?.transport.name === transports.at(-1));
      const answers = await Promise.all(range(3).map(() => other.send('order:place', basket())));
      expect(answers).toEqual(range(3).map(() => ({ ok: false, error: OVERLOADED })));
      expect((await other.send('order:list', { role: 'buyer' })).ok).toBe(true);
      other.disconnect();
    }
    await empty();
    const after = speaker.say(place);
    await speaker.once(after, 20_000);
    expect(answersOf(speaker, [after])).toEqual([expect.objectContaining({ ok: true })]);
    speaker.hangUp();
    crowd.hangUp();
  });

  test('still takes what finishes an order, and the one order of somebody else', async () => {
    const [flooder, buyer, other] = [await hub.person(), await hub.buyer(), await hub.buyer()];
    await Promise.all([buyer, other, seller].map((person) => person.connect()));
    const [unpaid, paid, shipped] = [await buyer.place(seller), await buyer.place(seller), await buyer.place(seller)];
    for (const { orderId } of [paid, shipped]) await buyer.does('order:pay', { orderId });
    await seller.does('order:ship', { orderId: shipped.orderId });
    const { crowd, empty } = await fill(flooder);
    const asked = [
      buyer.send('order:pay', { orderId: unpaid.orderId, key: 'pay' }),
      seller.send('order:ship', { orderId: paid.orderId, key: 'ship' }),
      buyer.send('order:receive', { orderId: shipped.orderId, key: 'receive' }),
      other.send('order:place', { ...basket(), key: 'place' }),
    ];
    await empty();
    expect((await Promise.all(asked)).map(codeOf)).not.toContain('OVERLOADED');
    // On a slow machine they have waited too long; asked again, they are done or were.
    const done = [
      await buyer.does('order:pay', { orderId: unpaid.orderId, key: 'pay' }),
      await seller.does('order:ship', { orderId: paid.orderId, key: 'ship' }),
      await buyer.does('order:receive', { orderId: shipped.orderId, key: 'receive' }),
      await other.does('order:place', { ...basket(), key: 'place' }),
    ];
    expect(done.map(({ status }) => status)).toEqual(['paid', 'shipped', 'received', 'placed']);
    crowd.hangUp();
  });
});

describe('a hub with limits by user, in a flood', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start({ rateLimits: true });
  });
  afterAll(() => hub.stop());

  test('answers each message once, takes as many as it allows, and counts every refusal', async () => {
    const flooder = await hub.person();
    const speaker = await Speaker.connect(hub.url, flooder.token);
    const ids: string[] = [];
    const codes = () => ids.flatMap((id) => speaker.said(id) as Answer<unknown>[]).map(codeOf);
    while (!codes().includes('RATE_LIMITED')) {
      const burst = range(BURST).map(() => speaker.nextId());
      ids.push(...burst);
      speaker.line.send(...burst.map((id) => `42${id}["no:such",{}]`));
      await until('the burst is answered', () => burst.every((id) => speaker.said(id).length > 0), 20_000);
    }
    expect(codes()).toHaveLength(ids.length);
    const limited = codes().filter((code) => code === 'RATE_LIMITED').length;
    expect(codes().filter((code) => code === 'UNKNOWN_MESSAGE')).toHaveLength(ids.length - limited);
    expect(ids.length - limited).toBeGreaterThanOrEqual(MESSAGES_PER_SOCKET.burst);
    expect(await counted(flooder, 'refusals_total{limit="messages"}')).toBe(limited);
    expect(await counted(flooder, 'security_events_total{event="rate-limited"}')).toBe(limited);
    speaker.hangUp();
  }, 60_000);

  test('tells who asked for no answer by an event', async () => {
    const flooder = await hub.person();
    const speaker = await Speaker.connect(hub.url, flooder.token);
    const limited = () =>
      speaker.pushes.filter(({ payload }) => (payload as { error?: { code: string } }).error?.code === 'RATE_LIMITED');
    const flood = () => {
      speaker.line.send(...range(BURST).map(() => '42["no:such",{}]'));
      return limited().length > 0;
    };
    await until('it is told', flood, 30_000);
    expect(limited()[0]).toEqual({
      name: 'order:error',
      payload: {
        message: 'no:such',
        error: { code: 'RATE_LIMITED', message: expect.any(String), retryable: true, details: expect.anything() },
      },
    });
    speaker.hangUp();
  }, 60_000);

  test('cuts who floods and does not take the refusals, and goes on', async () => {
    const flooder = await hub.person();
    const deaf = await device(flooder).connect();
    const sockets = () => counted(flooder, 'sockets');
    const before = await sockets();
    freeze(deaf);
    // Their refusals are many times what may wait. While much of it waits the hub reads no more, until it hears no pong either.
    for (const _ of range(50 * BURST)) (deaf.socket as unknown as Socket).emit('no:such', {}, () => {});
    await until('the hub has cut it', async () => (await sockets()) < before, 50_000);
    const other = await (await hub.person()).connect();
    expect((await other.send('order:list', { role: 'buyer' })).ok).toBe(true);
    other.disconnect();
  }, 60_000);
});
