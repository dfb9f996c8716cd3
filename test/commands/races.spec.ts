import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import { audit, copiesInOrders } from '../support/audit.js';
import { PASSWORD, type TestHub, until } from '../support/hub.js';
import type { Person } from '../support/person.js';
import {
  asAnswer,
  codeOf,
  dataOf,
  device,
  overHttp,
  pick,
  range,
  stopBoth,
  twoHubs,
  type Way,
  waysOf,
} from '../support/ways.js';

const ROUNDS = 24;

/** Runs both concurrently; which one starts first alternates by round. */
async function race<A, B>(round: number, one: () => Promise<A>, other: () => Promise<B>): Promise<[A, B]> {
  if (round % 2 === 0) return Promise.all([one(), other()]);
  const started = other();
  return [await one(), await started];
}

async function orderOf(person: Person, orderId: string) {
  return (await person.get<Order & { timeline: { status: string; by: string }[] }>(`/orders/${orderId}`)).body;
}

describe('concurrent commands, over both transports and all hubs of a database', () => {
  let here: TestHub;
  let there: TestHub;
  let seller: Person;
  let buyer: Person;
  let sellersWays: Way[];
  let buyersWays: Way[];

  beforeAll(async () => {
    ({ here, there } = await twoHubs());
    seller = await here.seller([{ stock: 100_000 }, { stock: 100_000 }]);
    buyer = await here.buyer(10_000_000);
    sellersWays = await waysOf(seller, here, there);
    buyersWays = await waysOf(buyer, there, here);
    await buyer.connect();
    await seller.connect();
  });
  afterAll(() => stopBoth(here, there));

  const paidOrders = async (count: number) => {
    const placed = await Promise.all(range(count).map(() => buyer.place(seller)));
    return Promise.all(placed.map(({ orderId }) => buyer.does('order:pay', { orderId })));
  };

  test('200 buyers of 10 copies place 10 orders', async () => {
    const buyers = await Promise.all(range(200).map(() => here.person()));
    const ways = await Promise.all(
      buyers.map(async (person, index): Promise<Way> => {
        const at = device(person, index % 2 === 0 ? here : there);
        if (index % 4 < 2) return (message, request) => overHttp(at, message, request);
        await at.connect();
        return (message, request) => at.send(message, request);
      }),
    );
    for (const round of range(3)) {
      const bookId = `rare-${round}`;
      await seller.post(`/stores/${seller.storeId}/books`, { bookId, title: 'Rare', price: 100, stock: 10 });
      const message = { storeId: seller.storeId, items: [{ bookId, count: 1 }] };
      const answers = await Promise.all(ways.map((way) => way('order:place', message)));
      expect(answers.filter(({ ok }) => ok)).toHaveLength(10);
      const rejections = answers.flatMap((answer) => (answer.ok ? [] : [answer.error]));
      expect(rejections).toHaveLength(190);
      for (const { code, details } of rejections) {
        expect({ code, details }).toEqual({ code: 'OUT_OF_STOCK', details: { bookId, wanted: 1, available: 0 } });
      }
      expect(await seller.stock(bookId)).toBe(0);
      expect(await copiesInOrders(here, seller.storeId, bookId)).toBe(10);
    }
  });

  test('50 payments of one order take effect once', async () => {
    for (const _ of range(8)) {
      const { orderId, total } = await buyer.place(seller);
      const [buyersBalance, sellersBalance] = [await buyer.balance(), await seller.balance()];
      const answers = await Promise.all(range(50).map((index) => pick(buyersWays, index)('order:pay', { orderId })));
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
      for (const answer of answers) {
        if (answer.ok) continue;
        expect(answer.error).toMatchObject({
          code: 'ORDER_STATE',
          retryable: false,
          details: { status: 'paid', allowed: ['cancel'] },
        });
      }
      expect([await buyer.balance(), await seller.balance()]).toEqual([buyersBalance - total, sellersBalance + total]);
      const { items } = (await buyer.get<{ items: { orderId: string }[] }>('/wallet/entries?limit=5')).body;
      expect(items.filter((entry) => entry.orderId === orderId)).toHaveLength(1);
    }
  });

  test('pay against cancel: the order ends cancelled and any payment is refunded', async () => {
    const stock = await seller.stock();
    const balances = [await buyer.balance(), await seller.balance()];
    const orders = await Promise.all(range(ROUNDS).map(() => buyer.place(seller)));
    await Promise.all(
      orders.map(async ({ orderId }, round) => {
        const [paid, cancelled] = await race(
          round,
          () => pick(buyersWays, round)('order:pay', { orderId }),
          () => pick(round % 3 === 0 ? buyersWays : sellersWays, round >> 1)('order:cancel', { orderId }),
        );
        expect(cancelled).toMatchObject({ ok: true, data: { status: 'cancelled' } });
        if (!paid.ok) {
          expect(paid.error).toMatchObject({ code: 'ORDER_STATE', details: { status: 'cancelled', allowed: [] } });
        }
        const { timeline } = await orderOf(buyer, orderId);
        const history = paid.ok ? ['placed', 'paid', 'cancelled'] : ['placed', 'cancelled'];
        expect(timeline.map(({ status }) => status)).toEqual(history);
      }),
    );
    expect(await seller.stock()).toBe(stock);
    expect([await buyer.balance(), await seller.balance()]).toEqual(balances);
  });

  test('ship against cancel: exactly one wins, and the money matches the order’s status', async () => {
    const stock = await seller.stock();
    const [buyersBalance, sellersBalance] = [await buyer.balance(), await seller.balance()];
    const orders = await paidOrders(ROUNDS);
    const shippedTotals = await Promise.all(
      orders.map(async ({ orderId, total }, round) => {
        const [shipped, cancelled] = await race(
          round,
          () => pick(sellersWays, round)('order:ship', { orderId }),
          () => pick(round % 3 === 0 ? sellersWays : buyersWays, round >> 1)('order:cancel', { orderId }),
        );
        const [winner, loser] = shipped.ok ? [shipped, cancelled] : [cancelled, shipped];
        const { status } = dataOf(winner);
        expect(loser).toMatchObject({ ok: false, error: { code: 'ORDER_STATE', details: { status } } });
        const order = await orderOf(buyer, orderId);
        expect([order.status, order.version]).toEqual([status, 3]);
        expect(order.timeline.map((entry) => entry.status)).toEqual(['placed', 'paid', status]);
        return shipped.ok ? total : 0;
      }),
    );
    const sales = shippedTotals.reduce((sum, total) => sum + total, 0);
    expect([await buyer.balance(), await seller.balance()]).toEqual([buyersBalance - sales, sellersBalance + sales]);
    expect(await seller.stock()).toBe(stock - shippedTotals.filter((total) => total > 0).length);
  });

  test('receive against receive and cancel: a shipped order is received once', async () => {
    for (const { orderId } of await paidOrders(6)) {
      await seller.does('order:ship', { orderId });
      const receives = range(10).map((index) => pick(buyersWays, index)('order:receive', { orderId }));
      const cancels = range(4).map((index) => pick(sellersWays, index)('order:cancel', { orderId }));
      const codes = (await Promise.all([...receives, ...cancels])).map(codeOf);
      expect(codes.slice(0, 10).sort()).toEqual(['OK', ...range(9).map(() => 'ORDER_STATE')].sort());
      expect(codes.slice(10)).toEqual(range(4).map(() => 'ORDER_STATE'));
      expect(await orderOf(buyer, orderId)).toMatchObject({ status: 'received', version: 4 });
    }
  });

  test('orders that lock the same books in opposite order do not deadlock', async () => {
    const both = ['book-1', 'book-2'].map((bookId) => ({ bookId, count: 1 }));
    const before = [await seller.stock('book-1'), await seller.stock('book-2')];
    for (const _ of range(6)) {
      const answers = await Promise.all(
        range(40).map((index) => {
          const items = index % 2 === 0 ? both : both.toReversed();
          return pick(buyersWays, index)('order:place', { storeId: seller.storeId, items });
        }),
      );
      expect(answers.map(codeOf)).toEqual(range(40).map(() => 'OK'));
    }
    const after = [await seller.stock('book-1'), await seller.stock('book-2')];
    expect(after).toEqual(before.map((stock) => stock - 240));
  });

  test('pay against pay: a balance for one order pays one of two', async () => {
    for (const round of range(ROUNDS)) {
      const poor = await here.buyer(1_000);
      const [at, remote] = [await device(poor, here).connect(), device(poor, there)];
      const orders = await Promise.all([at.place(seller), at.place(seller)]);
      const [one, other] = orders.map(({ orderId }) => ({ orderId }));
      const answers = await race(
        round,
        () => at.send('order:pay', one ?? { orderId: '' }),
        () => overHttp(remote, 'order:pay', other ?? { orderId: '' }),
      );
      expect(answers.map(codeOf).sort()).toEqual(['INSUFFICIENT_FUNDS', 'OK']);
      for (const answer of answers) {
        if (!answer.ok) expect(answer.error.details).toEqual({ needed: 1_000, balance: 0 });
      }
      expect(await poor.balance()).toBe(0);
      at.disconnect();
    }
  });

  test('place against a stock reduction: the last copy goes to one of them', async () => {
    const path = `/stores/${seller.storeId}/books`;
    await seller.post(path, { bookId: 'last', title: 'Last', price: 100, stock: 0 });
    const items = [{ bookId: 'last', count: 1 }];
    const owner = device(seller, there);
    let sold = 0;
    for (const round of range(ROUNDS)) {
      await seller.post(`${path}/last/stock`, { add: 1 });
      const [placed, removed] = await race(
        round,
        () => pick(buyersWays, round)('order:place', { storeId: seller.storeId, items }),
        async (): Promise<Answer<unknown>> => asAnswer(await owner.post(`${path}/last/stock`, { add: -1 })),
      );
      expect([codeOf(placed), codeOf(removed)].sort()).toEqual(['OK', 'OUT_OF_STOCK']);
      if (placed.ok) sold++;
      expect(await seller.stock('last')).toBe(0);
    }
    expect(await copiesInOrders(here, seller.storeId, 'last')).toBe(sold);
  });

  test('place against restocking: no copy is lost or sold twice', async () => {
    const path = `/stores/${seller.storeId}/books`;
    await seller.post(path, { bookId: 'restocked', title: 'Restocked', price: 100, stock: 0 });
    const items = [{ bookId: 'restocked', count: 1 }];
    const owner = device(seller, there);
    const added = range(30).map(() => owner.post(`${path}/restocked/stock`, { add: 1 }));
    const placing = range(60).map((index) =>
      pick(buyersWays, index)('order:place', { storeId: seller.storeId, items }),
    );
    expect((await Promise.all(added)).map(({ status }) => status)).toEqual(range(30).map(() => 200));
    const sold = (await Promise.all(placing)).filter(({ ok }) => ok).length;
    expect(await seller.stock('restocked')).toBe(30 - sold);
    expect(await copiesInOrders(here, seller.storeId, 'restocked')).toBe(sold);
  });

  test('unregister against place: the seller stays or gets no order', async () => {
    let unregisterMs = 30;
    for (const round of range(16)) {
      const owner = await here.seller();
      const way = pick(buyersWays, round);
      const placing = async () => {
        // Hashing the password takes most of the time; the race is at its end.
        await sleep(unregisterMs * (0.5 + (round % 8) / 10));
        return way('order:place', { storeId: owner.storeId, items: [{ bookId: 'book-1', count: 1 }] });
      };
      const started = performance.now();
      const [left, placed] = await Promise.all([
        device(owner, there)
          .post<{ error: unknown }>('/auth/unregister', { password: PASSWORD })
          .finally(() => {
            unregisterMs = performance.now() - started;
          }),
        placing(),
      ]);
      if (left.status === 204) {
        expect(codeOf(placed)).toBe('USER_NOT_FOUND');
        expect(await owner.stock()).toBe(10);
      } else {
        expect(left.status).toBe(409);
        expect(left.body.error).toMatchObject({ code: 'ORDER_STATE', details: { open: 1, balance: 0 } });
        expect(codeOf(placed)).toBe('OK');
        expect(await owner.stock()).toBe(9);
      }
    }
  });

  test('pay against withdraw: the balance is spent once', async () => {
    for (const round of range(ROUNDS)) {
      const poor = await here.buyer(1_000);
      const at = await device(poor, here).connect();
      const { orderId } = await at.place(seller);
      const [paid, withdrawn] = await race(
        round,
        () => at.send('order:pay', { orderId }),
        async (): Promise<Answer<unknown>> =>
          asAnswer(await device(poor, there).post('/wallet/withdrawals', { amount: 1_000 })),
      );
      expect([codeOf(paid), codeOf(withdrawn)].sort()).toEqual(['INSUFFICIENT_FUNDS', 'OK']);
      expect(await poor.balance()).toBe(0);
      expect((await orderOf(poor, orderId)).status).toBe(paid.ok ? 'paid' : 'placed');
      at.disconnect();
    }
  });

  test('refund against withdraw: the seller’s balance is spent once', async () => {
    for (const round of range(12)) {
      const poor = await here.seller();
      const { orderId } = await buyer.place(poor);
      await buyer.does('order:pay', { orderId });
      const byBuyer = round % 3 === 0;
      const ways = byBuyer ? buyersWays : [overHttp.bind(null, poor), overHttp.bind(null, device(poor, there))];
      const [cancelled, withdrawn] = await race(
        round,
        () => pick(ways, round)('order:cancel', { orderId }),
        async (): Promise<Answer<unknown>> =>
          asAnswer(await device(poor, there).post('/wallet/withdrawals', { amount: 1_000 })),
      );
      const rejection = byBuyer ? 'ORDER_STATE' : 'INSUFFICIENT_FUNDS';
      expect([codeOf(cancelled), codeOf(withdrawn)]).toEqual(
        cancelled.ok ? ['OK', 'INSUFFICIENT_FUNDS'] : [rejection, 'OK'],
      );
      expect(await poor.balance()).toBe(0);
      expect((await orderOf(buyer, orderId)).status).toBe(cancelled.ok ? 'cancelled' : 'paid');
    }
  });

  test('a mix of all commands loses no copy', async () => {
    const people = await Promise.all(
      range(4).map(async () => {
        const person = await here.seller([{ stock: 40 }]);
        await person.deposit(20_000);
        return { person, ways: await waysOf(person, here, there) };
      }),
    );
    const orders: string[] = [];
    const verbs = ['order:pay', 'order:ship', 'order:receive', 'order:cancel'] as const;
    for (const wave of range(8)) {
      const answers = await Promise.all(
        range(80).map((index) => {
          const draw = index * 7 + wave * 13;
          const way = pick(pick(people, draw).ways, index + wave);
          const store = pick(people, draw + 1 + (index % 3)).person.storeId;
          const orderId = orders.length > 0 && index % 3 > 0 ? pick(orders, draw * 31) : undefined;
          if (orderId !== undefined) return way(pick(verbs, index + (draw >> 2)), { orderId });
          return way('order:place', { storeId: store, items: [{ bookId: 'book-1', count: 1 + (index % 2) }] });
        }),
      );
      for (const answer of answers) {
        if (answer.ok && answer.data.status === 'placed') orders.push(answer.data.orderId);
        if (!answer.ok) expect(answer.error.retryable).toBe(false);
      }
    }
    expect(orders.length).toBeGreaterThan(0);
    for (const { person } of people) {
      expect((await person.stock()) + (await copiesInOrders(here, person.storeId, 'book-1'))).toBe(40);
    }
  });

  test('passes the audit', async () => {
    expect(await audit(here)).toEqual([]);
  });
});

describe('commands against timeouts', () => {
  let here: TestHub;
  let there: TestHub;
  let seller: Person;
  let buyer: Person;
  let buyersWays: Way[];

  beforeAll(async () => {
    // Long enough to pay every order in time on a loaded machine.
    ({ here, there } = await twoHubs({ unpaidTtlSeconds: 3, autoReceiveSeconds: 1 }));
    seller = await here.seller([{ stock: 1_000 }]);
    buyer = await here.buyer(10_000_000);
    buyersWays = await waysOf(buyer, there, here);
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(() => stopBoth(here, there));

  test('pay against expiry: the order is paid before expiresAt or cancelled after it', async () => {
    const orders = await Promise.all(range(80).map(() => buyer.place(seller)));
    const answers = await Promise.all(
      orders.map(async ({ orderId, expiresAt }, index) => {
        await sleep(Math.max(0, Date.parse(expiresAt) - Date.now() + (index - 40) * 10));
        return pick(buyersWays, index)('order:pay', { orderId });
      }),
    );
    const paid = answers.filter(({ ok }) => ok).length;
    await until('every order is paid or cancelled', async () => {
      const open = await here.rows("SELECT order_id FROM orders WHERE status = 'placed'");
      return open.length === 0;
    });
    for (const [index, answer] of answers.entries()) {
      const { orderId, expiresAt } = pick(orders, index);
      const order = await orderOf(buyer, orderId);
      if (answer.ok) {
        expect(order.timeline.map(({ status }) => status)).toEqual(['placed', 'paid']);
        expect(Date.parse(order.paidAt ?? '')).toBeLessThan(Date.parse(expiresAt));
      } else {
        expect(answer.error.code).toBe('ORDER_STATE');
        expect(order).toMatchObject({ status: 'cancelled', cancelReason: 'expired', paidAt: null });
        expect(order.timeline.map(({ status, by }) => [status, by])).toEqual([
          ['placed', buyer.userId],
          ['cancelled', 'hub'],
        ]);
      }
    }
    expect(await seller.stock()).toBe(1_000 - paid);
    expect(await seller.balance()).toBe(paid * 1_000);
  });

  test('receive against auto-receive: the order is received once', async () => {
    const placed = await Promise.all(range(40).map(() => buyer.place(seller)));
    await Promise.all(placed.map(({ orderId }) => buyer.does('order:pay', { orderId })));
    const shipped = await Promise.all(placed.map(({ orderId }) => seller.does('order:ship', { orderId })));
    const answers = await Promise.all(
      shipped.map(async ({ orderId, shippedAt }, index) => {
        await sleep(Math.max(0, Date.parse(shippedAt ?? '') + 1_000 - Date.now() + (index - 10) * 15));
        return pick(buyersWays, index)('order:receive', { orderId });
      }),
    );
    await until('every order is received', async () => {
      return (await here.rows("SELECT order_id FROM orders WHERE status = 'shipped'")).length === 0;
    });
    for (const [index, answer] of answers.entries()) {
      const { timeline } = await orderOf(buyer, pick(shipped, index).orderId);
      expect(timeline.map(({ status }) => status)).toEqual(['placed', 'paid', 'shipped', 'received']);
      expect(timeline[3]?.by).toBe(answer.ok ? buyer.userId : 'hub');
      if (!answer.ok) {
        expect(answer.error).toMatchObject({ code: 'ORDER_STATE', details: { status: 'received', allowed: [] } });
      }
    }
    expect(await audit(here)).toEqual([]);
  });
});
