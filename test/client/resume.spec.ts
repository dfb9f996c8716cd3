import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { LastStorage } from '../../src/client/last.storage.js';
import { RoomsService } from '../../src/rooms/rooms.service.js';
import { type Follower, follow, hearsUpTo, isLive, memory } from '../support/follower.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { TcpProxy } from '../support/proxy.js';
import type { EventDrops } from '../support/proxy.streams.js';
import { range } from '../support/ways.js';

const LONG_ENOUGH_TO_PLACE_MS = 300;
const fromTheBeginning: LastStorage = { load: () => ({ buyer: 0, seller: 0 }), save: () => {} };

describe('events through the client library', () => {
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

  /** A page of the buyer's behind the proxy. */
  const page = (storage?: LastStorage) => {
    const follower = follow(proxy.url, buyer, storage);
    open.push(follower);
    return follower;
  };
  const livePage = async (storage?: LastStorage) => {
    const follower = page(storage);
    await isLive(follower);
    return follower;
  };
  const place = (count: number) => Promise.all(range(count).map(() => buyer.place(seller)));
  const upTo = (last: number, after = 0) => range(last - after).map((index) => after + index + 1);
  const write = (sql: string, parameters: unknown[] = []) =>
    hub.database.transaction((tx) => tx.query(sql, parameters));
  const forgetUpTo = (seq: number) =>
    write("DELETE FROM room_events WHERE role = 'buyer' AND user_id = ? AND seq <= ?", [buyer.userId, seq]);

  test('somebody who is here for the first time begins at the present', async () => {
    await place(3);
    const at = await livePage();
    expect(at.client.last).toEqual({ buyer: 3, seller: 0 });
    await place(2);
    expect(await hearsUpTo(at, 'buyer', 5)).toEqual([4, 5]);
    expect(at.states).toEqual(['catching up', 'live']);
    expect(at.missed).toEqual([0]);
    expect(at.ready).toMatchObject([{ userId: buyer.userId, rooms: { buyer: { head: 3, complete: true } } }]);
  });

  test('who begins at the present hears of what it does itself, however early it does it', async () => {
    // The hub is slow to find out where the present is: what is done meanwhile would lie before it.
    const rooms = hub.hub.app.get(RoomsService);
    const heads = rooms.heads;
    const found = new EventEmitter();
    rooms.heads = async (userId) => {
      await once(found, 'now');
      return heads.call(rooms, userId);
    };
    const at = page();
    const placing = at.client.place({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });
    await until('the hub is asked', () => found.listenerCount('now') > 0);
    await Promise.race([placing, sleep(LONG_ENOUGH_TO_PLACE_MS)]);
    rooms.heads = heads;
    found.emit('now');
    const { orderId } = await placing;
    expect(await hearsUpTo(at, 'buyer', 1)).toEqual([1]);
    expect(at.events[0]?.orderId).toBe(orderId);
  });

  test('a page that is closed while it hears what it has missed has heard no more than it has been told', async () => {
    await place(3);
    const storage = memory();
    storage.save({ buyer: 0, seller: 0 });
    // Lost on the way, they are read together.
    drops.left = 3;
    const at = page(storage);
    at.client.on('order', ({ seq }) => seq === 2 && at.client.close());
    const after: number[] = [];
    at.client.on('order', ({ seq }) => after.push(seq));
    await until('it was closed', () => at.events.length > 0 && at.client.state === 'offline');
    expect([at.events.map(({ seq }) => seq), after]).toEqual([[1, 2], [1]]);
    expect((await livePage(storage)).events.map(({ seq }) => seq)).toEqual([3]);
  });

  test('after a break everything is heard once, in order, and it is told how much came in meanwhile', async () => {
    const at = await livePage();
    await place(2);
    await hearsUpTo(at, 'buyer', 2);
    for (const missed of [5, 2]) {
      await proxy.close();
      await until('the page is offline', () => at.client.state === 'offline');
      await place(missed);
      await proxy.open();
      await isLive(at);
    }
    expect(at.events.map(({ seq }) => seq)).toEqual(upTo(9));
    expect(at.missed).toEqual([0, 5, 2]);
    const again = ['offline', 'catching up', 'live'];
    expect(at.states).toEqual(['catching up', 'live', ...again, ...again]);
    await place(1);
    expect(await hearsUpTo(at, 'buyer', 10)).toEqual(upTo(10));
    expect(at.resets).toEqual([]);
  });

  test('cut again and again while things happen, it hears each change once', async () => {
    const at = await livePage();
    for (const _ of range(5)) {
      await place(8);
      proxy.cutAll();
      await place(2);
    }
    expect(await hearsUpTo(at, 'buyer', 50)).toEqual(upTo(50));
  });

  test('a page that is loaded anew goes on where the last one stood', async () => {
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

  test('an event is stored when its listeners have run: a page that dies in one hears it again', async () => {
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

  test('who has stopped listening hears nothing more', async () => {
    const at = await livePage();
    let heard = 0;
    const stop = at.client.on('order', () => heard++);
    await place(1);
    await hearsUpTo(at, 'buyer', 1);
    stop();
    await place(1);
    await hearsUpTo(at, 'buyer', 2);
    expect(heard).toBe(1);
  });

  test('an event that was lost on the way is noticed at the next one, and read before it', async () => {
    const at = await livePage();
    await place(1);
    await hearsUpTo(at, 'buyer', 1);
    drops.left = 2;
    await place(2);
    await until('two events were lost', () => drops.left === 0);
    await place(1);
    expect(await hearsUpTo(at, 'buyer', 4)).toEqual(upTo(4));
    await isLive(at);
    expect(at.states).toEqual(['catching up', 'live', 'catching up', 'live']);
    expect(at.missed).toEqual([0, 3]);
  });

  test('more than a page of events can be lost, also of those that it had missed', async () => {
    await place(150);
    drops.left = 150;
    const at = await livePage(fromTheBeginning);
    expect(drops.left).toBe(0);
    expect(at.events.map(({ seq }) => seq)).toEqual(upTo(150));
    expect(at.missed).toEqual([150]);
  });

  test('where events are no longer kept, it is told to read the lists anew, and goes on from the head', async () => {
    await place(4);
    await forgetUpTo(2);
    const storage = memory();
    storage.save({ buyer: 1, seller: 0 });
    const at = await livePage(storage);
    expect([at.resets, at.events, at.client.last.buyer]).toEqual([['buyer'], [], 4]);
    expect(storage.last?.buyer).toBe(4);
    await place(1);
    expect(await hearsUpTo(at, 'buyer', 5)).toEqual([5]);
  });

  test('events that were lost on the way and are no longer kept are told as such', async () => {
    const at = await livePage();
    await place(1);
    await hearsUpTo(at, 'buyer', 1);
    drops.left = 2;
    await place(2);
    await until('two events were lost', () => drops.left === 0);
    await forgetUpTo(2);
    await place(1);
    expect(await hearsUpTo(at, 'buyer', 4)).toEqual([1, 3, 4]);
    expect(at.resets).toEqual(['buyer']);
  });

  test('a number beyond the head, of a database that was set back, is told as a reset too', async () => {
    await place(1);
    const at = await livePage({ load: () => ({ buyer: 9, seller: 9 }), save: () => {} });
    expect([at.resets, at.client.last]).toEqual([['buyer', 'seller'], { buyer: 1, seller: 0 }]);
    await place(1);
    expect(await hearsUpTo(at, 'buyer', 2)).toEqual([2]);
  });

  test('two pages of one user hear the same, each once', async () => {
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

  test('a seller hears when a book runs low', async () => {
    const shop = await hub.seller([{ stock: 6 }]);
    const at = follow(proxy.url, shop);
    open.push(at);
    await isLive(at);
    await buyer.place(shop, [{ bookId: 'book-1', count: 2 }]);
    await until('it is told', () => at.stock.length > 0);
    expect(at.stock).toMatchObject([{ storeId: shop.storeId, bookId: 'book-1', stock: 4 }]);
  });

  test('cut by the hub itself, it comes back by itself', async () => {
    await place(2);
    // The hub cannot read what this page has missed, and cuts it.
    await write('ALTER TABLE room_events RENAME TO lost_events');
    const at = page(fromTheBeginning);
    await until('it was cut', () => at.states.includes('offline'));
    await write('ALTER TABLE lost_events RENAME TO room_events');
    await isLive(at);
    expect(at.events.map(({ seq }) => seq)).toEqual([1, 2]);
  });
});
