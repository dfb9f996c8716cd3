import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { report, seed, serverUnderTest, sized } from '../support/chaos.js';
import { HubCluster } from '../support/hub.cluster.js';
import { MarketRun } from '../support/market.run.js';
import { ServerProcess } from '../support/server.process.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const HUBS = 2;
const CLIENTS = 20;
const DATABASE_FROZEN_MS = sized(7_000, 20_000);
const REDIS_FROZEN_MS = sized(6_000, 30_000);
const HUB_FROZEN_MS = sized(6_000, 10_000);
const RECOVERS_WITHIN_MS = 10_000;

/** A frozen process keeps its connections open without answering, which is harder to handle than a crash. */
describe('a process that is frozen for a while', () => {
  const server = serverUnderTest();
  let database: TestDatabase;
  let redis: ServerProcess;
  let cluster: HubCluster;
  let run: MarketRun;

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await ServerProcess.start('redis');
    run = await MarketRun.start(database, { clients: CLIENTS, urls: () => cluster.urls, seed }, async () => {
      cluster = await HubCluster.start(database, HUBS, { variables: { REDIS_URL: redis.url } });
    });
  }, 120_000);
  afterAll(async () => {
    await cluster.stop();
    await redis.stop();
    await database.drop();
  });

  test('database: every command is still answered within five seconds, and the load continues afterwards', async () => {
    await run.progresses();
    const timeoutsBefore = run.timeouts;
    server.freeze();
    await sleep(DATABASE_FROZEN_MS);
    server.thaw();
    expect(run.timeouts).toBe(timeoutsBefore);
    await run.everyBuyerProgresses(RECOVERS_WITHIN_MS);
    report('frozen database', {
      ms: DATABASE_FROZEN_MS,
      'slowest answer ms': run.slowestMs,
      unanswered: run.timeouts - timeoutsBefore,
    });
  }, 90_000);

  test('Redis: only delays pushes between hubs', async () => {
    const timeoutsBefore = run.timeouts;
    redis.freeze();
    await sleep(REDIS_FROZEN_MS / 2);
    await run.everyBuyerProgresses(RECOVERS_WITHIN_MS);
    await sleep(REDIS_FROZEN_MS / 2);
    redis.thaw();
    await run.everyBuyerProgresses(RECOVERS_WITHIN_MS);
    expect(run.timeouts).toBe(timeoutsBefore);
    report('frozen Redis', { ms: REDIS_FROZEN_MS, unanswered: run.timeouts - timeoutsBefore });
  }, 90_000);

  test('hub: its clients move to the other one, and its locks are released', async () => {
    cluster.hub(0).freeze();
    await sleep(HUB_FROZEN_MS / 2);
    await run.everyBuyerProgresses(RECOVERS_WITHIN_MS);
    await sleep(HUB_FROZEN_MS / 2);
    cluster.hub(0).thaw();
    await run.everyBuyerProgresses(RECOVERS_WITHIN_MS);
    report('frozen hub', { ms: HUB_FROZEN_MS, 'moved to another hub': run.timeouts });
  }, 90_000);

  test('loses, duplicates and reorders nothing', async () => {
    const faults = await run.finish();
    report('frozen', { ...run.counts(), faults: faults.length });
    expect(faults).toEqual([]);
    expect(cluster.complaints).toBe('');
  }, 120_000);
});
