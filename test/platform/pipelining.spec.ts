import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql, { type Connection } from 'mysql2/promise';
import type { Tx } from '../../src/platform/database.js';
import { TestHub } from '../support/hub.js';
import { beginAsNeighbour, HEAVY_ROWS } from '../support/locks.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const isServer = Boolean(process.env.TEST_DATABASE_URL);

/** Statements of a transaction that are given together, as those of a batch are. */
describe('statements on their way together', () => {
  let database: TestDatabase;
  let hub: TestHub;
  /** Another on the same server. The embedded database has nobody else, only a second connection. */
  let neighbour: Connection | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await TestHub.start({}, database);
    if (isServer) neighbour = await mysql.createConnection(database.url);
  });
  afterAll(async () => {
    neighbour?.destroy();
    await hub.stop();
  });

  const say = (tx: Tx, word: unknown) => tx.query('SELECT ? AS said', [word]) as Promise<{ said: unknown }[]>;
  const addRoom = (tx: Pick<Tx, 'query'>, userId: string) =>
    tx.query('INSERT INTO rooms (role, user_id, head) VALUES (?, ?, 0)', ['buyer', userId]);
  /** What somebody else sees of the rooms, which only sees what was committed. */
  async function roomsSeen(...userIds: string[]): Promise<string[]> {
    const sql = `SELECT user_id AS userId FROM rooms WHERE user_id IN (${userIds.map(() => '?')}) ORDER BY user_id`;
    const rows = neighbour
      ? ((await neighbour.query(sql, userIds))[0] as { userId: string }[])
      : await hub.rows<{ userId: string }>(sql, userIds);
    return rows.map(({ userId }) => userId);
  }

  test('are written before the first is answered, and are answered in their order', async () => {
    const words = range(300).map((index) => `word ${index}`);
    const answered: unknown[] = [];
    await hub.database.transaction(async (tx) => {
      const connection: { stream?: Socket } = await tx.queryRunner?.connect();
      const { stream } = connection;
      const writtenBefore = stream?.bytesWritten ?? 0;
      const slow = isServer ? tx.query('SELECT SLEEP(0.5) AS said') : say(tx, 0);
      const given = [slow, ...words.map((word) => say(tx, word))];
      for (const each of given) void each.then(([row]) => answered.push(row?.said));
      if (stream) {
        await setImmediate();
        expect(answered).toEqual([]);
        expect(stream.bytesWritten - writtenBefore).toBeGreaterThan(words.join().length);
      }
      await Promise.all(given);
    });
    expect(answered).toEqual([0, ...words]);
  });

  test('may be longer than what the ways to the server and back hold, and so may what they ask for', async () => {
    const long = 'ä'.repeat(4_000_000);
    await hub.database.transaction(async (tx) => {
      const said = await Promise.all([long, 'short', long, 'end'].map((word) => say(tx, word)));
      expect(said.map(([row]) => row?.said === long || row?.said)).toEqual([true, 'short', true, 'end']);
    });
  });

  test('fail one by one, and those behind are answered all the same', async () => {
    await hub.database.transaction(async (tx) => {
      const given = [say(tx, 1), tx.query('SELECT nothing FROM nowhere'), say(tx, 3)];
      const outcomes = await Promise.allSettled(given);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect((outcomes[2] as PromiseFulfilledResult<unknown>).value).toEqual([{ said: 3 }]);
      expect(await say(tx, 4)).toEqual([{ said: 4 }]);
    });
  });

  test('leave nothing if one of them fails', async () => {
    const failing = hub.database.transaction((tx) =>
      Promise.all([addRoom(tx, 'twice'), addRoom(tx, 'twice'), addRoom(tx, 'behind')]),
    );
    await expect(failing).rejects.toThrow(/UNIQUE|Duplicate/);
    expect(await roomsSeen('twice', 'behind')).toEqual([]);
  });

  test('leave nothing if the transaction of the first was undone by a deadlock', async () => {
    if (!neighbour) {
      // Nobody else can hold a lock: the transaction is undone in the middle in another way.
      const undone = hub.database.transaction((tx) => Promise.all([tx.query('ROLLBACK'), say(tx, 1)]));
      await expect(undone).rejects.toThrow(/no transaction is active/);
      return;
    }
    await hub.database.transaction(async (tx) => {
      for (const userId of ['ours', 'theirs']) await addRoom(tx, userId);
    });
    const lock = "SELECT head FROM rooms WHERE role = 'buyer' AND user_id = ? FOR UPDATE";
    const other = await beginAsNeighbour(database, HEAVY_ROWS);
    await other.query(lock, ['theirs']);
    let theirs: Promise<unknown> | undefined;
    const attempts: string[] = [];
    await hub.database.transaction(async (tx) => {
      if (theirs) return;
      await tx.query(lock, ['ours']);
      theirs = other.query(lock, ['ours']);
      const outcomes = await Promise.allSettled([tx.query(lock, ['theirs']), addRoom(tx, 'behind')]);
      attempts.push(...outcomes.map(({ status }) => status));
      throw (outcomes[0] as PromiseRejectedResult).reason;
    });
    expect(attempts).toEqual(['rejected', 'fulfilled']);
    await theirs;
    await other.end();
    expect(await roomsSeen('ours', 'theirs', 'behind')).toEqual(['ours', 'theirs']);
  });

  test('leave a connection on which each statement commits by itself again', async () => {
    const failing = hub.database.transaction(async (tx) => {
      await addRoom(tx, 'undone');
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    await hub.database.transaction((tx) => addRoom(tx, 'committed'));
    for (const index of range(3)) await addRoom(hub.database.writer, `alone ${index}`);
    const names = ['undone', 'committed', ...range(3).map((index) => `alone ${index}`)];
    expect(await roomsSeen(...names)).toEqual(['alone 0', 'alone 1', 'alone 2', 'committed']);
  });

  if (isServer) {
    test('end with an error, and nothing else does, if the server ends their connection between two of them', async () => {
      const limit = hub.database.dialect.name === 'mysql' ? 'wait_timeout' : 'idle_transaction_timeout';
      const ended = hub.database.transaction(async (tx) => {
        await addRoom(tx, 'ended');
        await tx.query(`SET SESSION ${limit} = 1`);
        await once(await tx.queryRunner?.connect(), 'error');
        await say(tx, 1);
      });
      await expect(ended).rejects.toThrow();
      await hub.database.transaction((tx) => addRoom(tx, 'begun anew'));
      expect(await roomsSeen('ended', 'begun anew')).toEqual(['begun anew']);
    });
  }
});
