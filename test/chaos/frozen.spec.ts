import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { report, seed, serverUnderTest, sized } from '../support/chaos.js';
import { Fleet } from '../support/fleet.js';
import { MarketRun } from '../support/market.run.js';
import { ServerProcess } from '../support/server.process.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const HUBS = 2;
const CLIENTS = 20;
const DATABASE_FROZEN_MS = sized(7_000, 20_000);
const REDIS_FROZEN_MS = sized(6_000, 30_000);
const HUB_FROZEN_MS = sized(6_000, 10_000);
const RECOVERS_WITHIN_MS = 10_000;

/** What is stopped where it stands keeps its connections and says nothing: worse than what has ended. */
describe('what is frozen for a while', () => {
  const server = serverUnderTest();
  let database: TestDatabase;
  let redis: ServerProcess;
  let fleet: Fleet;
  let run: MarketRun;

  beforeAll(async () => {
    database = await createTestDatabase();
    redis = await ServerProcess.start('redis');
    run = await MarketRun.start(database, { clients: CLIENTS, urls: () => fleet.urls, seed }, async () => {
      fleet = await Fleet.start(database, HUBS, { variables: { REDIS_URL: redis.url } });
    });
  }, 120_000);
  afterAll(async () => {
    await fleet.stop();
    await redis.stop();
    await database.drop();
  });

  test('the database: every command is answered within five seconds all the same, and all goes on afterwards', async () => {
    await run.goesOn();
    const silentBefore = run.silent;
    server.freeze();
    await sleep(DATABASE_FROZEN_MS);
    server.thaw();
    expect(run.silent).toBe(silentBefore);
    await run.everybodyGoesOn(RECOVERS_WITHIN_MS);
    report('frozen database', {
      ms: DATABASE_FROZEN_MS,
      'slowest answer ms': run.slowestMs,
      unanswered: run.silent - silentBefore,
    });
  }, 90_000);

  test('Redis: nobody notices but by a push that comes a little later', async () => {
    const silentBefore = run.silent;
    redis.freeze();
    await sleep(REDIS_FROZEN_MS / 2);
    await run.everybodyGoesOn(RECOVERS_WITHIN_MS);
    await sleep(REDIS_FROZEN_MS / 2);
    redis.thaw();
    await run.everybodyGoesOn(RECOVERS_WITHIN_MS);
    expect(run.silent).toBe(silentBefore);
    report('frozen Redis', { ms: REDIS_FROZEN_MS, unanswered: run.silent - silentBefore });
  }, 90_000);

  test('a hub: its clients go to the other one, which goes on, and what the frozen one holds is freed', async () => {
    fleet.hub(0).freeze();
    await sleep(HUB_FROZEN_MS / 2);
    await run.everybodyGoesOn(RECOVERS_WITHIN_MS);
    await sleep(HUB_FROZEN_MS / 2);
    fleet.hub(0).thaw();
    await run.everybodyGoesOn(RECOVERS_WITHIN_MS);
    report('frozen hub', { ms: HUB_FROZEN_MS, 'left for another hub': run.silent });
  }, 90_000);

  test('and after all that nothing was lost, doubled or out of order', async () => {
    const faults = await run.finish();
    report('frozen', { ...run.counts(), faults: faults.length });
    expect(faults).toEqual([]);
    expect(fleet.complaints).toBe('');
  }, 120_000);
});
