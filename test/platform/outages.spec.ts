import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';
import { RateLimiter, SOCKETS_PER_USER_MAX } from '../../src/platform/limits/rate.limiter.js';
import { audit } from '../support/audit.js';
import { knock } from '../support/handshake.js';
import { TestHub, until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';
import { freePort } from '../support/server.process.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const isServer = Boolean(process.env.TEST_DATABASE_URL);
/** The contract's five seconds, with slack for a busy machine. */
const ANSWERED_WITHIN_MS = 10_000;

/** A database server behind a proxy. The embedded database has no outages: without its file, the hub does not start. */
describe('a database outage', () => {
  let own: TestDatabase;
  let proxy: TcpProxy;
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    own = await createTestDatabase();
    if (isServer) {
      proxy = await TcpProxy.before(own.url);
      await proxy.open();
    }
    hub = await TestHub.start({}, isServer ? { url: proxy.url, drop: own.drop } : own);
    seller = await hub.seller([{ stock: 100 }]);
    buyer = await hub.buyer();
    await buyer.connect();
  });
  afterAll(() => hub.stop());

  const orderRequest = (key: string) => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key });

  test('by a frozen server: every command and read is answered in time, and retries by key settle the orders', async () => {
    if (isServer) proxy.freeze();
    const messages = [
      buyer.send('order:place', orderRequest('frozen-1')),
      buyer.send('order:place', orderRequest('frozen-2')),
      buyer.send('order:list', { role: 'buyer' }),
    ];
    const readiness = buyer.get<{ database: string }>('/health/ready');
    const httpAnswer = buyer.post<{ error: { code: string } }>('/orders', orderRequest('frozen-3'));
    let answered = 0;
    for (const answer of [...messages, readiness, httpAnswer]) answer.then(() => answered++);
    await until('every message is answered', () => answered === 5, ANSWERED_WITHIN_MS);
    if (isServer) {
      for (const answer of messages)
        expect(await answer).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', retryable: true } });
      expect(await httpAnswer).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } });
      expect(await readiness).toMatchObject({ status: 503, body: { database: 'down' } });
      proxy.thaw();
    }
    for (const key of ['frozen-1', 'frozen-2', 'frozen-3']) {
      await until(
        `the order with key ${key} is placed`,
        async () => (await buyer.send('order:place', orderRequest(key))).ok,
      );
    }
    const { items } = await buyer.does('order:list', { role: 'buyer' });
    expect(items).toHaveLength(3);
    expect(await seller.stock()).toBe(97);
  });

  test('by refused connections: messages are UNAVAILABLE, and succeed after the recovery', async () => {
    if (isServer) await proxy.close();
    const during = await buyer.send('order:place', orderRequest('cut-1'));
    expect(during).toMatchObject(isServer ? { ok: false, error: { code: 'UNAVAILABLE' } } : { ok: true });
    if (isServer) await proxy.open();
    await until('the order is placed', async () => (await buyer.send('order:place', orderRequest('cut-1'))).ok);
    expect((await buyer.does('order:list', { role: 'buyer' })).items).toHaveLength(4);
    expect((await buyer.hears(4)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(await audit(hub)).toEqual([]);
  });

  test('during a COMMIT: committed events are delivered after the recovery', async () => {
    await seller.connect();
    const eventsBefore = seller.events.length;
    if (isServer) void proxy.cutAtCommit('after').then(() => proxy.close());
    const answer = await buyer.send('order:place', orderRequest('in-doubt'));
    expect(answer).toMatchObject(isServer ? { ok: false, error: { code: 'UNAVAILABLE' } } : { ok: true });
    if (isServer) await proxy.open();
    await until('the seller receives the event', () => seller.events.length > eventsBefore);
    expect(await buyer.send('order:place', orderRequest('in-doubt'))).toMatchObject({ ok: true, replayed: true });
    expect(await audit(hub)).toEqual([]);
  });

  if (isServer) {
    test('does not leak a count of a socket that disconnects during authentication', async () => {
      const limited = await TestHub.start({ rateLimits: true }, { url: proxy.url, drop: own.drop });
      const limits = limited.hub.app.get(RateLimiter);
      for (const _ of range(SOCKETS_PER_USER_MAX - 1)) limits.admitted(buyer.userId, () => {});
      proxy.freeze();
      const leaver = io(limited.url, { auth: { token: buyer.token }, transports: ['websocket'], reconnection: false });
      const engine = await new Promise<typeof leaver.io.engine>((resolve) =>
        leaver.io.once('open', () => resolve(leaver.io.engine)),
      );
      await sleep(100);
      engine.close();
      await sleep(100);
      proxy.thaw();
      await sleep(500);
      const { ready } = await knock(limited, { token: buyer.token });
      expect(ready).toBeDefined();
      await limited.leave();
    });
  }

  test('at startup: the hub is live and waits', async () => {
    if (!isServer) {
      const missing = { url: 'sqlite:/dev/null/hub.sqlite', drop: async () => {} };
      await expect(HubProcess.start(missing)).rejects.toThrow(/exited with 1/);
      return;
    }
    await proxy.close();
    const port = await freePort();
    const starting = HubProcess.start({ url: proxy.url, drop: own.drop }, { PORT: String(port) });
    const health = (path: string) =>
      fetch(`http://127.0.0.1:${port}/health/${path}`).then(
        ({ status }) => status,
        () => 0,
      );
    await until('the hub is live', async () => (await health('live')) === 200);
    expect(await health('ready')).toBe(503);
    await proxy.open();
    const process = await starting;
    await until('the hub is ready', async () => (await health('ready')) === 200);
    await process.kill();
  });
});
