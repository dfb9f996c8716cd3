import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { Role } from '../../src/contract/transitions.js';
import { EventPublisher } from '../../src/rooms/event.publisher.js';
import { EventRetention } from '../../src/rooms/event.retention.js';
import { HeadPoller } from '../../src/rooms/head.poller.js';
import { RoomsService } from '../../src/rooms/rooms.service.js';
import { type EventRecorder, inShort, listen } from '../support/event.recorder.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { device, range } from '../support/ways.js';

/** More events than are committed during one replay. */
const EVENTS_MAX = 2_000;
/** Shorter than the lock wait timeout. */
const LOCK_HELD_MS = 200;
/** Longer than several attempts. */
const FAILURE_MS = 500;
const AT = '2026-01-01T00:00:00.000Z';

/** Another hub commits to rooms, and its wakeups arrive late, twice, early or never. */
describe('the event publisher', () => {
  const log = new LogBook();
  let hub: TestHub;
  let publisher: EventPublisher;
  let rooms: RoomsService;

  beforeAll(async () => {
    hub = await TestHub.start({ logLevel: 'warn' }, undefined, log);
    publisher = hub.hub.app.get(EventPublisher);
    rooms = hub.hub.app.get(RoomsService);
    // It would find what is committed here before it is announced.
    await hub.hub.app.get(HeadPoller).beforeApplicationShutdown();
  });
  afterAll(() => hub.stop());

  const event = ({ userId }: Person, role: Role, seq: number): OrderStatusPush => ({
    ...{ role, seq, orderId: `order-${seq}`, version: 1, status: 'placed', previous: null, storeId: 'store' },
    ...{ buyerId: userId, sellerId: userId, total: seq, by: userId, at: AT, command: 'place' },
  });
  /** Commits events as another hub would, without publishing them here. */
  async function commit(person: Person, role: Role, from: number, to: number, at = Date.now()): Promise<void> {
    const seqs = range(to - from + 1).map((index) => from + index);
    await hub.database.transaction(async (tx) => {
      const sql = `INSERT INTO room_events (role, user_id, seq, body, at) VALUES ${seqs.map(() => '(?, ?, ?, ?, ?)').join()}`;
      const rows = seqs.flatMap((seq) => [role, person.userId, seq, JSON.stringify(event(person, role, seq)), at]);
      await tx.query(sql, rows);
      await tx.query('UPDATE rooms SET head = ? WHERE role = ? AND user_id = ?', [to, role, person.userId]);
    });
  }
  const publish = (person: Person, role: Role, seq: number) =>
    publisher.publish({
      events: [{ userId: person.userId, push: event(person, role, seq) }],
      stockAlerts: [],
      storeStatuses: [],
      claims: [],
      walletChanges: { at: 0, wallets: [] },
    });
  const advance = ({ userId }: Person, role: Role, head: number) => publisher.advance([{ role, userId, head }]);
  /** Resolves once every earlier push has been received: the answer to a later message follows them. */
  const flushed = async ({ at }: EventRecorder) => {
    await at.does('room:read', { role: 'buyer', after: 0, limit: 1 });
    await at.does('room:read', { role: 'buyer', after: 0, limit: 1 });
  };
  const expectReceived = async (recorder: EventRecorder, ...expected: string[]) => {
    await until(`${expected.at(-1)} is received`, () => recorder.heard.length >= expected.length);
    await flushed(recorder);
    expect(inShort(recorder)).toEqual(expected);
  };
  const seqs = (role: Role, from: number, to: number) => range(to - from + 1).map((index) => `${role} ${from + index}`);
  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${hub.url}/metrics`)).text();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`order_hub_${name} `));
    return Number(line?.split(' ')[1] ?? 0);
  }
  const delivered = async () => [
    await metric('room_events_total{from="memory"}'),
    await metric('room_events_total{from="database"}'),
  ];

  test('delivers the next event from memory without a database read', async () => {
    const recorder = await listen(await hub.person());
    const [memory, database] = await delivered();
    publish(recorder.at, 'buyer', 1);
    publish(recorder.at, 'buyer', 2);
    publish(recorder.at, 'seller', 1);
    await expectReceived(recorder, 'room:ready', 'buyer 1', 'buyer 2', 'seller 1');
    expect(recorder.at.events[1]).toEqual(event(recorder.at, 'buyer', 2));
    expect(await delivered()).toEqual([Number(memory) + 3, database]);
  });

  test('fills the gap before an early event, and delivers none twice', async () => {
    const recorder = await listen(await hub.person());
    const [memory, database] = await delivered();
    await commit(recorder.at, 'buyer', 1, 3);
    publish(recorder.at, 'buyer', 3);
    publish(recorder.at, 'buyer', 3);
    publish(recorder.at, 'buyer', 1);
    await expectReceived(recorder, 'room:ready', ...seqs('buyer', 1, 3));
    for (const seq of [1, 2, 3]) publish(recorder.at, 'buyer', seq);
    for (const head of [0, 1, 3]) advance(recorder.at, 'buyer', head);
    await expectReceived(recorder, 'room:ready', ...seqs('buyer', 1, 3));
    expect(await delivered()).toEqual([memory, Number(database) + 3]);
    publish(recorder.at, 'buyer', 4);
    await expectReceived(recorder, 'room:ready', ...seqs('buyer', 1, 4));
  });

  test('delivers up to the announced head, in pages, to every socket of the user and no other', async () => {
    const [recorder, other] = [await listen(await hub.person()), await listen(await hub.person())];
    const second = await listen(recorder.at);
    await commit(recorder.at, 'seller', 1, 250);
    await commit(other.at, 'seller', 1, 1);
    advance(recorder.at, 'buyer', 0);
    advance(recorder.at, 'seller', 120);
    advance(recorder.at, 'seller', 250);
    for (const each of [recorder, second]) await expectReceived(each, 'room:ready', ...seqs('seller', 1, 250));
    await expectReceived(other, 'room:ready');
    // Not beyond the announced head: later events are announced themselves.
    await commit(recorder.at, 'seller', 251, 260);
    advance(recorder.at, 'seller', 255);
    await expectReceived(recorder, 'room:ready', ...seqs('seller', 1, 255));
    advance(recorder.at, 'seller', 254);
    await expectReceived(recorder, 'room:ready', ...seqs('seller', 1, 255));
  });

  test('names every connected user in turn, and reads the heads of several users', async () => {
    const recorders = await Promise.all(range(3).map(async () => listen(await hub.person())));
    const userIds = recorders.map(({ at }) => at.userId);
    await commit((recorders[0] as EventRecorder).at, 'buyer', 1, 2);
    const named: string[] = [];
    while (!userIds.every((userId) => named.includes(userId))) named.push(...publisher.nextUsers(2));
    expect(publisher.nextUsers(1_000).length).toBeLessThan(1_000);
    const heads = await rooms.headsOf([...userIds, 'unknown']);
    const shown = heads.map(({ role, userId, head }) => `${role} of ${userIds.indexOf(userId)}: ${head}`).sort();
    expect(shown).toEqual(
      [0, 1, 2].flatMap((at) => [`buyer of ${at}: ${at === 0 ? 2 : 0}`, `seller of ${at}: 0`]).sort(),
    );
    publisher.advance(heads);
    await expectReceived(recorders[0] as EventRecorder, 'room:ready', 'buyer 1', 'buyer 2');
    expect(await rooms.headsOf([])).toEqual([]);
  });

  test('closes the transport of a live socket whose next events are past their keeping time, for it to reconnect', async () => {
    const recorder = await listen(await hub.person());
    const reasons: string[] = [];
    recorder.at.socket?.on('disconnect', (reason) => reasons.push(reason));
    await commit(recorder.at, 'buyer', 5, 6);
    advance(recorder.at, 'buyer', 6);
    await until('it is disconnected', () => reasons.length > 0);
    expect(reasons).toEqual(['transport close']);
    const reconnected = await listen(recorder.at, { buyer: 0 });
    expect(reconnected.at.ready[0]?.rooms.buyer).toEqual({ head: 6, complete: false });
  });

  test('waits for announced events that its database does not show yet', async () => {
    const recorder = await listen(await hub.person());
    advance(recorder.at, 'buyer', 3);
    await sleep(FAILURE_MS);
    await commit(recorder.at, 'buyer', 1, 3);
    await expectReceived(recorder, 'room:ready', ...seqs('buyer', 1, 3));
  });

  test('replays up to the heads at connection, and pushes nothing else before room:ready', async () => {
    const person = await hub.person();
    await commit(person, 'buyer', 1, 2);
    await commit(person, 'seller', 1, 900);
    const connecting = listen(person, { buyer: 0, seller: 0 });
    let head = 2;
    let isReady = false;
    const writing = (async () => {
      // Events arrive in a room whose replay is over while the other room is replayed.
      while (!isReady && head < EVENTS_MAX) {
        head++;
        await commit(person, 'buyer', head, head);
        publish(person, 'buyer', head);
        publisher.pushStockAlerts([
          { ownerId: person.userId, push: { storeId: 'store', bookId: 'book', stock: head, at: AT } },
        ]);
        await setImmediate();
      }
    })();
    const recorder = await connecting;
    isReady = true;
    await writing;
    await until('the last event is received', () =>
      recorder.at.events.some(({ role, seq }) => role === 'buyer' && seq === head),
    );
    const names = inShort(recorder);
    const { buyer, seller } = recorder.at.ready[0]?.rooms ?? {};
    const first = [...seqs('buyer', 1, Number(buyer?.head)), ...seqs('seller', 1, 900), 'room:ready'];
    expect(names.slice(0, first.length)).toEqual(first);
    expect([buyer?.complete, seller]).toEqual([true, { head: 900, complete: true }]);
    const rest = names.slice(first.length).filter((name) => name !== 'book:stock');
    expect(rest).toEqual(seqs('buyer', Number(buyer?.head) + 1, head));
  });

  test('resumes after `last`, and starts at the head if that is deleted or beyond it', async () => {
    const person = await hub.person();
    await commit(person, 'buyer', 1, 4);
    const ready = async (last?: { buyer?: number; seller?: number }) => {
      const recorder = await listen(person, last);
      recorder.at.disconnect();
      return [inShort(recorder), recorder.at.ready[0]?.rooms];
    };
    const at = (head: number, complete = true) => ({
      buyer: { head, complete },
      seller: { head: 0, complete: true },
    });
    expect(await ready()).toEqual([['room:ready'], at(4)]);
    expect(await ready({ seller: 0 })).toEqual([['room:ready'], at(4)]);
    expect(await ready({ buyer: 4 })).toEqual([['room:ready'], at(4)]);
    expect(await ready({ buyer: 2 })).toEqual([['buyer 3', 'buyer 4', 'room:ready'], at(4)]);
    expect(await ready({ buyer: 5 })).toEqual([['room:ready'], at(4, false)]);
    await hub.database.transaction((tx) =>
      tx.query("DELETE FROM room_events WHERE role = 'buyer' AND user_id = ? AND seq <= 2", [person.userId]),
    );
    expect(await ready({ buyer: 1 })).toEqual([['room:ready'], at(4, false)]);
    expect(await ready({ buyer: 2 })).toEqual([['buyer 3', 'buyer 4', 'room:ready'], at(4)]);
    const recorder = await listen(person);
    const [{ payload } = { payload: undefined }] = recorder.heard;
    expect(payload).toEqual({
      ...{ userId: person.userId, rooms: at(4), currency: 'CNY' },
      serverTime: expect.stringMatching(/^20.+Z$/),
    });
  });

  test('reads pages of a room and reports whether they are complete', async () => {
    const reader = await hub.person();
    await commit(reader, 'seller', 1, 30);
    const read = async (after: number, limit?: number) => {
      const page = await rooms.read(reader.userId, {
        role: 'seller',
        after,
        ...(limit === undefined ? {} : { limit }),
      });
      return [page.events.map(({ seq }) => seq), page.head, page.complete];
    };
    const numbers = (from: number, to: number) => range(to - from + 1).map((index) => from + index);
    expect(await read(0)).toStrictEqual([numbers(1, 20), 30, true]);
    expect(await read(28)).toStrictEqual([[29, 30], 30, true]);
    expect(await read(0, 3)).toStrictEqual([[1, 2, 3], 30, true]);
    expect(await read(30)).toStrictEqual([[], 30, true]);
    expect(await read(31)).toStrictEqual([[], 30, false]);
    // An event committed during the read lies beyond the page's head.
    await hub.database.transaction((tx) =>
      tx.query("UPDATE rooms SET head = 29 WHERE role = 'seller' AND user_id = ?", [reader.userId]),
    );
    expect(await read(27)).toStrictEqual([[28, 29], 29, true]);
    await hub.database.transaction((tx) =>
      tx.query("DELETE FROM room_events WHERE role = 'seller' AND user_id = ? AND seq <= 5", [reader.userId]),
    );
    expect(await read(4, 2)).toStrictEqual([[6, 7], 29, false]);
    expect(await read(5, 2)).toStrictEqual([[6, 7], 29, true]);
    await hub.database.transaction((tx) =>
      tx.query("DELETE FROM room_events WHERE role = 'seller' AND user_id = ? AND seq > 11", [reader.userId]),
    );
    expect(await read(11)).toStrictEqual([[], 29, false]);
    expect(await rooms.heads(reader.userId)).toEqual({ buyer: 0, seller: 29 });
    expect(await rooms.heads('unknown')).toEqual({ buyer: 0, seller: 0 });
    expect((await rooms.eventsAfter('seller', reader.userId, 10, 1))[0]).toEqual(event(reader, 'seller', 11));
  });

  test('purges expired events from the oldest of each room on, in any number', async () => {
    const [one, two] = [await hub.person(), await hub.person()];
    await commit(one, 'buyer', 1, 1, 1_000);
    await commit(one, 'buyer', 2, 2, 9_000);
    await commit(one, 'buyer', 3, 3, 2_000);
    await commit(one, 'buyer', 4, 4, 5_000);
    await commit(one, 'seller', 1, 1, 4_999);
    await commit(one, 'seller', 2, 2, 4_000);
    await commit(two, 'buyer', 1, 2, 1_500);
    await commit(two, 'buyer', 3, 3, 9_000);
    await commit(two, 'seller', 1, 1_200, 1_000);
    const remaining = async () => {
      const rows = await hub.rows<{ role: string; user_id: string; seq: number }>(
        'SELECT role, user_id, seq FROM room_events WHERE at < 10000 ORDER BY role, user_id, seq',
      );
      return rows.map(({ role, user_id, seq }) => `${user_id === one.userId ? 'one' : 'two'} ${role} ${seq}`).sort();
    };
    const retention = hub.hub.app.get(EventRetention);
    expect(await retention.purge(1_000)).toBe(0);
    const all = await remaining();
    expect(await retention.purge(5_000, () => true)).toBe(0);
    expect(await remaining()).toEqual(all);
    // Stopped after the first room; the next purge resumes with the others.
    let checks = 0;
    const first = await retention.purge(5_000, () => checks++ > 0);
    expect([2, 3]).toContain(first);
    expect(first + (await retention.purge(5_000))).toBe(1_207);
    expect(await remaining()).toEqual(['one buyer 4', 'two buyer 3']);
    expect(await retention.purge(5_000)).toBe(0);
  });

  test('counts two rooms per connected user, until the last socket disconnects', async () => {
    const [before, sockets] = [await metric('rooms'), await metric('sockets')];
    const person = await hub.person();
    const devices = await Promise.all([device(person).connect(), device(person).connect()]);
    expect(await metric('rooms')).toBe(before + 2);
    devices[0]?.disconnect();
    await until('one is disconnected', async () => (await metric('sockets')) === sockets + 1);
    expect(await metric('rooms')).toBe(before + 2);
    publish(person, 'buyer', 1);
    expect((await devices[1]?.hears(1))?.map(({ seq }) => seq)).toEqual([1]);
    devices[1]?.disconnect();
    await until('both are disconnected', async () => (await metric('rooms')) === before);
    const reconnected = await listen(person);
    expect(await metric('rooms')).toBe(before + 2);
    publish(person, 'seller', 1);
    await expectReceived(reconnected, 'room:ready', 'seller 1');
  });

  test('pushes stock alerts to the owner’s sockets only', async () => {
    const [owner, other] = [await listen(await hub.person()), await listen(await hub.person())];
    const alert = { storeId: 'store', bookId: 'book', stock: 1, at: AT };
    publisher.pushStockAlerts([{ ownerId: owner.at.userId, push: alert }]);
    await expectReceived(owner, 'room:ready', 'book:stock');
    expect(owner.at.stockAlerts).toEqual([alert]);
    await expectReceived(other, 'room:ready');
  });

  test('ignores rooms of users who are not connected', () => {
    expect(() => publisher.advance([{ role: 'buyer', userId: 'absent-user', head: 1 }])).not.toThrow();
  });

  test('locks rooms against writes until the transaction ends', async () => {
    const { userId } = await hub.person();
    const order: string[] = [];
    let writing: Promise<unknown> | undefined;
    await hub.database.transaction(async (tx) => {
      await rooms.lock(tx, userId);
      writing = hub.database.transaction(async (other) => {
        await other.query("UPDATE rooms SET head = 1 WHERE role = 'seller' AND user_id = ?", [userId]);
        order.push('written');
      });
      await sleep(LOCK_HELD_MS);
      order.push('released');
    });
    await writing;
    expect(order).toEqual(['released', 'written']);
  });

  test('reads zero heads for an unregistered user', async () => {
    const person = await hub.person();
    expect((await person.post('/auth/unregister', { password: PASSWORD })).status).toBe(204);
    expect(await rooms.heads(person.userId)).toEqual({ buyer: 0, seller: 0 });
  });

  test('keeps a socket whose events cannot be read for a moment, and delivers them afterwards', async () => {
    const recorder = await listen(await hub.person());
    await commit(recorder.at, 'buyer', 1, 2);
    await hub.database.writer.query('ALTER TABLE room_events RENAME TO renamed_events');
    try {
      advance(recorder.at, 'buyer', 2);
      publish(recorder.at, 'buyer', 3);
      await sleep(FAILURE_MS);
    } finally {
      await hub.database.writer.query('ALTER TABLE renamed_events RENAME TO room_events');
    }
    await commit(recorder.at, 'buyer', 3, 3);
    await expectReceived(recorder, 'room:ready', ...seqs('buyer', 1, 3));
  });
});
