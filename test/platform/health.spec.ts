import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TestHub, until } from '../support/hub.js';
import { holdStock } from '../support/locks.js';
import { LogBook } from '../support/log.book.js';
import { rawHttp } from '../support/raw.http.js';
import { createTestDatabase } from '../support/test.database.js';

/** Nothing listens on this port. */
const NO_REDIS = 'redis://:canary-password@127.0.0.1:1';

describe('health', () => {
  const log = new LogBook();
  let hub: TestHub;

  beforeAll(async () => {
    hub = await TestHub.start({ redisUrl: NO_REDIS, logLevel: 'info' }, undefined, log);
  });
  afterAll(() => hub.stop());

  test('reports ready without Redis, and Redis as down', async () => {
    const { status, text } = await rawHttp(hub, 'GET', '/health/ready');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({ status: 'ready', database: 'up', redis: 'down', draining: false });
  });

  test('does not mention Redis if none is configured', async () => {
    const standalone = await TestHub.start();
    const { text } = await rawHttp(standalone, 'GET', '/health/ready');
    await standalone.stop();
    expect(JSON.parse(text)).toEqual({ status: 'ready', database: 'up', draining: false });
  });

  test('reports live but not ready during shutdown', async () => {
    const database = await createTestDatabase();
    const draining = await TestHub.start({}, database);
    const [seller, buyer] = [await draining.seller(), await draining.buyer()];
    await buyer.connect();
    // Two orders keep the hub from exiting: one in the running batch, one queued.
    const release = await holdStock(draining);
    const placing = [buyer.place(seller), buyer.place(seller)];
    const metrics = async () => (await rawHttp(draining, 'GET', '/metrics')).text;
    await until('an order is queued', async () => /^order_hub_queue_commands 1$/m.test(await metrics()));
    const closing = draining.hub.close();
    const [live, ready] = await Promise.all(
      ['live', 'ready'].map((name) => rawHttp(draining, 'GET', `/health/${name}`)),
    );
    expect(live?.status).toBe(200);
    expect(ready).toMatchObject({ status: 503 });
    // The embedded database's only writer is held, so that the trial write waits.
    const state = process.env.TEST_DATABASE_URL ? 'up' : 'down';
    expect(JSON.parse(ready?.text ?? '')).toMatchObject({ status: 'not ready', database: state, draining: true });
    await release();
    await Promise.all([...placing, closing]);
    buyer.disconnect();
    await database.drop();
  });

  test('exposes no addresses, and the outage of Redis is logged once, without its password', async () => {
    const { text } = await rawHttp(hub, 'GET', '/health/ready');
    expect(text).not.toMatch(/127\.0\.0\.1|ECONNREFUSED|canary|version/);
    await until('the Redis outage is logged', () => log.written.some((line) => line.includes('Redis is away')));
    expect(log.written.filter((line) => line.includes('Redis is away')).length).toBe(1);
    expect(log.written.join('')).not.toContain('canary');
  });
});

describe('a database server with unsafe settings', () => {
  test('is reported in the log at startup, setting by setting', async () => {
    const log = new LogBook();
    const hub = await TestHub.start({ logLevel: 'info' }, undefined, log);
    const unsafe = await hub.database.unsafeSettings();
    await hub.stop();
    const warnings = log.written
      .map((line) => JSON.parse(line) as { level: number; setting?: string; value?: number })
      .filter(({ setting }) => setting !== undefined);
    expect(warnings.map(({ setting, value }) => ({ setting, value }))).toEqual(unsafe);
  });
});
