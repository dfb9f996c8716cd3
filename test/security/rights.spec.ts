import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import { audit } from '../support/audit.js';
import { TestHub } from '../support/hub.js';
import { life } from '../support/market.model.js';
import { Person } from '../support/person.js';
import type { Failure } from '../support/refused.js';
import { asAnswer, codeOf, device } from '../support/ways.js';

const statuses = ['placed', 'paid', 'shipped', 'received', 'cancelled'] as const;
type Status = (typeof statuses)[number];
const deeds = ['get', 'pay', 'ship', 'receive', 'cancel'] as const;
type Deed = (typeof deeds)[number];

/** Who may try: the parties of the order, those who are near it, and those who are nobody. */
const near = [
  'buyer',
  'seller',
  'another buyer of the store',
  'the owner of another store',
  'a user without orders',
] as const;
const nobodies = ['somebody without a token', 'somebody whose session has ended', 'somebody who has left'] as const;
type Near = (typeof near)[number];
type Who = Near | (typeof nobodies)[number];

/** What the contract says of each cell, by its table of an order's life and nothing else. */
function verdict(who: Who, deed: Deed, status: Status): string {
  if (nobodies.some((nobody) => nobody === who)) return 'UNAUTHENTICATED';
  if (who !== 'buyer' && who !== 'seller') return 'FORBIDDEN';
  if (deed === 'get') return 'OK';
  const steps = life.filter(({ verb, by }) => verb === deed && by.includes(who));
  if (steps.length === 0) return 'FORBIDDEN';
  return steps.some(({ from }) => from === status) ? 'OK' : 'ORDER_STATE';
}

interface Cell {
  who: Who;
  deed: Deed;
  status: Status;
  way: 'socket' | 'HTTP';
}
const everyWho: readonly Who[] = [...near, ...nobodies];
const cells = everyWho.flatMap((who) =>
  deeds.flatMap((deed) =>
    statuses.flatMap((status): Cell[] => {
      const http: Cell = { who, deed, status, way: 'HTTP' };
      // The nobodies have no socket: the handshake keeps them out, and an ended session's is cut.
      return near.some((name) => name === who) ? [http, { ...http, way: 'socket' }] : [http];
    }),
  ),
);

describe('the right to an order', () => {
  let hub: TestHub;
  const people = {} as Record<Who, Person>;
  const shared = {} as Record<Status, string>;

  async function orderThatIs(status: Status): Promise<string> {
    const { buyer, seller } = people;
    const { orderId } = await buyer.place(seller);
    if (status === 'cancelled') await buyer.does('order:cancel', { orderId });
    if (status === 'placed' || status === 'cancelled') return orderId;
    await buyer.does('order:pay', { orderId });
    if (status !== 'paid') await seller.does('order:ship', { orderId });
    if (status === 'received') await buyer.does('order:receive', { orderId });
    return orderId;
  }

  async function outcomeOf({ who, deed, way }: Cell, orderId: string): Promise<string> {
    const person = people[who];
    if (way === 'socket') return codeOf(await person.sendRaw(`order:${deed}`, { orderId }));
    if (deed === 'get') return codeOf(asAnswer(await person.get(`/orders/${orderId}`)));
    return codeOf(asAnswer(await person.post(`/orders/${orderId}/${deed}`)));
  }

  beforeAll(async () => {
    hub = await TestHub.start();
    people.buyer = await hub.buyer(10_000_000);
    people.seller = await hub.seller([{ stock: 10_000 }]);
    people['another buyer of the store'] = await hub.buyer();
    people['the owner of another store'] = await hub.seller();
    people['a user without orders'] = await hub.person();
    people['somebody without a token'] = new Person(hub, people.buyer.userId, '');
    // Sessions of the buyer, and of somebody who was nobody's party.
    const earlier = await hub.register();
    people['somebody whose session has ended'] = earlier;
    await earlier.post('/auth/logout');
    const leaver = await hub.register();
    people['somebody who has left'] = leaver;
    await leaver.post('/auth/unregister', { password: 'correct horse battery' });
    await people['another buyer of the store'].place(people.seller);
    for (const status of statuses) shared[status] = await orderThatIs(status);
  });
  afterAll(() => hub.stop());

  test('is asked of so many cells of who, what and when that none is left out', () => {
    expect(cells.length).toBeGreaterThanOrEqual(300);
    expect(new Set(cells.map((cell) => Object.values(cell).join())).size).toBe(cells.length);
    const seen = new Set(cells.map(({ who, deed, status }) => verdict(who, deed, status)));
    expect([...seen].sort()).toEqual(['FORBIDDEN', 'OK', 'ORDER_STATE', 'UNAUTHENTICATED']);
  });

  test.each(everyWho)('is decided by the contract for %s, whatever is asked, when, and by which way', async (who) => {
    const before = await hub.rows('SELECT * FROM orders ORDER BY order_id');
    const faults: string[] = [];
    const own = cells.filter((cell) => cell.who === who);
    for (const cell of own.filter(({ deed, status }) => verdict(who, deed, status) !== 'OK')) {
      const outcome = await outcomeOf(cell, shared[cell.status]);
      if (outcome !== verdict(who, cell.deed, cell.status)) faults.push(`${outcome}: ${JSON.stringify(cell)}`);
    }
    // A refusal changes nothing: not the order, and nobody's money.
    expect(await hub.rows('SELECT * FROM orders ORDER BY order_id')).toEqual(before);
    for (const cell of own.filter(({ deed, status }) => verdict(who, deed, status) === 'OK')) {
      const orderId = cell.deed === 'get' ? shared[cell.status] : await orderThatIs(cell.status);
      const outcome = await outcomeOf(cell, orderId);
      if (outcome !== 'OK') faults.push(`${outcome}: ${JSON.stringify(cell)}`);
    }
    expect(faults).toEqual([]);
  });

  test('tells a stranger nothing: one who is refused cannot see whether it is paid, shipped or whose it is', async () => {
    const stranger = people['a user without orders'];
    const answers = await Promise.all(
      statuses.flatMap((status) =>
        deeds.map(async (deed) => JSON.stringify(await stranger.sendRaw(`order:${deed}`, { orderId: shared[status] }))),
      ),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).not.toContain(people.buyer.userId);
  });

  test('is not gained by saying who one is: the hub knows, and refuses to be told', async () => {
    const stranger = people['another buyer of the store'];
    for (const claim of ['userId', 'buyerId', 'sellerId', 'by', 'role', 'status', 'price', 'isAdmin', 'sessionId']) {
      const given = { orderId: shared.placed, [claim]: people.buyer.userId };
      expect(codeOf(await stranger.sendRaw('order:pay', given))).toBe('BAD_MESSAGE');
      const place = { storeId: people.seller.storeId, items: [{ bookId: 'book-1', count: 1, [claim]: 0 }] };
      expect(codeOf(await stranger.sendRaw('order:place', place))).toBe('BAD_MESSAGE');
    }
  });

  test('of others is in no list: everybody sees their own orders, entries and events only', async () => {
    for (const who of near) {
      const person = people[who];
      const owned = { buyer: 'buyerId', seller: 'sellerId' } as const;
      for (const role of ['buyer', 'seller'] as const) {
        const { body } = await person.get<{ items: Order[] }>(`/orders?role=${role}&limit=100`);
        expect(body.items.filter((order) => order[owned[role]] !== person.userId)).toEqual([]);
        const { events } = await device(person, hub).does('room:read', { role, after: 0, limit: 100 });
        expect(events.filter((event) => event[`${role}Id`] !== person.userId)).toEqual([]);
      }
      const store = `/orders?role=seller&storeId=${people.seller.storeId}`;
      const sold = (await person.get<{ items: Order[] }>(store)).body.items.length;
      expect([who, sold > 0]).toEqual([who, who === 'seller']);
    }
    const entries = (await people['a user without orders'].get<{ items: unknown[] }>('/wallet/entries')).body.items;
    expect(entries).toEqual([]);
  });

  test('to a shelf is its owner’s: nobody else adds a book, changes one, or moves stock', async () => {
    const { storeId } = people.seller;
    const shelf = `/stores/${storeId}/books`;
    const book = { title: 'Theirs', price: 1, stock: 1 };
    const before = await hub.rows('SELECT book_id, title, price FROM books');
    for (const who of everyWho.filter((name) => name !== 'seller')) {
      const expected = nobodies.some((nobody) => nobody === who) ? 'UNAUTHENTICATED' : 'FORBIDDEN';
      const outcomes = [
        await people[who].post<Failure>(shelf, { ...book, bookId: 'theirs' }),
        await people[who].patch<Failure>(`${shelf}/book-1`, { price: 1 }),
        await people[who].post<Failure>(`${shelf}/book-1/stock`, { add: 5 }),
      ];
      expect([who, outcomes.map(({ body }) => body.error.code)]).toEqual([who, [expected, expected, expected]]);
    }
    expect(await hub.rows('SELECT book_id, title, price FROM books')).toEqual(before);
  });

  test('was never given wrongly: the books balance after all of this', async () => {
    expect(await audit(hub)).toEqual([]);
  });
});
