import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENDS_WITHIN_MS, KILLS_MIN, randomOf, report, seconds, seed } from '../support/chaos.js';
import { Fleet } from '../support/fleet.js';
import { MarketRun } from '../support/market.run.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const CLIENTS = 20;
const UP_MS = { least: 100, most: 900 };
/** Where it is killed in turn; in between, wherever it happens to be. */
const POINTS = ['after-signature', 'after-commit', 'after-events', 'before-answers'];

describe('a hub on its embedded database that is killed while it commits', () => {
  const random = randomOf('embedded');
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
    'has done every command once when it is back',
    async () => {
      const run = await MarketRun.start(database, { clients: CLIENTS, urls: () => fleet.urls, seed }, async () => {
        fleet = await Fleet.start(database, 1, { crash: true });
      });
      const end = Date.now() + seconds * 1_000;
      for (let kill = 0; Date.now() < end || fleet.kills < KILLS_MIN; kill++) {
        await run.goesOn();
        await sleep(UP_MS.least + random() * (UP_MS.most - UP_MS.least));
        const point = POINTS[kill % (POINTS.length + 1)];
        if (point === undefined) {
          await fleet.kill(0);
        } else {
          await fleet.hub(0).crashAt(point, 1 + Math.floor(random() * 5));
          await fleet.startAgain(0);
        }
      }
      const faults = await run.finish();
      report('a hub on the embedded database', { killed: fleet.kills, ...run.counts(), faults: faults.length });
      expect(faults).toEqual([]);
      expect(fleet.complaints).toBe('');
      expect(fleet.kills).toBeGreaterThan(0);
    },
    ENDS_WITHIN_MS,
  );
});
