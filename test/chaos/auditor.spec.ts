import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CommandQueue } from '../../src/commands/command.queue.js';
import { World } from '../../src/commands/world.js';
import type { OrderStatus } from '../../src/contract/lifecycle.js';
import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { Answer } from '../../src/contract/wire.js';
import { Database } from '../../src/platform/database.js';
import { RoomFeed } from '../../src/rooms/room.feed.js';
import { RoomFeeds } from '../../src/rooms/room.feeds.js';
import { Auditor } from '../support/auditor.js';
import { DatabaseReader } from '../support/database.reader.js';
import { type ClientCommand, type ClientRequest, History } from '../support/history.js';
import { TestHub, until } from '../support/hub.js';
import { Roamer } from '../support/roamer.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { dataOf, range } from '../support/ways.js';

const SETTLED_WITHIN_MS = 3_000;
const NOT_SETTLED_WITHIN_MS = 200;

/** A market that is small enough to be set up for every fault: a seller, a buyer and a neighbour, and an auditor beside them. */
interface Market {
  hub: TestHub;
  history: History;
  auditor: Auditor;
  storeId: string;
  seller: Roamer;
  buyer: Roamer;
  neighbour: Roamer;
  /** Gives a command that must succeed, and once more with the same key. */
  does(roamer: Roamer, message: ClientCommand, request: ClientRequest<ClientCommand>): Promise<Order>;
  place(roamer: Roamer, count: number): Promise<Order>;
  /** Writes behind the hub's back. */
  change(sql: string, parameters?: unknown[]): Promise<void>;
  /** Waits until the auditor has looked at what is there now. */
  looked(): Promise<void>;
}

async function openMarket(database: TestDatabase): Promise<Market> {
  const hub = await TestHub.start({}, database);
  const seller = await hub.seller([
    { stock: 100, price: 10 },
    { stock: 100, price: 7 },
  ]);
  const [buyer, neighbour] = [await hub.buyer(10_000), await hub.buyer(10_000)];
  const history = await History.begin(hub);
  const auditor = await Auditor.start(database, { history });
  const roams = ({ userId, token }: { userId: string; token: string }) =>
    new Roamer({ userId, token, clientId: `desk-of-${userId}`, urls: () => [hub.url], history, random: Math.random });
  const market: Market = {
    hub,
    history,
    auditor,
    storeId: seller.storeId,
    seller: roams(seller).start(),
    buyer: roams(buyer).start(),
    neighbour: roams(neighbour).start(),
    does: async (roamer, message, request) => {
      const keyed = { ...request, key: request.key ?? `key-${history.sent.length}` };
      const first = await roamer.do(message, keyed);
      await roamer.do(message, keyed);
      return dataOf(first as Answer<Order>);
    },
    place: (roamer, count) =>
      market.does(roamer, 'order:place', { storeId: seller.storeId, items: [{ bookId: 'book-1', count }] }),
    change: (sql, parameters = []) => hub.database.transaction(async (tx) => void (await tx.query(sql, parameters))),
    looked: async () => {
      // A look may be under way already that began before.
      const enough = auditor.looks + 2;
      await until('the auditor looks', () => auditor.looks >= enough);
    },
  };
  return market;
}

/** A day at the market: everything that can become of an order, and money that comes and goes. */
async function day({ seller, does, place }: Market, ...buyers: Roamer[]): Promise<void> {
  for (const buyer of buyers) {
    await does(buyer, 'wallet:deposit', { amount: 500 });
    await does(buyer, 'wallet:withdraw', { amount: 20 });
    const { orderId } = await place(buyer, 2);
    await does(buyer, 'order:pay', { orderId });
    await does(seller, 'order:ship', { orderId, carrier: 'Owl' });
    await does(buyer, 'order:receive', { orderId });
    const unpaid = await place(buyer, 3);
    await does(buyer, 'order:cancel', { orderId: unpaid.orderId, reason: 'changed my mind' });
    const paid = await place(buyer, 4);
    await does(buyer, 'order:pay', { orderId: paid.orderId });
    await does(seller, 'order:cancel', { orderId: paid.orderId });
    await place(buyer, 5);
    const refused = await buyer.do('order:pay', { orderId: paid.orderId });
    expect(refused).toMatchObject({ ok: false, error: { code: 'ORDER_STATE' } });
  }
}

/** Ends the market, and gives what the auditor has found. */
async function close({ auditor, seller, buyer, neighbour }: Market, settledWithinMs: number): Promise<string[]> {
  await auditor.settled(settledWithinMs);
  await Promise.all([seller, buyer, neighbour].map((roamer) => roamer.stop()));
  return auditor.finish();
}

type Method = (...values: unknown[]) => unknown;
const planted: (() => void)[] = [];

/** Puts another method into the place of one of the hub's, until the test is over. */
function plant(owner: { prototype: object }, name: string, make: (original: Method) => Method): void {
  const prototype = owner.prototype as Record<string, Method>;
  const original = prototype[name];
  if (!original) throw new Error(`There is no ${name} to replace`);
  prototype[name] = make(original);
  planted.push(() => {
    prototype[name] = original;
  });
}

/** Says yes once, the first time that something is so. */
function once<T>(isSo: (value: T) => boolean): (value: T) => boolean {
  let done = false;
  return (value) => {
    if (done || !isSo(value)) return false;
    done = true;
    return true;
  };
}

interface Outcome {
  answers: Answer<Order>[];
  events: { userId: string; push: OrderStatusPush }[];
}
type Change = Parameters<World['apply']>[0];
interface Feed {
  socket: { emit(name: string, push: OrderStatusPush): void };
}

/** Whether a batch has just taken an order to this status. */
function hasTaken(status: OrderStatus) {
  return (outcome: unknown): outcome is Outcome =>
    ((outcome as Partial<Outcome> | undefined)?.events ?? []).some(({ push }) => push.status === status);
}

/** Does something with the outcome of a batch before its transaction is committed. */
function beforeCommit(isTarget: (outcome: unknown) => boolean, act: (outcome: Outcome) => Promise<void>): void {
  const target = once(isTarget);
  plant(
    Database,
    'transaction',
    (original) =>
      function (this: unknown, work, options) {
        const watched = async (tx: unknown) => {
          const outcome = await (work as Method)(tx);
          if (target(outcome)) await act(outcome as Outcome);
          return outcome;
        };
        return original.call(this, watched, options);
      },
  );
}

/** Another way to give a socket one of its events. */
function giving(isTarget: (push: OrderStatusPush) => boolean, give: (feed: Feed, push: OrderStatusPush) => void): void {
  const target = once(isTarget);
  plant(
    RoomFeed,
    'give',
    (original) =>
      function (this: unknown, cursor, push) {
        const event = push as OrderStatusPush;
        if (!target(event)) return original.call(this, cursor, push);
        (cursor as { given: number }).given = event.seq;
        return give(this as Feed, event);
      },
  );
}

/** Another change than the one that the rules have decided. */
function applying(status: OrderStatus, change: (decided: Required<Pick<Change, 'order'>> & Change) => Change): void {
  plant(
    World,
    'apply',
    (original) =>
      function (this: unknown, decided, now) {
        const { order } = decided as Change;
        if (order?.after.status !== status) return original.call(this, decided, now);
        return original.call(this, change({ ...(decided as Change), order }), now);
      },
  );
}

/** Another answer than the batch has given. */
function answering(isTarget: (answer: Answer<Order>) => boolean, change: (answer: Answer<Order>) => unknown): void {
  plant(
    CommandQueue,
    'answer',
    (original) =>
      function (this: unknown, waiting, answer) {
        const given = answer as Answer<Order>;
        return original.call(this, waiting, isTarget(given) ? change(given) : given);
      },
  );
}

function isAnswerOf(status: OrderStatus, replayed?: true) {
  return (answer: Answer<Order>): boolean => answer.ok && answer.data.status === status && answer.replayed === replayed;
}

/** Debits the buyer, and credits nobody. */
async function payWithoutSale({ place, does, buyer }: Market): Promise<void> {
  applying('paid', ({ money = [], ...rest }) => ({ ...rest, money: money.filter(({ kind }) => kind !== 'sale') }));
  const { orderId } = await place(buyer, 1);
  await does(buyer, 'order:pay', { orderId });
}

const isThird = ({ role, seq }: OrderStatusPush) => role === 'buyer' && seq === 3;
const refusal = {
  ok: false,
  error: { code: 'FORBIDDEN', message: 'This belongs to somebody else.', retryable: false },
};

interface Fault {
  what: string;
  /** How what the auditor says of it begins. */
  said: string;
  /** Plants the fault before the day begins. */
  before?: (market: Market) => void;
  /** What goes wrong after the day. */
  after?: (market: Market) => Promise<unknown>;
}

const faults: Fault[] = [
  {
    what: 'an event is told before it is committed',
    said: 'told before it was committed: buyer room',
    before: ({ hub, looked }) =>
      beforeCommit(hasTaken('paid'), async ({ events }) => {
        hub.hub.app.get(RoomFeeds).publish(events);
        await looked();
      }),
  },
  {
    what: 'an answer is given before it is committed',
    said: 'told before it was committed: buyer room',
    before: ({ buyer, history, looked }) =>
      beforeCommit(hasTaken('received'), async ({ answers: [answer] }) => {
        const sent = history.sent.findLast(({ userId }) => userId === buyer.userId);
        if (sent && answer) history.isAnswered(sent, answer, 0);
        await looked();
      }),
  },
  {
    what: 'an event is told whose transaction is rolled back',
    said: 'event differs: ',
    before: ({ hub }) =>
      beforeCommit(hasTaken('placed'), async ({ events }) => {
        hub.hub.app.get(RoomFeeds).publish(events);
        throw new Error('planted');
      }),
  },
  { what: 'an event is lost', said: 'gap: ', before: () => giving(isThird, () => {}) },
  {
    what: 'the very last event is lost',
    said: 'lost event: ',
    after: async ({ place, neighbour }) => {
      giving(
        ({ role, version }) => role === 'seller' && version === 1,
        () => {},
      );
      await place(neighbour, 1);
    },
  },
  {
    what: 'an event is told twice',
    said: 'repeated event: ',
    before: () =>
      giving(isThird, ({ socket }, push) => {
        for (const _ of range(2)) socket.emit('order:status', push);
      }),
  },
  {
    what: 'two events change places',
    said: 'out of order: ',
    before: () => {
      let held: OrderStatusPush | undefined;
      giving(isThird, (_, push) => {
        held = push;
      });
      giving(
        ({ role, seq }) => role === 'buyer' && seq === 4,
        ({ socket }, push) => {
          socket.emit('order:status', push);
          if (held) socket.emit('order:status', held);
        },
      );
    },
  },
  {
    what: 'an event is told with another total than is kept',
    said: 'event differs: ',
    before: () =>
      giving(isThird, ({ socket }, push) => socket.emit('order:status', { ...push, total: push.total + 1 })),
  },
  {
    what: 'an event is told to somebody else',
    said: 'wrong person: ',
    before: ({ neighbour }) => {
      const feeds = new Map<string, Feed>();
      plant(
        RoomFeed,
        'start',
        (original) =>
          function (this: unknown) {
            const feed = this as Feed & { userId: string };
            feeds.set(feed.userId, feed);
            return original.call(this);
          },
      );
      giving(isThird, ({ socket }, push) => {
        socket.emit('order:status', push);
        feeds.get(neighbour.userId)?.socket.emit('order:status', push);
      });
    },
  },
  {
    what: 'an event is not kept',
    said: 'a room has a gap: ',
    after: ({ change, buyer }) =>
      change("DELETE FROM room_events WHERE role = 'buyer' AND seq = 2 AND user_id = ?", [buyer.userId]),
  },
  {
    what: 'the oldest event of a room is forgotten before its time',
    said: 'a room has lost its oldest events: ',
    after: ({ change, buyer }) =>
      change("DELETE FROM room_events WHERE role = 'buyer' AND seq = 1 AND user_id = ?", [buyer.userId]),
  },
  {
    what: 'an acknowledged command is rolled back',
    said: 'lost: order:place of buyer',
    after: async ({ place, buyer }) => {
      class Undone extends Error {}
      plant(
        Database,
        'transaction',
        (original) =>
          async function (this: unknown, work, options) {
            let outcome: unknown;
            const undone = async (tx: unknown) => {
              outcome = await (work as Method)(tx);
              if (hasTaken('placed')(outcome)) throw new Undone();
              return outcome;
            };
            try {
              return await original.call(this, undone, options);
            } catch (error) {
              if (error instanceof Undone) return outcome;
              throw error;
            }
          },
      );
      await place(buyer, 1);
    },
  },
  {
    what: 'an acknowledged deposit is not in the ledger',
    said: 'lost: wallet:deposit of buyer',
    after: async ({ does, buyer, change }) => {
      await does(buyer, 'wallet:deposit', { amount: 77 });
      const mine = ' WHERE user_id = ?';
      await change(`DELETE FROM wallet_entries${mine} AND kind = 'deposit' AND amount = 77`, [buyer.userId]);
      await change(`UPDATE wallets SET balance = balance - 77, entries = entries - 1${mine}`, [buyer.userId]);
    },
  },
  {
    what: 'a refused command is done',
    said: 'refused but done: ',
    after: async ({ place, does, buyer, seller }) => {
      answering(isAnswerOf('shipped'), () => refusal);
      const { orderId } = await place(buyer, 1);
      await does(buyer, 'order:pay', { orderId });
      await seller.do('order:ship', { orderId });
    },
  },
  {
    what: 'a refused deposit is done',
    said: 'refused but done: a deposit of 77',
    after: async ({ buyer }) => {
      answering(
        ({ ok }) => ok,
        () => refusal,
      );
      await buyer.do('wallet:deposit', { amount: 77 }).catch(() => {});
    },
  },
  {
    what: 'an order is placed twice for one key',
    said: 'doubled: order ',
    after: async ({ place, change, buyer, storeId, history }) => {
      await place(buyer, 6);
      await change('DELETE FROM command_answers WHERE user_id = ?', [buyer.userId]);
      const key = history.sent.at(-1)?.request.key ?? '';
      await buyer.do('order:place', { storeId, items: [{ bookId: 'book-1', count: 6 }], key });
    },
  },
  {
    what: 'a deposit is made twice for one key',
    said: 'doubled: a deposit of 77',
    after: async ({ change, buyer }) => {
      await buyer.do('wallet:deposit', { amount: 77, key: 'twice' });
      await change("DELETE FROM command_answers WHERE idem_key = 'twice' AND user_id = ?", [buyer.userId]);
      await buyer.do('wallet:deposit', { amount: 77, key: 'twice' });
    },
  },
  {
    what: 'an order is changed in the name of somebody else',
    said: 'wrong person: order:ship',
    before: () =>
      applying('shipped', ({ order, ...rest }) => {
        const timeline = order.after.timeline.map((step) => ({
          ...step,
          by: step.version === 3 ? 'somebody' : step.by,
        }));
        return { ...rest, order: { ...order, after: { ...order.after, timeline } } };
      }),
  },
  {
    what: 'an order is changed without a command',
    said: 'done without a command: ',
    after: async ({ hub, place, buyer, seller }) => {
      const { orderId } = await place(buyer, 1);
      await hub.hub.app.get(CommandQueue).give('order:cancel', seller.userId, { orderId });
    },
  },
  {
    what: 'a cancelled order does not give back its copies',
    said: 'stock is not accounted for: ',
    before: () => applying('cancelled', ({ stock: _, ...rest }) => rest),
  },
  {
    what: 'an order does not take its copies',
    said: 'stock is not accounted for: ',
    before: () => applying('placed', ({ stock: _, ...rest }) => rest),
  },
  {
    what: 'a key is not kept',
    said: 'key not stored: ',
    after: async ({ buyer, storeId }) => {
      plant(World, 'remember', () => () => {});
      await buyer.do('order:place', { storeId, items: [{ bookId: 'book-2', count: 1 }] });
    },
  },
  {
    what: 'the same key is answered otherwise',
    said: 'other answer to the same key: order:pay',
    before: () =>
      answering(isAnswerOf('paid', true), (answer) =>
        answer.ok ? { ...answer, data: { ...answer.data, total: 1 } } : answer,
      ),
  },
  {
    what: 'a payment is not credited to the seller',
    said: 'an order was not paid and refunded as its status says: ',
    after: payWithoutSale,
  },
  {
    what: 'money goes from the books',
    said: 'money that came in by deposits is not what wallets hold: ',
    after: payWithoutSale,
  },
  {
    what: 'a cancelled order is not paid back',
    said: 'an order was not paid and refunded as its status says: ',
    before: () => applying('cancelled', ({ money: _, ...rest }) => rest),
  },
  {
    what: 'a balance changes without an entry',
    said: 'a balance is not the sum of its entries: ',
    after: ({ change, buyer }) => change('UPDATE wallets SET balance = balance + 1 WHERE user_id = ?', [buyer.userId]),
  },
  {
    what: 'an entry of the ledger is changed afterwards',
    said: 'out of balance: ',
    after: ({ change, buyer }) =>
      change('UPDATE wallet_entries SET balance = balance + 1 WHERE entry_no = 2 AND user_id = ?', [buyer.userId]),
  },
  {
    what: 'an order goes back to an earlier status',
    said: 'went back: ',
    after: async ({ change, place, does, buyer, looked }) => {
      const { orderId } = await place(buyer, 1);
      await does(buyer, 'order:pay', { orderId });
      await looked();
      await change("UPDATE orders SET status = 'placed', version = 1, paid_at = NULL WHERE order_id = ?", [orderId]);
    },
  },
  {
    what: 'an order is in a state that it cannot be in',
    said: 'an order is in a state that no order can reach: ',
    after: async ({ change, place, buyer }) => {
      const { orderId } = await place(buyer, 1);
      await change("UPDATE orders SET status = 'shipped' WHERE order_id = ?", [orderId]);
    },
  },
  {
    what: 'a command is never answered',
    said: 'never answered: order:cancel of buyer',
    after: async ({ place, buyer }) => {
      const { orderId } = await place(buyer, 1);
      const told: unknown[] = [];
      plant(CommandQueue, 'answer', () => (_, answer) => void told.push(answer));
      buyer.do('order:cancel', { orderId }).catch(() => {});
      await until('the hub has the answer that it keeps to itself', () => told.length > 0);
    },
  },
  {
    what: 'the timeline of an order lacks an entry',
    said: 'the timeline of an order has not one entry a version: ',
    // After the day, because the hub itself finds an answer that it has kept in the timeline.
    after: ({ change, buyer }) => change("UPDATE orders SET timeline = '[]' WHERE buyer_id = ?", [buyer.userId]),
  },
  {
    what: 'a change of an order is told to one of its parties only',
    said: 'an order has not one event a version for each of its parties: ',
    after: ({ change, seller }) =>
      change("UPDATE rooms SET head = head + 1 WHERE role = 'seller' AND user_id = ?", [seller.userId]),
  },
];

describe('the auditor', () => {
  let database: TestDatabase;
  let market: Market;
  // A hub hears for a moment what is on its way before it closes. The next market need not wait for that.
  const closing: Promise<void>[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
    market = await openMarket(database);
  });
  afterEach(async () => {
    for (const restore of planted.splice(0).reverse()) restore();
    await Promise.all([market.seller.stop(), market.buyer.stop(), market.neighbour.stop()]);
    closing.push(market.hub.stop());
  });
  afterAll(() => Promise.all(closing));

  test('finds nothing where nothing is wrong, however often clients are cut off and ask again', async () => {
    const { buyer, neighbour, seller, place, does, history, hub } = market;
    await day(market, buyer, neighbour);
    for (const round of range(12)) {
      const cut = market.hub.hub.app.get(RoomFeeds) as unknown as {
        byUser: Map<string, Set<{ socket: { disconnect(close: true): void } }>>;
      };
      const orders = Promise.all([buyer, neighbour].map((roamer) => place(roamer, 1)));
      if (round % 4 === 0)
        for (const feed of [...cut.byUser.values()].flatMap((feeds) => [...feeds])) feed.socket.disconnect(true);
      for (const [index, { orderId }] of (await orders).entries()) {
        await does(index === 0 ? buyer : neighbour, 'order:pay', { orderId });
        await does(seller, 'order:ship', { orderId });
      }
    }
    await market.looked();
    expect(await close(market, SETTLED_WITHIN_MS)).toEqual([]);
    expect(history.sent.length).toBeGreaterThanOrEqual(150);
    expect(history.sittings.filter(({ clientId }) => clientId === buyer.clientId).length).toBeGreaterThan(1);
    expect(history.sittings.flatMap(({ events }) => events).length).toBe(
      (await hub.rows('SELECT seq FROM room_events')).length,
    );
    expect([market.auditor.looks > 0, market.auditor.missedLooks]).toEqual([true, 0]);
  });

  test('finds nothing on a day like those on which faults are planted', async () => {
    await day(market, market.buyer);
    await market.looked();
    expect(await close(market, SETTLED_WITHIN_MS)).toEqual([]);
  });

  test.each(faults)('sees that $what', async ({ said, before, after }) => {
    before?.(market);
    await day(market, market.buyer);
    await after?.(market);
    const found = await close(market, NOT_SETTLED_WITHIN_MS);
    expect(found.filter((fault) => fault.startsWith(said))).not.toEqual([]);
  });

  test('reads one moment, whatever is committed meanwhile, and goes on when its connection was lost', async () => {
    const reader = new DatabaseReader(database);
    const sql = 'SELECT COUNT(*) AS orders FROM orders';
    const [before, after] = await reader.snapshot(async (books) => {
      const first = await books.rows(sql);
      await market.place(market.buyer, 1);
      return [first, await books.rows(sql)];
    });
    expect(after).toEqual(before);
    expect(await reader.rows(sql)).toEqual([{ orders: 1 }]);
    await expect(reader.rows('SELECT nothing FROM nowhere')).rejects.toThrow();
    expect(await reader.rows(sql)).toEqual([{ orders: 1 }]);
    await expect(reader.rows('DELETE FROM orders')).rejects.toThrow(/read/i);
    await reader.close();
    await market.auditor.finish();
  });
});
