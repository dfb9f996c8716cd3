import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CommandBatch } from '../../src/commands/command.batch.js';
import type { Command } from '../../src/commands/command.js';
import type { Order } from '../../src/contract/orders.js';
import { OrderScheduler } from '../../src/orders/order.scheduler.js';
import { commandOf } from '../support/batch.commands.js';
import { TestHub } from '../support/hub.js';
import { withTestProvider } from '../support/payments.js';
import type { Person } from '../support/person.js';
import { dataOf } from '../support/ways.js';

/** Rows that most batches do not write, as another hub reads them. */
describe('a batch writes', () => {
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  const deliverTo = { name: 'Lin', lines: ['1 Elm Street'] };

  beforeAll(async () => {
    hub = await TestHub.start({ funds: 'provider', settleAt: 'received', ...withTestProvider });
    await hub.hub.app.get(OrderScheduler).stop();
    seller = await hub.seller([{ stock: 100, price: 30 }]);
    buyer = await hub.person();
  });
  afterAll(() => hub.stop());

  const does = async <Data = Order>(command: Command): Promise<Data> => {
    const { answers } = await hub.hub.app.get(CommandBatch).run([command]);
    return dataOf(answers[0] as { ok: true; data: Data });
  };
  const place = (words = {}) =>
    commandOf('order:place', buyer, { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], ...words });
  const settled = (eventId: string, topupId: string, amount: number) =>
    commandOf('topup:settle', null, {
      ...{ topupId, userId: buyer.userId, orderId: null, eventId },
      paid: { amount, currency: 'CNY' },
    });

  test('an address, which is then changed in place, and notes', async () => {
    const { orderId } = await does(place({ deliverTo, note: 'ring twice' }));
    await does(place({ deliverTo }));
    const addresses = () => hub.rows('SELECT * FROM order_addresses WHERE order_id = ?', [orderId]);
    expect(await addresses()).toEqual([{ order_id: orderId, deliver_to: JSON.stringify(deliverTo) }]);
    const moved = { ...deliverTo, lines: ['2 Elm Street'] };
    await does(commandOf('order:readdress', buyer, { orderId, deliverTo: moved }));
    expect(await addresses()).toEqual([{ order_id: orderId, deliver_to: JSON.stringify(moved) }]);
    await does(commandOf('order:note', seller, { orderId, text: 'will do' }));
    expect(await hub.rows('SELECT * FROM order_notes WHERE order_id = ? ORDER BY note_no', [orderId])).toEqual([
      { order_id: orderId, note_no: 1, user_id: buyer.userId, text: 'ring twice', at: expect.any(Number) },
      { order_id: orderId, note_no: 2, user_id: seller.userId, text: 'will do', at: expect.any(Number) },
    ]);
    // An order that had no address gets one.
    const other = await does(place());
    await does(commandOf('order:readdress', buyer, { orderId: other.orderId, deliverTo }));
    const rows = await hub.rows('SELECT deliver_to FROM order_addresses WHERE order_id = ?', [other.orderId]);
    expect(rows).toEqual([{ deliver_to: JSON.stringify(deliverTo) }]);
  });

  test('a claim, and nothing else of its order', async () => {
    const { orderId } = await does(place());
    const rowOf = async () => (await hub.rows('SELECT * FROM orders WHERE order_id = ?', [orderId]))[0];
    const before = await rowOf();
    await does(commandOf('order:claim', seller, { orderId, seconds: 60 }));
    expect(await rowOf()).toEqual({
      ...before,
      ...{ claimed_by: seller.userId, claimed_until: expect.any(Number), claims: 1 },
    });
    await does(commandOf('order:claim', seller, { orderId, seconds: 0 }));
    expect(await rowOf()).toEqual({ ...before, claimed_by: null, claimed_until: null, claims: 2 });
  });

  test('what a store says of itself, and no other store', async () => {
    const { storeId } = seller;
    const storesOf = async () =>
      (await hub.rows('SELECT * FROM stores ORDER BY store_id', [])) as { store_id: string }[];
    await hub.seller([]);
    const before = await storesOf();
    const change = { storeId, name: 'Corner Books', open: false, acceptWithinSeconds: 600 };
    await does(commandOf('store:change', seller, change));
    expect(await storesOf()).toEqual(
      before.map((row) =>
        row.store_id === storeId
          ? {
              ...row,
              ...{ name: 'Corner Books', is_open: 0, accept_within_seconds: 600 },
              version: (row as unknown as { version: number }).version + 1,
            }
          : row,
      ),
    );
    await does(commandOf('store:change', seller, { storeId, open: true, acceptWithinSeconds: 0 }));
  });

  test('a top-up and a payout, each as begun and once it is settled', async () => {
    const { topupId } = await does<{ topupId: string }>(commandOf('topup:create', buyer, { amount: 500 }));
    const topup = async () => (await hub.rows('SELECT * FROM topups WHERE topup_id = ?', [topupId]))[0];
    const begun = await topup();
    expect(begun).toMatchObject({
      ...{ user_id: buyer.userId, order_id: null, amount: 500, currency: 'CNY', provider: 'test' },
      ...{ status: 'pending', event_id: null, settled_at: null, created_at: expect.any(Number) },
    });
    await does(settled('event-1', topupId, 500));
    const outcome = { status: 'succeeded', event_id: 'event-1', settled_at: expect.any(Number), due_at: null };
    expect(await topup()).toEqual({ ...begun, ...outcome });

    await does(commandOf('wallet:withdraw', buyer, { amount: 200 }));
    const payouts = () => hub.rows<{ payout_id: string }>('SELECT * FROM payouts', []);
    const [payout] = await payouts();
    expect(payout).toMatchObject({
      ...{ user_id: buyer.userId, amount: 200, currency: 'CNY', provider: 'test' },
      ...{ status: 'pending', settled_at: null, due_at: expect.any(Number) },
    });
    const payoutId = payout?.payout_id ?? '';
    await does(commandOf('payout:settle', null, { payoutId, userId: buyer.userId, isPaid: true }));
    expect(await payouts()).toEqual([{ ...payout, status: 'paid', settled_at: expect.any(Number), due_at: null }]);
  });

  test('the answer to a key in full where it is no order’s, also one of a refusal', async () => {
    const { orderId } = await does(place());
    const { answers } = await hub.hub.app
      .get(CommandBatch)
      .run([
        commandOf('wallet:withdraw', buyer, { amount: 1_000_000 }, 'key-1'),
        commandOf('order:pay', buyer, { orderId }, 'key-2'),
        commandOf('order:pay', seller, { orderId }, 'key-3'),
      ]);
    expect(answers.map(({ ok }) => ok)).toEqual([false, true, false]);
    const stored = await hub.rows<{ answer: string }>('SELECT answer FROM command_answers ORDER BY idem_key', []);
    expect(stored.map(({ answer }) => JSON.parse(answer))).toEqual([
      answers[0],
      { orderId, version: 2, role: 'buyer', form: expect.any(Number), seq: expect.any(Number) },
      answers[2],
    ]);
  });
});
