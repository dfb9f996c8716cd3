import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql from 'mysql2/promise';
import { ENDS_WITHIN_MS, randomOf, report, seconds, seed } from '../support/chaos.js';
import { HubCluster } from '../support/hub.cluster.js';
import { MarketRun } from '../support/market.run.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const HUBS = 2;
const CLIENTS = 40;
/** Longer and shorter than a command waits for what is held. */
const HELD_MS = { min: 200, max: 6_000 };
const PAUSE_MS = 400;
const HOLDS_AT_ONCE = 3;
const TABLES_HELD = 0.1;

/** What a console may hold: rows of these tables by this column, for `room_events` and `wallet_entries` whole ranges of an index. */
const columns = {
  book_stock: 'book_no',
  wallets: 'user_id',
  rooms: 'user_id',
  orders: 'order_id',
  users: 'user_id',
  command_answers: 'user_id',
  wallet_entries: 'user_id',
  room_events: 'user_id',
};
const tables = Object.entries(columns);

describe('rows, ranges and tables that are held while hubs are under load', () => {
  let database: TestDatabase;
  let cluster: HubCluster;
  const random = randomOf('held.rows');

  beforeAll(async () => {
    database = await createTestDatabase();
  }, 120_000);
  afterAll(async () => {
    await cluster.stop();
    await database.drop();
  });

  test(
    'lose, duplicate and reorder nothing, and commands go on meanwhile',
    async () => {
      const run = await MarketRun.start(database, { clients: CLIENTS, urls: () => cluster.urls, seed }, async () => {
        cluster = await HubCluster.start(database, HUBS);
      });
      const end = Date.now() + seconds * 1_000;
      let held = 0;
      const holdInTurn = async () => {
        while (Date.now() < end) {
          await hold(database, random, HELD_MS.min + random() * (HELD_MS.max - HELD_MS.min));
          held += 1;
          await run.progresses();
          await sleep(random() * PAUSE_MS);
        }
      };
      await Promise.all(Array.from({ length: HOLDS_AT_ONCE }, holdInTurn));
      const faults = await run.finish();
      report('held rows', {
        held,
        'slowest ms': run.slowestMs,
        timeouts: run.timeouts,
        ...run.counts(),
        faults: faults.length,
      });
      expect(faults).toEqual([]);
      expect(cluster.complaints).toBe('');
    },
    ENDS_WITHIN_MS,
  );
});

/** Holds a row, a range or, now and then, a whole table, as a console does that was left open. */
async function hold({ url }: TestDatabase, random: () => number, forMs: number): Promise<void> {
  const [table, column] = tables[Math.floor(random() * tables.length)] ?? ['', ''];
  const console = await mysql.createConnection(url);
  try {
    if (random() < TABLES_HELD) await console.query(`LOCK TABLES ${table} WRITE`);
    else {
      const sql = `SELECT ${column} AS name FROM ${table} ORDER BY RAND() LIMIT 1`;
      const [[row]] = await console.query<mysql.RowDataPacket[]>(sql);
      await console.beginTransaction();
      await console.query(`SELECT * FROM ${table} WHERE ${column} = ? FOR UPDATE`, [row?.name]);
    }
    await sleep(forMs);
  } catch {
    // A deadlock with a batch, or a wait for another hold that took too long: there is nothing to hold then.
  } finally {
    console.destroy();
  }
}
