import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Role } from '../../src/contract/transitions.js';
import { Auditor } from '../support/auditor.js';
import { backUp, runRestored } from '../support/backup.js';
import { ENDS_WITHIN_MS, report, seed, sized } from '../support/chaos.js';
import { ClientPool } from '../support/client.pool.js';
import { DatabaseReader } from '../support/database.reader.js';
import { History } from '../support/history.js';
import { HubCluster } from '../support/hub.cluster.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { type MarketUser, seedMarket } from '../support/market.seed.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const HUBS = process.env.TEST_DATABASE_URL ? 2 : 1;
const SELLERS = 3;
const BUYERS = 17;
const RESTORES = sized(1, 3);
/** The load before and after each backup. */
const LOAD_MS = sized(2_000, 15_000);
const PAUSE_MS = 300;

/** The last event that each user received, by room. */
type Standing = ReadonlyMap<string, Record<Role, number>>;

describe('backups that are made under load and restored after more of it', () => {
  test(
    'lose what came after them, and every client that comes back is told so and then misses nothing',
    async () => {
      const database = await createTestDatabase();
      const hub = await TestHub.start({}, database);
      let users = await seedMarket(hub, { sellers: SELLERS, buyers: BUYERS });
      await hub.leave();
      let last: Standing | undefined;
      let cluster: HubCluster | undefined;
      const counts = { restores: 0, commands: 0, 'events received': 0, faults: 0 };
      try {
        for (let round = 0; round <= RESTORES; round++) {
          cluster = await HubCluster.start(database, HUBS);
          if (last) users = await Promise.all(users.map((user) => login(user, cluster?.urls[0] ?? '')));
          const load = await Load.start(database, cluster, users, seed + round, last);
          await sleep(LOAD_MS);
          const backup = await backUp(database);
          await sleep(LOAD_MS);
          const faults = await load.finish();
          expect(faults).toEqual([]);
          counts.faults += faults.length;
          counts.commands += load.history.sent.length;
          counts['events received'] += load.history.sessions.reduce((sum, { events }) => sum + events.length, 0);
          await cluster.stop();
          cluster = undefined;
          if (round === RESTORES) break;
          last = load.last;
          await backup.restore();
          await runRestored(database);
          counts.restores++;
        }
        report('a restored backup', counts);
      } finally {
        await cluster?.stop();
        await database.drop();
      }
    },
    ENDS_WITHIN_MS,
  );
});

/** Clients under load on a database that may hold an earlier history, and an auditor of theirs. */
class Load {
  private constructor(
    readonly history: History,
    private readonly auditor: Auditor,
    private readonly pool: ClientPool,
  ) {}

  static async start(
    database: TestDatabase,
    { urls }: HubCluster,
    users: readonly MarketUser[],
    roundSeed: number,
    returning?: Standing,
  ): Promise<Load> {
    const reader = new DatabaseReader(database);
    const history = await reader.snapshot((books) => History.begin(books));
    await reader.close();
    const auditor = await Auditor.start(database, { history });
    const options = { users, urls: () => urls, history, seed: roundSeed, pauseMs: PAUSE_MS };
    const pool = await new ClientPool({ ...options, ...(returning ? { returning } : {}) }).start();
    return new Load(history, auditor, pool);
  }

  /** Where the clients stand. */
  get last(): Standing {
    return new Map(this.pool.clients.map(({ userId, last }) => [userId, { ...last }]));
  }

  async finish(): Promise<string[]> {
    await this.pool.close();
    await this.auditor.settled();
    await this.pool.stop();
    return this.auditor.finish();
  }
}

/** Sessions end with a restore. All users log in at once, and retry what a busy hub refuses. */
async function login({ userId, storeId }: MarketUser, url: string): Promise<MarketUser> {
  let token: string | undefined;
  await until(`${userId} is logged in`, async () => {
    const response = await fetch(`${url}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userId, password: PASSWORD }),
    });
    ({ token } = (await response.json()) as { token?: string });
    return token !== undefined;
  });
  return { userId, storeId, token: token ?? '' };
}
