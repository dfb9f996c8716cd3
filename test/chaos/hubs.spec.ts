import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENDS_WITHIN_MS, KILLS_MIN, randomOf, report, seconds, seed } from '../support/chaos.js';
import { HubCluster } from '../support/hub.cluster.js';
import { MarketRun } from '../support/market.run.js';
import { TcpProxy } from '../support/proxy.js';
import { ServerProcess } from '../support/server.process.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const HUBS = 3;
const CLIENTS = 60;
const WAKEUPS_DROPPED = 0.1;
const ACKS_CUT = 1 / 50;
/** The pause between two kills; the hubs take turns. */
const KILL_EVERY_MS = { min: 500, max: 2_000 };
/** Redis is killed after every fifth kill of a hub. */
const REDIS_KILLED_EVERY = 5;
const REDIS_DOWN_MS = 3_000;

/** Short enough that order timeouts expire during the run, on all hubs at the same time. */
const TIMES = { UNPAID_TTL_SECONDS: '2', AUTO_RECEIVE_SECONDS: '1' };

describe('three hubs that are killed repeatedly, with Redis outages', () => {
  let database: TestDatabase;
  let redis: ServerProcess;
  let redisProxy: TcpProxy;
  let cluster: HubCluster;
  const random = randomOf('hubs');

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await ServerProcess.start('redis');
    redisProxy = await TcpProxy.before(redis.url);
    await redisProxy.open();
  }, 120_000);
  afterAll(async () => {
    await cluster.stop();
    await redisProxy.close();
    await redis.stop();
    await database.drop();
  });

  test('create the schema once when they start concurrently on an empty database', async () => {
    const empty = await createTestDatabase();
    const fresh = await HubCluster.start(empty, HUBS);
    const answers = await Promise.all(fresh.urls.map((url) => fetch(`${url}/health/ready`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await fresh.stop();
    await empty.drop();
  }, 120_000);

  test(
    `lose, duplicate and reorder nothing for ${CLIENTS} clients that move between them`,
    async () => {
      const drops = redisProxy.dropWakeups(WAKEUPS_DROPPED, random);
      const variables = { REDIS_URL: redisProxy.url, ...TIMES };
      const run = await MarketRun.start(
        database,
        { clients: CLIENTS, urls: () => cluster.urls, seed, waitForDue: true },
        async () => {
          cluster = await HubCluster.start(database, HUBS, { variables, ackCuts: ACKS_CUT, random });
        },
      );

      const end = Date.now() + seconds * 1_000;
      const restarts: Promise<void>[] = [];
      let redisKills = 0;
      for (let kill = 0; Date.now() < end || cluster.kills < KILLS_MIN; kill++) {
        await sleep(KILL_EVERY_MS.min + random() * (KILL_EVERY_MS.max - KILL_EVERY_MS.min));
        const index = kill % HUBS;
        await restarts[index];
        restarts[index] = cluster.kill(index);
        if (kill % REDIS_KILLED_EVERY !== 1) continue;
        await redis.kill();
        redisKills += 1;
        await sleep(random() * REDIS_DOWN_MS);
        await redis.restart();
      }
      await Promise.all(restarts);
      const faults = await run.finish();
      report(`${HUBS} hubs`, {
        'hubs killed': cluster.kills,
        'Redis killed': redisKills,
        'wakeups dropped': drops.dropped,
        'acknowledgements cut': cluster.cutAcks,
        ...run.counts(),
        faults: faults.length,
      });
      expect(faults).toEqual([]);
      expect(cluster.complaints).toBe('');
      expect(cluster.cutAcks).toBeGreaterThan(0);
      expect(drops.dropped).toBeGreaterThan(0);
    },
    ENDS_WITHIN_MS,
  );
});
