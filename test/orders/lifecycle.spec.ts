import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import { OrderScheduler } from '../../src/orders/order.scheduler.js';
import { audit } from '../support/audit.js';
import { contents } from '../support/contents.js';
import { TestHub, until } from '../support/hub.js';
import { movementsOf } from '../support/ledger.js';
import type { Person } from '../support/person.js';
import { give, type Way, ways } from '../support/two.ways.js';

type Status = 'placed' | 'paid' | 'shipped' | 'received' | 'cancelled';
type Command = 'pay' | 'ship' | 'receive' | 'cancel';
type Allowed = Command | 'accept' | 'refund' | 'track';
type Timestamp = 'paidAt' | 'shippedAt' | 'receivedAt' | 'cancelledAt';
/** The next status, FORBIDDEN, or for ORDER_STATE the commands that its details list as allowed. */
type Outcome = Status | 'FORBIDDEN' | Allowed[];

interface State {
  status: Status;
  /** The commands that bring a placed order into this state. */
  path: Command[];
  /** Past `expiresAt`, on a hub whose scheduler is stopped. */
  overdue?: true;
  timestamps: Timestamp[];
  allowed: { buyer: Allowed[]; seller: Allowed[] };
  outcomes: Record<Command, { buyer: Outcome; seller: Outcome }>;
}

const FORBIDDEN = 'FORBIDDEN';

const final: Pick<State, 'allowed' | 'outcomes'> = {
  allowed: { buyer: [], seller: [] },
  outcomes: {
    pay: { buyer: [], seller: FORBIDDEN },
    ship: { buyer: FORBIDDEN, seller: [] },
    receive: { buyer: [], seller: FORBIDDEN },
    cancel: { buyer: [], seller: [] },
  },
};

/** The state machine, written from the contract's page and not derived from the hub's own table: the two must agree. */
const states: Record<string, State> = {
  placed: {
    status: 'placed',
    path: [],
    timestamps: [],
    allowed: { buyer: ['pay', 'cancel'], seller: ['cancel'] },
    outcomes: {
      pay: { buyer: 'paid', seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: ['cancel'] },
      receive: { buyer: ['pay', 'cancel'], seller: FORBIDDEN },
      cancel: { buyer: 'cancelled', seller: 'cancelled' },
    },
  },
  paid: {
    status: 'paid',
    path: ['pay'],
    timestamps: ['paidAt'],
    allowed: { buyer: ['cancel'], seller: ['ship', 'cancel', 'accept', 'refund'] },
    outcomes: {
      pay: { buyer: ['cancel'], seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: 'shipped' },
      receive: { buyer: ['cancel'], seller: FORBIDDEN },
      cancel: { buyer: 'cancelled', seller: 'cancelled' },
    },
  },
  shipped: {
    status: 'shipped',
    path: ['pay', 'ship'],
    timestamps: ['paidAt', 'shippedAt'],
    allowed: { buyer: ['receive'], seller: ['refund', 'track'] },
    outcomes: {
      pay: { buyer: ['receive'], seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: ['refund', 'track'] },
      receive: { buyer: 'received', seller: FORBIDDEN },
      cancel: { buyer: ['receive'], seller: ['refund', 'track'] },
    },
  },
  received: {
    status: 'received',
    path: ['pay', 'ship', 'receive'],
    timestamps: ['paidAt', 'shippedAt', 'receivedAt'],
    allowed: { buyer: [], seller: ['refund'] },
    outcomes: {
      ...final.outcomes,
      ship: { buyer: FORBIDDEN, seller: ['refund'] },
      cancel: { buyer: [], seller: ['refund'] },
    },
  },
  cancelled: {
    status: 'cancelled',
    path: ['cancel'],
    timestamps: ['cancelledAt'],
    ...final,
  },
  'cancelled after payment': {
    status: 'cancelled',
    path: ['pay', 'cancel'],
    timestamps: ['paidAt', 'cancelledAt'],
    ...final,
  },
  'placed and past expiresAt, before the hub has cancelled it': {
    status: 'placed',
    path: [],
    overdue: true,
    timestamps: [],
    allowed: { buyer: ['cancel'], seller: ['cancel'] },
    outcomes: {
      pay: { buyer: ['cancel'], seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: ['cancel'] },
      receive: { buyer: ['cancel'], seller: FORBIDDEN },
      cancel: { buyer: 'cancelled', seller: 'cancelled' },
    },
  },
  'paid in time and past expiresAt': {
    status: 'paid',
    path: ['pay'],
    overdue: true,
    timestamps: ['paidAt'],
    allowed: { buyer: ['cancel'], seller: ['ship', 'cancel', 'accept', 'refund'] },
    outcomes: {
      pay: { buyer: ['cancel'], seller: FORBIDDEN },
      ship: { buyer: FORBIDDEN, seller: 'shipped' },
      receive: { buyer: ['cancel'], seller: FORBIDDEN },
      cancel: { buyer: 'cancelled', seller: 'cancelled' },
    },
  },
};

const commands = ['pay', 'ship', 'receive', 'cancel'] as const;
const timestampOf = { pay: 'paidAt', ship: 'shippedAt', receive: 'receivedAt', cancel: 'cancelledAt' } as const;
const timestamps = Object.values(timestampOf);
const roles = ['buyer', 'seller'] as const;

/** The shopkeeper buys, and owns another store: a seller, but not of this order. */
const actors = ['buyer', 'seller', 'stranger', 'shopkeeper'] as const;
type Actor = (typeof actors)[number];
type People = Record<Actor, Person>;

const COUNT = 3;
const PRICE = 700;
const TOTAL = COUNT * PRICE;
const ITEMS = [{ bookId: 'book-1', count: COUNT }];
const SHORT_TTL_SECONDS = 2;

function outcomeOf({ outcomes }: State, command: Command, actor: Actor): Outcome {
  if (actor === 'stranger') return FORBIDDEN;
  return outcomes[command][actor === 'seller' ? 'seller' : 'buyer'];
}

/** What a command on a whole order does to its lines and its one parcel. */
function linesAfter(command: Command, { status, items, parcels }: Order, at: string): Partial<Order> {
  if (command === 'receive') return { parcels: parcels.map((parcel) => ({ ...parcel, receivedAt: at })) };
  if (command === 'ship') {
    const parcel = { parcel: 1, items: ITEMS, carrier: null, trackingNo: null, shippedAt: at, receivedAt: null };
    return { items: items.map((item) => ({ ...item, shipped: COUNT })), parcels: [parcel] };
  }
  if (command === 'pay') return {};
  return { items: items.map((item) => ({ ...item, cancelled: COUNT })), refunded: status === 'paid' ? TOTAL : 0 };
}

interface Case {
  command: Command;
  actor: Actor;
  /** A success needs an order per transport; a rejection changes nothing, so one order serves both. */
  transports: readonly Way[];
  over: string;
  outcome: Outcome;
  result: string;
}

const casesOf = (state: State): Case[] =>
  commands.flatMap((command) =>
    actors.flatMap((actor) => {
      const outcome = outcomeOf(state, command, actor);
      const result = Array.isArray(outcome) ? `ORDER_STATE, allowed [${outcome}]` : outcome;
      const rejected = Array.isArray(outcome) || outcome === FORBIDDEN;
      return (rejected ? [ways] : ways.map((way) => [way])).map((transports) => ({
        command,
        actor,
        transports,
        over: transports.join(' and '),
        outcome,
        result,
      }));
    }),
  );

async function peopleOf(hub: TestHub): Promise<People> {
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

/** Every event of a room, oldest first. */
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

interface Fixture {
  people: People;
  orders: Map<string, Order>;
}

const keyOf = (command: Command, actor: Actor, transports: readonly Way[]) => `${command} ${actor} ${transports}`;

/** Creates people, and one order per case in the given state; the shopkeeper's cases need an order the shopkeeper placed. */
async function createFixture(hub: TestHub, state: State): Promise<Fixture> {
  const people = await peopleOf(hub);
  const orders = new Map<string, Order>();
  const reach = async (buyer: Person): Promise<Order> => {
    let order = await buyer.place(people.seller, ITEMS);
    for (const command of state.path) {
      const person = command === 'ship' ? people.seller : buyer;
      order = await person.does(`order:${command}`, { orderId: order.orderId });
    }
    return order;
  };
  await Promise.all(
    casesOf(state).map(async ({ command, actor, transports }) => {
      const buyer = actor === 'shopkeeper' ? people.shopkeeper : people.buyer;
      orders.set(keyOf(command, actor, transports), await reach(buyer));
    }),
  );
  return { people, orders };
}

describe.each(['paid', 'received'] as const)('the order lifecycle, with SETTLE_AT=%s', (settleAt) => {
  const isHeld = settleAt === 'received';
  let hub: TestHub;
  /** Its scheduler is stopped, so that an overdue order keeps its status. */
  let unscheduledHub: TestHub;
  const overdueFixtures = new Map<State, Fixture>();

  beforeAll(async () => {
    hub = await TestHub.start({ settleAt });
    unscheduledHub = await TestHub.start({ settleAt, unpaidTtlSeconds: SHORT_TTL_SECONDS });
    await unscheduledHub.hub.app.get(OrderScheduler).stop();
    // Created first, so that they expire while the other states are tested.
    for (const state of Object.values(states)) {
      if (state.overdue) overdueFixtures.set(state, await createFixture(unscheduledHub, state));
    }
  });
  afterAll(async () => {
    await hub.stop();
    await unscheduledHub.stop();
  });

  describe('placing', () => {
    test.each((['buyer', 'stranger', 'shopkeeper'] as const).flatMap((actor) => ways.map((way) => ({ actor, way }))))(
      'by the $actor over $way takes stock and moves no money',
      async ({ actor, way }) => {
        const people = await peopleOf(hub);
        const { seller, [actor]: buyer } = people;
        const answer = await give(way, buyer, 'order:place', { storeId: seller.storeId, items: ITEMS });
        if (!answer.ok) throw new Error(`Not placed: ${answer.error.code}`);
        const order = answer.data;
        expect(answer).toEqual({ ok: true, seq: 1, data: order });
        expect(order).toEqual({
          orderId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
          storeId: seller.storeId,
          buyerId: buyer.userId,
          sellerId: seller.userId,
          number: 1,
          status: 'placed',
          version: 1,
          items: [
            { bookId: 'book-1', title: 'Book 1', count: COUNT, price: PRICE, shipped: 0, cancelled: 0, refunded: 0 },
          ],
          total: TOTAL,
          refunded: 0,
          parcels: [],
          placedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          expiresAt: new Date(Date.parse(order.placedAt) + 900_000).toISOString(),
          paidAt: null,
          shippedAt: null,
          receivedAt: null,
          cancelledAt: null,
          shipBy: null,
          acceptBy: null,
          acceptedAt: null,
          readyAt: null,
          seenAt: null,
          claim: null,
          carrier: null,
          trackingNo: null,
          cancelReason: null,
          allowed: ['pay', 'cancel'],
        });
        expect(await seller.stock()).toBe(1_000 - COUNT);
        expect(await seller.balance()).toBe(0);
        expect(await movementsOf(buyer)).toEqual([['deposit', 1_000_000, 1_000_000, null]]);
        const { timeline, ...read } = await seller.does('order:get', { orderId: order.orderId });
        expect(read).toEqual({ ...order, deliverTo: null, notes: [], allowed: ['cancel'] });
        const placed = { version: 1, status: 'placed', command: 'place', by: buyer.userId, at: order.placedAt };
        expect(timeline).toEqual([placed]);

        const [event] = await eventsOf(seller, 'seller');
        expect(event).toEqual({
          role: 'seller',
          seq: 1,
          orderId: order.orderId,
          version: 1,
          status: 'placed',
          previous: null,
          command: 'place',
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
        for (const other of Object.values(people).filter((person) => person !== seller && person !== buyer)) {
          expect([await headOf(other, 'buyer'), await headOf(other, 'seller'), other.events]).toEqual([0, 0, []]);
        }
      },
    );

    test.each(ways)('over %s is FORBIDDEN in any store of one’s own', async (way) => {
      const { seller } = await peopleOf(hub);
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

  describe.each(Object.entries(states))('an order that is %s', (_, state) => {
    let orders: Map<string, Order>;
    let currentHub: TestHub;
    let people: People;

    beforeAll(async () => {
      currentHub = state.overdue ? unscheduledHub : hub;
      ({ people, orders } = await (overdueFixtures.get(state) ?? createFixture(currentHub, state)));
      if (!state.overdue) return;
      const last = Math.max(...[...orders.values()].map(({ expiresAt }) => Date.parse(expiresAt)));
      await until('every order is past its expiresAt', () => currentHub.now() >= last);
    });

    function orderOf(command: Command, actor: Actor, transports: readonly Way[]): string {
      const order = orders.get(keyOf(command, actor, transports));
      if (!order) throw new Error('No such case');
      return order.orderId;
    }

    test('is readable by its two parties only, each with the commands allowed to that party', async () => {
      const orderId = orderOf('pay', 'stranger', ways);
      for (const role of roles) {
        const person = people[role];
        const order = await person.does('order:get', { orderId });
        expect(order).toMatchObject({
          status: state.status,
          version: state.path.length + 1,
          allowed: state.allowed[role],
        });
        expect(timestamps.filter((name) => order[name] !== null)).toEqual(
          timestamps.filter((name) => state.timestamps.includes(name)),
        );
        expect(order.timeline).toHaveLength(order.version);
        expect((await person.get(`/orders/${orderId}`)).body).toEqual(order);
        const { items } = await person.does('order:list', { role, status: state.status, limit: 100 });
        const { timeline: _timeline, notes, ...listed } = order;
        expect(notes).toEqual([]);
        expect(items.find((item) => item.orderId === orderId)).toEqual(listed);
      }
      for (const person of [people.stranger, people.shopkeeper]) {
        expect(await person.isRefused('order:get', { orderId })).toEqual({
          code: 'FORBIDDEN',
          message: expect.any(String),
          retryable: false,
        });
      }
    });

    test.each(casesOf(state))('$command by the $actor over $over: $result', async (each) => {
      const { command, actor, transports, outcome } = each;
      const orderId = orderOf(command, actor, transports);
      const buyer = actor === 'shopkeeper' ? people.shopkeeper : people.buyer;
      const { seller } = people;
      if (typeof outcome === 'string' && outcome !== FORBIDDEN) {
        const [way = 'socket'] = transports;
        return await expectSuccess({ command, person: people[actor], buyer, seller, way, orderId, next: outcome });
      }
      const error = Array.isArray(outcome)
        ? { code: 'ORDER_STATE', details: { status: state.status, allowed: outcome } }
        : { code: FORBIDDEN };
      const before = await contents(currentHub);
      for (const way of transports) {
        const answer = await give(way, people[actor], `order:${command}`, { orderId });
        expect(answer).toEqual({ ok: false, error: { message: expect.any(String), retryable: false, ...error } });
      }
      expect(await contents(currentHub)).toEqual(before);
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

    async function snapshot(buyer: Person, seller: Person, orderId: string) {
      const [stock, otherStock, order, buyersHead, sellersHead, otherHeads, buyers, sellers, wallets] =
        await Promise.all([
          seller.stock(),
          people.shopkeeper.stock(),
          buyer.does('order:get', { orderId }),
          headOf(buyer, 'buyer'),
          headOf(seller, 'seller'),
          Promise.all([headOf(buyer, 'seller'), headOf(seller, 'buyer')]),
          movementsOf(buyer),
          movementsOf(seller),
          Promise.all([buyer.wallet(), seller.wallet()]),
        ]);
      const heads = [buyersHead, sellersHead] as const;
      return { stock, otherStock, order, heads, otherHeads, buyers, sellers, wallets };
    }

    async function expectSuccess({ command, person, buyer, seller, way, orderId, next }: Success): Promise<void> {
      const before = await snapshot(buyer, seller, orderId);
      const answer = await give(way, person, `order:${command}`, { orderId });
      const after = await snapshot(buyer, seller, orderId);

      const role = person === seller ? 'seller' : 'buyer';
      const { version } = before.order;
      const { timeline, deliverTo: _deliverTo, notes: _notes, ...read } = after.order;
      const { at } = timeline.at(-1) ?? { at: '' };
      const [buyersHead, sellersHead] = before.heads;
      const seq = role === 'buyer' ? buyersHead + 1 : sellersHead + 1;
      const allowed = Object.values(states).find(({ status }) => status === next)?.allowed;

      expect(answer).toEqual({ ok: true, seq, data: { ...read, allowed: allowed?.[role] } });
      const { timeline: timelineBefore, deliverTo: _before, notes: _none, ...readBefore } = before.order;
      expect(read).toEqual({
        ...readBefore,
        ...(command === 'pay' ? { acceptedAt: read.paidAt } : {}),
        status: next,
        version: version + 1,
        [timestampOf[command]]: at,
        ...linesAfter(command, readBefore, at),
        allowed: allowed?.buyer,
      });
      expect((await seller.does('order:get', { orderId })).allowed).toEqual(allowed?.seller);
      const entry = { version: version + 1, status: next, command, by: person.userId, at };
      expect(timeline).toEqual([...timelineBefore, entry]);
      expect(at >= (timelineBefore.at(-1)?.at ?? at)).toBe(true);

      expect(after.stock - before.stock).toBe(command === 'cancel' ? COUNT : 0);
      expect(after.otherStock).toBe(before.otherStock);

      const paid = command === 'pay' ? TOTAL : 0;
      const refunded = command === 'cancel' && state.status === 'paid' ? TOTAL : 0;
      const released = command === 'receive' ? TOTAL : 0;
      const [sold, returned] = isHeld ? [released, 0] : [paid, refunded];
      const [{ balance: buyers }, { balance: sellers, held }] = before.wallets;
      expect(after.wallets).toEqual([
        { balance: buyers - paid + refunded, held: 0 },
        { balance: sellers + sold - returned, held: held + (isHeld ? paid - refunded - released : 0) },
      ]);
      expect(after.buyers).toEqual([
        ...(paid ? [['payment', -TOTAL, buyers - TOTAL, orderId]] : []),
        ...(refunded ? [['refund', TOTAL, buyers + TOTAL, orderId]] : []),
        ...before.buyers,
      ]);
      expect(after.sellers).toEqual([
        ...(sold ? [['sale', TOTAL, sellers + TOTAL, orderId]] : []),
        ...(returned ? [['refunded', -TOTAL, sellers - TOTAL, orderId]] : []),
        ...before.sellers,
      ]);

      expect(after.heads).toEqual([buyersHead + 1, sellersHead + 1]);
      expect(after.otherHeads).toEqual(before.otherHeads);
      const event = {
        orderId,
        version: version + 1,
        status: next,
        previous: state.status,
        command,
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

    test('was pushed to its parties only, exactly as their rooms store it', async () => {
      for (const person of Object.values(people)) {
        const stored = { buyer: await eventsOf(person, 'buyer'), seller: await eventsOf(person, 'seller') };
        const pushed = await person.hears(stored.buyer.length + stored.seller.length);
        for (const role of roles) {
          expect(pushed.filter((event) => event.role === role)).toEqual(stored[role]);
          expect(stored[role].map(({ seq }) => seq)).toEqual(stored[role].map((_, index) => index + 1));
        }
      }
      const { buyer, seller, stranger, shopkeeper } = people;
      expect(stranger.events).toEqual([]);
      expect(new Set(shopkeeper.events.map(({ role, buyerId }) => `${role} ${buyerId}`))).toEqual(
        new Set([`buyer ${shopkeeper.userId}`]),
      );
      expect(new Set(buyer.events.map(({ buyerId }) => buyerId))).toEqual(new Set([buyer.userId]));
      expect(seller.events).toHaveLength(buyer.events.length + shopkeeper.events.length);
    });
  });

  test('passes the audit', async () => {
    expect(await audit(hub)).toEqual([]);
    expect(await audit(unscheduledHub)).toEqual([]);
  });
});
