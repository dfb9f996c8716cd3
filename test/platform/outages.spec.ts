import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { io } from 'socket.io-client';
import { Limits, SOCKETS_PER_USER_MAX } from '../../src/platform/limits.js';
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
/** What the contract's five seconds leave room for on a busy machine; without a deadline nothing would ever come. */
const ANSWERED_WITHIN_MS = 10_000;

/** A database of a server, behind a proxy. The embedded one is a file: it is there, or the hub does not start. */
describe('when the database is away', () => {
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

  const placing = (key: string) => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key });

  test('and says nothing, every command and every read is answered, and the key tells later what was done', async () => {
    if (isServer) proxy.freeze();
    const given = [
      buyer.send('order:place', placing('frozen-1')),
      buyer.send('order:place', placing('frozen-2')),
      buyer.send('order:list', { role: 'buyer' }),
    ];
    const health = buyer.get<{ database: string }>('/health/ready');
    const overHttp = buyer.post<{ error: { code: string } }>('/orders', placing('frozen-3'));
    let answered = 0;
    for (const answer of [...given, health, overHttp]) answer.then(() => answered++);
    await until('every message is answered', () => answered === 5, ANSWERED_WITHIN_MS);
    if (isServer) {
      for (const answer of given)
        expect(await answer).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', retryable: true } });
      expect(await overHttp).toMatchObject({ status: 503, body: { error: { code: 'UNAVAILABLE' } } });
      expect(await health).toMatchObject({ status: 503, body: { database: 'down' } });
      proxy.thaw();
    }
    for (const key of ['frozen-1', 'frozen-2', 'frozen-3']) {
      await until(
        `the order with the key ${key} is placed`,
        async () => (await buyer.send('order:place', placing(key))).ok,
      );
    }
    const { items } = await buyer.does('order:list', { role: 'buyer' });
    expect(items).toHaveLength(3);
    expect(await seller.stock()).toBe(97);
  });

  test('and is cut off, messages are refused, and all goes on when it is back', async () => {
    if (isServer) await proxy.close();
    const meanwhile = await buyer.send('order:place', placing('cut-1'));
    expect(meanwhile).toMatchObject(isServer ? { ok: false, error: { code: 'UNAVAILABLE' } } : { ok: true });
    if (isServer) await proxy.open();
    await until('the order is placed', async () => (await buyer.send('order:place', placing('cut-1'))).ok);
    expect((await buyer.does('order:list', { role: 'buyer' })).items).toHaveLength(4);
    expect((await buyer.hears(4)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(await audit(hub)).toEqual([]);
  });

  test('since it was told to commit, what it did commit is heard when it is back, by those too who asked for nothing', async () => {
    await seller.connect();
    const heardBefore = seller.events.length;
    if (isServer) void proxy.cutAtCommit('after').then(() => proxy.close());
    const answer = await buyer.send('order:place', placing('in-doubt'));
    expect(answer).toMatchObject(isServer ? { ok: false, error: { code: 'UNAVAILABLE' } } : { ok: true });
    if (isServer) await proxy.open();
    await until('the seller hears of the order', () => seller.events.length > heardBefore);
    expect(await buyer.send('order:place', placing('in-doubt'))).toMatchObject({ ok: true, replayed: true });
    expect(await audit(hub)).toEqual([]);
  });

  if (isServer) {
    test('a line that is gone before it is known whose it is, is not counted as somebody’s', async () => {
      const limited = await TestHub.start({ rateLimits: true }, { url: proxy.url, drop: own.drop });
      const limits = limited.hub.app.get(Limits);
      for (const _ of range(SOCKETS_PER_USER_MAX - 1)) limits.admitted(buyer.userId, () => {});
      proxy.freeze();
      const gone = io(limited.url, { auth: { token: buyer.token }, transports: ['websocket'], reconnection: false });
      const line = await new Promise<typeof gone.io.engine>((resolve) =>
        gone.io.once('open', () => resolve(gone.io.engine)),
      );
      await sleep(100);
      line.close();
      await sleep(100);
      proxy.thaw();
      await sleep(500);
      const { ready } = await knock(limited, { token: buyer.token });
      expect(ready).toBeDefined();
      await limited.leave();
    });
  }

  test('at the start, the hub is live and waits for it', async () => {
    if (!isServer) {
      const missing = { url: 'sqlite:/dev/null/hub.sqlite', drop: async () => {} };
      await expect(HubProcess.start(missing)).rejects.toThrow(/ended with 1/);
      return;
    }
    await proxy.close();
    const port = await freePort();
    const starting = HubProcess.start({ url: proxy.url, drop: own.drop }, { PORT: String(port) });
    const ask = (path: string) =>
      fetch(`http://127.0.0.1:${port}/health/${path}`).then(
        ({ status }) => status,
        () => 0,
      );
    await until('the hub is live', async () => (await ask('live')) === 200);
    expect(await ask('ready')).toBe(503);
    await proxy.open();
    const process = await starting;
    await until('the hub is ready', async () => (await ask('ready')) === 200);
    await process.kill();
  });
});
