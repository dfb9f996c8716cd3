import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { HASHES_AT_ONCE, HASHES_WAITING_MAX } from '../../src/auth/passwords.js';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { Answer } from '../../src/contract/wire.js';
import { SOCKETS_PER_USER_MAX } from '../../src/platform/limits/rate.limiter.js';
import { knock } from '../support/handshake.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { exchange, upgradeHead } from '../support/raw.line.js';
import { device, range } from '../support/ways.js';

const RATE_LIMITED = {
  code: 'RATE_LIMITED',
  message: expect.any(String),
  retryable: true,
  details: { retryAfterMs: expect.any(Number) },
};
/** Messages per burst; bursts repeat until the limit is reached, which depends on the machine's speed. */
const BURST = 1_000;
const BURSTS_MAX = 50;

describe('a hub with rate limits', () => {
  let hub: TestHub;
  let seller: Person;
  beforeAll(async () => {
    // Behind a proxy, each request can choose its client address.
    hub = await TestHub.start({ rateLimits: true, trustProxy: true });
    seller = await hub.seller([{ stock: 100 }]);
  });
  afterAll(() => hub.stop());

  const login = (person: Person, address: string, password: string) =>
    person.post<{ token: string; error: ErrorBody }>(
      '/auth/login',
      { userId: person.userId, password },
      { 'x-forwarded-for': address },
    );

  test('limits the messages of a socket with a retry delay, without consuming keys', async () => {
    const buyer = await hub.person();
    await buyer.connect();
    const socket = buyer.socket as unknown as Socket;
    const answers: Answer<unknown>[] = [];
    const isLimited = () => answers.find((answer) => !answer.ok && answer.error.code === 'RATE_LIMITED');
    for (let burst = 0; burst < BURSTS_MAX && !isLimited(); burst++) {
      for (let sent = 0; sent < BURST; sent++)
        socket.emit('no:such', (answer: Answer<unknown>) => answers.push(answer));
      await until('the burst is answered', () => answers.length === (burst + 1) * BURST, 20_000);
    }
    expect(isLimited()).toEqual({ ok: false, error: RATE_LIMITED });
    expect(answers.slice(0, BURST)).not.toContainEqual({ ok: false, error: RATE_LIMITED });

    const message = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: 'k' };
    const attempts: Answer<unknown>[] = [];
    // A slow machine refills the bucket during a burst.
    for (let burst = 0; burst < BURSTS_MAX && !attempts.some((answer) => !answer.ok); burst++) {
      attempts.push(...(await Promise.all(range(BURST).map(() => buyer.sendRaw('order:place', message)))));
    }
    const placed = attempts.filter((answer) => answer.ok);
    expect(new Set(placed.filter((answer) => !('replayed' in answer))).size).toBeLessThanOrEqual(1);
    const refused = attempts.find((answer) => !answer.ok);
    expect(refused).toEqual({ ok: false, error: RATE_LIMITED });
    await until('orders are accepted again', async () => (await buyer.send('order:place', message)).ok);
    expect(await hub.rows('SELECT order_id FROM orders WHERE buyer_id = ?', [buyer.userId])).toHaveLength(1);

    const otherDevice = await device(buyer, hub).connect();
    expect((await otherDevice.send('order:list', { role: 'buyer' })).ok).toBe(true);
  });

  test('limits password guesses per address, with Retry-After', async () => {
    const owner = await hub.register();
    const attempts = await Promise.all(range(24).map(() => login(owner, '192.0.2.1', 'wrong password')));
    const limited = attempts.filter(({ status }) => status === 429);
    expect(attempts.filter(({ status }) => status === 401)).toHaveLength(20);
    expect(limited[0]?.body.error).toEqual(RATE_LIMITED);
    expect(Number(limited[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    // The right password is refused too, but existing sessions keep working.
    expect((await login(owner, '192.0.2.1', PASSWORD)).status).toBe(429);
    expect(await owner.balance()).toBe(0);
  });

  test('limits guesses for an unknown user in the same way', async () => {
    const unknownUser = device(await hub.person(), hub);
    Object.assign(unknownUser, { userId: 'nobody', token: '' });
    const attempts = await Promise.all(range(22).map(() => login(unknownUser, '192.0.2.30', 'wrong password')));
    expect(attempts.filter(({ status }) => status === 429)).toHaveLength(2);
  });

  test('does not count successful logins', async () => {
    const owner = await hub.register();
    for (const _ of range(25)) expect((await login(owner, '192.0.2.40', PASSWORD)).status).toBe(200);
  });

  test('limits the sockets of a user, and frees one on close', async () => {
    const owner = await hub.person();
    const devices = range(SOCKETS_PER_USER_MAX).map(() => device(owner, hub));
    for (let from = 0; from < devices.length; from += 50) {
      await Promise.all(devices.slice(from, from + 50).map((each) => each.connect()));
    }
    const { error } = await knock(hub, { token: owner.token });
    expect([error?.message, error?.data]).toEqual(['RATE_LIMITED', RATE_LIMITED]);
    devices[0]?.disconnect();
    await until(
      'another socket is accepted',
      async () => (await knock(hub, { token: owner.token })).ready !== undefined,
    );
    for (const each of devices) each.disconnect();
  });
});

describe('a hub without rate limits', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  test('still limits concurrent password hashing, with Retry-After', async () => {
    const unknownUser = await hub.person();
    const loginCount = 3 * (HASHES_AT_ONCE + HASHES_WAITING_MAX);
    const logins = await Promise.all(
      range(loginCount).map((index) =>
        unknownUser.post<{ error: ErrorBody }>('/auth/login', {
          userId: `nobody ${index}`,
          password: 'wrong password',
        }),
      ),
    );
    const refused = logins.filter(({ body }) => body.error.code === 'OVERLOADED');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.body.error).toEqual({ ...RATE_LIMITED, code: 'OVERLOADED' });
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(logins.filter(({ status }) => status === 401).length).toBeGreaterThanOrEqual(HASHES_AT_ONCE);
    expect(logins.every(({ status }) => status === 401 || status === 503)).toBe(true);
  });

  test('cuts connections that do not authenticate within five seconds, on both transports', async () => {
    const { hostname, port } = new URL(hub.url);
    const idle = connect(Number(port), hostname);
    const path = '/socket.io/?EIO=4&transport=websocket';
    const [, unauthenticated] = await Promise.all([
      once(idle.resume(), 'close'),
      exchange(hub.url, upgradeHead(path), { withinMs: 15_000 }),
    ]);
    expect(unauthenticated).toMatchObject({ text: expect.stringContaining('101'), closed: true });
  });
});
