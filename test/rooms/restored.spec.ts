import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { RENUMBERING_STEP } from '../../src/rooms/room.renumbering.js';
import { audit } from '../support/audit.js';
import { backUp, runRestored } from '../support/backup.js';
import { type EventRecorder, listen } from '../support/event.recorder.js';
import { follow, isLive, memory } from '../support/follower.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { Person } from '../support/person.js';
import { createTestDatabase } from '../support/test.database.js';
import { device, range } from '../support/ways.js';

const BEFORE = 5;
const LOST = 5;
const AFTER = 7;
const WITHIN_MS = 120_000;

const isServer = Boolean(process.env.TEST_DATABASE_URL);

/** A backup is restored, after which clients know five events more than the database does, and seven others happen. */
describe('a restored database', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let stray: Person;
  let oldToken: string;
  /** The head of every room after the restore. */
  let floor: number;
  let printed: string;
  let keptOrder: Order;
  const item = () => ({ storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }] });
  const place = async (count: number) => {
    for (const _ of range(count)) await buyer.place(seller);
  };
  const login = async (person: Person) => {
    const at = device(person, hub);
    const { body } = await at.post<{ token: string }>('/auth/login', { userId: person.userId, password: PASSWORD });
    at.token = body.token;
    return at;
  };
  const readyOf = (recorder: EventRecorder) => recorder.at.ready[0]?.rooms.buyer;

  beforeAll(async () => {
    const database = await createTestDatabase();
    hub = await TestHub.start({}, database);
    [seller, buyer] = [await hub.seller([{ stock: 100 }]), await hub.buyer()];
    oldToken = buyer.token;
    await place(BEFORE - 1);
    keptOrder = await buyer.does('order:place', { ...item(), key: 'before' });
    const backup = await backUp(database);
    await place(LOST - 1);
    await buyer.does('order:place', { ...item(), key: 'lost' });
    await buyer.hears(BEFORE + LOST);
    stray = await hub.register('registered-since');
    await stray.deposit(10_000);
    await stray.place(seller);
    await hub.leave();
    await backup.restore();
    printed = (await runRestored(database)).stdout;
    hub = await TestHub.start({}, database);
    floor = RENUMBERING_STEP + BEFORE;
    [seller, buyer] = [await login(seller), await login(buyer)];
    await place(AFTER);
  }, WITHIN_MS);
  afterAll(() => hub.stop());

  test('says in one line what was done', () => {
    expect(printed).toMatch(
      /^The restored database \(\w+\) is ready: 4 rooms go on after event 10000000005, 2 sessions were ended\. Start the hubs now\.\n$/,
    );
  });

  test('tells a client that it missed events, whatever number it comes back with', async () => {
    for (const last of [0, 3, BEFORE, BEFORE + LOST, BEFORE + AFTER, floor - 1, floor + AFTER + 1]) {
      const recorder = await listen(buyer, { buyer: last });
      expect([last, readyOf(recorder)]).toEqual([last, { head: floor + AFTER, complete: false }]);
      expect(recorder.at.events).toEqual([]);
    }
  });

  test('resumes clients of after the restore, and starts others at the head', async () => {
    const fromFloor = await listen(buyer, { buyer: floor });
    expect(readyOf(fromFloor)).toEqual({ head: floor + AFTER, complete: true });
    expect(fromFloor.at.events.map(({ seq }) => seq)).toEqual(range(AFTER).map((index) => floor + 1 + index));
    expect(readyOf(await listen(buyer))).toEqual({ head: floor + AFTER, complete: true });
    const late = await listen(buyer, { buyer: floor + AFTER });
    expect(readyOf(late)).toEqual({ head: floor + AFTER, complete: true });
  });

  test('reads rooms the same way', async () => {
    const read = async (after: number) => {
      const { events, head, complete } = await buyer.does('room:read', { role: 'buyer', after });
      return { first: events[0]?.seq, count: events.length, head, complete };
    };
    const head = floor + AFTER;
    for (const after of [0, BEFORE, BEFORE + LOST]) {
      expect(await read(after)).toEqual({ first: floor + 1, count: AFTER, head, complete: false });
    }
    expect(await read(floor)).toEqual({ first: floor + 1, count: AFTER, head, complete: true });
    expect(await read(head)).toEqual({ first: undefined, count: 0, head, complete: true });
    expect(await read(head + 1)).toEqual({ first: undefined, count: 0, head, complete: false });
  });

  test('has no session of before, neither one that was ended since the backup', async () => {
    const { status } = await new Person(hub, buyer.userId, oldToken).get('/wallet');
    expect(status).toBe(401);
  });

  test('begins the rooms of a user who registers again beyond what was seen', async () => {
    const again = await hub.register('registered-since');
    const returned = await listen(again, { buyer: 1 });
    expect(readyOf(returned)).toEqual({ head: floor, complete: false });
    await again.deposit(10_000);
    await again.place(seller);
    await returned.at.hears(1);
    expect(returned.at.events.map(({ seq }) => seq)).toEqual([floor + 1]);
  });

  test('answers kept keys as before, and executes those that were lost with their effect', async () => {
    const kept = await buyer.send('order:place', { ...item(), key: 'before' });
    expect(kept).toMatchObject({ ok: true, replayed: true, data: { orderId: keptOrder.orderId } });
    const lost = await buyer.send('order:place', { ...item(), key: 'lost' });
    expect(lost).toMatchObject({ ok: true, seq: floor + AFTER + 1 });
    expect(lost.replayed).toBeUndefined();
  });

  test('resets the client library, which then receives what happens', async () => {
    const storage = memory();
    storage.last = { buyer: BEFORE + LOST, seller: 0 };
    const follower = follow(hub.url, buyer, storage);
    await isLive(follower);
    await until('the client was reset', () => follower.resets.length > 0);
    const order = await buyer.place(seller);
    await until('the event is heard', () => follower.events.some(({ orderId }) => orderId === order.orderId));
    expect(follower.events.map(({ seq }) => seq)).toEqual([floor + AFTER + 2]);
    follower.client.close();
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });

  test('may be told twice that it was restored, and refuses while a hub uses its file', async () => {
    const database = await hub.leave();
    expect((await runRestored(database)).stdout).toContain('6 rooms go on after event 200000000');
    // As a new file: this process still shares the memory of the WAL with the old one.
    if (!isServer) await (await backUp(database)).restore();
    hub = await TestHub.start({}, database);
    buyer = await login(buyer);
    const recorder = await listen(buyer, { buyer: floor + AFTER });
    expect(readyOf(recorder)?.complete).toBe(false);
    const telling = runRestored(database);
    if (!isServer) {
      await expect(telling).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^Another hub is using [^\n]+\n$/),
      });
      return;
    }
    // A hub on a server notices.
    await telling;
    await until('its sockets are disconnected', () => recorder.at.socket?.connected === false);
    expect(readyOf(await listen(await login(buyer), { buyer: readyOf(recorder)?.head ?? 0 }))?.complete).toBe(false);
  });
});
