import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RetentionService } from '../../src/commands/retention.service.js';
import { KEYS_KEPT_DAYS } from '../../src/contract/fields.js';
import { EVENTS_KEPT_DAYS } from '../../src/contract/rooms.js';
import { Leases } from '../../src/platform/database/leases.js';
import { TestHub, until } from '../support/hub.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { range } from '../support/ways.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Several looks of every hub. */
const LOOKS_MS = 25_000;

interface LeaseRow {
  holder: string;
  expires_at: number;
}

/** Counts the purges of a hub from now on. */
function countPurges(hub: TestHub): () => number {
  const retention = hub.hub.app.get(RetentionService);
  const purge = retention.purge;
  let purges = 0;
  retention.purge = (...parameters) => {
    purges++;
    return purge.apply(retention, parameters);
  };
  return () => purges;
}

describe('whose turn it is to forget', () => {
  let database: TestDatabase;
  let hubs: TestHub[] = [];
  afterEach(async () => {
    for (const hub of hubs) await hub.leave();
    hubs = [];
    await database.drop();
  });

  const openRoom = (hub: TestHub) =>
    write(hub, "INSERT INTO rooms (role, user_id, head) VALUES ('buyer', 'ann', 9)", []);
  const start = async (): Promise<TestHub> => {
    const hub = await TestHub.start({}, database);
    hubs.push(hub);
    return hub;
  };
  const write = (hub: TestHub, sql: string, parameters: unknown[]) =>
    hub.database.transaction((tx) => tx.query(sql, parameters));
  /** An event and an answer past their keeping times. */
  const addOld = async (hub: TestHub, seq: number) => {
    const at = Date.now() - (EVENTS_KEPT_DAYS + KEYS_KEPT_DAYS) * DAY_MS;
    await write(hub, "INSERT INTO room_events (role, user_id, seq, body, at) VALUES ('buyer', 'ann', ?, '{}', ?)", [
      seq,
      at,
    ]);
    const columns = '(user_id, idem_key, message_hash, answer, at)';
    await write(hub, `INSERT INTO command_answers ${columns} VALUES ('ann', ?, '', '{}', ?)`, [`key-${seq}`, at]);
  };
  const countOld = async (hub: TestHub) => {
    const events = await hub.rows("SELECT seq FROM room_events WHERE user_id = 'ann'");
    const answers = await hub.rows("SELECT idem_key FROM command_answers WHERE user_id = 'ann'");
    return events.length + answers.length;
  };
  const leaseOf = async (hub: TestHub) => (await hub.rows<LeaseRow>('SELECT holder, expires_at FROM leases'))[0];

  test('a hub forgets soon after its start, and the next start leaves that for an hour', async () => {
    database = await createTestDatabase();
    const first = await start();
    await openRoom(first);
    await addOld(first, 1);
    await until('the first has forgotten', async () => (await countOld(first)) === 0);
    await until('it has given the lease back', async () => (await leaseOf(first))?.holder === '');
    const dueInMs = Number((await leaseOf(first))?.expires_at) - first.now();
    expect(dueInMs).toBeGreaterThan(HOUR_MS / 2);
    expect(dueInMs).toBeLessThanOrEqual(HOUR_MS);

    await hubs.pop()?.leave();
    const second = await start();
    await addOld(second, 2);
    await sleep(LOOKS_MS);
    expect(await countOld(second)).toBe(2);
    await write(second, 'UPDATE leases SET expires_at = ?', [Date.now()]);
    await until('the second has forgotten', async () => (await countOld(second)) === 0);
  }, 120_000);

  test('of several hubs one does, and one that has died is replaced', async () => {
    database = await createTestDatabase();
    const hub = await start();
    const died = "INSERT INTO leases (name, holder, expires_at) VALUES ('retention', 'a hub that has died', ?)";
    await write(hub, died, [Date.now() + HOUR_MS / 2]);
    if (!hub.database.dialect.singleWriter) for (const _ of range(2)) await start();
    const counts = hubs.map(countPurges);
    const sum = () => counts.reduce((total, count) => total + count(), 0);
    await openRoom(hub);
    await addOld(hub, 1);
    await write(hub, 'UPDATE leases SET expires_at = ?', [Date.now() + LOOKS_MS]);
    await sleep(LOOKS_MS - 5_000);
    expect([sum(), await countOld(hub)]).toEqual([0, 2]);
    await until('one has forgotten', async () => (await countOld(hub)) === 0);
    await sleep(LOOKS_MS);
    expect(sum()).toBe(1);
  }, 120_000);

  test('a lease goes to one of those that ask at once, is renewed and given back', async () => {
    database = await createTestDatabase();
    const hub = await start();
    if (!hub.database.dialect.singleWriter) await start();
    const leases = hubs.map(({ hub: { app } }) => app.get(Leases));
    for (const round of range(10)) {
      const name = `work-${round}`;
      const taken = await Promise.all(leases.map((each) => each.acquire(name, 60_000)));
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await Promise.all(leases.map((each) => each.acquire(name, 60_000)))).toEqual(taken);
      await Promise.all(leases.map((each) => each.release(name, 0)));
      // Those that did not have it could not give it back.
      expect(await leases[taken.indexOf(false)]?.acquire(name, 60_000)).toBe(taken.includes(false) ? true : undefined);
    }
    await write(hub, 'INSERT INTO leases (name, holder, expires_at) VALUES (?, ?, ?)', [
      'work',
      'a hub whose clock was wrong',
      Date.now() + 8 * DAY_MS,
    ]);
    expect(await leases[0]?.acquire('work', 60_000)).toBe(true);
  });
});
