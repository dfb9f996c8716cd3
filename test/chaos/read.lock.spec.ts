import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { RowDataPacket } from 'mysql2';
import mysql, { type Connection } from 'mysql2/promise';
import { ENDS_WITHIN_MS, report, seed, serverUnderTest, sized } from '../support/chaos.js';
import { HubCluster } from '../support/hub.cluster.js';
import { until } from '../support/hub.js';
import { MarketRun } from '../support/market.run.js';
import { createTestDatabase } from '../support/test.database.js';

/** How often a COMMIT is held, and for how long: longer than any timeout of a hub, its driver or its clients. */
const LOCKS = sized(1, 3);
const LOCKED_MS = sized(8_000, 40_000);
/** Few transactions are just between their last write and their COMMIT. */
const COMMIT_WAITS_WITHIN_MS = 100;

/** A backup tool reads from a server whose global read lock it holds: reads go on, and a COMMIT waits for as long as that lasts. */
describe('a global read lock under load', () => {
  const server = serverUnderTest();

  /** Takes the lock until a COMMIT waits for it; most writes wait before their COMMIT, and are rolled back. */
  async function lockUntilCommitWaits(connection: Connection, run: MarketRun): Promise<void> {
    for (;;) {
      await run.progresses();
      await connection.query('FLUSH TABLES WITH READ LOCK');
      const end = Date.now() + COMMIT_WAITS_WITHIN_MS;
      while (Date.now() < end) {
        const [waiting] = await connection.query<RowDataPacket[]>(
          "SELECT id FROM information_schema.processlist WHERE info = 'COMMIT' AND state LIKE 'Waiting for %lock'",
        );
        if (waiting.length > 0) return;
        await sleep(20);
      }
      await connection.query('UNLOCK TABLES');
    }
  }

  test(
    'delays what was committed, and nothing is lost, not even to an open socket',
    async () => {
      const database = await createTestDatabase();
      const root = await mysql.createConnection(
        Object.assign(new URL(server.url), { username: 'root', password: '', pathname: '/' }).href,
      );
      let cluster: HubCluster | undefined;
      try {
        const urls = () => cluster?.urls ?? [];
        const run = await MarketRun.start(database, { clients: 30, urls, seed }, async () => {
          cluster = await HubCluster.start(database, 2);
        });
        for (let lock = 0; lock < LOCKS; lock++) {
          await lockUntilCommitWaits(root, run);
          await sleep(LOCKED_MS);
          await root.query('UNLOCK TABLES');
          await run.progresses();
        }
        await until('both hubs are ready', async () => {
          const answers = await Promise.all(urls().map((url) => fetch(`${url}/health/ready`)));
          return answers.every(({ ok }) => ok);
        });
        const faults = await run.finish();
        report('a global read lock', {
          'times locked': LOCKS,
          'ms each': LOCKED_MS,
          ...run.counts(),
          faults: faults.length,
        });
        expect(faults).toEqual([]);
        expect(cluster?.exited).toBe(false);
      } finally {
        await root.end();
        await cluster?.stop();
        await database.drop();
      }
    },
    ENDS_WITHIN_MS,
  );
});
