import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderWithTimeline } from '../../src/contract/orders.js';
import { audit } from '../support/audit.js';
import { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { dataOf, device, overHttp, range } from '../support/ways.js';

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('live rooms', () => {
  let hub: TestHub;

  beforeAll(async () => {
    hub = await TestHub.start();
  });
  afterAll(() => hub.stop());

  const pair = async () => {
    const [seller, buyer] = [await hub.seller([{ stock: 1_000 }]), await hub.buyer()];
    await Promise.all([seller.connect(), buyer.connect()]);
    return { seller, buyer };
  };

  test('push each party the events of its own orders only', async () => {
    const [one, other] = [await pair(), await pair()];
    const deals = [
      { buyer: one.buyer, seller: one.seller },
      { buyer: one.buyer, seller: other.seller },
      { buyer: other.buyer, seller: one.seller },
      { buyer: other.buyer, seller: other.seller },
    ];
    const orders = await Promise.all(
      deals.map(async ({ buyer, seller }) => {
        const { orderId } = await buyer.place(seller);
        await buyer.does('order:pay', { orderId });
        await seller.does('order:ship', { orderId });
        await buyer.does('order:receive', { orderId });
        return { orderId, buyer, seller };
      }),
    );
    for (const person of [one.buyer, one.seller, other.buyer, other.seller]) {
      const events = await person.hears(8);
      expect(events.map(({ seq }) => seq)).toEqual(range(8).map((index) => index + 1));
      const role = person.storeId ? 'seller' : 'buyer';
      expect(events.every((event) => event.role === role)).toBe(true);
      const own = orders.filter(({ buyer, seller }) => buyer === person || seller === person);
      expect(new Set(events.map(({ orderId }) => orderId))).toEqual(new Set(own.map(({ orderId }) => orderId)));
      for (const { orderId } of own) {
        const versions = events.filter((event) => event.orderId === orderId).map(({ version }) => version);
        expect(versions).toEqual([1, 2, 3, 4]);
      }
    }
  });

  test('number the buyer and the seller room of one user separately', async () => {
    const { seller: trader, buyer } = await pair();
    const shop = await hub.seller();
    await trader.place(shop);
    await buyer.place(trader);
    await buyer.place(trader);
    await trader.place(shop);
    const events = await trader.hears(4);
    expect(events.map(({ role, seq }) => `${role} ${seq}`)).toEqual(['buyer 1', 'seller 1', 'seller 2', 'buyer 2']);
    expect(events[1]).toMatchObject({ sellerId: trader.userId, buyerId: buyer.userId });
    expect(events[0]).toMatchObject({ sellerId: shop.userId, buyerId: trader.userId });
  });

  test('push an event only once its change can be read', async () => {
    const { seller, buyer } = await pair();
    const checks: Promise<{ pushed: number; read: number }>[] = [];
    for (const person of [seller, buyer]) {
      person.socket?.on('order:status', ({ orderId, version }) => {
        const reads = [
          person.get<OrderWithTimeline>(`/orders/${orderId}`).then(({ body }) => body),
          person.does('order:get', { orderId }),
        ];
        checks.push(...reads.map(async (reading) => ({ pushed: version, read: (await reading).version })));
      });
    }
    await Promise.all(
      range(12).map(async () => {
        const { orderId } = await buyer.place(seller);
        await buyer.does('order:pay', { orderId });
        await seller.does('order:ship', { orderId });
      }),
    );
    await Promise.all([seller.hears(36), buyer.hears(36)]);
    const checked = await Promise.all(checks);
    expect(checked).toHaveLength(144);
    expect(checked.filter(({ pushed, read }) => read < pushed)).toEqual([]);
  });

  test('push every event to every device of a user, in the same order', async () => {
    const { seller, buyer } = await pair();
    const polling = await device(buyer).connect({ transports: ['polling'] });
    const devices = [buyer, await device(buyer).connect(), polling];
    await Promise.all(range(20).map((index) => (devices[index % 3] ?? buyer).place(seller)));
    const [first, ...others] = await Promise.all(devices.map((at) => at.hears(20)));
    expect(first?.map(({ seq }) => seq)).toEqual(range(20).map((index) => index + 1));
    for (const events of others) expect(events).toEqual(first);
  });

  test('keep pushing to the other devices when one disconnects', async () => {
    const { seller, buyer } = await pair();
    const leaving = await device(buyer).connect();
    await buyer.place(seller);
    await leaving.hears(1);
    leaving.disconnect();
    await buyer.place(seller);
    expect((await buyer.hears(2)).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(leaving.events).toHaveLength(1);
  });

  test('answer a command with the seq of its event in the sender’s room', async () => {
    const { seller, buyer } = await pair();
    // Makes the seller's numbers differ from the buyer's.
    const other = await hub.buyer();
    await other.connect();
    for (const _ of range(3)) await other.place(seller);
    const placed = await buyer.send('order:place', {
      storeId: seller.storeId,
      items: [{ bookId: 'book-1', count: 1 }],
    });
    const { orderId } = dataOf(placed);
    const paid = await overHttp(buyer, 'order:pay', { orderId });
    const shipped = await seller.send('order:ship', { orderId });
    const received = await buyer.send('order:receive', { orderId });
    const second = await buyer.place(seller);
    const cancelled = await overHttp(seller, 'order:cancel', { orderId: second.orderId });
    const seqOf = (person: Person, id: string, status: string) =>
      person.events.find((event) => event.orderId === id && event.status === status)?.seq;
    await Promise.all([buyer.hears(6), seller.hears(9)]);
    const seqs = [placed, paid, shipped, received, cancelled].map((answer) => answer.ok && answer.seq);
    expect(seqs).toEqual([
      seqOf(buyer, orderId, 'placed'),
      seqOf(buyer, orderId, 'paid'),
      seqOf(seller, orderId, 'shipped'),
      seqOf(buyer, orderId, 'received'),
      seqOf(seller, second.orderId, 'cancelled'),
    ]);
    expect(seqs).toEqual([1, 2, 6, 4, 9]);
  });

  test('push nothing for a rejected command, whose answer has no seq', async () => {
    const { seller, buyer } = await pair();
    const { orderId } = await buyer.place(seller);
    const rejected = await seller.send('order:ship', { orderId });
    expect(rejected).not.toHaveProperty('seq');
    await buyer.isRefused('order:place', { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1_000_000 }] });
    await buyer.does('order:pay', { orderId });
    for (const person of [buyer, seller]) {
      expect((await person.hears(2)).map(({ seq, status }) => [seq, status])).toEqual([
        [1, 'placed'],
        [2, 'paid'],
      ]);
    }
  });

  test('push no second event for a replayed answer', async () => {
    const { seller, buyer } = await pair();
    const message = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: 'once' };
    for (const _ of range(3)) await buyer.send('order:place', message);
    await buyer.place(seller);
    for (const person of [buyer, seller]) {
      const events = await person.hears(2);
      expect(events.map(({ seq }) => seq)).toEqual([1, 2]);
      expect(new Set(events.map(({ orderId }) => orderId)).size).toBe(2);
    }
  });

  describe('push order:status', () => {
    let seller: Person;
    let buyer: Person;

    beforeAll(async () => {
      ({ seller, buyer } = await pair());
    });

    /** Checks both parties' latest event: these fields and those common to all events of the order. */
    async function expectLast(orderId: string, fields: Record<string, unknown>): Promise<void> {
      const { version } = await buyer.does('order:get', { orderId });
      for (const [role, person] of [
        ['buyer', buyer],
        ['seller', seller],
      ] as const) {
        const seq = (await person.does('room:read', { role, after: 0, limit: 1 })).head;
        await person.hears(seq);
        expect(person.events[seq - 1]).toStrictEqual({
          role,
          seq,
          orderId,
          version,
          storeId: seller.storeId,
          buyerId: buyer.userId,
          sellerId: seller.userId,
          total: 1_000,
          at: expect.stringMatching(TIMESTAMP),
          ...fields,
        });
      }
    }

    test('with exactly the fields of the contract', async () => {
      const { orderId, placedAt } = await buyer.place(seller);
      await expectLast(orderId, { status: 'placed', previous: null, command: 'place', by: buyer.userId, at: placedAt });
      await buyer.does('order:pay', { orderId });
      await expectLast(orderId, { status: 'paid', previous: 'placed', command: 'pay', by: buyer.userId });
      await seller.does('order:ship', { orderId, carrier: '顺丰', trackingNo: 'SF-1' });
      const shipping = { carrier: '顺丰', trackingNo: 'SF-1' };
      await expectLast(orderId, {
        status: 'shipped',
        previous: 'paid',
        command: 'ship',
        by: seller.userId,
        ...shipping,
      });
      const { receivedAt } = await buyer.does('order:receive', { orderId });
      const received = {
        status: 'received',
        previous: 'shipped',
        command: 'receive',
        by: buyer.userId,
        at: receivedAt,
      };
      await expectLast(orderId, { ...received, ...shipping });
    });

    test('without optional fields that were not set', async () => {
      const { orderId } = await buyer.place(seller);
      await buyer.does('order:pay', { orderId });
      await seller.does('order:ship', { orderId, carrier: 'Post' });
      await expectLast(orderId, {
        status: 'shipped',
        previous: 'paid',
        command: 'ship',
        by: seller.userId,
        carrier: 'Post',
      });
      const second = await buyer.place(seller);
      await buyer.does('order:cancel', { orderId: second.orderId });
      await expectLast(second.orderId, {
        status: 'cancelled',
        previous: 'placed',
        command: 'cancel',
        by: buyer.userId,
      });
    });

    test('with the reason and the actor of a cancellation', async () => {
      const { orderId } = await buyer.place(seller);
      await buyer.does('order:pay', { orderId });
      await seller.does('order:cancel', { orderId, reason: 'sold elsewhere' });
      await expectLast(orderId, {
        status: 'cancelled',
        previous: 'paid',
        command: 'cancel',
        by: seller.userId,
        cancelReason: 'sold elsewhere',
      });
    });
  });

  test('pass the audit', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
