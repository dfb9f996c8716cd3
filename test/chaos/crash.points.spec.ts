import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush, RoomEvents } from '../../src/contract/rooms.js';
import type { Answer } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { DatabaseReader } from '../support/database.reader.js';
import { until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import type { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { asAnswer, codeOf, range } from '../support/ways.js';

const PRICE = 100;
const ENDED_WITHIN_MS = 15_000;

/** Somebody over all the hubs that come and go: what was heard is kept, and is where the next socket goes on. */
class Regular {
  readonly heard: OrderStatusPush[] = [];
  /** Up to here what was heard has been compared with the room. */
  compared = 0;

  constructor(
    public at: Person,
    readonly role: 'buyer' | 'seller',
  ) {}

  async comeTo(hub: HubProcess): Promise<void> {
    this.leave();
    const { userId, token, storeId } = this.at;
    this.at = hub.person(userId, token);
    this.at.storeId = storeId;
    await this.at.connect({ last: { [this.role]: this.heard.at(-1)?.seq ?? 0 } });
  }

  leave(): void {
    this.heard.push(...this.at.events.splice(0));
    this.at.disconnect();
  }

  /** What the room holds beyond what was compared already. */
  async room(): Promise<OrderStatusPush[]> {
    const { role, compared } = this;
    const { body } = await this.at.get<RoomEvents>(`/rooms/${role}/events?after=${compared}&limit=100`);
    expect(body.head - compared).toBe(body.events.length);
    return body.events;
  }
}

interface Given {
  by: Regular;
  message: string;
  request: { key: string } & Record<string, unknown>;
  /** What it must come to, sent once or more often. */
  comesTo: 'OK' | 'ORDER_STATE';
}

/**
 * Where a hub is ended, and at which passing of the point since the commands were sent: the first batch holds one command,
 * the second those that came meanwhile. Points behind the COMMIT say how many of the commands are done by then at least.
 */
const POINTS: { point: string; nth: number; done?: number; acknowledged?: number }[] = [
  { point: 'after-begin', nth: 2 },
  { point: 'after-first-locks', nth: 2 },
  { point: 'before-first-write', nth: 2 },
  { point: 'after-orders', nth: 2 },
  { point: 'after-stock', nth: 2 },
  { point: 'after-wallets', nth: 1 },
  { point: 'after-rooms', nth: 2 },
  { point: 'after-wallet-entries', nth: 1 },
  { point: 'after-events', nth: 2 },
  { point: 'after-answers', nth: 2 },
  { point: 'before-signature', nth: 2 },
  { point: 'after-signature', nth: 2 },
  { point: 'commit-sent', nth: 2 },
  { point: 'after-commit', nth: 2, done: 2 },
  { point: 'before-answers', nth: 2, done: 2 },
  { point: 'between-pushes', nth: 2, done: 2 },
  { point: 'before-hint', nth: 2, done: 2 },
  { point: 'after-hint', nth: 2, done: 2 },
  { point: 'before-first-ack', nth: 2, done: 2 },
  { point: 'after-first-ack', nth: 1, done: 2, acknowledged: 2 },
  { point: 'after-last-ack', nth: 2, done: 2, acknowledged: 2 },
];

describe('a hub that is ended in the middle of its work', () => {
  let database: TestDatabase;
  let reader: DatabaseReader;
  let hub: HubProcess | undefined;
  let buyer: Regular;
  let other: Regular;
  let seller: Regular;

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await HubProcess.start(database, {}, { crash: true });
    buyer = new Regular(await hub.register('buyer'), 'buyer');
    other = new Regular(await hub.register('other'), 'buyer');
    seller = new Regular(await hub.register('seller'), 'seller');
    for (const { at } of everybody()) at.storeId = 'store';
    await seller.at.post('/stores', { storeId: 'store' });
    const book = { bookId: 'book-1', title: 'Book', price: PRICE, stock: 100_000 };
    expect((await seller.at.post('/stores/store/books', book)).status).toBe(201);
    for (const { at } of everybody()) await at.deposit(1_000_000);
    reader = new DatabaseReader(database);
  }, 120_000);
  afterAll(async () => {
    for (const person of everybody()) person.leave();
    await reader.close();
    await hub?.kill();
    await database.drop();
  });

  const everybody = () => [buyer, other, seller];
  const order = (count = 1) => ({ storeId: 'store', items: [{ bookId: 'book-1', count }] });

  /** A hub that can be told to crash, and everybody on it. The one that has come up after the last crash, if there is one. */
  async function gather(): Promise<HubProcess> {
    if (!hub || hub.hasEnded) hub = await HubProcess.start(database, {}, { crash: true });
    for (const person of everybody()) await person.comeTo(hub);
    return hub;
  }

  async function placed(): Promise<string> {
    return (await buyer.at.does('order:place', order())).orderId;
  }

  async function paid(): Promise<string> {
    const orderId = await placed();
    await buyer.at.does('order:pay', { orderId });
    return orderId;
  }

  /** Commands of every kind, and one that must be refused. */
  async function commands(point: string) {
    const [toPay, toCancel, toShip, toRefund] = [await placed(), await placed(), await paid(), await paid()];
    const key = (name: string) => ({ key: `${point}:${name}` });
    const given: Given[] = [
      { by: buyer, message: 'order:place', request: { ...order(1), ...key('place') }, comesTo: 'OK' },
      { by: buyer, message: 'order:pay', request: { orderId: toPay, ...key('pay') }, comesTo: 'OK' },
      { by: buyer, message: 'order:pay', request: { orderId: toPay, ...key('pay-2') }, comesTo: 'ORDER_STATE' },
      { by: buyer, message: 'order:cancel', request: { orderId: toRefund, ...key('refund') }, comesTo: 'OK' },
      { by: other, message: 'order:place', request: { ...order(2), ...key('place') }, comesTo: 'OK' },
      { by: seller, message: 'order:ship', request: { orderId: toShip, ...key('ship') }, comesTo: 'OK' },
      { by: seller, message: 'order:cancel', request: { orderId: toCancel, ...key('cancel') }, comesTo: 'OK' },
      { by: buyer, message: 'deposit', request: { amount: 7, ...key('deposit') }, comesTo: 'OK' },
    ];
    return { given, toPay, toCancel, toShip, toRefund };
  }

  async function send({ by, message, request }: Given): Promise<Answer<unknown>> {
    if (message !== 'deposit') return by.at.sendRaw(message, request);
    return asAnswer(await by.at.post('/wallet/deposits', request));
  }

  async function books() {
    const [a, b] = [await buyer.at.balance(), await seller.at.balance()];
    return { buyer: a, seller: b, stock: await seller.at.stock() };
  }

  /** Keys of these commands that have an answer in the database. */
  async function done(given: Given[]): Promise<Given[]> {
    const sql = `SELECT user_id AS userId, idem_key AS idemKey FROM command_answers WHERE idem_key IN (${given.map(() => '?').join()})`;
    const keys = given.map(({ request }) => request.key);
    const rows = await reader.snapshot((books) => books.rows<{ userId: string; idemKey: string }>(sql, keys));
    const isDone = ({ by, request }: Given) =>
      rows.some(({ userId, idemKey }) => userId === by.at.userId && idemKey === request.key);
    return given.filter(isDone);
  }

  test.each(POINTS)('$point: nothing is lost and nothing is done twice', async ({ point, nth, ...least }) => {
    const crashing = await gather();
    const { given, toPay, toCancel, toShip, toRefund } = await commands(point);
    const before = await books();
    await crashing.crashAt(point, nth);
    const first = await Promise.all(given.map((command) => send(command).catch(() => undefined)));
    await until(`the hub is ended at ${point}`, () => crashing.hasEnded, ENDED_WITHIN_MS);
    expect((await crashing.ended).signal).toBe('SIGKILL');

    // What was acknowledged is done, whatever became of the hub; and the point lies where its name says.
    const acknowledged = given.filter((_, index) => first[index] !== undefined);
    const wereDone = await done(given);
    expect(wereDone).toEqual(expect.arrayContaining(acknowledged));
    expect(wereDone.length).toBeGreaterThanOrEqual(least.done ?? 0);
    expect(acknowledged.length).toBeGreaterThanOrEqual(least.acknowledged ?? 0);
    if (least.done === undefined && point !== 'commit-sent') expect(wereDone.length).toBeLessThan(given.length);

    await gather();
    const second = [];
    for (const command of given) second.push(await send(command));
    const third = await Promise.all(given.map(send));
    expect(second.map(codeOf)).toEqual(given.map(({ comesTo }) => comesTo));
    second.forEach((answer, index) => {
      const { replayed, ...said } = answer;
      if (wereDone.includes(given[index] as Given)) expect(replayed).toBe(true);
      if (first[index]) expect(answer).toEqual({ ...first[index], replayed: true });
      expect(third[index]).toEqual({ ...said, replayed: true });
    });

    const statuses = async (...ids: string[]) =>
      Promise.all(ids.map(async (orderId) => (await buyer.at.does('order:get', { orderId })).status));
    expect(await statuses(toPay, toCancel, toShip, toRefund)).toEqual(['paid', 'cancelled', 'shipped', 'cancelled']);
    expect(await books()).toEqual({ buyer: before.buyer + 7, seller: before.seller, stock: before.stock - 3 + 2 });
    const [mine, others] = [second[0], second[4]].map((answer) => answer?.ok && (answer.data as Order).orderId);
    expect(mine).not.toBe(others);

    for (const person of everybody()) {
      const room = await person.room();
      await until(`${person.at.userId} hears all of the room`, () => {
        const last = person.at.events.at(-1) ?? person.heard.at(-1);
        return last?.seq === room.at(-1)?.seq;
      });
      const heard = [...person.heard, ...person.at.events].slice(person.compared);
      expect(heard).toEqual(room);
      expect(heard.map(({ seq }) => seq)).toEqual(range(room.length).map((index) => person.compared + index + 1));
      const changes = heard.map(({ orderId, version }) => `${orderId} ${version}`);
      expect(new Set(changes).size).toBe(changes.length);
      person.compared += room.length;
    }
    expect(await reader.snapshot((books) => audit(books))).toEqual([]);
  });
});
