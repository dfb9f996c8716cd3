import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { CursorStorage } from '../../src/client/cursor.storage.js';
import { RoomsService } from '../../src/rooms/rooms.service.js';
import { type Follower, follow, hearsUpTo, isLive, memory } from '../support/follower.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';
import type { EventDrops } from '../support/proxy.streams.js';
import { range } from '../support/ways.js';

const PLACE_TIMEOUT_MS = 300;
const fromStart: CursorStorage = { load: () => ({ buyer: 0, seller: 0 }), save: () => {} };

describe('the client library', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let proxy: TcpProxy;
  let drops: EventDrops;
  const open: Follower[] = [];

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: 100_000 }]);
    proxy = await TcpProxy.before(hub.url);
    drops = proxy.dropEvents();
    await proxy.open();
  });
  beforeEach(async () => {
    buyer = await (await hub.buyer()).connect();
  });
  afterEach(() => {
    for (const { client } of open.splice(0)) client.close();
  });
  afterAll(async () => {
    await proxy.close();
    await hub.stop();
  });

  /** A client of the buyer, connected through the proxy. */
  const page = (storage?: CursorStorage) => {
    const follower = follow(proxy.url, buyer, storage);
    open.push(follower);
    return follower;
  };
  const livePage = async (storage?: CursorStorage) => {
    const follower = page(storage);
    await isLive(follower);
    return follower;
  };
  const place = (count: number) => Promise.all(range(count).map(() => buyer.place(seller)));
  const upTo = (last: number, after = 0) => range(last - after).map((index) => after + index + 1);
  const write = (sql: string, parameters: unknown[] = []) =>
    hub.database.transaction((tx) => tx.query(sql, parameters));
  const deleteUpTo = (seq: number) =>
    write("DELETE FROM room_events WHERE role = 'buyer' AND user_id = ? AND seq <= ?", [buyer.userId, seq]);

  /** A live page that has received event 1, while events 2 and 3 were dropped on the way. */
  const pageWithGap = async () => {
    const at = await livePage();
    await place(1);
    await hearsUpTo(at, 'buyer', 1);
    drops.left = 2;
    await place(2);
    await until('two events are dropped', () => drops.left === 0);
    return at;
  };

  test('starts at the head without a cursor', async () => {
    await place(3);
    const at = await livePage();
    expect(at.client.last).toEqual({ buyer: 3, seller: 0 });
    await place(2);
    expect(await hearsUpTo(at, 'buyer', 5)).toEqual([4, 5]);
    expect(at.states).toEqual(['catching up', 'live']);
    expect(at.missed).toEqual([0]);
    expect(at.ready).toMatchObject([{ userId: buyer.userId, rooms: { buyer: { head: 3, complete: true } } }]);
  });

  test('receives the event of its own command sent while the hub reads the head', async () => {
    // The head is read late: an event committed meanwhile would lie before it.
    const rooms = hub.hub.app.get(RoomsService);
    const heads = rooms.heads;
    const gate = new EventEmitter();
    rooms.heads = async (userId) => {
      await once(gate, 'open');
      return heads.call(rooms, userId);
    };
    const at = page();
    const placing = at.client.place({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });
    await until('the hub reads the head', () => gate.listenerCount('open') > 0);
    await Promise.race([placing, sleep(PLACE_TIMEOUT_MS)]);
    rooms.heads = heads;
    gate.emit('open');
    const { orderId } = await placing;
    expect(await hearsUpTo(at, 'buyer', 1)).toEqual([1]);
    expect(at.events[0]?.orderId).toBe(orderId);
  });

  test('closed during a replay stores only the events it has emitted', async () => {
    await place(3);
    const storage = memory();
    storage.save({ buyer: 0, seller: 0 });
    // Dropped on the way, they are read as one page.
    drops.left = 3;
    const at = page(storage);
    at.client.on('order', ({ seq }) => seq === 2 && at.client.close());
    const after: number[] = [];
    at.client.on('order', ({ seq }) => after.push(seq));
    await until('it is closed', () => at.events.length > 0 && at.client.state === 'offline');
    expect([at.events.map(({ seq }) => seq), after]).toEqual([[1, 2], [1]]);
    expect((await livePage(storage)).events.map(({ seq }) => seq)).toEqual([3]);
  });

  test('receives each event once, in order, after reconnecting, with the number missed', async () => {
    const at = await livePage();
    await place(2);
    await hearsUpTo(at, 'buyer', 2);
    for (const missed of [5, 2]) {
      await proxy.close();
      await until('the client is offline', () => at.client.state === 'offline');
      await place(missed);
      await proxy.open();
      await isLive(at);
    }
    expect(at.events.map(({ seq }) => seq)).toEqual(upTo(9));
    expect(at.missed).toEqual([0, 5, 2]);
    const reconnection = ['offline', 'catching up', 'live'];
    expect(at.states).toEqual(['catching up', 'live', ...reconnection, ...reconnection]);
    await place(1);
    expect(await hearsUpTo(at, 'buyer', 10)).toEqual(upTo(10));
    expect(at.resets).toEqual([]);
  });

  test('receives each event once over repeated disconnections', async () => {
    const at = await livePage();
    for (const _ of range(5)) {
      await place(8);
      proxy.cutAll();
      await place(2);
    }
    expect(await hearsUpTo(at, 'buyer', 50)).toEqual(upTo(50));
  });

  test('resumes from the stored cursor in a new client', async () => {
    const storage = memory();
    const first = await livePage(storage);
    await place(2);
    await hearsUpTo(first, 'buyer', 2);
    first.client.close();
    await place(3);
    const second = await livePage(storage);
    expect(second.events.map(({ seq }) => seq)).toEqual([3, 4, 5]);
    expect(second.missed).toEqual([3]);
    expect(storage.last).toEqual({ buyer: 5, seller: 0 });
  });

  test('stores the cursor after the listeners have run', async () => {
    const storage = memory();
    const at = await livePage(storage);
    const stored: unknown[] = [];
    at.client.on('order', () => stored.push(storage.last?.buyer));
    for (const seq of [1, 2, 3]) {
      await place(1);
      await hearsUpTo(at, 'buyer', seq);
    }
    expect(stored).toEqual([0, 1, 2]);
    expect(storage.last?.buyer).toBe(3);
  });

  test('does not call a removed listener', async () => {
    const at = await livePage();
    let calls = 0;
    const stop = at.client.on('order', () => calls++);
    await place(1);
    await hearsUpTo(at, 'buyer', 1);
    stop();
    await place(1);
    await hearsUpTo(at, 'buyer', 2);
    expect(calls).toBe(1);
  });

  test('detects dropped events at the next one, and reads them before it', async () => {
    const at = await pageWithGap();
    await place(1);
    expect(await hearsUpTo(at, 'buyer', 4)).toEqual(upTo(4));
    await isLive(at);
    expect(at.states).toEqual(['catching up', 'live', 'catching up', 'live']);
    expect(at.missed).toEqual([0, 3]);
  });

  test('reads more than one page of events dropped during a replay', async () => {
    await place(150);
    drops.left = 150;
    const at = await livePage(fromStart);
    expect(drops.left).toBe(0);
    expect(at.events.map(({ seq }) => seq)).toEqual(upTo(150));
    expect(at.missed).toEqual([150]);
  });

  test('emits reset where events are deleted, and continues at the head', async () => {
    await place(4);
    await deleteUpTo(2);
    const storage = memory();
    storage.save({ buyer: 1, seller: 0 });
    const at = await livePage(storage);
    expect([at.resets, at.events, at.client.last.buyer]).toEqual([['buyer'], [], 4]);
    expect(storage.last?.buyer).toBe(4);
    await place(1);
    expect(await hearsUpTo(at, 'buyer', 5)).toEqual([5]);
  });

  test('emits reset when a dropped event has been deleted', async () => {
    const at = await pageWithGap();
    await deleteUpTo(2);
    await place(1);
    expect(await hearsUpTo(at, 'buyer', 4)).toEqual([1, 3, 4]);
    expect(at.resets).toEqual(['buyer']);
  });

  test('emits reset for a cursor beyond the head, as after restoring a backup', async () => {
    await place(1);
    const at = await livePage({ load: () => ({ buyer: 9, seller: 9 }), save: () => {} });
    expect([at.resets, at.client.last]).toEqual([['buyer', 'seller'], { buyer: 1, seller: 0 }]);
    await place(1);
    expect(await hearsUpTo(at, 'buyer', 2)).toEqual([2]);
  });

  test('delivers the same events, each once, to two clients that share a cursor', async () => {
    const storage = memory();
    const [one, two] = [await livePage(storage), await livePage(storage)];
    await place(5);
    proxy.cutAll();
    await place(5);
    expect(await hearsUpTo(one, 'buyer', 10)).toEqual(upTo(10));
    expect(await hearsUpTo(two, 'buyer', 10)).toEqual(upTo(10));
    expect(one.events).toEqual(two.events);
    expect(storage.last?.buyer).toBe(10);
  });

  test('emits stock alerts to the seller', async () => {
    const shop = await hub.seller([{ stock: 6 }]);
    const at = follow(proxy.url, shop);
    open.push(at);
    await isLive(at);
    await buyer.place(shop, [{ bookId: 'book-1', count: 2 }]);
    await until('the alert is emitted', () => at.stock.length > 0);
    expect(at.stock).toMatchObject([{ storeId: shop.storeId, bookId: 'book-1', stock: 4 }]);
  });

  test('reconnects after the hub has disconnected it', async () => {
    await place(2);
    // The hub cannot read the missed events and disconnects the client.
    await write('ALTER TABLE room_events RENAME TO renamed_events');
    const at = page(fromStart);
    await until('it is disconnected', () => at.states.includes('offline'));
    await write('ALTER TABLE renamed_events RENAME TO room_events');
    await isLive(at);
    expect(at.events.map(({ seq }) => seq)).toEqual([1, 2]);
  });
});
