import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Logger } from '../../src/platform/logger.js';
import { Metrics } from '../../src/platform/metrics.js';
import { BATCHES_KEPT_MS, HubNodes, type RoomHead, type StockAlert } from '../../src/rooms/hub.nodes.js';
import { HubWatch } from '../../src/rooms/hub.watch.js';
import { listen } from '../support/ear.js';
import { TestHub, until } from '../support/hub.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** More than are deleted in one step. */
const MANY = 1_100;
/** So long a hub on a server has looked several times by itself. */
const LOOKS_MS = 700;

/** Each hub process signs its batches; here several stand side by side on one database, as they would on a server. */
describe('the batches of hub processes', () => {
  let hub: TestHub;
  /** Those of the processes here, not of the hub, which looks at the same batches. */
  let metrics: Metrics;
  const book = new LogBook();
  beforeAll(async () => {
    hub = await TestHub.start({ logLevel: 'warn' }, undefined, book);
    metrics = new Metrics(hub.hub.app.get(Logger), hub.database);
  });
  afterAll(() => hub.stop());

  const node = () => new HubNodes(hub.database, metrics);
  const sign = (of: HubNodes, batchNo: number, rooms: RoomHead[] = [], at = Date.now()) =>
    hub.database.transaction((tx) => of.sign(tx, batchNo, { rooms, stockAlerts: [] }, at));
  const roomsWritten = async (of: HubNodes) => (await of.news()).rooms;
  const batchesOf = async ({ nodeId }: HubNodes) => {
    const rows = await hub.rows<{ batch_no: number }>('SELECT batch_no FROM hub_batches WHERE node_id = ?', [nodeId]);
    return rows.map(({ batch_no }) => batch_no).sort((a, b) => a - b);
  };
  const alertFor = (ownerId: string, stock: number): StockAlert => ({
    ownerId,
    push: { storeId: `store-of-${ownerId}`, bookId: 'book-1', stock, at: '2026-01-01T00:00:00.000Z' },
  });
  const room = (userId: string, head: number): RoomHead => ({ role: 'buyer', userId, head });
  async function hintAges(): Promise<{ count: number; sum: number }> {
    const text = await metrics.registry.metrics();
    const value = (name: string) =>
      Number(new RegExp(`^order_hub_hint_age_seconds_${name} (.+)$`, 'm').exec(text)?.[1]);
    return { count: value('count'), sum: value('sum') };
  }

  test('are known to have been committed by their own process and number', async () => {
    const [mine, theirs] = [node(), node()];
    expect(mine.nodeId).not.toBe(theirs.nodeId);
    expect(await mine.hasSigned(1)).toBe(false);
    await sign(mine, 1);
    expect([await mine.hasSigned(1), await mine.hasSigned(2), await theirs.hasSigned(1)]).toEqual([true, false, false]);
    await expect(
      hub.database.transaction(async (tx) => {
        await mine.sign(tx, 2, { rooms: [], stockAlerts: [] }, Date.now());
        throw new Error('It fails after all');
      }),
    ).rejects.toThrow('after all');
    expect(await mine.hasSigned(2)).toBe(false);
  });

  test('of which it could not be found out whether they were committed are told by their own process, once, when they are there', async () => {
    const mine = node();
    await sign(mine, 1, [room('dan', 1)]);
    for (const batchNo of [1, 2, 3]) mine.doubt(batchNo);
    expect(await roomsWritten(mine)).toEqual([room('dan', 1)]);
    expect(await roomsWritten(mine)).toEqual([]);
    // Its COMMIT takes effect a moment after the database is back.
    await sign(mine, 3, [room('eve', 7)]);
    expect(await roomsWritten(mine)).toEqual([room('eve', 7)]);
    expect((await mine.news(Date.now() + MINUTE_MS)).rooms).toEqual([]);
    await sign(mine, 2, [room('dan', 2)]);
    expect(await roomsWritten(mine)).toEqual([]);
  });

  test('tell the others, once each, which rooms they wrote to', async () => {
    const [mine, theirs, third] = [node(), node(), node()];
    await sign(theirs, 1, [room('seen before', 1)]);
    await mine.catchUp();
    expect(await roomsWritten(mine)).toEqual([]);
    const before = await hintAges();
    const at = Date.now() - 2_000;
    await sign(theirs, 2, [room('ann', 4), { role: 'seller', userId: 'bob', head: 7 }], at);
    await sign(theirs, 3, [room('ann', 5)], at);
    await sign(mine, 1, [room('mine', 1)]);
    await sign(third, 1, [room('cid', 1)], at);
    const written = (await roomsWritten(mine)).sort((a, b) => a.head - b.head);
    expect(written).toEqual([
      room('cid', 1),
      room('ann', 4),
      room('ann', 5),
      { role: 'seller', userId: 'bob', head: 7 },
    ]);
    expect(await roomsWritten(mine)).toEqual([]);
    const after = await hintAges();
    expect(after.count - before.count).toBe(3);
    // How old they were, in seconds: not how old the calendar is.
    expect(after.sum - before.sum).toBeGreaterThanOrEqual(6);
    expect(after.sum - before.sum).toBeLessThan(6_000);
    await sign(theirs, 4, [room('ann', 6)]);
    expect(await roomsWritten(mine)).toEqual([room('ann', 6)]);
    // Who has just begun, and has caught up with nothing, sees all that there is.
    const heads = (await roomsWritten(node())).filter(({ userId }) => userId === 'ann').map(({ head }) => head);
    expect(heads.sort()).toEqual([4, 5, 6]);
  });

  test('tell the others, once, what the owners of stores are to hear of their stock', async () => {
    const [mine, theirs] = [node(), node()];
    await mine.catchUp();
    const alert = alertFor('ann', 3);
    await hub.database.transaction((tx) =>
      theirs.sign(tx, 1, { rooms: [room('ann', 9)], stockAlerts: [alert, alertFor('bob', 0)] }, Date.now()),
    );
    expect(await mine.news()).toStrictEqual({ rooms: [room('ann', 9)], stockAlerts: [alert, alertFor('bob', 0)] });
    expect(await mine.news()).toStrictEqual({ rooms: [], stockAlerts: [] });
  });

  test('of a later version, with rooms that this one does not know, tell of those that it does', async () => {
    const mine = node();
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
    expect(await roomsWritten(mine)).toEqual([{ role: 'seller', userId: 'dan', head: 2 }]);
  });

  test('are forgotten when every other has had the time to see them, those of others a day later', async () => {
    const [mine, theirs] = [node(), node()];
    const now = Date.now();
    for (const [batchNo, age] of [BATCHES_KEPT_MS + 1, BATCHES_KEPT_MS + 1, BATCHES_KEPT_MS, 0].entries())
      await sign(mine, batchNo + 1, [], now - age);
    for (const [batchNo, age] of [DAY_MS + 1, DAY_MS, BATCHES_KEPT_MS + 1].entries())
      await sign(theirs, batchNo + 1, [], now - age);
    await mine.prune(now);
    expect(await batchesOf(mine)).toEqual([3, 4]);
    expect(await batchesOf(theirs)).toEqual([2, 3]);
  });

  test('are forgotten however many they are', async () => {
    const mine = node();
    const rows = range(MANY).flatMap((index) => [mine.nodeId, index + 1, '[]', 1]);
    await hub.database.transaction((tx) =>
      tx.query(
        `INSERT INTO hub_batches (node_id, batch_no, rooms, at) VALUES ${range(MANY).map(() => '(?, ?, ?, ?)')}`,
        rows,
      ),
    );
    await sign(mine, MANY + 1);
    await mine.prune(Date.now());
    expect(await batchesOf(mine)).toEqual([MANY + 1]);
  });

  test('of a process that is gone are forgotten with it', async () => {
    const [mine, theirs] = [node(), node()];
    await sign(theirs, 5, [], 1);
    await mine.catchUp();
    await mine.prune(Date.now());
    expect(await batchesOf(theirs)).toEqual([]);
    await mine.prune(Date.now());
    // As long as it was remembered, its first batch was an old one.
    await sign(theirs, 1, [room('eve', 1)]);
    expect(await roomsWritten(mine)).toEqual([room('eve', 1)]);
  });

  test('are not read again because others were forgotten', async () => {
    const [mine, theirs] = [node(), node()];
    await sign(theirs, 1, [room('fay', 1)]);
    await mine.catchUp();
    await mine.prune(Date.now());
    expect(await roomsWritten(mine)).toEqual([]);
    expect(await batchesOf(theirs)).toEqual([1]);
  });

  describe('are heard of at a hub that shares its server,', () => {
    let theirs: HubNodes;
    beforeAll(() => {
      theirs = node();
    });

    /** Commits an event as another hub does, which may sign for it. */
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
          await theirs.sign(tx, batchNo, { rooms: [room(userId, seq)], stockAlerts: [] }, Date.now());
      });
    }
    const heard = ({ events }: Person) => events.map(({ seq }) => seq);
    /** Nobody else can write to an embedded database, so nobody looks there. */
    const unlessAlone = (...seqs: number[]) => (hub.database.dialect.singleWriter ? [] : seqs);

    test('which looks by itself for what is signed, and prunes only now and then', async () => {
      const { at } = await listen(await hub.person());
      await sign(theirs, 1, [], 1);
      await commit(at, 1);
      await sleep(LOOKS_MS);
      expect(heard(at)).toEqual([]);
      await commit(at, 2, 2);
      await sleep(LOOKS_MS);
      await at.hears(unlessAlone(1, 2).length);
      expect(heard(at)).toEqual(unlessAlone(1, 2));
      expect(await batchesOf(theirs)).toEqual([1, 2]);
      const alert = alertFor(at.userId, 2);
      const news = { rooms: [], stockAlerts: [alert] };
      await hub.database.transaction((tx) => theirs.sign(tx, 3, news, Date.now()));
      await sleep(LOOKS_MS);
      await until('it is told of its stock', () => at.stockAlerts.length >= unlessAlone(1).length);
      expect(at.stockAlerts).toEqual(unlessAlone(1).map(() => alert.push));
    });

    test('which says when it cannot look, and goes on when it can', async () => {
      const { at } = await listen(await hub.person());
      const said = 'what other hubs have committed cannot be read now';
      await hub.database.writer.query('ALTER TABLE hub_batches RENAME TO mislaid_batches');
      try {
        if (!hub.database.dialect.singleWriter) await until('it says so', () => book.lines(said).length > 0);
      } finally {
        await hub.database.writer.query('ALTER TABLE mislaid_batches RENAME TO hub_batches');
      }
      expect(book.lines(said).every(({ error }) => /hub_batches/.test(String(error)))).toBe(true);
      await commit(at, 1, 4);
      await at.hears(unlessAlone(1).length);
      await sleep(LOOKS_MS);
      expect(book.lines(said)).toHaveLength(unlessAlone(1).length);
    });

    test('until it stops', async () => {
      const { at } = await listen(await hub.person());
      await hub.hub.app.get(HubWatch).stop();
      await commit(at, 1, 5);
      await sleep(LOOKS_MS);
      expect(heard(at)).toEqual([]);
    });
  });
});
