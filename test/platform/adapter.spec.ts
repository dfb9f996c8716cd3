import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { CommandQueue } from '../../src/commands/command.queue.js';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import {
  EXTRA_CONNECTIONS_PER_ADDRESS_MAX,
  RateLimiter,
  SOCKETS_PER_ADDRESS_MAX,
  SOCKETS_PER_USER_MAX,
} from '../../src/platform/limits/rate.limiter.js';
import { SocketRegistry } from '../../src/platform/sockets/socket.registry.js';
import { knock } from '../support/handshake.js';
import { TestHub, until } from '../support/hub.js';
import { holdStock } from '../support/locks.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { rawHttp } from '../support/raw.http.js';
import { codeOf, dataOf, device, range } from '../support/ways.js';

const LISTED = 'https://shop.example';
const POLLING = '/socket.io/?EIO=4&transport=polling';
/** More orders than the backlog holds. */
const ORDERS = 5_000;
/** Messages per burst; bursts repeat until the limit is reached. */
const BURST = 1_000;
const BURSTS_MAX = 50;

/** Handshakes, the answer to each message, and what is logged. */
describe('the socket adapter', () => {
  const log = new LogBook();
  let hub: TestHub;
  let limits: RateLimiter;
  let seller: Person;
  let buyer: Person;
  let addresses = 0;

  beforeAll(async () => {
    // Behind a proxy, each handshake can choose its client address.
    const config = { rateLimits: true, trustProxy: true, allowedOrigins: [LISTED], logLevel: 'debug' as const };
    hub = await TestHub.start(config, undefined, log);
    limits = hub.hub.app.get(RateLimiter);
    seller = await hub.seller([{ stock: 100_000 }]);
    buyer = await (await hub.buyer()).connect();
  });
  afterAll(() => hub.stop());

  const newAddress = () => `198.51.100.${++addresses}`;
  const viaProxy = (address: string, extra: Record<string, string> = {}) => ({
    headers: { 'x-forwarded-for': address, ...extra },
  });
  const socketOf = (person: Person) => person.socket as unknown as Socket;
  const basket = () => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });
  const recordErrors = (person: Person) => {
    const errors: { message: string; error: ErrorBody }[] = [];
    socketOf(person).on('order:error', (error) => errors.push(error));
    return errors;
  };
  const logged = (event: string, fields: Record<string, unknown>) =>
    until(`${event} is logged`, () => log.lines('security', { event, ...fields }).length > 0);
  const UNKNOWN = { ok: false, error: { code: 'UNKNOWN_MESSAGE', message: expect.any(String), retryable: false } };

  describe('at the handshake', () => {
    test('accepts a valid token, and answers and logs refusals as the contract says', async () => {
      expect((await knock(hub, { token: buyer.token, last: { buyer: 0 } })).ready?.userId).toBe(buyer.userId);
      for (const auth of [{}, { token: 7 }, { token: 'no such token' }]) {
        const address = newAddress();
        const { error } = await knock(hub, auth, viaProxy(address));
        expect([error?.message, error?.data]).toEqual([
          'UNAUTHENTICATED',
          { ...UNKNOWN.error, code: 'UNAUTHENTICATED' },
        ]);
        await logged('handshake-refused', { code: 'UNAUTHENTICATED', address });
      }
      const { error } = await knock(hub, { token: buyer.token, room: 'x' });
      expect(error?.data).toMatchObject({ code: 'BAD_MESSAGE', details: [{ path: 'room' }] });
      expect((await knock(hub, { token: 'bad', room: 'x' })).error?.message).toBe('UNAUTHENTICATED');
    });

    test('refuses foreign origins before anything else, and JSONP polling', async () => {
      const address = newAddress();
      const { host } = new URL(hub.url);
      const sameOrigin = await knock(hub, { token: buyer.token }, viaProxy(address, { origin: `http://${host}` }));
      const listed = await knock(hub, { token: buyer.token }, viaProxy(address, { origin: LISTED }));
      expect([sameOrigin.ready?.userId, listed.ready?.userId]).toEqual([buyer.userId, buyer.userId]);
      const proxied = viaProxy(address, { origin: 'https://front.example', 'x-forwarded-host': 'front.example' });
      expect((await knock(hub, { token: buyer.token }, proxied)).ready?.userId).toBe(buyer.userId);
      expect(log.lines('security', { event: 'origin-refused' })).toEqual([]);
      for (const origin of ['https://evil.example', 'not a URL', `http://${host}.evil.example`]) {
        const { ready, error } = await knock(hub, { token: buyer.token }, viaProxy(newAddress(), { origin }));
        expect([ready, error?.data]).toEqual([undefined, undefined]);
        expect(error).toBeInstanceOf(Error);
        await logged('origin-refused', { address: `198.51.100.${addresses}` });
      }
      for (const parameter of ['j=0', 'x=1&j'])
        expect((await rawHttp(hub, 'GET', `${POLLING}&${parameter}`)).status).toBe(403);
      const open = await rawHttp(hub, 'GET', POLLING, { headers: { origin: LISTED } });
      expect([open.status, open.headers['access-control-allow-origin']]).toEqual([200, LISTED]);
      expect((await rawHttp(hub, 'GET', '/socket.io/socket.io.js')).status).toBeGreaterThanOrEqual(400);
    });

    test('ignores proxy headers unless a proxy is trusted', async () => {
      const direct = await TestHub.start({ logLevel: 'warn' });
      const { token } = await direct.person();
      const origin = 'https://front.example';
      const { ready } = await knock(direct, { token }, { headers: { origin, 'x-forwarded-host': 'front.example' } });
      expect(ready).toBeUndefined();
      await direct.stop();
    });

    test('counts the connections of an address until they close', async () => {
      const address = newAddress();
      for (const _ of range(SOCKETS_PER_ADDRESS_MAX - 1)) limits.connected(address, () => {});
      const first = device(buyer);
      const connect = async () => (await knock(hub, { token: buyer.token }, viaProxy(address))).error?.message;
      expect(await connect()).toBeUndefined();
      let close = () => {};
      limits.connected(address, (closed) => {
        close = closed;
      });
      expect(await connect()).toBe('RATE_LIMITED');
      close();
      await until('a connection is accepted again', async () => (await connect()) === undefined);
      for (const _ of range(EXTRA_CONNECTIONS_PER_ADDRESS_MAX + 1)) limits.connected(address, () => {});
      const { error } = await knock(hub, { token: buyer.token }, viaProxy(address));
      expect([error instanceof Error, error?.data]).toEqual([true, undefined]);
      expect(first.socket).toBeUndefined();
    });

    test('counts the sockets of a user until they close', async () => {
      const person = await hub.person();
      for (const _ of range(SOCKETS_PER_USER_MAX - 1)) limits.admitted(person.userId, () => {});
      const last = await device(person).connect();
      const { error } = await knock(hub, { token: person.token });
      expect(error?.data).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfterMs: expect.any(Number) } });
      last.disconnect();
      await until(
        'a socket is accepted again',
        async () => (await knock(hub, { token: person.token })).ready !== undefined,
      );
    });

    test('does not count authenticated handshakes against their address', async () => {
      const address = newAddress();
      const isLimited = () => {
        try {
          limits.unauthenticatedRequest(address);
          return false;
        } catch {
          return true;
        }
      };
      // Leaves fewer tokens than handshakes follow.
      let allowed = 0;
      while (!isLimited()) allowed++;
      for (const _ of range(10)) limits.refundUnauthenticated(address);
      const codes = [];
      for (const _ of range(30))
        codes.push((await knock(hub, { token: buyer.token }, viaProxy(address))).error?.message);
      expect(codes.every((code) => code === undefined)).toBe(true);
      expect(allowed).toBeGreaterThan(0);
    });
  });

  describe('for each message', () => {
    test('acknowledges any name and payload', async () => {
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

    test('pushes only errors without an acknowledgement, with a truncated name', async () => {
      const client = await (await hub.person()).connect();
      const errors = recordErrors(client);
      const socket = socketOf(client);
      socket.emit('order:place', basket());
      socket.emit('order:list', { role: 'buyer' });
      socket.emit('order:pay', { orderId: 'none' });
      socket.emit('y'.repeat(150), {});
      await until('both errors are pushed', () => errors.length >= 2);
      expect(errors.map(({ message, error }) => [message, error.code])).toEqual([
        ['order:pay', 'ORDER_NOT_FOUND'],
        ['y'.repeat(100), 'UNKNOWN_MESSAGE'],
      ]);
      expect(Object.keys(errors[0] ?? {}).sort()).toEqual(['error', 'message']);
      expect(await client.hears(1)).toMatchObject([{ status: 'placed' }]);
      const received: string[] = [];
      socket.onAny((name: string) => received.push(name));
      expect(await client.sendRaw('order:steal', {})).toEqual(UNKNOWN);
      expect(received).toEqual([]);
    });

    test('answers in order, and reads see earlier writes', async () => {
      const order: number[] = [];
      const messages: [string, unknown][] = range(24).map((index) =>
        index % 3 === 0
          ? ['order:place', basket()]
          : index % 3 === 1
            ? ['order:steal', {}]
            : ['order:list', { role: 'buyer', limit: 1 }],
      );
      const answers = await Promise.all(
        messages.map(async ([name, payload], index) => {
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

    test('logs the result and the user under a known message name', async () => {
      await buyer.sendRaw('order:secret', {});
      await buyer.does('order:list', { role: 'seller' });
      for (const [message, code] of [
        ['unlisted', 'UNKNOWN_MESSAGE'],
        ['order:list', 'OK'],
      ]) {
        const fields = { message, code, way: 'socket', user: buyer.userId };
        await until(`${message} is logged`, () => log.lines('message', fields).length > 0);
      }
      expect(log.written.join()).not.toContain('order:secret');
      const { orderId } = await buyer.place(seller);
      const stranger = await (await hub.person()).connect();
      expect(codeOf(await stranger.send('order:get', { orderId }))).toBe('FORBIDDEN');
      await logged('forbidden', { user: stranger.userId, code: 'FORBIDDEN', address: '127.0.0.1' });
    });

    test("answers an internal failure with INTERNAL and logs it under the message's id", async () => {
      const { orderId } = await buyer.place(seller);
      await hub.database.transaction((tx) =>
        tx.query('UPDATE orders SET items = ? WHERE order_id = ?', ['{broken', orderId]),
      );
      const answer = await buyer.send('order:get', { orderId });
      expect(answer).toMatchObject({ ok: false, error: { code: 'INTERNAL', retryable: true } });
      const [fault] = log.lines('fault', (answer as { error: ErrorBody }).error.details as Record<string, unknown>);
      await until('the message is logged', () => log.lines('message', { code: 'INTERNAL' }).length > 0);
      expect(fault?.id).toBe(log.lines('message', { code: 'INTERNAL' })[0]?.id);
    });
  });

  describe('under overload', () => {
    test('sheds commands immediately and answers everything else in order', async () => {
      const person = await (await hub.person()).connect();
      const queue = hub.hub.app.get(CommandQueue);
      const release = await holdStock(hub);
      const order: string[] = [];
      const send = async (label: string, name: string, payload: unknown) => {
        const answer = await person.sendRaw(name, payload);
        order.push(`${label} ${codeOf(answer)}`);
      };
      const inBatch = queue.submit('order:place', seller.userId, basket());
      const before = send('before', 'order:steal', {});
      const first = send('first', 'order:place', basket());
      await before;
      await until('the command is queued', async () =>
        /^order_hub_queue_commands 1$/m.test((await seller.get<string>('/metrics')).body),
      );
      let isConnected = true;
      // One order each, until the backlog rejects even a buyer's first order.
      for (let count = 0; count < ORDERS && !queue.check('order:place', person.userId); count++)
        void queue.submit('order:place', `bulk-${count}`, { ...basket() }, { isConnected: () => isConnected });
      const unknown = send('second', 'order:steal', {});
      await send('third', 'order:place', basket());
      expect(order).toEqual(['before UNKNOWN_MESSAGE', 'third OVERLOADED']);
      isConnected = false;
      await release();
      await Promise.all([inBatch, first, unknown]);
      expect(order.slice(2)).toEqual(['first OK', 'second UNKNOWN_MESSAGE']);
    });

    test.each<'websocket' | 'polling'>(['polling', 'websocket'])(
      'limits the message rate over %s, and accepts messages again later',
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
        // The security log is rate-limited too, so only the first transport is sure to be logged (`security.log.ts`).
        if (transport === 'polling')
          await logged('rate-limited', { user: person.userId, code: 'RATE_LIMITED', address: '127.0.0.1' });
        await until(
          'messages are accepted again',
          async () => codeOf(await person.sendRaw('no:such')) === 'UNKNOWN_MESSAGE',
        );
      },
    );
  });

  test('refuses messages of an expired session even before its socket is cut', async () => {
    const shortLived = await TestHub.start({ sessionTtlSeconds: 1 });
    const received = await Promise.all(
      range(4).map(async (index) => {
        await sleep(index * 230);
        const person = await (await shortLived.person()).connect();
        const codes: string[] = [];
        while (person.socket?.connected) {
          // A cut socket gets no answer.
          const answer = await person.sendRaw('order:list', { role: 'buyer' }).catch(() => undefined);
          if (answer) codes.push(codeOf(answer));
          await sleep(5);
        }
        return [...new Set(codes)];
      }),
    );
    // An expired session never recovers.
    expect(received.map(([first]) => first)).toEqual(range(4).map(() => 'OK'));
    expect(received.filter((codes) => codes.includes('UNAUTHENTICATED')).length).toBeGreaterThan(0);
    await shortLived.stop();
  });

  test('answers UNAVAILABLE to handshakes and messages while draining', async () => {
    const drainingHub = await TestHub.start();
    const visitor = await (await drainingHub.person()).connect();
    drainingHub.hub.app.get(SocketRegistry).draining = true;
    const { error } = await knock(drainingHub, { token: visitor.token });
    expect([error?.message, error?.data?.retryable]).toEqual(['UNAVAILABLE', true]);
    expect(codeOf(await visitor.sendRaw('order:list', { role: 'buyer' }))).toBe('UNAVAILABLE');
    await drainingHub.stop();
  });

  test('cuts the connection on a frame over 64 KB', async () => {
    const oversized = await (await hub.person()).connect();
    expect(codeOf(await oversized.sendRaw('order:get', { padding: 'x'.repeat(65_000) }))).toBe('BAD_MESSAGE');
    socketOf(oversized).emit('order:get', { padding: 'x'.repeat(66_000) });
    await until('the socket is cut', () => oversized.socket?.connected === false);
  });
});
