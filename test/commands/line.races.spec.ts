import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Answer } from '../../src/contract/wire.js';
import { audit, readShelf, type Shelf } from '../support/audit.js';
import type { TestHub } from '../support/hub.js';
import type { Person } from '../support/person.js';
import { raceRounds } from '../support/rounds.js';
import { asAnswer, codeOf, dataOf, pick, range, stopBoth, twoHubs, type Way, waysOf } from '../support/ways.js';

const ROUNDS = raceRounds(24);
const PRICE = 1_000;
const ONE = [{ bookId: 'book-1', count: 1 }];
const TWO = [{ bookId: 'book-1', count: 2 }];

/** Runs both concurrently; which one starts first alternates by round. */
async function race<A, B>(round: number, one: () => Promise<A>, other: () => Promise<B>): Promise<[A, B]> {
  if (round % 2 === 0) return Promise.all([one(), other()]);
  const started = other();
  return [await one(), await started];
}

describe.each(['paid', 'received'] as const)('races for the last copy or its money, with SETTLE_AT=%s', (settleAt) => {
  let here: TestHub;
  let there: TestHub;
  let seller: Person;
  let buyer: Person;
  let sellersWays: Way[];
  let buyersWays: Way[];
  let shelf: Shelf;

  beforeAll(async () => {
    ({ here, there } = await twoHubs({ settleAt }));
    seller = await here.seller([{ stock: 100_000, price: PRICE }]);
    buyer = await here.buyer(100_000_000);
    sellersWays = await waysOf(seller, here, there);
    buyersWays = await waysOf(buyer, there, here);
    await Promise.all([seller.connect(), buyer.connect()]);
    shelf = await readShelf(here);
  });
  afterAll(() => stopBoth(here, there));

  const paidOrder = async () => {
    const { orderId } = await buyer.place(seller, TWO);
    await buyer.does('order:pay', { orderId });
    return orderId;
  };

  test('part ship against part cancel: the last copy goes into a parcel or back on the shelf', async () => {
    const statuses = new Set<string>();
    for (const round of range(ROUNDS)) {
      const orderId = await paidOrder();
      await seller.does('order:ship', { orderId, items: ONE });
      const [shipped, cancelled] = await race(
        round,
        () => pick(sellersWays, round)('order:ship', { orderId, items: ONE }),
        () => pick(round % 3 === 0 ? sellersWays : buyersWays, round >> 1)('order:cancel', { orderId, items: ONE }),
      );
      expect([shipped, cancelled].map(codeOf).sort()).toEqual(['OK', 'ORDER_STATE']);
      const order = dataOf(shipped.ok ? shipped : cancelled);
      expect(order).toMatchObject({ status: 'shipped', version: 4, refunded: shipped.ok ? 0 : PRICE });
      expect(order.items).toMatchObject([shipped.ok ? { shipped: 2, cancelled: 0 } : { shipped: 1, cancelled: 1 }]);
      expect(order.parcels).toHaveLength(shipped.ok ? 2 : 1);
      statuses.add(shipped.ok ? 'shipped' : 'cancelled');
    }
    expect(statuses.size).toBe(2);
  });

  test('refund against refund: a copy is paid back and put back once', async () => {
    for (const round of range(ROUNDS)) {
      const orderId = await paidOrder();
      await seller.does('order:ship', { orderId });
      const stock = await seller.stock();
      const refund = (index: number) =>
        pick(sellersWays, index)('order:refund', { orderId, items: TWO, restock: true });
      const answers = await race(
        round,
        () => refund(round),
        () => refund(round + 1),
      );
      expect(answers.map(codeOf).sort()).toEqual(['OK', 'ORDER_STATE']);
      const order = await seller.does('order:get', { orderId });
      expect(order).toMatchObject({ refunded: 2 * PRICE, items: [{ refunded: 2 }] });
      expect(await seller.stock()).toBe(stock + 2);
    }
  });

  test('refund against withdrawal: the seller’s money goes one way', async () => {
    for (const round of range(ROUNDS)) {
      const poor = await here.seller([{ price: PRICE }]);
      const ways = await waysOf(poor, here, there);
      const { orderId } = await buyer.place(poor, ONE);
      await buyer.does('order:pay', { orderId });
      await pick(ways, round)('order:ship', { orderId });
      await buyer.does('order:receive', { orderId });
      const before = await buyer.balance();
      const [refunded, withdrawn] = await race(
        round,
        () => pick(ways, round)('order:refund', { orderId, items: ONE }),
        async (): Promise<Answer<unknown>> => asAnswer(await poor.post('/wallet/withdrawals', { amount: PRICE })),
      );
      expect([refunded, withdrawn].map(codeOf).sort()).toEqual(['INSUFFICIENT_FUNDS', 'OK']);
      expect(await poor.wallet()).toEqual({ balance: 0, held: 0 });
      expect((await buyer.balance()) - before).toBe(refunded.ok ? PRICE : 0);
    }
  });

  test('receive against part cancel: the order is received when its parcel is and nothing is left', async () => {
    for (const round of range(ROUNDS)) {
      const orderId = await paidOrder();
      await seller.does('order:ship', { orderId, items: ONE });
      const answers = await race(
        round,
        () => pick(buyersWays, round)('order:receive', { orderId, parcel: 1 }),
        () => pick(sellersWays, round)('order:cancel', { orderId }),
      );
      expect(answers.map(codeOf)).toEqual(['OK', 'OK']);
      expect(await buyer.does('order:get', { orderId })).toMatchObject({ status: 'received', refunded: PRICE });
    }
  });

  test('leave the books exact', async () => {
    expect(await audit(here, { whole: true })).toEqual([]);
    expect((await readShelf(here)).get(1)).toBe(shelf.get(1));
  });
});
