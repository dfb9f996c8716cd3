import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENDS_WITHIN_MS, KILLS_MIN, randomOf, report, seconds, seed, serverUnderTest } from '../support/chaos.js';
import { Fleet } from '../support/fleet.js';
import { MarketRun } from '../support/market.run.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const HUBS = 2;
const CLIENTS = 30;
/** The server is up for so long, under load, before it is killed. */
const UP_MS = { least: 300, most: 1_500 };

describe('a database server that is killed under load', () => {
  const server = serverUnderTest();
  const random = randomOf('server kills');
  let database: TestDatabase;
  let fleet: Fleet;

  beforeAll(async () => {
    database = await createTestDatabase();
  }, 120_000);
  afterAll(async () => {
    await fleet.stop();
    await database.drop();
  });

  test(
    'has kept every acknowledged command, and each other one is told by its key',
    async () => {
      const run = await MarketRun.start(database, { clients: CLIENTS, urls: () => fleet.urls, seed }, async () => {
        fleet = await Fleet.start(database, HUBS);
      });
      const end = Date.now() + seconds * 1_000;
      let kills = 0;
      while (Date.now() < end || kills < KILLS_MIN) {
        await run.goesOn();
        await sleep(UP_MS.least + random() * (UP_MS.most - UP_MS.least));
        await server.kill();
        kills += 1;
        await server.startAgain();
      }
      const faults = await run.finish();
      report('the database server', { killed: kills, ...run.counts(), faults: faults.length });
      expect(faults).toEqual([]);
      // No hub has ended for it, or said anything.
      for (const index of [0, 1]) expect(fleet.hub(index).hasEnded).toBe(false);
      expect(fleet.complaints).toBe('');
      expect(kills).toBeGreaterThan(0);
    },
    ENDS_WITHIN_MS,
  );
});
