import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENDS_WITHIN_MS, KILLS_MIN, randomOf, report, seconds, seed } from '../support/chaos.js';
import { Fleet } from '../support/fleet.js';
import { MarketRun } from '../support/market.run.js';
import { TcpProxy } from '../support/proxy.js';
import { ServerProcess } from '../support/server.process.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const HUBS = 3;
const CLIENTS = 60;
const HINTS_DROPPED = 0.1;
const ACKS_CUT = 1 / 50;
/** Between two kills, each of another hub in turn. */
const KILL_EVERY_MS = { least: 500, most: 2_000 };
/** Of so many kills, one is of Redis. */
const REDIS_KILLED_EVERY = 5;
const REDIS_AWAY_MS = 3_000;

/** So short that the hubs act too, all of them at the same time, in the middle of everything. */
const TIMES = { UNPAID_TTL_SECONDS: '2', AUTO_RECEIVE_SECONDS: '1' };

describe('three hubs that are killed again and again, with a Redis that comes and goes', () => {
  let database: TestDatabase;
  let redis: ServerProcess;
  let hints: TcpProxy;
  let fleet: Fleet;
  const random = randomOf('hubs');

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await ServerProcess.start('redis');
    hints = await TcpProxy.before(redis.url);
    await hints.open();
  }, 120_000);
  afterAll(async () => {
    await fleet.stop();
    await hints.close();
    await redis.stop();
    await database.drop();
  });

  test('make the schema once, although all of them start at once on an empty database', async () => {
    const empty = await createTestDatabase();
    const starting = await Fleet.start(empty, HUBS);
    const answers = await Promise.all(starting.urls.map((url) => fetch(`${url}/health/ready`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await starting.stop();
    await empty.drop();
  }, 120_000);

  test(
    `lose, double and reorder nothing for ${CLIENTS} clients that go from one to another`,
    async () => {
      const dropped = hints.dropHints(HINTS_DROPPED, random);
      const variables = { REDIS_URL: hints.url, ...TIMES };
      const run = await MarketRun.start(
        database,
        { clients: CLIENTS, urls: () => fleet.urls, seed, endsDue: true },
        async () => {
          fleet = await Fleet.start(database, HUBS, { variables, ackCuts: ACKS_CUT, random });
        },
      );

      const end = Date.now() + seconds * 1_000;
      const restarts: Promise<void>[] = [];
      let redisKills = 0;
      for (let kill = 0; Date.now() < end || fleet.kills < KILLS_MIN; kill++) {
        await sleep(KILL_EVERY_MS.least + random() * (KILL_EVERY_MS.most - KILL_EVERY_MS.least));
        const place = kill % HUBS;
        await restarts[place];
        restarts[place] = fleet.kill(place);
        if (kill % REDIS_KILLED_EVERY !== 1) continue;
        await redis.kill();
        redisKills += 1;
        await sleep(random() * REDIS_AWAY_MS);
        await redis.startAgain();
      }
      await Promise.all(restarts);
      const faults = await run.finish();
      report(`${HUBS} hubs`, {
        'hubs killed': fleet.kills,
        'Redis killed': redisKills,
        'hints dropped': dropped.dropped,
        'acknowledgements cut': fleet.cutAcks,
        ...run.counts(),
        faults: faults.length,
      });
      expect(faults).toEqual([]);
      expect(fleet.complaints).toBe('');
      expect(fleet.cutAcks).toBeGreaterThan(0);
      expect(dropped.dropped).toBeGreaterThan(0);
    },
    ENDS_WITHIN_MS,
  );
});
