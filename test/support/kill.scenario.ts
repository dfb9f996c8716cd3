import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { KILLS_MIN, report, seconds, seed } from './chaos.js';
import type { HubCluster } from './hub.cluster.js';
import { MarketRun } from './market.run.js';
import { createTestDatabase, type TestDatabase } from './test.database.js';

interface KillScenario {
  /** The target, as the report names it. */
  target: string;
  clients: number;
  /** How long the target runs under load before each kill. */
  uptimeMs: { min: number; max: number };
  random: () => number;
  startHubs: (database: TestDatabase) => Promise<HubCluster>;
  /** Kills and restarts the target. */
  kill: (cluster: HubCluster, index: number) => Promise<void>;
}

/** Kills a target again and again while clients are under load, then expects no faults and no output from the hubs. */
export async function killUnderLoad({ target, clients, uptimeMs, random, startHubs, kill }: KillScenario) {
  const database = await createTestDatabase();
  let cluster: HubCluster | undefined;
  try {
    const urls = () => cluster?.urls ?? [];
    const run = await MarketRun.start(database, { clients, urls, seed }, async () => {
      cluster = await startHubs(database);
    });
    const end = Date.now() + seconds * 1_000;
    let kills = 0;
    for (; cluster && (Date.now() < end || kills < KILLS_MIN); kills++) {
      await run.progresses();
      await sleep(uptimeMs.min + random() * (uptimeMs.max - uptimeMs.min));
      await kill(cluster, kills);
    }
    const faults = await run.finish();
    report(target, { killed: kills, ...run.counts(), faults: faults.length });
    expect(faults).toEqual([]);
    expect(cluster?.exited).toBe(false);
    expect(cluster?.complaints).toBe('');
    expect(kills).toBeGreaterThan(0);
  } finally {
    await cluster?.stop();
    await database.drop();
  }
}
