import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RetentionService } from '../../src/commands/retention.service.js';
import { KEYS_KEPT_DAYS } from '../../src/contract/fields.js';
import { EVENTS_KEPT_DAYS } from '../../src/contract/rooms.js';
import { OLDEST_OF_ROOMS } from '../../src/rooms/event.retention.js';
import { inShort, listen } from '../support/event.recorder.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { dataOf, device, range } from '../support/ways.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** More than one delete batch. */
const MANY = 1_300;

describe('retention', () => {
  let hub: TestHub;
  let seller: Person;

  const write = (sql: string, parameters: unknown[]) => hub.database.transaction((tx) => tx.query(sql, parameters));
  beforeAll(async () => {
    hub = await TestHub.start();
    // The hub itself purges only while no other does.
    const lease = [Date.now() + HOUR_MS - 60_000];
    await write("INSERT INTO leases (name, holder, expires_at) VALUES ('retention', 'this test', ?)", lease);
    seller = await hub.seller([{ stock: 100_000 }]);
  });
  afterAll(() => hub.stop());

  const purge = () => hub.hub.app.get(RetentionService).purge();
  const daysAgo = (days: number) => Date.now() - days * DAY_MS;

  /** A buyer with six events, the first `expired` of them past the retention time. */
  const buyerWithExpired = async (expired: number): Promise<Person> => {
    const buyer = await (await hub.buyer()).connect();
    for (const _ of range(6)) await buyer.place(seller);
    const sql = 'UPDATE room_events SET at = ? WHERE user_id = ? AND seq <= ?';
    await write(sql, [daysAgo(EVENTS_KEPT_DAYS) - HOUR_MS, buyer.userId, expired]);
    return buyer;
  };
  const read = (buyer: Person, after: number) => buyer.does('room:read', { role: 'buyer', after });

  test('deletes events after 30 days', async () => {
    const buyer = await buyerWithExpired(4);
    const sql = 'UPDATE room_events SET at = ? WHERE user_id = ? AND seq = 5';
    await write(sql, [daysAgo(EVENTS_KEPT_DAYS) + HOUR_MS, buyer.userId]);
    await purge();
    const rows = await hub.rows<{ seq: number }>('SELECT seq FROM room_events WHERE user_id = ? ORDER BY seq', [
      buyer.userId,
    ]);
    expect(rows.map(({ seq }) => seq)).toEqual([5, 6]);
  });

  test('lets room:read report whether later events are missing', async () => {
    const buyer = await buyerWithExpired(4);
    expect(await read(buyer, 0)).toMatchObject({ complete: true, head: 6 });
    await purge();
    for (const [after, seqs, complete] of [
      [0, [5, 6], false],
      [3, [5, 6], false],
      [4, [5, 6], true],
      [5, [6], true],
      [6, [], true],
      [7, [], false],
    ] as const) {
      const { events, ...rest } = await read(buyer, after);
      expect([after, events.map(({ seq }) => seq), rest]).toEqual([after, seqs, { head: 6, complete }]);
    }
  });

  test('keeps numbering a room whose events have all expired', async () => {
    const buyer = await buyerWithExpired(6);
    await purge();
    expect(await read(buyer, 2)).toEqual({ events: [], head: 6, complete: false });
    expect(await read(buyer, 6)).toEqual({ events: [], head: 6, complete: true });
    await buyer.place(seller);
    expect((await buyer.hears(7)).at(-1)?.seq).toBe(7);
    expect((await read(buyer, 6)).events.map(({ seq }) => seq)).toEqual([7]);
  });

  test('starts a socket at the head when events after its `last` are deleted, and resumes it otherwise', async () => {
    const buyer = await buyerWithExpired(4);
    await purge();
    const late = await listen(buyer, { buyer: 2 });
    expect(late.at.ready[0]?.rooms.buyer).toEqual({ head: 6, complete: false });
    const inTime = await listen(buyer, { buyer: 4 });
    expect(inTime.at.ready[0]?.rooms.buyer).toEqual({ head: 6, complete: true });
    await buyer.place(seller);
    await Promise.all([late.at.hears(1), inTime.at.hears(3)]);
    expect(inShort(late)).toEqual(['room:ready', 'buyer 7']);
    expect(inShort(inTime)).toEqual(['buyer 5', 'buyer 6', 'room:ready', 'buyer 7']);
  });

  test('leaves no gap where the clocks of hubs differ', async () => {
    const buyer = await buyerWithExpired(0);
    // Events 2 and 4 come from hubs whose clocks are behind by different amounts.
    const sql = 'UPDATE room_events SET at = ? WHERE user_id = ? AND seq = 4';
    await write(sql, [daysAgo(EVENTS_KEPT_DAYS) - HOUR_MS, buyer.userId]);
    await write(sql.replace('= 4', '= 2'), [daysAgo(EVENTS_KEPT_DAYS + 1), buyer.userId]);
    await write(sql.replace('= 4', '= 1'), [daysAgo(EVENTS_KEPT_DAYS) - HOUR_MS, buyer.userId]);
    await purge();
    expect((await read(buyer, 0)).events.map(({ seq }) => seq)).toEqual([5, 6]);
  });

  test('replays answers for 7 days; after that the same message is a new command', async () => {
    const buyer = await (await hub.buyer()).connect();
    const message = (key: string) => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key });
    const first = { young: dataOf(await buyer.send('order:place', message('young'))), old: '' };
    first.old = dataOf(await buyer.send('order:place', message('old'))).orderId;
    const age = (key: string, at: number) =>
      write('UPDATE command_answers SET at = ? WHERE user_id = ? AND idem_key = ?', [at, buyer.userId, key]);
    await age('young', daysAgo(KEYS_KEPT_DAYS) + HOUR_MS);
    await age('old', daysAgo(KEYS_KEPT_DAYS) - HOUR_MS);
    await purge();
    expect(await buyer.send('order:place', message('young'))).toMatchObject({ data: first.young, replayed: true });
    const again = await buyer.send('order:place', message('old'));
    expect(again.replayed).toBeUndefined();
    expect(dataOf(again).orderId).not.toBe(first.old);
  });

  test('deletes many rows in batches while commands run', async () => {
    const buyer = await (await hub.buyer()).connect();
    const at = daysAgo(EVENTS_KEPT_DAYS) - HOUR_MS;
    const marks = (row: string) =>
      range(MANY)
        .map(() => row)
        .join(', ');
    const events = range(MANY).flatMap((seq) => ['seller', 'absent-user', seq + 1, '{}', at]);
    await write(`INSERT INTO room_events (role, user_id, seq, body, at) VALUES ${marks('(?, ?, ?, ?, ?)')}`, events);
    // Sorted behind more rooms than one query reads.
    const rooms = range(MANY).flatMap((index) => ['seller', `aaa-user-${index}`, 0]);
    await write(`INSERT INTO rooms (role, user_id, head) VALUES ('seller', 'absent-user', ?), ${marks('(?, ?, ?)')}`, [
      MANY,
      ...rooms,
    ]);
    const answers = range(MANY).flatMap((index) => ['absent-user', `key-${index}`, '', '{}', at]);
    await write(
      `INSERT INTO command_answers (user_id, idem_key, message_hash, answer, at) VALUES ${marks('(?, ?, ?, ?, ?)')}`,
      answers,
    );
    const [placed] = await Promise.all([Promise.all(range(50).map(() => buyer.place(seller))), purge()]);
    expect(new Set(placed.map(({ orderId }) => orderId)).size).toBe(50);
    expect(await hub.rows("SELECT 1 FROM room_events WHERE user_id = 'absent-user'")).toEqual([]);
    expect(await hub.rows("SELECT 1 FROM command_answers WHERE user_id = 'absent-user'")).toEqual([]);
    expect((await buyer.hears(50)).map(({ seq }) => seq)).toEqual(range(50).map((index) => index + 1));
  });

  test('finds expired answers by an index', async () => {
    const explain = hub.database.dialect.singleWriter ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN FORMAT=TRADITIONAL';
    const plan = await hub.rows(`${explain} SELECT user_id FROM command_answers WHERE at < ? ORDER BY at LIMIT 500`, [
      daysAgo(KEYS_KEPT_DAYS),
    ]);
    expect(JSON.stringify(plan)).toContain('command_answers_by_time');
  });

  test('finds the oldest event of a room by its key, without a scan or a sort', async () => {
    const explain = hub.database.dialect.singleWriter ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN FORMAT=TRADITIONAL';
    const plan = JSON.stringify(await hub.rows(`${explain} ${OLDEST_OF_ROOMS}`, ['seller', '']));
    expect(plan).toMatch(
      /SEARCH room_events USING INDEX sqlite_autoindex_room_events_1|"table":"room_events"[^}]*"key":"PRIMARY"/,
    );
    expect(plan).not.toMatch(/SCAN|TEMP B-TREE|filesort/);
  });

  test('does not affect a connected device', async () => {
    const buyer = await buyerWithExpired(5);
    await purge();
    expect((await buyer.hears(6)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    const other = await device(buyer).connect();
    await buyer.place(seller);
    expect((await other.hears(1))[0]?.seq).toBe(7);
  });
});
