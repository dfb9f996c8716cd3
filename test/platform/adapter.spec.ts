import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { CommandQueue } from '../../src/commands/command.queue.js';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import { Connections } from '../../src/platform/connections.js';
import {
  KNOCKING_PER_ADDRESS_MAX,
  Limits,
  SOCKETS_PER_ADDRESS_MAX,
  SOCKETS_PER_USER_MAX,
} from '../../src/platform/limits.js';
import { knock } from '../support/handshake.js';
import { TestHub, until } from '../support/hub.js';
import { holdStock } from '../support/locks.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { rawHttp } from '../support/raw.http.js';
import { codeOf, dataOf, device, range } from '../support/ways.js';

const LISTED = 'https://shop.example';
const POLLING = '/socket.io/?EIO=4&transport=polling';
/** More orders than ever wait. */
const CROWD = 5_000;
/** So much is sent at once, again and again, until the limit is felt. */
const BURST = 1_000;
const BURSTS_MAX = 50;

/** The door by itself: who is let in, how each message is answered, and what is written down of it. */
describe('the way in over sockets', () => {
  const book = new LogBook();
  let hub: TestHub;
  let limits: Limits;
  let seller: Person;
  let buyer: Person;
  let addresses = 0;

  beforeAll(async () => {
    // People come through a proxy, so that each can be given an address.
    const config = { rateLimits: true, trustProxy: true, allowedOrigins: [LISTED], logLevel: 'debug' as const };
    hub = await TestHub.start(config, undefined, book);
    limits = hub.hub.app.get(Limits);
    seller = await hub.seller([{ stock: 100_000 }]);
    buyer = await (await hub.buyer()).connect();
  });
  afterAll(() => hub.stop());

  const newAddress = () => `198.51.100.${++addresses}`;
  const from = (address: string, more: Record<string, string> = {}) => ({
    headers: { 'x-forwarded-for': address, ...more },
  });
  const socketOf = (person: Person) => person.socket as unknown as Socket;
  const basket = () => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });
  const failuresOf = (person: Person) => {
    const failures: { message: string; error: ErrorBody }[] = [];
    socketOf(person).on('order:error', (failure) => failures.push(failure));
    return failures;
  };
  const told = (event: string, about: Record<string, unknown>) =>
    until(`${event} is written down`, () => book.lines('security', { event, ...about }).length > 0);
  const UNKNOWN = { ok: false, error: { code: 'UNKNOWN_MESSAGE', message: expect.any(String), retryable: false } };

  describe('at the handshake', () => {
    test('lets in who bears a token, and refuses others in the words of the contract and of the log', async () => {
      expect((await knock(hub, { token: buyer.token, last: { buyer: 0 } })).ready?.userId).toBe(buyer.userId);
      for (const auth of [{}, { token: 7 }, { token: 'no such token' }]) {
        const address = newAddress();
        const { error } = await knock(hub, auth, from(address));
        expect([error?.message, error?.data]).toEqual([
          'UNAUTHENTICATED',
          { ...UNKNOWN.error, code: 'UNAUTHENTICATED' },
        ]);
        await told('handshake-refused', { code: 'UNAUTHENTICATED', address });
      }
      const { error } = await knock(hub, { token: buyer.token, room: 'x' });
      expect(error?.data).toMatchObject({ code: 'BAD_MESSAGE', details: [{ path: 'room' }] });
      expect((await knock(hub, { token: 'bad', room: 'x' })).error?.message).toBe('UNAUTHENTICATED');
    });

    test('refuses pages from elsewhere before anything else, and scripts that ask without an origin', async () => {
      const address = newAddress();
      const { host } = new URL(hub.url);
      const own = await knock(hub, { token: buyer.token }, from(address, { origin: `http://${host}` }));
      const listed = await knock(hub, { token: buyer.token }, from(address, { origin: LISTED }));
      expect([own.ready?.userId, listed.ready?.userId]).toEqual([buyer.userId, buyer.userId]);
      const proxied = from(address, { origin: 'https://front.example', 'x-forwarded-host': 'front.example' });
      expect((await knock(hub, { token: buyer.token }, proxied)).ready?.userId).toBe(buyer.userId);
      expect(book.lines('security', { event: 'origin-refused' })).toEqual([]);
      for (const origin of ['https://evil.example', 'no address', `http://${host}.evil.example`]) {
        const { ready, error } = await knock(hub, { token: buyer.token }, from(newAddress(), { origin }));
        expect([ready, error?.data]).toEqual([undefined, undefined]);
        expect(error).toBeInstanceOf(Error);
        await told('origin-refused', { address: `198.51.100.${addresses}` });
      }
      for (const parameter of ['j=0', 'x=1&j'])
        expect((await rawHttp(hub, 'GET', `${POLLING}&${parameter}`)).status).toBe(403);
      const open = await rawHttp(hub, 'GET', POLLING, { headers: { origin: LISTED } });
      expect([open.status, open.headers['access-control-allow-origin']]).toEqual([200, LISTED]);
      expect((await rawHttp(hub, 'GET', '/socket.io/socket.io.js')).status).toBeGreaterThanOrEqual(400);
    });

    test('does not believe what a proxy says unless it was told that there is one', async () => {
      const alone = await TestHub.start({ logLevel: 'warn' });
      const { token } = await alone.person();
      const origin = 'https://front.example';
      const { ready } = await knock(alone, { token }, { headers: { origin, 'x-forwarded-host': 'front.example' } });
      expect(ready).toBeUndefined();
      await alone.stop();
    });

    test('counts the connections of an address until they are closed', async () => {
      const address = newAddress();
      for (const _ of range(SOCKETS_PER_ADDRESS_MAX - 1)) limits.connected(address, () => {});
      const first = device(buyer);
      const connect = async () => (await knock(hub, { token: buyer.token }, from(address))).error?.message;
      expect(await connect()).toBeUndefined();
      let close = () => {};
      limits.connected(address, (closed) => {
        close = closed;
      });
      expect(await connect()).toBe('RATE_LIMITED');
      close();
      await until('there is room again', async () => (await connect()) === undefined);
      for (const _ of range(KNOCKING_PER_ADDRESS_MAX + 1)) limits.connected(address, () => {});
      const { error } = await knock(hub, { token: buyer.token }, from(address));
      expect([error instanceof Error, error?.data]).toEqual([true, undefined]);
      expect(first.socket).toBeUndefined();
    });

    test('counts the sockets of a user until they are closed', async () => {
      const person = await hub.person();
      for (const _ of range(SOCKETS_PER_USER_MAX - 1)) limits.admitted(person.userId, () => {});
      const last = await device(person).connect();
      const { error } = await knock(hub, { token: person.token });
      expect(error?.data).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfterMs: expect.any(Number) } });
      last.disconnect();
      await until('there is room', async () => (await knock(hub, { token: person.token })).ready !== undefined);
    });

    test('does not count those against their address who are known', async () => {
      const address = newAddress();
      const isLimited = () => {
        try {
          limits.stranger(address);
          return false;
        } catch {
          return true;
        }
      };
      // A few are left, fewer than those who come.
      let spent = 0;
      while (!isLimited()) spent++;
      for (const _ of range(10)) limits.known(address);
      const codes = [];
      for (const _ of range(30)) codes.push((await knock(hub, { token: buyer.token }, from(address))).error?.message);
      expect(codes.every((code) => code === undefined)).toBe(true);
      expect(spent).toBeGreaterThan(0);
    });
  });

  describe('to each message', () => {
    test('an answer is given, whatever its name and whatever it holds', async () => {
      for (const name of ['order:steal', '', 'constructor', '__proto__', 'x'.repeat(200)]) {
        expect(await buyer.sendRaw(name, {})).toEqual(UNKNOWN);
      }
      expect(await buyer.sendRaw('order:get', {}, {})).toEqual({
        ok: false,
        error: {
          code: 'BAD_MESSAGE',
          message: expect.any(String),
          retryable: false,
          details: [{ path: '', problem: 'must be one object' }],
        },
      });
      for (const payload of [[], [null], ['text'], [{}]])
        expect(await buyer.sendRaw('order:get', ...payload)).toMatchObject({ error: { code: 'BAD_MESSAGE' } });
      const { orderId } = await buyer.place(seller);
      expect(await buyer.does('order:get', { orderId })).toMatchObject({ orderId, status: 'placed' });
    });

    test('that comes without an acknowledgement only a failure is told, with what is left of its name', async () => {
      const quiet = await (await hub.person()).connect();
      const failures = failuresOf(quiet);
      const socket = socketOf(quiet);
      socket.emit('order:place', basket());
      socket.emit('order:list', { role: 'buyer' });
      socket.emit('order:pay', { orderId: 'none' });
      socket.emit('y'.repeat(150), {});
      await until('both failures are told', () => failures.length >= 2);
      expect(failures.map(({ message, error }) => [message, error.code])).toEqual([
        ['order:pay', 'ORDER_NOT_FOUND'],
        ['y'.repeat(100), 'UNKNOWN_MESSAGE'],
      ]);
      expect(Object.keys(failures[0] ?? {}).sort()).toEqual(['error', 'message']);
      expect(await quiet.hears(1)).toMatchObject([{ status: 'placed' }]);
      const heard: string[] = [];
      socket.onAny((name: string) => heard.push(name));
      expect(await quiet.sendRaw('order:steal', {})).toEqual(UNKNOWN);
      expect(heard).toEqual([]);
    });

    test('the answers come in the order of the messages, and a read sees what was sent before it', async () => {
      const order: number[] = [];
      const sends: [string, unknown][] = range(24).map((index) =>
        index % 3 === 0
          ? ['order:place', basket()]
          : index % 3 === 1
            ? ['order:steal', {}]
            : ['order:list', { role: 'buyer', limit: 1 }],
      );
      const answers = await Promise.all(
        sends.map(async ([name, payload], index) => {
          const answer = await buyer.sendRaw(name, payload);
          order.push(index);
          return answer;
        }),
      );
      expect(order).toEqual(range(24));
      for (const round of range(8)) {
        const [placed, , list] = answers.slice(3 * round) as [
          Answer<Order>,
          Answer<unknown>,
          Answer<{ items: Order[] }>,
        ];
        expect((dataOf(list).items[0]?.orderId ?? '') >= dataOf(placed).orderId).toBe(true);
      }
    });

    test('a line is written, with what came of it, by whom and under the hub’s own names', async () => {
      await buyer.sendRaw('order:secret', {});
      await buyer.does('order:list', { role: 'seller' });
      for (const [message, code] of [
        ['unlisted', 'UNKNOWN_MESSAGE'],
        ['order:list', 'OK'],
      ]) {
        const about = { message, code, way: 'socket', user: buyer.userId };
        await until(`${message} is written down`, () => book.lines('message', about).length > 0);
      }
      expect(book.written.join()).not.toContain('order:secret');
      const { orderId } = await buyer.place(seller);
      const stranger = await (await hub.person()).connect();
      expect(codeOf(await stranger.send('order:get', { orderId }))).toBe('FORBIDDEN');
      await told('forbidden', { user: stranger.userId, code: 'FORBIDDEN', address: '127.0.0.1' });
    });

    test('what fails within is INTERNAL, and is found in the log under the message', async () => {
      const { orderId } = await buyer.place(seller);
      await hub.database.transaction((tx) =>
        tx.query('UPDATE orders SET items = ? WHERE order_id = ?', ['{broken', orderId]),
      );
      const answer = await buyer.send('order:get', { orderId });
      expect(answer).toMatchObject({ ok: false, error: { code: 'INTERNAL', retryable: true } });
      const [fault] = book.lines('fault', (answer as { error: ErrorBody }).error.details as Record<string, unknown>);
      await until('the message is written down', () => book.lines('message', { code: 'INTERNAL' }).length > 0);
      expect(fault?.id).toBe(book.lines('message', { code: 'INTERNAL' })[0]?.id);
    });
  });

  describe('when it is too much', () => {
    test('"not now" is told at once, before the answers to what was sent earlier, and everything else in its turn', async () => {
      const person = await (await hub.person()).connect();
      const queue = hub.hub.app.get(CommandQueue);
      const release = await holdStock(hub);
      const order: string[] = [];
      const send = async (what: string, name: string, payload: unknown) => {
        const answer = await person.sendRaw(name, payload);
        order.push(`${what} ${codeOf(answer)}`);
      };
      const inBatch = queue.give('order:place', seller.userId, basket());
      const before = send('before', 'order:steal', {});
      const first = send('first', 'order:place', basket());
      await before;
      await until('it waits', async () =>
        /^order_hub_queue_commands 1$/m.test((await seller.get<string>('/metrics')).body),
      );
      let isThere = true;
      // Each of a crowd places one, until there is no room for somebody with a single order either.
      for (let count = 0; count < CROWD && !queue.refusalOf('order:place', person.userId); count++)
        void queue.give('order:place', `crowd-${count}`, { ...basket() }, { isThere: () => isThere });
      const unknown = send('second', 'order:steal', {});
      await send('third', 'order:place', basket());
      expect(order).toEqual(['before UNKNOWN_MESSAGE', 'third OVERLOADED']);
      isThere = false;
      await release();
      await Promise.all([inBatch, first, unknown]);
      expect(order.slice(2)).toEqual(['first OK', 'second UNKNOWN_MESSAGE']);
    });

    test.each<'websocket' | 'polling'>(['polling', 'websocket'])(
      'who sends too much over %s is told so, whatever it sends, and is heard again later',
      async (transport) => {
        const person = await (await hub.person()).connect({ transports: [transport] });
        const answers: Answer<unknown>[] = [];
        const isLimited = () => answers.find((answer) => codeOf(answer) === 'RATE_LIMITED');
        for (let burst = 0; burst < BURSTS_MAX && !isLimited(); burst++) {
          for (const _ of range(BURST))
            socketOf(person).emit('no:such', (answer: Answer<unknown>) => answers.push(answer));
          await until('the burst is answered', () => answers.length === (burst + 1) * BURST, 20_000);
        }
        expect(isLimited()).toMatchObject({ ok: false, error: { code: 'RATE_LIMITED', retryable: true } });
        expect(answers.slice(0, BURST).map(codeOf)).not.toContain('RATE_LIMITED');
        // So many at once that those who come second may not be written down any more (`security.log.ts`).
        if (transport === 'polling')
          await told('rate-limited', { user: person.userId, code: 'RATE_LIMITED', address: '127.0.0.1' });
        await until('it is heard again', async () => codeOf(await person.sendRaw('no:such')) === 'UNKNOWN_MESSAGE');
      },
    );
  });

  test('nothing is done for a session that is over, though its socket is not cut yet', async () => {
    const short = await TestHub.start({ sessionTtlSeconds: 1 });
    const heard = await Promise.all(
      range(4).map(async (index) => {
        await sleep(index * 230);
        const person = await (await short.person()).connect();
        const codes: string[] = [];
        while (person.socket?.connected) {
          // Cut meanwhile, it is answered by nobody.
          const answer = await person.sendRaw('order:list', { role: 'buyer' }).catch(() => undefined);
          if (answer) codes.push(codeOf(answer));
          await sleep(5);
        }
        return [...new Set(codes)];
      }),
    );
    // Once it is over it is over.
    expect(heard.map(([first]) => first)).toEqual(range(4).map(() => 'OK'));
    expect(heard.filter((codes) => codes.includes('UNAUTHENTICATED')).length).toBeGreaterThan(0);
    await short.stop();
  });

  test('a hub that shuts down answers that it does, at the door and inside', async () => {
    const closing = await TestHub.start();
    const visitor = await (await closing.person()).connect();
    closing.hub.app.get(Connections).draining = true;
    const { error } = await knock(closing, { token: visitor.token });
    expect([error?.message, error?.data?.retryable]).toEqual(['UNAVAILABLE', true]);
    expect(codeOf(await visitor.sendRaw('order:list', { role: 'buyer' }))).toBe('UNAVAILABLE');
    await closing.stop();
  });

  test('a frame of more than 64 KB ends the line', async () => {
    const loud = await (await hub.person()).connect();
    expect(codeOf(await loud.sendRaw('order:get', { padding: 'x'.repeat(65_000) }))).toBe('BAD_MESSAGE');
    socketOf(loud).emit('order:get', { padding: 'x'.repeat(66_000) });
    await until('it is cut', () => loud.socket?.connected === false);
  });
});
