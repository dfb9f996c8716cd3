import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql, { type Connection } from 'mysql2/promise';
import type { Tx } from '../../src/platform/database/database.js';
import { TestHub } from '../support/hub.js';
import { beginOtherTransaction, HEAVY_ROWS } from '../support/locks.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const isServer = Boolean(process.env.TEST_DATABASE_URL);

/** Pipelined statements of a transaction, as in a batch. */
describe('pipelined statements', () => {
  let database: TestDatabase;
  let hub: TestHub;
  /** Another client of the server. The embedded database only has a second connection. */
  let otherConnection: Connection | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await TestHub.start({}, database);
    if (isServer) otherConnection = await mysql.createConnection(database.url);
  });
  afterAll(async () => {
    otherConnection?.destroy();
    await hub.stop();
  });

  const select = (tx: Tx, value: unknown) => tx.query('SELECT ? AS value', [value]) as Promise<{ value: unknown }[]>;
  const addRoom = (tx: Pick<Tx, 'query'>, userId: string) =>
    tx.query('INSERT INTO rooms (role, user_id, head) VALUES (?, ?, 0)', ['buyer', userId]);
  /** The rooms visible to another connection: those committed. */
  async function committedRooms(...userIds: string[]): Promise<string[]> {
    const sql = `SELECT user_id AS userId FROM rooms WHERE user_id IN (${userIds.map(() => '?')}) ORDER BY user_id`;
    const rows = otherConnection
      ? ((await otherConnection.query(sql, userIds))[0] as { userId: string }[])
      : await hub.rows<{ userId: string }>(sql, userIds);
    return rows.map(({ userId }) => userId);
  }

  test('are all written before the first answer, and answered in order', async () => {
    const values = range(300).map((index) => `word ${index}`);
    const answered: unknown[] = [];
    await hub.database.transaction(async (tx) => {
      const connection: { stream?: Socket } = await tx.queryRunner?.connect();
      const { stream } = connection;
      const writtenBefore = stream?.bytesWritten ?? 0;
      const slow = isServer ? tx.query('SELECT SLEEP(0.5) AS value') : select(tx, 0);
      const queries = [slow, ...values.map((value) => select(tx, value))];
      for (const each of queries) void each.then(([row]) => answered.push(row?.value));
      if (stream) {
        await setImmediate();
        expect(answered).toEqual([]);
        expect(stream.bytesWritten - writtenBefore).toBeGreaterThan(values.join().length);
      }
      await Promise.all(queries);
    });
    expect(answered).toEqual([0, ...values]);
  });

  test('may exceed the socket buffers in both directions', async () => {
    const longText = 'ä'.repeat(4_000_000);
    await hub.database.transaction(async (tx) => {
      const value = await Promise.all([longText, 'short', longText, 'end'].map((value) => select(tx, value)));
      expect(value.map(([row]) => row?.value === longText || row?.value)).toEqual([true, 'short', true, 'end']);
    });
  });

  test('fail individually, without affecting later ones', async () => {
    await hub.database.transaction(async (tx) => {
      const queries = [select(tx, 1), tx.query('SELECT nothing FROM nowhere'), select(tx, 3)];
      const outcomes = await Promise.allSettled(queries);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect((outcomes[2] as PromiseFulfilledResult<unknown>).value).toEqual([{ value: 3 }]);
      expect(await select(tx, 4)).toEqual([{ value: 4 }]);
    });
  });

  test('are rolled back together if one fails', async () => {
    const failing = hub.database.transaction((tx) =>
      Promise.all([addRoom(tx, 'twice'), addRoom(tx, 'twice'), addRoom(tx, 'behind')]),
    );
    await expect(failing).rejects.toThrow(/UNIQUE|Duplicate/);
    expect(await committedRooms('twice', 'behind')).toEqual([]);
  });

  test('are rolled back together after a deadlock of the first one', async () => {
    if (!otherConnection) {
      // No deadlock is possible: an explicit ROLLBACK takes its place.
      const rolledBack = hub.database.transaction((tx) => Promise.all([tx.query('ROLLBACK'), select(tx, 1)]));
      await expect(rolledBack).rejects.toThrow(/no transaction is active/);
      return;
    }
    await hub.database.transaction(async (tx) => {
      for (const userId of ['ours', 'theirs']) await addRoom(tx, userId);
    });
    const lock = "SELECT head FROM rooms WHERE role = 'buyer' AND user_id = ? FOR UPDATE";
    const other = await beginOtherTransaction(database, HEAVY_ROWS);
    await other.query(lock, ['theirs']);
    let blockedQuery: Promise<unknown> | undefined;
    const attempts: string[] = [];
    await hub.database.transaction(async (tx) => {
      if (blockedQuery) return;
      await tx.query(lock, ['ours']);
      blockedQuery = other.query(lock, ['ours']);
      const outcomes = await Promise.allSettled([tx.query(lock, ['theirs']), addRoom(tx, 'behind')]);
      attempts.push(...outcomes.map(({ status }) => status));
      throw (outcomes[0] as PromiseRejectedResult).reason;
    });
    expect(attempts).toEqual(['rejected', 'fulfilled']);
    await blockedQuery;
    await other.end();
    expect(await committedRooms('ours', 'theirs', 'behind')).toEqual(['ours', 'theirs']);
  });

  test('leave the connection in autocommit mode', async () => {
    const failing = hub.database.transaction(async (tx) => {
      await addRoom(tx, 'undone');
      throw new Error('intended');
    });
    await expect(failing).rejects.toThrow('intended');
    await hub.database.transaction((tx) => addRoom(tx, 'committed'));
    for (const index of range(3)) await addRoom(hub.database.writer, `alone ${index}`);
    const userIds = ['undone', 'committed', ...range(3).map((index) => `alone ${index}`)];
    expect(await committedRooms(...userIds)).toEqual(['alone 0', 'alone 1', 'alone 2', 'committed']);
  });

  if (isServer) {
    test('fail alone when the server closes their connection between two of them', async () => {
      const limit = hub.database.dialect.name === 'mysql' ? 'wait_timeout' : 'idle_transaction_timeout';
      const ended = hub.database.transaction(async (tx) => {
        await addRoom(tx, 'ended');
        await tx.query(`SET SESSION ${limit} = 1`);
        await once(await tx.queryRunner?.connect(), 'error');
        await select(tx, 1);
      });
      await expect(ended).rejects.toThrow();
      await hub.database.transaction((tx) => addRoom(tx, 'new'));
      expect(await committedRooms('ended', 'new')).toEqual(['new']);
    });
  }
});
