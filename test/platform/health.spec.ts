import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestHub, until } from '../support/hub.js';
import { holdStock } from '../support/locks.js';
import { LogBook } from '../support/log.book.js';
import { rawHttp } from '../support/raw.http.js';
import { createTestDatabase } from '../support/test.database.js';

/** A Redis that is not there: nothing listens on this port. */
const NO_REDIS = 'redis://:canary-password@127.0.0.1:1';

describe('health', () => {
  const book = new LogBook();
  let hub: TestHub;

  beforeAll(async () => {
    hub = await TestHub.start({ redisUrl: NO_REDIS, logLevel: 'info' }, undefined, book);
  });
  afterAll(() => hub.stop());

  test('a hub without its Redis is ready, and names it', async () => {
    const { status, text } = await rawHttp(hub, 'GET', '/health/ready');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({ status: 'ready', database: 'up', redis: 'down', draining: false });
  });

  test('a hub that uses no Redis does not speak of it', async () => {
    const alone = await TestHub.start();
    const { text } = await rawHttp(alone, 'GET', '/health/ready');
    await alone.stop();
    expect(JSON.parse(text)).toEqual({ status: 'ready', database: 'up', draining: false });
  });

  test('a hub that shuts down is live, and not ready', async () => {
    const database = await createTestDatabase();
    const leaving = await TestHub.start({}, database);
    const [seller, buyer] = [await leaving.seller(), await leaving.buyer()];
    await buyer.connect();
    // It stays for as long as orders are under way: one in its batch, and one that waits for the next.
    const release = await holdStock(leaving);
    const placing = [buyer.place(seller), buyer.place(seller)];
    const metrics = async () => (await rawHttp(leaving, 'GET', '/metrics')).text;
    await until('an order waits', async () => /^order_hub_queue_commands 1$/m.test(await metrics()));
    const closing = leaving.hub.close();
    const [live, ready] = await Promise.all(
      ['live', 'ready'].map((name) => rawHttp(leaving, 'GET', `/health/${name}`)),
    );
    expect(live?.status).toBe(200);
    expect(ready).toMatchObject({ status: 503 });
    expect(JSON.parse(ready?.text ?? '')).toMatchObject({ status: 'not ready', database: 'up', draining: true });
    await release();
    await Promise.all([...placing, closing]);
    buyer.disconnect();
    await database.drop();
  });

  test('says nothing of where things are, and the log tells once that Redis is away, without its password', async () => {
    const { text } = await rawHttp(hub, 'GET', '/health/ready');
    expect(text).not.toMatch(/127\.0\.0\.1|ECONNREFUSED|canary|version/);
    await until('the log tells of Redis', () => book.written.some((line) => line.includes('Redis is away')));
    expect(book.written.filter((line) => line.includes('Redis is away')).length).toBe(1);
    expect(book.written.join('')).not.toContain('canary');
  });
});

describe('a server that could lose what it has acknowledged', () => {
  test('is told of in the log at the start, setting by setting, and only then', async () => {
    const book = new LogBook();
    const hub = await TestHub.start({ logLevel: 'info' }, undefined, book);
    const unsafe = await hub.database.unsafeSettings();
    await hub.stop();
    const warned = book.written
      .map((line) => JSON.parse(line) as { level: number; setting?: string; value?: number })
      .filter(({ setting }) => setting !== undefined);
    expect(warned.map(({ setting, value }) => ({ setting, value }))).toEqual(unsafe);
  });
});
