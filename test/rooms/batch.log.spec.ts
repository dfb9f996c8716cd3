import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isoTime } from '../../src/contract/fields.js';
import { Clock } from '../../src/platform/clock/clock.js';
import { Logger } from '../../src/platform/observability/logger.js';
import { Metrics } from '../../src/platform/observability/metrics.js';
import { BatchFollower } from '../../src/rooms/batch.follower.js';
import { BATCHES_KEPT_MS, BatchLog, MISSING_MAX } from '../../src/rooms/batch.log.js';
import type { RoomHead, StockAlert } from '../../src/rooms/batch.record.js';
import { listen } from '../support/event.recorder.js';
import { TestHub, until } from '../support/hub.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';

const DAY_MS = 86_400_000;
/** More than one delete batch. */
const MANY = 1_100;
/** Longer than the pause after which a wakeup causes a poll. */
const WAKEUP_MS = 50;

/** Several batch logs on one database, as several hub processes on a server would have. */
describe('the batch log', () => {
  let hub: TestHub;
  /** Of the logs created here; the hub's own log reads the same batches. */
  let metrics: Metrics;
  /** How often the hub itself has read new batches. */
  let hubReads = 0;
  const log = new LogBook();
  beforeAll(async () => {
    hub = await TestHub.start({ logLevel: 'warn' }, undefined, log);
    metrics = new Metrics(hub.hub.app.get(Logger));
    const hubLog = hub.hub.app.get(BatchLog);
    const readNew = hubLog.readNew;
    hubLog.readNew = async (...parameters) => {
      const batches = await readNew.apply(hubLog, parameters);
      hubReads++;
      return batches;
    };
  });
  afterAll(() => hub.stop());

  const newLog = () => new BatchLog(hub.database, metrics, hub.hub.app.get(Clock));
  const append = (batchLog: BatchLog, batchNo: number, rooms: RoomHead[] = [], at = Date.now()) =>
    hub.database.transaction((tx) =>
      batchLog.append(tx, batchNo, { rooms, stockAlerts: [], storeStatuses: [], claims: [], wallets: [] }, at),
    );
  const readRooms = async (batchLog: BatchLog) => (await batchLog.readNew()).rooms;
  const batchesOf = async ({ nodeId }: BatchLog) => {
    const rows = await hub.rows<{ batch_no: number }>('SELECT batch_no FROM hub_batches WHERE node_id = ?', [nodeId]);
    return rows.map(({ batch_no }) => batch_no).sort((a, b) => a - b);
  };
  const alertFor = (ownerId: string, stock: number): StockAlert => ({
    ownerId,
    push: { storeId: `store-of-${ownerId}`, bookId: 'book-1', stock, at: '2026-01-01T00:00:00.000Z' },
  });
  const room = (userId: string, head: number): RoomHead => ({ role: 'buyer', userId, head });
  async function wakeupAges(): Promise<{ count: number; sum: number }> {
    const text = await metrics.registry.metrics();
    const value = (name: string) =>
      Number(new RegExp(`^order_hub_hint_age_seconds_${name} (.+)$`, 'm').exec(text)?.[1]);
    return { count: value('count'), sum: value('sum') };
  }

  test('contains a batch once its transaction has committed, by node and number', async () => {
    const [mine, theirs] = [newLog(), newLog()];
    expect(mine.nodeId).not.toBe(theirs.nodeId);
    expect(await mine.contains(1)).toBe(false);
    await append(mine, 1);
    expect([await mine.contains(1), await mine.contains(2), await theirs.contains(1)]).toEqual([true, false, false]);
    await expect(
      hub.database.transaction(async (tx) => {
        await mine.append(
          tx,
          2,
          { rooms: [], stockAlerts: [], storeStatuses: [], claims: [], wallets: [] },
          Date.now(),
        );
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    expect(await mine.contains(2)).toBe(false);
  });

  test('returns an uncertain batch of its own once, when its commit becomes visible', async () => {
    const mine = newLog();
    await append(mine, 1, [room('dan', 1)]);
    for (const batchNo of [1, 2, 3]) mine.markUncertain(batchNo);
    expect(await readRooms(mine)).toEqual([room('dan', 1)]);
    expect(await readRooms(mine)).toEqual([]);
    // A COMMIT can take effect shortly after the database has recovered.
    await append(mine, 3, [room('eve', 7)]);
    expect(await readRooms(mine)).toEqual([room('eve', 7)]);
    // Nor does a time limit how long a server can hold a COMMIT.
    for (const _ of range(5)) expect(await readRooms(mine)).toEqual([]);
    await append(mine, 2, [room('dan', 2)], Date.now() - DAY_MS);
    expect(await readRooms(mine)).toEqual([room('dan', 2)]);
    expect(await readRooms(mine)).toEqual([]);
  });

  test('returns another node’s batch that commits later than its next ones', async () => {
    const [mine, theirs] = [newLog(), newLog()];
    await append(theirs, 1);
    await mine.catchUp();
    await append(theirs, 4, [room('una', 4)]);
    expect(await readRooms(mine)).toEqual([room('una', 4)]);
    await append(theirs, 3, [room('una', 3)], Date.now() - DAY_MS);
    await append(theirs, 5, [room('una', 5)]);
    expect((await readRooms(mine)).map(({ head }) => head).sort()).toEqual([3, 5]);
    await append(theirs, 2, [room('una', 2)]);
    expect(await readRooms(mine)).toEqual([room('una', 2)]);
    expect(await readRooms(mine)).toEqual([]);
  });

  test('looks up a limited number of missing batches, the newest', async () => {
    const [mine, theirs] = [newLog(), newLog()];
    await append(theirs, 1);
    await mine.catchUp();
    const missing = MISSING_MAX + 1;
    await append(theirs, missing + 2, [room('una', 1)]);
    expect(await readRooms(mine)).toEqual([room('una', 1)]);
    for (const batchNo of [2, 3]) await append(theirs, batchNo, [room('vic', batchNo)]);
    expect(await readRooms(mine)).toEqual([room('vic', 3)]);
    for (const batchNo of range(missing)) mine.markUncertain(batchNo + 1);
    for (const batchNo of [1, 2]) await append(mine, batchNo, [room('cid', batchNo)]);
    expect(await readRooms(mine)).toEqual([room('cid', 2)]);
  });

  test('returns the rooms of every other node’s batches once', async () => {
    const [mine, theirs, third] = [newLog(), newLog(), newLog()];
    await append(theirs, 1, [room('before', 1)]);
    await mine.catchUp();
    expect(await readRooms(mine)).toEqual([]);
    const before = await wakeupAges();
    const at = Date.now() - 2_000;
    await append(theirs, 2, [room('ann', 4), { role: 'seller', userId: 'bob', head: 7 }], at);
    await append(theirs, 3, [room('ann', 5)], at);
    await append(mine, 1, [room('mine', 1)]);
    await append(third, 1, [room('cid', 1)], at);
    const written = (await readRooms(mine)).sort((a, b) => a.head - b.head);
    expect(written).toEqual([
      room('cid', 1),
      room('ann', 4),
      room('ann', 5),
      { role: 'seller', userId: 'bob', head: 7 },
    ]);
    expect(await readRooms(mine)).toEqual([]);
    const after = await wakeupAges();
    expect(after.count - before.count).toBe(3);
    // Seconds since the append, not since the epoch.
    expect(after.sum - before.sum).toBeGreaterThanOrEqual(6);
    expect(after.sum - before.sum).toBeLessThan(6_000);
    await append(theirs, 4, [room('ann', 6)]);
    expect(await readRooms(mine)).toEqual([room('ann', 6)]);
    // A log that has not caught up reads everything.
    const heads = (await readRooms(newLog())).filter(({ userId }) => userId === 'ann').map(({ head }) => head);
    expect(heads.sort()).toEqual([4, 5, 6]);
  });

  test('returns the alerts, the stores, the claims and the changed wallets of other nodes once', async () => {
    const [mine, theirs] = [newLog(), newLog()];
    await mine.catchUp();
    const at = Date.now();
    const told = {
      rooms: [room('ann', 9)],
      stockAlerts: [alertFor('ann', 3), alertFor('bob', 0)],
      storeStatuses: [
        { ownerId: 'ann', version: 3, push: { storeId: 'ann-1', open: false, pausedUntil: null, at: isoTime(at) } },
      ],
      claims: [{ ownerId: 'ann', version: 2, push: { orderId: 'one', by: 'ying', until: isoTime(at) } }],
      wallets: [{ userId: 'ann', balance: 2 ** 53 - 1, held: 5, version: 7 }],
    };
    await hub.database.transaction((tx) => theirs.append(tx, 1, told, at));
    const { wallets, ...others } = told;
    expect(await mine.readNew()).toStrictEqual({ ...others, walletChanges: [{ at, wallets }] });
    expect(await mine.readNew()).toStrictEqual({
      rooms: [],
      stockAlerts: [],
      storeStatuses: [],
      claims: [],
      walletChanges: [],
    });
  });

  test('skips room kinds of a later version', async () => {
    const mine = newLog();
    await mine.catchUp();
    const rooms = JSON.stringify([
      ['courier', 'dan', 1],
      ['seller', 'dan', 2],
    ]);
    await hub.database.transaction((tx) =>
      tx.query('INSERT INTO hub_batches (node_id, batch_no, rooms, at) VALUES (?, ?, ?, ?)', [
        'later',
        1,
        rooms,
        Date.now(),
      ]),
    );
    expect(await readRooms(mine)).toEqual([{ role: 'seller', userId: 'dan', head: 2 }]);
  });

  test('prunes its own batches after the retention time, those of other nodes a day later', async () => {
    const [mine, theirs] = [newLog(), newLog()];
    const now = Date.now();
    for (const [batchNo, age] of [BATCHES_KEPT_MS + 1, BATCHES_KEPT_MS + 1, BATCHES_KEPT_MS, 0].entries())
      await append(mine, batchNo + 1, [], now - age);
    for (const [batchNo, age] of [DAY_MS + 1, DAY_MS, BATCHES_KEPT_MS + 1].entries())
      await append(theirs, batchNo + 1, [], now - age);
    await mine.prune(now);
    expect(await batchesOf(mine)).toEqual([3, 4]);
    expect(await batchesOf(theirs)).toEqual([2, 3]);
  });

  test('prunes more than one delete batch', async () => {
    const mine = newLog();
    const rows = range(MANY).flatMap((index) => [mine.nodeId, index + 1, '[]', 1]);
    await hub.database.transaction((tx) =>
      tx.query(
        `INSERT INTO hub_batches (node_id, batch_no, rooms, at) VALUES ${range(MANY).map(() => '(?, ?, ?, ?)')}`,
        rows,
      ),
    );
    await append(mine, MANY + 1);
    await mine.prune(Date.now());
    expect(await batchesOf(mine)).toEqual([MANY + 1]);
  });

  test('forgets a node without batches', async () => {
    const [mine, theirs] = [newLog(), newLog()];
    await append(theirs, 5, [], 1);
    await mine.catchUp();
    await mine.prune(Date.now());
    expect(await batchesOf(theirs)).toEqual([]);
    await mine.prune(Date.now());
    // To a log that still knew the node, batch 1 would be old.
    await append(theirs, 1, [room('eve', 1)]);
    expect(await readRooms(mine)).toEqual([room('eve', 1)]);
  });

  test('does not reread batches after pruning', async () => {
    const [mine, theirs] = [newLog(), newLog()];
    await append(theirs, 1, [room('fay', 1)]);
    await mine.catchUp();
    await mine.prune(Date.now());
    expect(await readRooms(mine)).toEqual([]);
    expect(await batchesOf(theirs)).toEqual([1]);
  });

  describe('followed by a hub', () => {
    let theirs: BatchLog;
    beforeAll(() => {
      theirs = newLog();
    });

    /** Commits an event as another hub would, with or without its batch. */
    async function commit({ userId }: Person, seq: number, batchNo?: number): Promise<void> {
      const push = {
        ...{ role: 'buyer', seq, orderId: 'order', version: 1, status: 'placed', previous: null, storeId: 'store' },
        ...{ buyerId: userId, sellerId: 'ann', total: 1, by: userId, at: new Date().toISOString() },
      };
      await hub.database.transaction(async (tx) => {
        const sql = "INSERT INTO room_events (role, user_id, seq, body, at) VALUES ('buyer', ?, ?, ?, 1)";
        await tx.query(sql, [userId, seq, JSON.stringify(push)]);
        await tx.query("UPDATE rooms SET head = ? WHERE role = 'buyer' AND user_id = ?", [seq, userId]);
        if (batchNo !== undefined)
          await theirs.append(
            tx,
            batchNo,
            { rooms: [room(userId, seq)], stockAlerts: [], storeStatuses: [], claims: [], wallets: [] },
            Date.now(),
          );
      });
    }
    const received = ({ events }: Person) => events.map(({ seq }) => seq);
    /** An embedded database has a single writer, so its hub does not poll for batches. */
    const ifPolled = (...seqs: number[]) => (hub.database.dialect.singleWriter ? [] : seqs);
    /** Waits for two polls that began after this call, and for what they pushed. */
    async function polled(person: Person): Promise<void> {
      const reads = hubReads;
      if (!hub.database.dialect.singleWriter) await until('the hub has polled', () => hubReads >= reads + 3);
      await person.does('order:list', { role: 'buyer' });
    }

    test('are polled for on a server, and pruned only occasionally', async () => {
      const { at } = await listen(await hub.person());
      await append(theirs, 1, [], 1);
      await commit(at, 1, 2);
      await polled(at);
      await at.hears(ifPolled(1).length);
      // Without its batch in the log, an event is found by the head of its room.
      await commit(at, 2);
      await polled(at);
      await at.hears(ifPolled(1, 2).length);
      expect(received(at)).toEqual(ifPolled(1, 2));
      expect(await batchesOf(theirs)).toEqual([1, 2]);
      const alert = alertFor(at.userId, 2);
      const batch = { rooms: [], stockAlerts: [alert], storeStatuses: [], claims: [], wallets: [] };
      await hub.database.transaction((tx) => theirs.append(tx, 3, batch, Date.now()));
      await polled(at);
      await until('the stock alert is received', () => at.stockAlerts.length >= ifPolled(1).length);
      expect(at.stockAlerts).toEqual(ifPolled(1).map(() => alert.push));
    });

    test('log one warning while they cannot be read, and are read once they can', async () => {
      const { at } = await listen(await hub.person());
      const warning = 'what other hubs have committed cannot be read now';
      await hub.database.writer.query('ALTER TABLE hub_batches RENAME TO renamed_batches');
      try {
        if (!hub.database.dialect.singleWriter) await until('it is logged', () => log.lines(warning).length > 0);
      } finally {
        await hub.database.writer.query('ALTER TABLE renamed_batches RENAME TO hub_batches');
      }
      expect(log.lines(warning).every(({ error }) => /hub_batches/.test(String(error)))).toBe(true);
      await commit(at, 1, 4);
      await at.hears(ifPolled(1).length);
      await polled(at);
      expect(log.lines(warning)).toHaveLength(ifPolled(1).length);
    });

    test('are not read after the follower has stopped, not even on a wakeup', async () => {
      const { at } = await listen(await hub.person());
      if (hub.database.dialect.singleWriter) expect(hubReads).toBe(0);
      const follower = hub.hub.app.get(BatchFollower);
      await follower.stop();
      const reads = hubReads;
      await commit(at, 1, 5);
      (follower as unknown as { poller: { wake(): void } }).poller.wake();
      await sleep(WAKEUP_MS);
      await at.does('order:list', { role: 'buyer' });
      expect([hubReads, received(at)]).toEqual([reads, []]);
    });
  });
});
