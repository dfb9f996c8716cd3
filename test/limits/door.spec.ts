import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import { HASHES_AT_ONCE, HASHES_WAITING_MAX } from '../../src/auth/passwords.js';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { Answer } from '../../src/contract/wire.js';
import { SOCKETS_PER_USER_MAX } from '../../src/platform/limits.js';
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
/** So much is sent at once, again and again, until the limit is felt: how fast the machine is decides when. */
const BURST = 1_000;
const BURSTS_MAX = 50;

describe('a hub that limits what may be asked of it', () => {
  let hub: TestHub;
  let seller: Person;
  beforeAll(async () => {
    // People come through a proxy, so that each can be given an address.
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

  test('refuses the messages of a socket that are too many at once, and tells when to go on; no key is used up', async () => {
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
    const tries: Answer<unknown>[] = await Promise.all(range(BURST).map(() => buyer.sendRaw('order:place', message)));
    const placed = tries.filter((answer) => answer.ok);
    expect(new Set(placed.filter((answer) => !('replayed' in answer))).size).toBeLessThanOrEqual(1);
    const refused = tries.find((answer) => !answer.ok);
    expect(refused).toEqual({ ok: false, error: RATE_LIMITED });
    await until('it may place again', async () => (await buyer.send('order:place', message)).ok);
    expect(await hub.rows('SELECT order_id FROM orders WHERE buyer_id = ?', [buyer.userId])).toHaveLength(1);

    const elsewhere = await device(buyer, hub).connect();
    expect((await elsewhere.send('order:list', { role: 'buyer' })).ok).toBe(true);
  });

  test('lets a password be guessed some twenty times from an address, and says over HTTP when to come again', async () => {
    const owner = await hub.register();
    const guesses = await Promise.all(range(24).map(() => login(owner, '192.0.2.1', 'wrong password')));
    const limited = guesses.filter(({ status }) => status === 429);
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(20);
    expect(limited[0]?.body.error).toEqual(RATE_LIMITED);
    expect(Number(limited[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    // Right or wrong makes no difference any more; the session goes on.
    expect((await login(owner, '192.0.2.1', PASSWORD)).status).toBe(429);
    expect(await owner.balance()).toBe(0);
  });

  test('does not let others lock a user out of where it has logged in before', async () => {
    const owner = await hub.register();
    expect((await login(owner, '192.0.2.10', PASSWORD)).status).toBe(200);
    const addresses = range(22).map((index) => `198.51.100.${index + 1}`);
    const guesses = await Promise.all(addresses.map((address) => login(owner, address, 'wrong password')));
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(20);
    expect((await login(owner, '203.0.113.1', PASSWORD)).status).toBe(429);
    expect((await login(owner, '192.0.2.10', PASSWORD)).status).toBe(200);
  });

  test('limits guesses at somebody who is not there as at anybody', async () => {
    const nobody = device(await hub.person(), hub);
    Object.assign(nobody, { userId: 'nobody', token: '' });
    const guesses = await Promise.all(range(22).map(() => login(nobody, '192.0.2.30', 'wrong password')));
    expect(guesses.filter(({ status }) => status === 429)).toHaveLength(2);
  });

  test('costs those nothing who know their password', async () => {
    const owner = await hub.register();
    for (const _ of range(25)) expect((await login(owner, '192.0.2.40', PASSWORD)).status).toBe(200);
  });

  test('gives a user so many sockets, and one more when one is closed', async () => {
    const owner = await hub.person();
    const devices = range(SOCKETS_PER_USER_MAX).map(() => device(owner, hub));
    for (let from = 0; from < devices.length; from += 50) {
      await Promise.all(devices.slice(from, from + 50).map((each) => each.connect()));
    }
    const { error } = await knock(hub, { token: owner.token });
    expect([error?.message, error?.data]).toEqual(['RATE_LIMITED', RATE_LIMITED]);
    devices[0]?.disconnect();
    await until('there is room', async () => (await knock(hub, { token: owner.token })).ready !== undefined);
    for (const each of devices) each.disconnect();
  });
});

describe('a hub whose limits are off', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  test('still hashes no more passwords than it can, and tells the rest to come again', async () => {
    const nobody = await hub.person();
    const asked = 3 * (HASHES_AT_ONCE + HASHES_WAITING_MAX);
    const logins = await Promise.all(
      range(asked).map((index) =>
        nobody.post<{ error: ErrorBody }>('/auth/login', { userId: `nobody ${index}`, password: 'wrong password' }),
      ),
    );
    const refused = logins.filter(({ body }) => body.error.code === 'OVERLOADED');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.body.error).toEqual({ ...RATE_LIMITED, code: 'OVERLOADED' });
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(logins.filter(({ status }) => status === 401).length).toBeGreaterThanOrEqual(HASHES_AT_ONCE);
    expect(logins.every(({ status }) => status === 401 || status === 503)).toBe(true);
  });

  test('cuts who does not say who it is within five seconds, by either way', async () => {
    const { hostname, port } = new URL(hub.url);
    const silent = connect(Number(port), hostname);
    const path = '/socket.io/?EIO=4&transport=websocket';
    const [, unknown] = await Promise.all([
      once(silent.resume(), 'close'),
      exchange(hub.url, upgradeHead(path), { withinMs: 15_000 }),
    ]);
    expect(unknown).toMatchObject({ text: expect.stringContaining('101'), closed: true });
  });
});
