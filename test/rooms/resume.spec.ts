import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from '../support/audit.js';
import { type EventRecorder, inShort, listen } from '../support/event.recorder.js';
import { TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { range } from '../support/ways.js';

/** `seller 4`, `seller 5` …, as `inShort` abbreviates events. */
function events(role: 'buyer' | 'seller', first: number, last: number): string[] {
  return range(last - first + 1).map((index) => `${role} ${first + index}`);
}

describe('a resumed socket', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  beforeAll(async () => {
    hub = await TestHub.start();
    seller = await hub.seller([{ stock: 1_000_000 }]);
    buyer = await (await hub.buyer()).connect();
  });
  afterAll(() => hub.stop());

  /** Places orders concurrently, and returns the head of the seller's room. */
  const place = async (count: number, by = buyer, from = seller) => {
    await Promise.all(range(count).map(() => by.place(from)));
    return (await from.get<{ head: number }>('/rooms/seller/events?after=0')).body.head;
  };
  const receivesAtLeast = (recorder: EventRecorder, count: number) =>
    until(`${recorder.at.userId} receives ${count} messages`, () => recorder.heard.length >= count);

  test('without last starts at the head, which room:ready names', async () => {
    const head = await place(3);
    const recorder = await listen(seller);
    expect(recorder.heard).toEqual([
      {
        name: 'room:ready',
        payload: {
          userId: seller.userId,
          rooms: { buyer: { head: 0, complete: true }, seller: { head, complete: true } },
          currency: 'CNY',
          serverTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        },
      },
    ]);
    await place(2);
    await receivesAtLeast(recorder, 3);
    expect(inShort(recorder)).toEqual(['room:ready', ...events('seller', head + 1, head + 2)]);
  });

  test('with last receives what it missed, in order, then room:ready, then live events', async () => {
    const head = await place(5);
    const recorder = await listen(seller, { seller: head - 4, buyer: 0 });
    expect(inShort(recorder)).toEqual([...events('seller', head - 3, head), 'room:ready']);
    expect(recorder.at.ready[0]?.rooms).toEqual({
      buyer: { head: 0, complete: true },
      seller: { head, complete: true },
    });
    await place(2);
    await receivesAtLeast(recorder, 7);
    expect(inShort(recorder).slice(4)).toEqual(['room:ready', ...events('seller', head + 1, head + 2)]);
  });

  test('receives events exactly as they were first pushed', async () => {
    const live = await listen(seller);
    const head = (live.at.ready[0]?.rooms.seller?.head ?? 0) + 4;
    await place(4);
    const first = await live.at.hears(4);
    const again = await listen(seller, { seller: head - 4 });
    expect(again.at.events).toEqual(first);
  });

  test('at the head receives no event again', async () => {
    const head = await place(1);
    const recorder = await listen(seller, { seller: head, buyer: 0 });
    expect(inShort(recorder)).toEqual(['room:ready']);
    expect(recorder.at.ready[0]?.rooms.seller).toEqual({ head, complete: true });
  });

  test('whose last names one room starts at the head of the other', async () => {
    const trader = await hub.seller([{ stock: 1_000 }]);
    await trader.connect();
    await place(3, buyer, trader);
    await place(3, trader, seller);
    const ofSeller = await listen(trader, { seller: 1 });
    expect(inShort(ofSeller)).toEqual(['seller 2', 'seller 3', 'room:ready']);
    const ofBuyer = await listen(trader, { buyer: 0 });
    expect(inShort(ofBuyer)).toEqual(['buyer 1', 'buyer 2', 'buyer 3', 'room:ready']);
    const ofNeither = await listen(trader, {});
    expect(inShort(ofNeither)).toEqual(['room:ready']);
    for (const { at } of [ofSeller, ofBuyer, ofNeither]) {
      expect(at.ready[0]?.rooms).toEqual({ buyer: { head: 3, complete: true }, seller: { head: 3, complete: true } });
    }
  });

  test('with last beyond the head is not complete and starts at the head', async () => {
    const head = await place(2);
    const recorder = await listen(seller, { seller: head + 5, buyer: 1 });
    expect(inShort(recorder)).toEqual(['room:ready']);
    expect(recorder.at.ready[0]?.rooms).toEqual({
      buyer: { head: 0, complete: false },
      seller: { head, complete: false },
    });
    await place(2);
    await receivesAtLeast(recorder, 3);
    expect(inShort(recorder)).toEqual(['room:ready', ...events('seller', head + 1, head + 2)]);
  });

  test.each<[string, unknown]>([
    ['negative', { seller: -1 }],
    ['fractional', { seller: 1.5 }],
    ['a string', { seller: '1' }],
    ['null', { seller: null }],
    ['of an unknown room', { hub: 1 }],
    ['not an object', 7],
  ])('is rejected with BAD_MESSAGE when last is %s', async (_, last) => {
    await expect(listen(seller, last as { seller: number })).rejects.toMatchObject({
      message: 'BAD_MESSAGE',
      data: { code: 'BAD_MESSAGE', retryable: false },
    });
  });

  test('is rejected for a bad token before a bad last', async () => {
    const stranger = await hub.person();
    stranger.token = 'x'.repeat(43);
    await expect(listen(stranger, { seller: -1 })).rejects.toMatchObject({
      message: 'UNAUTHENTICATED',
      data: { code: 'UNAUTHENTICATED', retryable: false },
    });
  });

  test('receives more than 300 missed events in order, each once', async () => {
    const busy = await hub.seller([{ stock: 1_000 }]);
    const head = await place(350, buyer, busy);
    expect(head).toBe(350);
    const recorder = await listen(busy, { seller: 0 });
    expect(inShort(recorder)).toEqual([...events('seller', 1, 350), 'room:ready']);
    const rest = await listen(busy, { seller: 49 });
    expect(inShort(rest)).toEqual([...events('seller', 50, 350), 'room:ready']);
  });

  test('receives each event committed during its replay once', async () => {
    const busy = await hub.seller([{ stock: 100_000 }]);
    const arrivals: EventRecorder[] = [];
    let open = true;
    const commands = (async () => {
      for (let orders = 0; open || orders < 80; orders += 8) {
        const placed = await Promise.all(range(8).map(() => buyer.place(busy)));
        await Promise.all(placed.map(({ orderId }) => buyer.does('order:cancel', { orderId })));
      }
    })();
    for (const round of range(24)) {
      const known = arrivals.at(-1)?.at.events.length ?? 0;
      // From the beginning, or from some point in between.
      const after = round % 3 === 2 ? known : 0;
      arrivals.push(...(await Promise.all(range(2).map(() => listen(busy, { buyer: 0, seller: after })))));
      await sleep(round % 5);
    }
    open = false;
    await commands;
    // One more, so that even the last socket receives an event.
    const head = await place(1, buyer, busy);
    for (const recorder of arrivals) {
      await until(`all ${head} events are received`, () => (recorder.at.events.at(-1)?.seq ?? 0) >= head);
      const first = recorder.at.events[0]?.seq ?? 0;
      const received = inShort(recorder);
      expect(received.filter((name) => name !== 'room:ready')).toEqual(events('seller', first, head));
      // The replay ends at the head that room:ready names.
      const ready = received.indexOf('room:ready');
      expect(ready).toBe((recorder.at.ready[0]?.rooms.seller?.head ?? 0) - first + 1);
      expect(recorder.at.ready).toHaveLength(1);
      recorder.at.disconnect();
    }
    expect(arrivals.filter(({ at }) => at.events[0]?.seq === 1).length).toBeGreaterThanOrEqual(32);
  });

  test('receives each event once over many reconnections', async () => {
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

  test('continues its room after a restart of the hub', async () => {
    const shop = await hub.seller([{ stock: 100 }]);
    await place(3, buyer, shop);
    const recorder = await listen(shop);
    expect(recorder.at.ready[0]?.rooms.seller?.head).toBe(3);
    hub = await hub.restart();
    const again = await listen(shop, { seller: 1 }, hub);
    expect(inShort(again)).toEqual(['seller 2', 'seller 3', 'room:ready']);
    const reconnected = (await listen(buyer, undefined, hub)).at;
    await reconnected.place(shop);
    await receivesAtLeast(again, 4);
    expect(inShort(again).at(-1)).toBe('seller 4');
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });

  describe('after old events were deleted', () => {
    let shop: Person;
    let customer: Person;

    beforeAll(async () => {
      // Named explicitly: a restarted hub's generated names start over.
      shop = await hub.seller([{ stock: 100 }], 'purged-seller');
      customer = await (await hub.buyer(0, 'purged-buyer')).connect();
      await place(10, customer, shop);
      await hub.database.transaction((tx) =>
        tx.query("DELETE FROM room_events WHERE role = 'seller' AND user_id = ? AND seq <= 5", [shop.userId]),
      );
    });

    const head = async () => (await shop.get<{ head: number }>('/rooms/seller/events?after=0')).body.head;

    test.each([0, 1, 4])('is not complete with last %d, and starts at the head', async (last) => {
      const before = await head();
      const recorder = await listen(shop, { seller: last });
      expect(inShort(recorder)).toEqual(['room:ready']);
      expect(recorder.at.ready[0]?.rooms).toEqual({
        buyer: { head: 0, complete: true },
        seller: { head: before, complete: false },
      });
      await customer.place(shop);
      await receivesAtLeast(recorder, 2);
      expect(inShort(recorder)).toEqual(['room:ready', `seller ${before + 1}`]);
      recorder.at.disconnect();
    });

    test('is complete with last at or after the deleted events', async () => {
      const before = await head();
      for (const last of [5, 8]) {
        const recorder = await listen(shop, { seller: last });
        expect(inShort(recorder)).toEqual([...events('seller', last + 1, before), 'room:ready']);
        expect(recorder.at.ready[0]?.rooms.seller).toEqual({ head: before, complete: true });
      }
    });

    test('room:read reports whether events after a number are missing', async () => {
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

    test('an emptied room keeps its head', async () => {
      const before = await head();
      await hub.database.transaction((tx) =>
        tx.query("DELETE FROM room_events WHERE role = 'seller' AND user_id = ?", [shop.userId]),
      );
      const missed = await listen(shop, { seller: before - 1 });
      expect(missed.at.ready[0]?.rooms.seller).toEqual({ head: before, complete: false });
      const current = await listen(shop, { seller: before });
      expect(current.at.ready[0]?.rooms.seller).toEqual({ head: before, complete: true });
      await customer.place(shop);
      for (const recorder of [missed, current]) {
        await receivesAtLeast(recorder, 2);
        expect(inShort(recorder)).toEqual(['room:ready', `seller ${before + 1}`]);
      }
      expect(await shop.does('room:read', { role: 'seller', after: before - 1 })).toMatchObject({
        head: before + 1,
        complete: false,
      });
    });
  });
});
