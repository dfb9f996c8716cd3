import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { type Ear, inShort, listen } from '../support/ear.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';

/** `seller 4`, `seller 5` … as an ear tells them. */
function events(role: 'buyer' | 'seller', first: number, last: number): string[] {
  return range(last - first + 1).map((index) => `${role} ${first + index}`);
}

describe('sockets that come back', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  const ears: Ear[] = [];

  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: 1_000_000 }]);
    buyer = await (await hub.buyer()).connect();
  });
  afterAll(() => hub.stop());

  const hear = async (person: Person, last?: { buyer?: number; seller?: number }) => {
    const ear = await listen(person, last);
    ears.push(ear);
    return ear;
  };
  /** Orders that were placed, so many; gives the head of the seller's room after them. */
  const place = async (count: number, by = buyer, from = seller) => {
    await Promise.all(range(count).map(() => by.place(from)));
    return (await from.get<{ head: number }>('/rooms/seller/events?after=0')).body.head;
  };
  const heardAtLeast = (ear: Ear, count: number) =>
    until(`${ear.at.userId} hears ${count} messages`, () => ear.heard.length >= count);

  test('a socket that gives no last starts at the head, and says where that is', async () => {
    const head = await place(3);
    const ear = await hear(seller);
    expect(ear.heard).toEqual([
      {
        name: 'room:ready',
        payload: {
          userId: seller.userId,
          rooms: { buyer: { head: 0, complete: true }, seller: { head, complete: true } },
          serverTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        },
      },
    ]);
    await place(2);
    await heardAtLeast(ear, 3);
    expect(inShort(ear)).toEqual(['room:ready', ...events('seller', head + 1, head + 2)]);
  });

  test('a socket that gives its last gets just what it missed, in order, then room:ready, then what happens', async () => {
    const head = await place(5);
    const ear = await hear(seller, { seller: head - 4, buyer: 0 });
    expect(inShort(ear)).toEqual([...events('seller', head - 3, head), 'room:ready']);
    expect(ear.at.ready[0]?.rooms).toEqual({
      buyer: { head: 0, complete: true },
      seller: { head, complete: true },
    });
    await place(2);
    await heardAtLeast(ear, 7);
    expect(inShort(ear).slice(4)).toEqual(['room:ready', ...events('seller', head + 1, head + 2)]);
  });

  test('what is told again is what was told first', async () => {
    const live = await hear(seller);
    const head = (live.at.ready[0]?.rooms.seller.head ?? 0) + 4;
    await place(4);
    const first = await live.at.hears(4);
    const again = await hear(seller, { seller: head - 4 });
    expect(again.at.events).toEqual(first);
  });

  test('a socket that missed nothing gets nothing again', async () => {
    const head = await place(1);
    const ear = await hear(seller, { seller: head, buyer: 0 });
    expect(inShort(ear)).toEqual(['room:ready']);
    expect(ear.at.ready[0]?.rooms.seller).toEqual({ head, complete: true });
  });

  test('where last names one room only, the other starts at its head', async () => {
    const trader = await hub.seller([{ stock: 1_000 }]);
    await trader.connect();
    await place(3, buyer, trader);
    await place(3, trader, seller);
    const ofSeller = await hear(trader, { seller: 1 });
    expect(inShort(ofSeller)).toEqual(['seller 2', 'seller 3', 'room:ready']);
    const ofBuyer = await hear(trader, { buyer: 0 });
    expect(inShort(ofBuyer)).toEqual(['buyer 1', 'buyer 2', 'buyer 3', 'room:ready']);
    const ofNeither = await hear(trader, {});
    expect(inShort(ofNeither)).toEqual(['room:ready']);
    for (const { at } of [ofSeller, ofBuyer, ofNeither]) {
      expect(at.ready[0]?.rooms).toEqual({ buyer: { head: 3, complete: true }, seller: { head: 3, complete: true } });
    }
  });

  test('a last beyond the head is not complete, and the socket starts at the head', async () => {
    const head = await place(2);
    const ear = await hear(seller, { seller: head + 5, buyer: 1 });
    expect(inShort(ear)).toEqual(['room:ready']);
    expect(ear.at.ready[0]?.rooms).toEqual({
      buyer: { head: 0, complete: false },
      seller: { head, complete: false },
    });
    await place(2);
    await heardAtLeast(ear, 3);
    expect(inShort(ear)).toEqual(['room:ready', ...events('seller', head + 1, head + 2)]);
  });

  test.each<[string, unknown]>([
    ['a number below zero', { seller: -1 }],
    ['a number that is not whole', { seller: 1.5 }],
    ['a text', { seller: '1' }],
    ['null', { seller: null }],
    ['a room that there is not', { hub: 1 }],
    ['no object', 7],
  ])('a last that is %s refuses the connection', async (_, last) => {
    const refused = await listen(seller, last as { seller: number }).then(
      () => undefined,
      (error: unknown) => error,
    );
    // What a client gives that does not keep to the types is told as any other fault of a message.
    expect(refused).toMatchObject({ message: 'BAD_MESSAGE', data: { code: 'BAD_MESSAGE', retryable: false } });
  });

  test('a bad token is told before a bad last', async () => {
    const stranger = await hub.person();
    stranger.token = 'x'.repeat(43);
    const refused = await listen(stranger, { seller: -1 }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ message: 'UNAUTHENTICATED', data: { code: 'UNAUTHENTICATED', retryable: false } });
  });

  test('more than three hundred missed events come in one go, in order and once', async () => {
    const busy = await hub.seller([{ stock: 1_000 }]);
    const head = await place(350, buyer, busy);
    expect(head).toBe(350);
    const ear = await hear(busy, { seller: 0 });
    expect(inShort(ear)).toEqual([...events('seller', 1, 350), 'room:ready']);
    const rest = await hear(busy, { seller: 49 });
    expect(inShort(rest)).toEqual([...events('seller', 50, 350), 'room:ready']);
  });

  test('what is committed while a socket is brought up to date is neither lost nor told twice', async () => {
    const busy = await hub.seller([{ stock: 100_000 }]);
    const arrivals: Ear[] = [];
    let open = true;
    const commands = (async () => {
      for (let orders = 0; open || orders < 80; orders += 8) {
        const placed = await Promise.all(range(8).map(() => buyer.place(busy)));
        await Promise.all(placed.map(({ orderId }) => buyer.does('order:cancel', { orderId })));
      }
    })();
    for (const round of range(24)) {
      const known = arrivals.at(-1)?.at.events.length ?? 0;
      // All from the beginning, or from somewhere on the way.
      const after = round % 3 === 2 ? known : 0;
      arrivals.push(...(await Promise.all(range(2).map(() => listen(busy, { buyer: 0, seller: after })))));
      await sleep(round % 5);
    }
    open = false;
    await commands;
    // One more, so that even the last to arrive has something to hear.
    const head = await place(1, buyer, busy);
    for (const ear of arrivals) {
      await until(`all ${head} events are heard`, () => (ear.at.events.at(-1)?.seq ?? 0) >= head);
      const first = ear.at.events[0]?.seq ?? 0;
      const heard = inShort(ear);
      expect(heard.filter((name) => name !== 'room:ready')).toEqual(events('seller', first, head));
      // Up to the head that room:ready names came the replay; what came after it is later.
      const ready = heard.indexOf('room:ready');
      expect(ready).toBe((ear.at.ready[0]?.rooms.seller.head ?? 0) - first + 1);
      expect(ear.at.ready).toHaveLength(1);
      ear.at.disconnect();
    }
    expect(arrivals.filter(({ at }) => at.events[0]?.seq === 1).length).toBeGreaterThanOrEqual(32);
  });

  test('a client that comes and goes with its last hears each event once', async () => {
    const busy = await hub.seller([{ stock: 100_000 }]);
    let open = true;
    const commands = (async () => {
      for (let orders = 0; open || orders < 30; orders += 3) {
        await Promise.all(range(3).map(() => buyer.place(busy)));
      }
    })();
    const seqs: number[] = [];
    for (const round of range(25)) {
      const { at } = await listen(busy, { seller: seqs.at(-1) ?? 0 });
      await sleep(round % 7);
      at.disconnect();
      seqs.push(...at.events.map(({ seq }) => seq));
    }
    open = false;
    await commands;
    const { at } = await listen(busy, { seller: seqs.at(-1) ?? 0 });
    seqs.push(...at.events.map(({ seq }) => seq));
    const { head } = (await busy.get<{ head: number }>('/rooms/seller/events?after=0')).body;
    expect(seqs).toEqual(range(head).map((index) => index + 1));
  });

  test('a hub that was started anew goes on where the room stood', async () => {
    const shop = await hub.seller([{ stock: 100 }]);
    await place(3, buyer, shop);
    const ear = await listen(shop);
    expect(ear.at.ready[0]?.rooms.seller.head).toBe(3);
    hub = await hub.restart();
    const again = await listen(shop, { seller: 1 }, hub);
    expect(inShort(again)).toEqual(['seller 2', 'seller 3', 'room:ready']);
    const back = (await listen(buyer, undefined, hub)).at;
    await back.place(shop);
    await heardAtLeast(again, 4);
    expect(inShort(again).at(-1)).toBe('seller 4');
  });

  test('after all this the books balance', async () => {
    expect(await audit(hub)).toEqual([]);
  });

  describe('when old events are no longer kept', () => {
    let shop: Person;
    let customer: Person;

    beforeAll(async () => {
      // Named by hand: the names that a hub gives begin anew when it does.
      shop = await hub.seller([{ stock: 100 }], 'forgetful-seller');
      customer = await (await hub.buyer(0, 'forgotten-buyer')).connect();
      await place(10, customer, shop);
      await hub.database.transaction((tx) =>
        tx.query("DELETE FROM room_events WHERE role = 'seller' AND user_id = ? AND seq <= 5", [shop.userId]),
      );
    });

    const head = async () => (await shop.get<{ head: number }>('/rooms/seller/events?after=0')).body.head;

    test.each([0, 1, 4])(
      'a socket whose last is %d is told that it missed some, and starts at the head',
      async (last) => {
        const before = await head();
        const ear = await listen(shop, { seller: last });
        expect(inShort(ear)).toEqual(['room:ready']);
        expect(ear.at.ready[0]?.rooms).toEqual({
          buyer: { head: 0, complete: true },
          seller: { head: before, complete: false },
        });
        await customer.place(shop);
        await heardAtLeast(ear, 2);
        expect(inShort(ear)).toEqual(['room:ready', `seller ${before + 1}`]);
        ear.at.disconnect();
      },
    );

    test('a socket that has seen all that is gone gets the rest', async () => {
      const before = await head();
      for (const last of [5, 8]) {
        const ear = await listen(shop, { seller: last });
        expect(inShort(ear)).toEqual([...events('seller', last + 1, before), 'room:ready']);
        expect(ear.at.ready[0]?.rooms.seller).toEqual({ head: before, complete: true });
      }
    });

    test('room:read says whether something is missing after the number that it is given', async () => {
      const before = await head();
      const read = (after: number) => shop.does('room:read', { role: 'seller', after, limit: 2 });
      for (const after of [0, 4]) {
        expect(await read(after)).toMatchObject({ head: before, complete: false });
      }
      const rest = await read(5);
      expect(rest).toMatchObject({ head: before, complete: true });
      expect(rest.events.map(({ seq }) => seq)).toEqual([6, 7]);
      expect(await read(before)).toEqual({ events: [], head: before, complete: true });
    });

    test('a room of which nothing is kept has its head all the same', async () => {
      const before = await head();
      await hub.database.transaction((tx) =>
        tx.query("DELETE FROM room_events WHERE role = 'seller' AND user_id = ?", [shop.userId]),
      );
      const missed = await listen(shop, { seller: before - 1 });
      expect(missed.at.ready[0]?.rooms.seller).toEqual({ head: before, complete: false });
      const current = await listen(shop, { seller: before });
      expect(current.at.ready[0]?.rooms.seller).toEqual({ head: before, complete: true });
      await customer.place(shop);
      for (const ear of [missed, current]) {
        await heardAtLeast(ear, 2);
        expect(inShort(ear)).toEqual(['room:ready', `seller ${before + 1}`]);
      }
      expect(await shop.does('room:read', { role: 'seller', after: before - 1 })).toMatchObject({
        head: before + 1,
        complete: false,
      });
    });
  });
});
