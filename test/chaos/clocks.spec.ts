import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENDS_WITHIN_MS, report, seconds, seed } from '../support/chaos.js';
import { clockShiftedBy } from '../support/clocks.js';
import { DatabaseReader } from '../support/database.reader.js';
import { HubCluster } from '../support/hub.cluster.js';
import { PASSWORD, type TestHub, until } from '../support/hub.js';
import { MarketRun } from '../support/market.run.js';
import { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

/** A minute apart. */
const SHIFTS_MS = [-30_000, 30_000];
const CLIENTS = 40;
/** The contract's second, with a margin for a machine under load. */
const DEAD_WITHIN_MS = 4_000;
/** Short enough that orders come due during the run, at both hubs at the same time. */
const TIMES = { UNPAID_TTL_SECONDS: '2', AUTO_RECEIVE_SECONDS: '1' };

describe('two hubs with clocks a minute apart', () => {
  let database: TestDatabase;
  let cluster: HubCluster;
  let password = PASSWORD;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await cluster.stop();
    await database.drop();
  });

  const personAt = (index: number, token = '') =>
    new Person({ url: cluster.urls[index % SHIFTS_MS.length] } as TestHub, 'leaver', token);
  const login = async (index: number): Promise<string> => {
    const { body } = await personAt(index).post<{ token: string }>('/auth/login', { userId: 'leaver', password });
    return body.token;
  };

  /** Ends a session at one hub, and returns after how many milliseconds its socket at the other one was dead. */
  async function endAt(index: number): Promise<number> {
    const token = await login(index);
    const device = await personAt(index + 1, token).connect();
    const since = performance.now();
    if (index % 4 < 2) {
      expect((await personAt(index, token).post('/auth/logout')).status).toBe(204);
    } else {
      const changed = { oldPassword: password, newPassword: `${PASSWORD} ${index}` };
      expect((await personAt(index, await login(index)).post('/auth/password', changed)).status).toBe(204);
      password = changed.newPassword;
    }
    const endedAt = performance.now();
    await until('the socket at the other hub is dead', () => device.socket?.connected === false);
    expect(device.endings).toHaveLength(1);
    return performance.now() - (index % 4 < 2 ? since : endedAt);
  }

  test(
    'end every session at both, and lose, duplicate and hasten nothing',
    async () => {
      const startedAt = Date.now();
      const run = await MarketRun.start(
        database,
        { clients: CLIENTS, urls: () => cluster.urls, seed, waitForDue: true },
        async () => {
          const variablesOf = (index: number) => clockShiftedBy(SHIFTS_MS[index] ?? 0);
          cluster = await HubCluster.start(database, SHIFTS_MS.length, { variables: TIMES, variablesOf });
        },
      );
      await personAt(0).post('/auth/register', { userId: 'leaver', password });
      const deadAfterMs: number[] = [];
      for (const end = Date.now() + seconds * 1_000; Date.now() < end || deadAfterMs.length < 4; ) {
        await run.progresses();
        deadAfterMs.push(await endAt(deadAfterMs.length));
      }
      const faults = await run.finish();
      const slowestMs = Math.round(Math.max(...deadAfterMs));
      report('clocks', {
        'sessions ended': deadAfterMs.length,
        'slowest ms': slowestMs,
        ...run.counts(),
        faults: faults.length,
      });
      expect(faults).toEqual([]);
      expect(slowestMs).toBeLessThan(DEAD_WITHIN_MS);
      await expectTimes(startedAt);
      expect(cluster.complaints).toBe('');
    },
    ENDS_WITHIN_MS,
  );

  /** No order expired early, or was placed at a time that has not been. On a quiet machine all may be paid in time. */
  async function expectTimes(startedAt: number): Promise<void> {
    const reader = new DatabaseReader(database);
    const count = async (condition: string, ...parameters: number[]) => {
      const sql = `SELECT COUNT(*) AS orders FROM orders WHERE ${condition}`;
      return Number((await reader.rows<{ orders: number }>(sql, parameters))[0]?.orders);
    };
    const marginMs = 5_000;
    expect(await count("cancel_reason = 'expired' AND cancelled_at < expires_at")).toBe(0);
    expect(await count('received_at IS NOT NULL AND received_at < shipped_at')).toBe(0);
    expect(await count('placed_at < ? OR placed_at > ?', startedAt - marginMs, Date.now() + marginMs)).toBe(0);
    await reader.close();
  }
});
