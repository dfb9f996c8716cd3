import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Role } from '../../src/contract/lifecycle.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import { OldEvents } from '../../src/rooms/old.events.js';
import { RoomFeeds } from '../../src/rooms/room.feeds.js';
import { RoomsService } from '../../src/rooms/rooms.service.js';
import { type Ear, inShort, listen } from '../support/ear.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { device, range } from '../support/ways.js';

/** More than happens while a socket is brought up to date. */
const LIVELY = 2_000;
/** Less than a statement waits for a lock. */
const HELD_MS = 200;
const AT = '2026-01-01T00:00:00.000Z';

/** What sockets are given when another hub writes to their rooms, and hints at it late, twice, too early or not at all. */
describe('the feeds of rooms', () => {
  const book = new LogBook();
  let hub: TestHub;
  let feeds: RoomFeeds;
  let rooms: RoomsService;

  beforeAll(async () => {
    hub = await TestHub.start({ logLevel: 'warn' }, undefined, book);
    feeds = hub.hub.app.get(RoomFeeds);
    rooms = hub.hub.app.get(RoomsService);
  });
  afterAll(() => hub.stop());

  const event = ({ userId }: Person, role: Role, seq: number): OrderStatusPush => ({
    ...{ role, seq, orderId: `order-${seq}`, version: 1, status: 'placed', previous: null, storeId: 'store' },
    ...{ buyerId: userId, sellerId: userId, total: seq, by: userId, at: AT },
  });
  /** Commits events as another hub would, which tells nobody here. */
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
    feeds.publish([{ userId: person.userId, push: event(person, role, seq) }]);
  const hint = ({ userId }: Person, role: Role, head: number) => feeds.hint([{ role, userId, head }]);
  /** An answer to a later message: all that the socket was to be told before has come. */
  const settled = async ({ at }: Ear) => {
    await at.does('room:read', { role: 'buyer', after: 0, limit: 1 });
    await at.does('room:read', { role: 'buyer', after: 0, limit: 1 });
  };
  const heard = async (ear: Ear, ...what: string[]) => {
    await until(`${what.at(-1)} is heard`, () => ear.heard.length >= what.length);
    await settled(ear);
    expect(inShort(ear)).toEqual(what);
  };
  const seqs = (role: Role, from: number, to: number) => range(to - from + 1).map((index) => `${role} ${from + index}`);
  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${hub.url}/metrics`)).text();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`order_hub_${name} `));
    return Number(line?.split(' ')[1] ?? 0);
  }
  const given = async () => [
    await metric('room_events_total{from="memory"}'),
    await metric('room_events_total{from="database"}'),
  ];

  test('the next event goes out from memory, without a look into the database', async () => {
    const ear = await listen(await hub.person());
    const [memory, database] = await given();
    publish(ear.at, 'buyer', 1);
    publish(ear.at, 'buyer', 2);
    publish(ear.at, 'seller', 1);
    await heard(ear, 'room:ready', 'buyer 1', 'buyer 2', 'seller 1');
    expect(ear.at.events[1]).toEqual(event(ear.at, 'buyer', 2));
    expect(await given()).toEqual([Number(memory) + 3, database]);
  });

  test('an event that came too early brings those before it, and none twice', async () => {
    const ear = await listen(await hub.person());
    const [memory, database] = await given();
    await commit(ear.at, 'buyer', 1, 3);
    publish(ear.at, 'buyer', 3);
    publish(ear.at, 'buyer', 3);
    publish(ear.at, 'buyer', 1);
    await heard(ear, 'room:ready', ...seqs('buyer', 1, 3));
    for (const seq of [1, 2, 3]) publish(ear.at, 'buyer', seq);
    for (const head of [0, 1, 3]) hint(ear.at, 'buyer', head);
    await heard(ear, 'room:ready', ...seqs('buyer', 1, 3));
    expect(await given()).toEqual([memory, Number(database) + 3]);
    publish(ear.at, 'buyer', 4);
    await heard(ear, 'room:ready', ...seqs('buyer', 1, 4));
  });

  test('a hint brings what was missed, in as many steps as it takes, to each socket of that user and that room', async () => {
    const [ear, other] = [await listen(await hub.person()), await listen(await hub.person())];
    const second = await listen(ear.at);
    await commit(ear.at, 'seller', 1, 250);
    await commit(other.at, 'seller', 1, 1);
    hint(ear.at, 'buyer', 0);
    hint(ear.at, 'seller', 120);
    hint(ear.at, 'seller', 250);
    for (const at of [ear, second]) await heard(at, 'room:ready', ...seqs('seller', 1, 250));
    await heard(other, 'room:ready');
    // As far as the hint says, and no further: what comes after it has a hint of its own.
    await commit(ear.at, 'seller', 251, 260);
    hint(ear.at, 'seller', 255);
    await heard(ear, 'room:ready', ...seqs('seller', 1, 255));
    hint(ear.at, 'seller', 254);
    await heard(ear, 'room:ready', ...seqs('seller', 1, 255));
  });

  test('a hub that cannot know what it has missed looks into the rooms of all that are here', async () => {
    const ears = [await listen(await hub.person()), await listen(await hub.person())] as const;
    await commit(ears[0].at, 'buyer', 1, 2);
    await commit(ears[1].at, 'seller', 1, 1);
    await feeds.hintAll();
    await heard(ears[0], 'room:ready', 'buyer 1', 'buyer 2');
    await heard(ears[1], 'room:ready', 'seller 1');
  });

  test('events that are gone when they are hinted at are left out, and the next is heard', async () => {
    const ear = await listen(await hub.person());
    await commit(ear.at, 'buyer', 5, 6);
    hint(ear.at, 'buyer', 6);
    await settled(ear);
    await commit(ear.at, 'buyer', 7, 7);
    publish(ear.at, 'buyer', 7);
    await heard(ear, 'room:ready', 'buyer 7');
  });

  test('a socket is brought up to the heads of its first moment, and hears nothing else before it is ready', async () => {
    const person = await hub.person();
    await commit(person, 'buyer', 1, 2);
    await commit(person, 'seller', 1, 900);
    const connecting = listen(person, { buyer: 0, seller: 0 });
    let head = 2;
    let isReady = false;
    const writing = (async () => {
      // While it is told what was, more happens in the room that it has been told of already.
      while (!isReady && head < LIVELY) {
        head++;
        await commit(person, 'buyer', head, head);
        publish(person, 'buyer', head);
        feeds.tell(person.userId, 'book:stock', { storeId: 'store', bookId: 'book', stock: head, at: AT });
        await setImmediate();
      }
    })();
    const ear = await connecting;
    isReady = true;
    await writing;
    await until('the last is heard', () => ear.at.events.some(({ role, seq }) => role === 'buyer' && seq === head));
    const names = inShort(ear);
    const { buyer, seller } = ear.at.ready[0]?.rooms ?? {};
    const first = [...seqs('buyer', 1, Number(buyer?.head)), ...seqs('seller', 1, 900), 'room:ready'];
    expect(names.slice(0, first.length)).toEqual(first);
    expect([buyer?.complete, seller]).toEqual([true, { head: 900, complete: true }]);
    const rest = names.slice(first.length).filter((name) => name !== 'book:stock');
    expect(rest).toEqual(seqs('buyer', Number(buyer?.head) + 1, head));
  });

  test('`last` is where a socket goes on; what is gone or never was makes it start at the head', async () => {
    const person = await hub.person();
    await commit(person, 'buyer', 1, 4);
    const ready = async (last?: { buyer?: number; seller?: number }) => {
      const ear = await listen(person, last);
      ear.at.disconnect();
      return [inShort(ear), ear.at.ready[0]?.rooms];
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
    const ear = await listen(person);
    const [{ payload } = { payload: undefined }] = ear.heard;
    expect(payload).toEqual({ userId: person.userId, rooms: at(4), serverTime: expect.stringMatching(/^20.+Z$/) });
  });

  test('a page of a room has what follows a number, and says whether all of it is there', async () => {
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
    // What is written while it is read has a head that the page does not know of.
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
    expect(await rooms.heads('nobody')).toEqual({ buyer: 0, seller: 0 });
    expect((await rooms.eventsAfter('seller', reader.userId, 10, 1))[0]).toEqual(event(reader, 'seller', 11));
  });

  test('old events are forgotten from the oldest of each room on, however many those are', async () => {
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
    const left = async () => {
      const rows = await hub.rows<{ role: string; user_id: string; seq: number }>(
        'SELECT role, user_id, seq FROM room_events WHERE at < 10000 ORDER BY role, user_id, seq',
      );
      return rows.map(({ role, user_id, seq }) => `${user_id === one.userId ? 'one' : 'two'} ${role} ${seq}`).sort();
    };
    const old = hub.hub.app.get(OldEvents);
    expect(await old.forget(1_000)).toBe(0);
    const all = await left();
    expect(await old.forget(5_000, () => true)).toBe(0);
    expect(await left()).toEqual(all);
    // Over when it has found the first room: that is forgotten, and the next search goes on.
    let asked = 0;
    const first = await old.forget(5_000, () => asked++ > 0);
    expect([2, 3]).toContain(first);
    expect(first + (await old.forget(5_000))).toBe(1_207);
    expect(await left()).toEqual(['one buyer 4', 'two buyer 3']);
    expect(await old.forget(5_000)).toBe(0);
  });

  test('two rooms are counted for each user who is here, by however many sockets, and none when the last has gone', async () => {
    const [before, sockets] = [await metric('rooms'), await metric('sockets')];
    const person = await hub.person();
    const devices = await Promise.all([device(person).connect(), device(person).connect()]);
    expect(await metric('rooms')).toBe(before + 2);
    devices[0]?.disconnect();
    await until('one has gone', async () => (await metric('sockets')) === sockets + 1);
    expect(await metric('rooms')).toBe(before + 2);
    publish(person, 'buyer', 1);
    expect((await devices[1]?.hears(1))?.map(({ seq }) => seq)).toEqual([1]);
    devices[1]?.disconnect();
    await until('both have gone', async () => (await metric('rooms')) === before);
    const back = await listen(person);
    expect(await metric('rooms')).toBe(before + 2);
    publish(person, 'seller', 1);
    await heard(back, 'room:ready', 'seller 1');
  });

  test('alerts of the stock go to all sockets of their owner, and to nobody else', async () => {
    const [owner, other] = [await listen(await hub.person()), await listen(await hub.person())];
    const alert = { storeId: 'store', bookId: 'book', stock: 1, at: AT };
    feeds.tell(owner.at.userId, 'book:stock', alert);
    await heard(owner, 'room:ready', 'book:stock');
    expect(owner.at.stockAlerts).toEqual([alert]);
    await heard(other, 'room:ready');
  });

  test('a hint at a room of which nobody is here tells nobody', () => {
    expect(() => feeds.hint([{ role: 'buyer', userId: 'nobody', head: 1 }])).not.toThrow();
  });

  test('rooms that are locked are not written to until they are let go', async () => {
    const { userId } = await hub.person();
    const done: string[] = [];
    let writing: Promise<unknown> | undefined;
    await hub.database.transaction(async (tx) => {
      await rooms.lock(tx, userId);
      writing = hub.database.transaction(async (other) => {
        await other.query("UPDATE rooms SET head = 1 WHERE role = 'seller' AND user_id = ?", [userId]);
        done.push('written');
      });
      await sleep(HELD_MS);
      done.push('let go');
    });
    await writing;
    expect(done).toEqual(['let go', 'written']);
  });

  test('who has left and unregistered has no rooms that could be written to', async () => {
    const person = await hub.person();
    expect((await person.post('/auth/unregister', { password: PASSWORD })).status).toBe(204);
    expect(await rooms.heads(person.userId)).toEqual({ buyer: 0, seller: 0 });
  });

  test('a socket whose events cannot be read is cut, and comes back with what it has seen', async () => {
    const ear = await listen(await hub.person());
    await commit(ear.at, 'buyer', 1, 2);
    const said = 'a socket could not be brought up to date and is cut; it comes back with last';
    const before = book.lines(said).length;
    await hub.database.writer.query('ALTER TABLE room_events RENAME TO mislaid_events');
    try {
      hint(ear.at, 'buyer', 2);
      await until('it is cut', () => ear.at.socket?.connected === false);
      const late = device(ear.at);
      void late.connect({ last: { buyer: 0 } });
      let isCut = false;
      late.socket?.on('disconnect', () => {
        isCut = true;
      });
      await until('it is cut before it was ready', () => isCut);
      expect(late.ready).toEqual([]);
    } finally {
      await hub.database.writer.query('ALTER TABLE mislaid_events RENAME TO room_events');
    }
    await until('the log says why', () => book.lines(said).length > before);
    expect(String(book.lines(said).at(-1)?.error)).toMatch(/room_events/);
    const back = await listen(ear.at, { buyer: 0 });
    expect(inShort(back)).toEqual(['buyer 1', 'buyer 2', 'room:ready']);
  });
});
