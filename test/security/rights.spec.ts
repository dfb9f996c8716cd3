import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { audit } from '../support/audit.js';
import { TestHub } from '../support/hub.js';
import { orderCorrections, orderTransitions } from '../support/market.model.js';
import { Person } from '../support/person.js';
import type { Failure } from '../support/refused.js';
import { asAnswer, codeOf, device } from '../support/ways.js';

const statuses = ['placed', 'paid', 'shipped', 'received', 'cancelled'] as const;
type Status = (typeof statuses)[number];
const actions = ['get', 'pay', 'accept', 'ship', 'receive', 'cancel', 'refund', 'track'] as const;
/** What a command needs besides the order. */
const fields: Partial<Record<Action, object>> = { refund: { amount: 1 }, track: { trackingNo: 'SF1' } };
type Action = (typeof actions)[number];

/** The order's parties, other users, and unauthenticated clients. */
const authenticatedActors = [
  'buyer',
  'seller',
  'another buyer of the store',
  'the owner of another store',
  'a user without orders',
] as const;
const unauthenticatedActors = [
  'a client without a token',
  'a user whose session has ended',
  'an unregistered user',
] as const;
type AuthenticatedActor = (typeof authenticatedActors)[number];
type Actor = AuthenticatedActor | (typeof unauthenticatedActors)[number];

/** The expected outcome, from the contract's table of transitions only. */
function expectedOutcome(actor: Actor, action: Action, status: Status): string {
  if (unauthenticatedActors.some((each) => each === actor)) return 'UNAUTHENTICATED';
  if (actor !== 'buyer' && actor !== 'seller') return 'FORBIDDEN';
  if (action === 'get') return 'OK';
  const transitions = [...orderTransitions, ...orderCorrections].filter(
    ({ verb, by }) => verb === action && by.includes(actor),
  );
  if (transitions.length === 0) return 'FORBIDDEN';
  return transitions.some(({ from }) => from.includes(status)) ? 'OK' : 'ORDER_STATE';
}

interface Cell {
  actor: Actor;
  action: Action;
  status: Status;
  transport: 'socket' | 'HTTP';
}
const allActors: readonly Actor[] = [...authenticatedActors, ...unauthenticatedActors];
const cells = allActors.flatMap((actor) =>
  actions.flatMap((action) =>
    statuses.flatMap((status): Cell[] => {
      const http: Cell = { actor, action, status, transport: 'HTTP' };
      // Unauthenticated actors have no socket.
      return authenticatedActors.some((name) => name === actor) ? [http, { ...http, transport: 'socket' }] : [http];
    }),
  ),
);

describe('access to an order', () => {
  let hub: TestHub;
  const people = {} as Record<Actor, Person>;
  const sharedOrders = {} as Record<Status, string>;

  async function orderWithStatus(status: Status): Promise<string> {
    const { buyer, seller } = people;
    const { orderId } = await buyer.place(seller);
    if (status === 'cancelled') await buyer.does('order:cancel', { orderId });
    if (status === 'placed' || status === 'cancelled') return orderId;
    await buyer.does('order:pay', { orderId });
    if (status !== 'paid') await seller.does('order:ship', { orderId });
    if (status === 'received') await buyer.does('order:receive', { orderId });
    return orderId;
  }

  async function outcomeOf({ actor, action, transport }: Cell, orderId: string): Promise<string> {
    const person = people[actor];
    const request = { orderId, ...fields[action] };
    if (transport === 'socket') return codeOf(await person.sendRaw(`order:${action}`, request));
    if (action === 'get') return codeOf(asAnswer(await person.get(`/orders/${orderId}`)));
    return codeOf(asAnswer(await person.post(`/orders/${orderId}/${action}`, request)));
  }

  beforeAll(async () => {
    hub = await TestHub.start();
    people.buyer = await hub.buyer(10_000_000);
    people.seller = await hub.seller([{ stock: 10_000 }]);
    people['another buyer of the store'] = await hub.buyer();
    people['the owner of another store'] = await hub.seller();
    people['a user without orders'] = await hub.person();
    people['a client without a token'] = new Person(hub, people.buyer.userId, '');
    // Users who are not a party of any order.
    const earlier = await hub.register();
    people['a user whose session has ended'] = earlier;
    await earlier.post('/auth/logout');
    const leaver = await hub.register();
    people['an unregistered user'] = leaver;
    await leaver.post('/auth/unregister', { password: 'correct horse battery' });
    await people['another buyer of the store'].place(people.seller);
    for (const status of statuses) sharedOrders[status] = await orderWithStatus(status);
  });
  afterAll(() => hub.stop());

  test('is tested for every actor, action, status and transport', () => {
    expect(cells.length).toBeGreaterThanOrEqual(300);
    expect(new Set(cells.map((cell) => Object.values(cell).join())).size).toBe(cells.length);
    const seen = new Set(cells.map(({ actor, action, status }) => expectedOutcome(actor, action, status)));
    expect([...seen].sort()).toEqual(['FORBIDDEN', 'OK', 'ORDER_STATE', 'UNAUTHENTICATED']);
  });

  test.each(allActors)('follows the contract for %s', async (actor) => {
    const before = await hub.rows('SELECT * FROM orders ORDER BY order_id');
    const mismatches: string[] = [];
    const ownCells = cells.filter((cell) => cell.actor === actor);
    for (const cell of ownCells.filter(({ action, status }) => expectedOutcome(actor, action, status) !== 'OK')) {
      const outcome = await outcomeOf(cell, sharedOrders[cell.status]);
      if (outcome !== expectedOutcome(actor, cell.action, cell.status))
        mismatches.push(`${outcome}: ${JSON.stringify(cell)}`);
    }
    // A refusal changes nothing.
    expect(await hub.rows('SELECT * FROM orders ORDER BY order_id')).toEqual(before);
    for (const cell of ownCells.filter(({ action, status }) => expectedOutcome(actor, action, status) === 'OK')) {
      const orderId = cell.action === 'get' ? sharedOrders[cell.status] : await orderWithStatus(cell.status);
      const outcome = await outcomeOf(cell, orderId);
      if (outcome !== 'OK') mismatches.push(`${outcome}: ${JSON.stringify(cell)}`);
    }
    expect(mismatches).toEqual([]);
  });

  test('reveals nothing about an order in a refusal', async () => {
    const stranger = people['a user without orders'];
    const answers = await Promise.all(
      statuses.flatMap((status) =>
        actions.map(async (action) =>
          JSON.stringify(
            await stranger.sendRaw(`order:${action}`, { orderId: sharedOrders[status], ...fields[action] }),
          ),
        ),
      ),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).not.toContain(people.buyer.userId);
  });

  test('cannot be claimed by extra fields', async () => {
    const stranger = people['another buyer of the store'];
    for (const claim of ['userId', 'buyerId', 'sellerId', 'by', 'role', 'status', 'price', 'isAdmin', 'sessionId']) {
      const claimed = { orderId: sharedOrders.placed, [claim]: people.buyer.userId };
      expect(codeOf(await stranger.sendRaw('order:pay', claimed))).toBe('BAD_MESSAGE');
      const place = { storeId: people.seller.storeId, items: [{ bookId: 'book-1', count: 1, [claim]: 0 }] };
      expect(codeOf(await stranger.sendRaw('order:place', place))).toBe('BAD_MESSAGE');
    }
  });

  test("limits every list to the user's own orders, entries and events", async () => {
    for (const actor of authenticatedActors) {
      const person = people[actor];
      const owned = { buyer: 'buyerId', seller: 'sellerId' } as const;
      for (const role of ['buyer', 'seller'] as const) {
        const { body } = await person.get<{ items: Order[] }>(`/orders?role=${role}&limit=100`);
        expect(body.items.filter((order) => order[owned[role]] !== person.userId)).toEqual([]);
        const { events } = await device(person, hub).does('room:read', { role, after: 0, limit: 100 });
        expect(events.filter((event) => event[`${role}Id`] !== person.userId)).toEqual([]);
      }
      const store = `/orders?role=seller&storeId=${people.seller.storeId}`;
      const sold = (await person.get<{ items: Order[] }>(store)).body.items.length;
      expect([actor, sold > 0]).toEqual([actor, actor === 'seller']);
    }
    const entries = (await people['a user without orders'].get<{ items: unknown[] }>('/wallet/entries')).body.items;
    expect(entries).toEqual([]);
  });

  test("limits a store's books and stock to its owner", async () => {
    const { storeId } = people.seller;
    const shelf = `/stores/${storeId}/books`;
    const book = { title: 'Theirs', price: 1, stock: 1 };
    const before = await hub.rows('SELECT book_id, title, price FROM books');
    for (const actor of allActors.filter((name) => name !== 'seller')) {
      const expected = unauthenticatedActors.some((each) => each === actor) ? 'UNAUTHENTICATED' : 'FORBIDDEN';
      const outcomes = [
        await people[actor].post<Failure>(shelf, { ...book, bookId: 'theirs' }),
        await people[actor].patch<Failure>(`${shelf}/book-1`, { price: 1 }),
        await people[actor].post<Failure>(`${shelf}/book-1/stock`, { add: 5 }),
      ];
      expect([actor, outcomes.map(({ body }) => body.error.code)]).toEqual([actor, [expected, expected, expected]]);
    }
    expect(await hub.rows('SELECT book_id, title, price FROM books')).toEqual(before);
  });

  test('leaves the database consistent', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
