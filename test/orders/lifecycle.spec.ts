import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DueWatch } from '../../src/commands/due.watch.js';
import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import { audit } from '../support/audit.js';
import { contents } from '../support/contents.js';
import { TestHub, until } from '../support/hub.js';
import { movementsOf } from '../support/ledger.js';
import type { Person } from '../support/person.js';
import { give, type Way, ways } from '../support/two.ways.js';

type Status = 'placed' | 'paid' | 'shipped' | 'received' | 'cancelled';
type Command = 'pay' | 'ship' | 'receive' | 'cancel';
type Time = 'paidAt' | 'shippedAt' | 'receivedAt' | 'cancelledAt';
/** The status that follows; or FORBIDDEN; or ORDER_STATE, and then the commands that it says are allowed. */
type Outcome = Status | 'FORBIDDEN' | Command[];

interface Row {
  from: Status;
  /** How an order comes here, after it was placed. */
  way: Command[];
  late?: true;
  times: Time[];
  reads: { buyer: Command[]; seller: Command[] };
  cells: Record<Command, { buyer: Outcome; seller: Outcome }>;
}

const FORBIDDEN = 'FORBIDDEN';

/**
 * The life of an order, cell by cell. Written down here a second time, from the contract's page and not from the hub's own
 * table: the two must agree.
 */
const life: Record<string, Row> = {
  placed: {
    from: 'placed',
    way: [],
    times: [],
    reads: { buyer: ['pay', 'cancel'], seller: ['cancel'] },
    cells: {
      pay: { buyer: 'paid', seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: ['cancel'] },
      receive: { buyer: ['pay', 'cancel'], seller: FORBIDDEN },
      cancel: { buyer: 'cancelled', seller: 'cancelled' },
    },
  },
  paid: {
    from: 'paid',
    way: ['pay'],
    times: ['paidAt'],
    reads: { buyer: ['cancel'], seller: ['ship', 'cancel'] },
    cells: {
      pay: { buyer: ['cancel'], seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: 'shipped' },
      receive: { buyer: ['cancel'], seller: FORBIDDEN },
      cancel: { buyer: 'cancelled', seller: 'cancelled' },
    },
  },
  shipped: {
    from: 'shipped',
    way: ['pay', 'ship'],
    times: ['paidAt', 'shippedAt'],
    reads: { buyer: ['receive'], seller: [] },
    cells: {
      pay: { buyer: ['receive'], seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: [] },
      receive: { buyer: 'received', seller: FORBIDDEN },
      cancel: { buyer: ['receive'], seller: [] },
    },
  },
  received: {
    from: 'received',
    way: ['pay', 'ship', 'receive'],
    times: ['paidAt', 'shippedAt', 'receivedAt'],
    reads: { buyer: [], seller: [] },
    cells: {
      pay: { buyer: [], seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: [] },
      receive: { buyer: [], seller: FORBIDDEN },
      cancel: { buyer: [], seller: [] },
    },
  },
  cancelled: {
    from: 'cancelled',
    way: ['cancel'],
    times: ['cancelledAt'],
    reads: { buyer: [], seller: [] },
    cells: {
      pay: { buyer: [], seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: [] },
      receive: { buyer: [], seller: FORBIDDEN },
      cancel: { buyer: [], seller: [] },
    },
  },
  'cancelled after it was paid': {
    from: 'cancelled',
    way: ['pay', 'cancel'],
    times: ['paidAt', 'cancelledAt'],
    reads: { buyer: [], seller: [] },
    cells: {
      pay: { buyer: [], seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: [] },
      receive: { buyer: [], seller: FORBIDDEN },
      cancel: { buyer: [], seller: [] },
    },
  },
  'placed, and past expiresAt before the hub has acted': {
    from: 'placed',
    way: [],
    late: true,
    times: [],
    reads: { buyer: ['cancel'], seller: ['cancel'] },
    cells: {
      pay: { buyer: ['cancel'], seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: ['cancel'] },
      receive: { buyer: ['cancel'], seller: FORBIDDEN },
      cancel: { buyer: 'cancelled', seller: 'cancelled' },
    },
  },
  'paid in time, and past expiresAt': {
    from: 'paid',
    way: ['pay'],
    late: true,
    times: ['paidAt'],
    reads: { buyer: ['cancel'], seller: ['ship', 'cancel'] },
    cells: {
      pay: { buyer: ['cancel'], seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: 'shipped' },
      receive: { buyer: ['cancel'], seller: FORBIDDEN },
      cancel: { buyer: 'cancelled', seller: 'cancelled' },
    },
  },
};

const commands = ['pay', 'ship', 'receive', 'cancel'] as const;
const timeOf = { pay: 'paidAt', ship: 'shippedAt', receive: 'receivedAt', cancel: 'cancelledAt' } as const;
const times = Object.values(timeOf);
const roles = ['buyer', 'seller'] as const;

/** The shopkeeper is a buyer who owns another store: a seller, but not of this order. */
const actors = ['buyer', 'seller', 'stranger', 'shopkeeper'] as const;
type Actor = (typeof actors)[number];
type Cast = Record<Actor, Person>;

const COUNT = 3;
const PRICE = 700;
const TOTAL = COUNT * PRICE;
const ITEMS = [{ bookId: 'book-1', count: COUNT }];
const LATE_TTL_SECONDS = 2;

function outcomeOf({ cells }: Row, command: Command, actor: Actor): Outcome {
  if (actor === 'stranger') return FORBIDDEN;
  return cells[command][actor === 'seller' ? 'seller' : 'buyer'];
}

const cellsOf = (row: Row) =>
  commands.flatMap((command) =>
    actors.flatMap((actor) => {
      const outcome = outcomeOf(row, command, actor);
      const told = Array.isArray(outcome) ? `is ORDER_STATE, allowed [${outcome}]` : `is ${outcome}`;
      const refused = Array.isArray(outcome) || outcome === FORBIDDEN;
      return (refused ? (['socket'] as const) : ways).map((way) => ({ command, actor, way, outcome, told }));
    }),
  );

async function castOf(hub: TestHub): Promise<Cast> {
  const [buyer, seller, stranger, shopkeeper] = await Promise.all([
    hub.buyer(),
    hub.seller([{ price: PRICE, stock: 1_000 }]),
    hub.buyer(),
    hub.seller([{ price: PRICE, stock: 1_000 }]),
  ]);
  await shopkeeper.deposit(1_000_000);
  await Promise.all([buyer, seller, stranger, shopkeeper].map((person) => person.connect()));
  return { buyer, seller, stranger, shopkeeper };
}

/** Every event of a room, from the first. */
async function eventsOf(person: Person, role: 'buyer' | 'seller'): Promise<OrderStatusPush[]> {
  const events: OrderStatusPush[] = [];
  for (;;) {
    const page = await person.does('room:read', { role, after: events.length, limit: 100 });
    events.push(...page.events);
    if (events.length >= page.head) return events;
  }
}

async function headOf(person: Person, role: 'buyer' | 'seller'): Promise<number> {
  return (await person.does('room:read', { role, after: 0, limit: 1 })).head;
}

interface Scene {
  cast: Cast;
  orders: Map<string, Order>;
}

/** People, and an order for each cell of a row: of the buyer, or of the shopkeeper where that is who gives the command. */
async function stage(hub: TestHub, row: Row): Promise<Scene> {
  const cast = await castOf(hub);
  const orders = new Map<string, Order>();
  const reach = async (buyer: Person): Promise<Order> => {
    let order = await buyer.place(cast.seller, ITEMS);
    for (const command of row.way) {
      const person = command === 'ship' ? cast.seller : buyer;
      order = await person.does(`order:${command}`, { orderId: order.orderId });
    }
    return order;
  };
  await Promise.all(
    cellsOf(row).map(async ({ command, actor, way }) => {
      orders.set(`${command} ${actor} ${way}`, await reach(actor === 'shopkeeper' ? cast.shopkeeper : cast.buyer));
    }),
  );
  return { cast, orders };
}

describe('the life of an order', () => {
  let hub: TestHub;
  /** A hub that does not act on what came due, so that an order past its time stays as it is. */
  let lateHub: TestHub;
  const staged = new Map<Row, Scene>();

  beforeAll(async () => {
    hub = await TestHub.start();
    lateHub = await TestHub.start({ unpaidTtlSeconds: LATE_TTL_SECONDS });
    await lateHub.hub.app.get(DueWatch).stop();
    // Their time passes while the others are looked at.
    for (const row of Object.values(life)) if (row.late) staged.set(row, await stage(lateHub, row));
  });
  afterAll(async () => {
    await hub.stop();
    await lateHub.stop();
  });

  describe('placing', () => {
    test.each((['buyer', 'stranger', 'shopkeeper'] as const).flatMap((actor) => ways.map((way) => ({ actor, way }))))(
      'by any user but the store’s owner takes stock and nothing else: $actor over $way',
      async ({ actor, way }) => {
        const cast = await castOf(hub);
        const { seller, [actor]: buyer } = cast;
        const answer = await give(way, buyer, 'order:place', { storeId: seller.storeId, items: ITEMS });
        if (!answer.ok) throw new Error(`Not placed: ${answer.error.code}`);
        const order = answer.data;
        expect(answer).toEqual({ ok: true, seq: 1, data: order });
        expect(order).toEqual({
          orderId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
          storeId: seller.storeId,
          buyerId: buyer.userId,
          sellerId: seller.userId,
          status: 'placed',
          version: 1,
          items: [{ bookId: 'book-1', title: 'Book 1', count: COUNT, price: PRICE }],
          total: TOTAL,
          placedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          expiresAt: new Date(Date.parse(order.placedAt) + 900_000).toISOString(),
          paidAt: null,
          shippedAt: null,
          receivedAt: null,
          cancelledAt: null,
          carrier: null,
          trackingNo: null,
          cancelReason: null,
          allowed: ['pay', 'cancel'],
        });
        expect(await seller.stock()).toBe(1_000 - COUNT);
        expect(await seller.balance()).toBe(0);
        expect(await movementsOf(buyer)).toEqual([['deposit', 1_000_000, 1_000_000, null]]);
        const { timeline, ...read } = await seller.does('order:get', { orderId: order.orderId });
        expect(read).toEqual({ ...order, allowed: ['cancel'] });
        expect(timeline).toEqual([{ version: 1, status: 'placed', by: buyer.userId, at: order.placedAt }]);

        const [event] = await eventsOf(seller, 'seller');
        expect(event).toEqual({
          role: 'seller',
          seq: 1,
          orderId: order.orderId,
          version: 1,
          status: 'placed',
          previous: null,
          storeId: seller.storeId,
          buyerId: buyer.userId,
          sellerId: seller.userId,
          total: TOTAL,
          by: buyer.userId,
          at: order.placedAt,
        });
        expect(await eventsOf(buyer, 'buyer')).toEqual([{ ...event, role: 'buyer' }]);
        expect(await seller.hears(1)).toEqual([event]);
        expect(await buyer.hears(1)).toEqual([{ ...event, role: 'buyer' }]);
        for (const other of Object.values(cast).filter((person) => person !== seller && person !== buyer)) {
          expect([await headOf(other, 'buyer'), await headOf(other, 'seller'), other.events]).toEqual([0, 0, []]);
        }
      },
    );

    test.each(ways)('by the store’s owner is forbidden, at each of the owner’s stores: over %s', async (way) => {
      const { seller } = await castOf(hub);
      const second = `second-of-${seller.userId}`;
      await seller.post('/stores', { storeId: second });
      await seller.post(`/stores/${second}/books`, { bookId: 'book-1', title: 'Book 1', price: 1, stock: 10 });
      await seller.deposit(1_000_000);
      const before = await contents(hub);
      for (const storeId of [seller.storeId, second]) {
        const answer = await give(way, seller, 'order:place', { storeId, items: ITEMS });
        expect(answer).toEqual({
          ok: false,
          error: { code: 'FORBIDDEN', message: expect.any(String), retryable: false },
        });
      }
      expect(await contents(hub)).toEqual(before);
    });
  });

  describe.each(Object.entries(life))('an order that is %s', (_, row) => {
    let orders: Map<string, Order>;
    let here: TestHub;
    let cast: Cast;

    beforeAll(async () => {
      here = row.late ? lateHub : hub;
      ({ cast, orders } = await (staged.get(row) ?? stage(here, row)));
      if (!row.late) return;
      const last = Math.max(...[...orders.values()].map(({ expiresAt }) => Date.parse(expiresAt)));
      await until('every order is past its expiresAt', () => Date.now() >= last);
    });

    function orderOf(command: Command, actor: Actor, way: Way): string {
      const order = orders.get(`${command} ${actor} ${way}`);
      if (!order) throw new Error('No such cell');
      return order.orderId;
    }

    test('is read by its two parties alone, each with the commands that it may give now', async () => {
      const orderId = orderOf('pay', 'stranger', 'socket');
      for (const role of roles) {
        const person = cast[role];
        const order = await person.does('order:get', { orderId });
        expect(order).toMatchObject({ status: row.from, version: row.way.length + 1, allowed: row.reads[role] });
        expect(times.filter((time) => order[time] !== null)).toEqual(times.filter((time) => row.times.includes(time)));
        expect(order.timeline).toHaveLength(order.version);
        expect((await person.get(`/orders/${orderId}`)).body).toEqual(order);
        const { items } = await person.does('order:list', { role, status: row.from, limit: 100 });
        const { timeline: _timeline, ...listed } = order;
        expect(items.find((item) => item.orderId === orderId)).toEqual(listed);
      }
      for (const person of [cast.stranger, cast.shopkeeper]) {
        expect(await person.isRefused('order:get', { orderId })).toEqual({
          code: 'FORBIDDEN',
          message: expect.any(String),
          retryable: false,
        });
      }
    });

    test.each(cellsOf(row))('$command by the $actor over $way $told', async ({ command, actor, way, outcome }) => {
      const orderId = orderOf(command, actor, way);
      const buyer = actor === 'shopkeeper' ? cast.shopkeeper : cast.buyer;
      const { seller } = cast;
      if (typeof outcome === 'string' && outcome !== FORBIDDEN) {
        return await succeeds({ command, person: cast[actor], buyer, seller, way, orderId, next: outcome });
      }
      const before = await contents(here);
      const answer = await give(way, cast[actor], `order:${command}`, { orderId });
      const error = Array.isArray(outcome)
        ? { code: 'ORDER_STATE', details: { status: row.from, allowed: outcome } }
        : { code: FORBIDDEN };
      expect(answer).toEqual({ ok: false, error: { message: expect.any(String), retryable: false, ...error } });
      expect(await contents(here)).toEqual(before);
    });

    interface Success {
      command: Command;
      person: Person;
      buyer: Person;
      seller: Person;
      way: Way;
      orderId: string;
      next: Status;
    }

    async function succeeds({ command, person, buyer, seller, way, orderId, next }: Success): Promise<void> {
      const state = async () => {
        const [stock, otherStock, order, buyersHead, sellersHead, otherHeads, buyers, sellers, balances] =
          await Promise.all([
            seller.stock(),
            cast.shopkeeper.stock(),
            buyer.does('order:get', { orderId }),
            headOf(buyer, 'buyer'),
            headOf(seller, 'seller'),
            Promise.all([headOf(buyer, 'seller'), headOf(seller, 'buyer')]),
            movementsOf(buyer),
            movementsOf(seller),
            Promise.all([buyer.balance(), seller.balance()]),
          ]);
        return {
          stock,
          otherStock,
          order,
          heads: [buyersHead, sellersHead] as const,
          otherHeads,
          buyers,
          sellers,
          balances,
        };
      };
      const before = await state();
      const answer = await give(way, person, `order:${command}`, { orderId });
      const after = await state();

      const role = person === seller ? 'seller' : 'buyer';
      const { version } = before.order;
      const { timeline, ...read } = after.order;
      const { at } = timeline.at(-1) ?? { at: '' };
      const [buyersHead, sellersHead] = before.heads;
      const seq = role === 'buyer' ? buyersHead + 1 : sellersHead + 1;
      const reads = Object.values(life).find(({ from }) => from === next)?.reads;

      expect(answer).toEqual({ ok: true, seq, data: { ...read, allowed: reads?.[role] } });
      const { timeline: timelineBefore, ...readBefore } = before.order;
      expect(read).toEqual({
        ...readBefore,
        status: next,
        version: version + 1,
        [timeOf[command]]: at,
        allowed: reads?.buyer,
      });
      expect((await seller.does('order:get', { orderId })).allowed).toEqual(reads?.seller);
      expect(timeline).toEqual([...timelineBefore, { version: version + 1, status: next, by: person.userId, at }]);
      expect(at >= (timelineBefore.at(-1)?.at ?? at)).toBe(true);

      expect(after.stock - before.stock).toBe(command === 'cancel' ? COUNT : 0);
      expect(after.otherStock).toBe(before.otherStock);

      const paid = command === 'pay' ? TOTAL : 0;
      const refunded = command === 'cancel' && row.from === 'paid' ? TOTAL : 0;
      const [buyers, sellers] = before.balances;
      expect(after.balances).toEqual([buyers - paid + refunded, sellers + paid - refunded]);
      expect(after.buyers).toEqual([
        ...(paid ? [['payment', -TOTAL, buyers - TOTAL, orderId]] : []),
        ...(refunded ? [['refund', TOTAL, buyers + TOTAL, orderId]] : []),
        ...before.buyers,
      ]);
      expect(after.sellers).toEqual([
        ...(paid ? [['sale', TOTAL, sellers + TOTAL, orderId]] : []),
        ...(refunded ? [['refunded', -TOTAL, sellers - TOTAL, orderId]] : []),
        ...before.sellers,
      ]);

      expect(after.heads).toEqual([buyersHead + 1, sellersHead + 1]);
      expect(after.otherHeads).toEqual(before.otherHeads);
      const event = {
        orderId,
        version: version + 1,
        status: next,
        previous: row.from,
        storeId: seller.storeId,
        buyerId: buyer.userId,
        sellerId: seller.userId,
        total: TOTAL,
        by: person.userId,
        at,
      };
      const [toBuyer, toSeller] = await Promise.all([
        buyer.does('room:read', { role: 'buyer', after: buyersHead }),
        seller.does('room:read', { role: 'seller', after: sellersHead }),
      ]);
      expect(toBuyer.events).toEqual([{ role: 'buyer', seq: buyersHead + 1, ...event }]);
      expect(toSeller.events).toEqual([{ role: 'seller', seq: sellersHead + 1, ...event }]);
    }

    test('was told to its parties, event by event as their rooms keep them, and to nobody else', async () => {
      for (const person of Object.values(cast)) {
        const stored = { buyer: await eventsOf(person, 'buyer'), seller: await eventsOf(person, 'seller') };
        const told = await person.hears(stored.buyer.length + stored.seller.length);
        for (const role of roles) {
          expect(told.filter((event) => event.role === role)).toEqual(stored[role]);
          expect(stored[role].map(({ seq }) => seq)).toEqual(stored[role].map((_, index) => index + 1));
        }
      }
      const { buyer, seller, stranger, shopkeeper } = cast;
      expect(stranger.events).toEqual([]);
      expect(new Set(shopkeeper.events.map(({ role, buyerId }) => `${role} ${buyerId}`))).toEqual(
        new Set([`buyer ${shopkeeper.userId}`]),
      );
      expect(new Set(buyer.events.map(({ buyerId }) => buyerId))).toEqual(new Set([buyer.userId]));
      expect(seller.events).toHaveLength(buyer.events.length + shopkeeper.events.length);
    });
  });

  test('leaves the books right', async () => {
    expect(await audit(hub)).toEqual([]);
    expect(await audit(lateHub)).toEqual([]);
  });
});
