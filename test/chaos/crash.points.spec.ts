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

/** A user across hub restarts: each connection resumes after the last event received. */
class Participant {
  readonly received: OrderStatusPush[] = [];
  /** Events up to this number have been compared with the room. */
  verified = 0;

  constructor(
    public person: Person,
    readonly role: 'buyer' | 'seller',
  ) {}

  async connectTo(hub: HubProcess): Promise<void> {
    this.leave();
    const { userId, token, storeId } = this.person;
    this.person = hub.person(userId, token);
    this.person.storeId = storeId;
    await this.person.connect({ last: { [this.role]: this.received.at(-1)?.seq ?? 0 } });
  }

  leave(): void {
    this.received.push(...this.person.events.splice(0));
    this.person.disconnect();
  }

  /** The room's events that have not been compared yet. */
  async room(): Promise<OrderStatusPush[]> {
    const { role, verified } = this;
    const { body } = await this.person.get<RoomEvents>(`/rooms/${role}/events?after=${verified}&limit=100`);
    expect(body.head - verified).toBe(body.events.length);
    return body.events;
  }
}

interface CommandCase {
  client: Participant;
  message: string;
  request: { key: string } & Record<string, unknown>;
  /** The expected result, however often it is sent. */
  outcome: 'OK' | 'ORDER_STATE';
}

interface Minimum {
  executed?: number;
  acknowledged?: number;
}
interface CrashPoint extends Minimum {
  point: string;
  nth: number;
}

function points(nth: number, names: string[], minimum: Minimum = {}): CrashPoint[] {
  return names.map((point) => ({ point, nth, ...minimum }));
}

/**
 * Where a hub crashes, and at which passing of the point: the first batch holds one command, the second those that arrived
 * meanwhile. Points after the COMMIT have a minimum of executed and acknowledged commands.
 */
const POINTS: CrashPoint[] = [
  ...points(2, ['after-begin', 'after-first-locks', 'before-first-write', 'after-orders', 'after-stock']),
  ...points(1, ['after-wallets', 'after-wallet-entries']),
  ...points(2, ['after-rooms', 'after-events', 'after-answers', 'before-signature', 'after-signature', 'commit-sent']),
  ...points(2, ['after-commit', 'before-answers', 'between-pushes', 'before-wakeup', 'after-wakeup'], { executed: 2 }),
  ...points(2, ['before-first-ack'], { executed: 2 }),
  ...points(1, ['after-first-ack'], { executed: 2, acknowledged: 2 }),
  ...points(2, ['after-last-ack'], { executed: 2, acknowledged: 2 }),
];

describe('a hub that crashes in the middle of a batch', () => {
  let database: TestDatabase;
  let reader: DatabaseReader;
  let hub: HubProcess | undefined;
  let buyer: Participant;
  let other: Participant;
  let seller: Participant;

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await HubProcess.start(database, {}, { crash: true });
    buyer = new Participant(await hub.register('buyer'), 'buyer');
    other = new Participant(await hub.register('other'), 'buyer');
    seller = new Participant(await hub.register('seller'), 'seller');
    for (const { person } of everyone()) person.storeId = 'store';
    await seller.person.post('/stores', { storeId: 'store' });
    const book = { bookId: 'book-1', title: 'Book', price: PRICE, stock: 100_000 };
    expect((await seller.person.post('/stores/store/books', book)).status).toBe(201);
    for (const { person } of everyone()) await person.deposit(1_000_000);
    reader = new DatabaseReader(database);
  }, 120_000);
  afterAll(async () => {
    for (const participant of everyone()) participant.leave();
    await reader.close();
    await hub?.kill();
    await database.drop();
  });

  const everyone = () => [buyer, other, seller];
  const order = (count = 1) => ({ storeId: 'store', items: [{ bookId: 'book-1', count }] });

  /** Connects everyone to a running hub with crash points, starting one if the last has crashed. */
  async function startHub(): Promise<HubProcess> {
    if (!hub || hub.hasEnded) hub = await HubProcess.start(database, {}, { crash: true });
    for (const participant of everyone()) await participant.connectTo(hub);
    return hub;
  }

  async function placed(): Promise<string> {
    return (await buyer.person.does('order:place', order())).orderId;
  }

  async function paid(): Promise<string> {
    const orderId = await placed();
    await buyer.person.does('order:pay', { orderId });
    return orderId;
  }

  /** Commands of every kind, including one that must be refused. */
  async function commands(point: string) {
    const [toPay, toCancel, toShip, toRefund] = [await placed(), await placed(), await paid(), await paid()];
    const key = (name: string) => ({ key: `${point}:${name}` });
    const cases: CommandCase[] = [
      { client: buyer, message: 'order:place', request: { ...order(1), ...key('place') }, outcome: 'OK' },
      { client: buyer, message: 'order:pay', request: { orderId: toPay, ...key('pay') }, outcome: 'OK' },
      { client: buyer, message: 'order:pay', request: { orderId: toPay, ...key('pay-2') }, outcome: 'ORDER_STATE' },
      { client: buyer, message: 'order:cancel', request: { orderId: toRefund, ...key('refund') }, outcome: 'OK' },
      { client: other, message: 'order:place', request: { ...order(2), ...key('place') }, outcome: 'OK' },
      { client: seller, message: 'order:ship', request: { orderId: toShip, ...key('ship') }, outcome: 'OK' },
      { client: seller, message: 'order:cancel', request: { orderId: toCancel, ...key('cancel') }, outcome: 'OK' },
      { client: buyer, message: 'deposit', request: { amount: 7, ...key('deposit') }, outcome: 'OK' },
    ];
    return { cases, toPay, toCancel, toShip, toRefund };
  }

  async function send({ client, message, request }: CommandCase): Promise<Answer<unknown>> {
    if (message !== 'deposit') return client.person.sendRaw(message, request);
    return asAnswer(await client.person.post('/wallet/deposits', request));
  }

  async function balances() {
    const [a, b] = [await buyer.person.balance(), await seller.person.balance()];
    return { buyer: a, seller: b, stock: await seller.person.stock() };
  }

  /** Those of the commands that have a stored answer. */
  async function executedOf(cases: CommandCase[]): Promise<CommandCase[]> {
    const sql = `SELECT user_id AS userId, idem_key AS idemKey FROM command_answers WHERE idem_key IN (${cases.map(() => '?').join()})`;
    const keys = cases.map(({ request }) => request.key);
    const rows = await reader.snapshot((books) => books.rows<{ userId: string; idemKey: string }>(sql, keys));
    const isDone = ({ client, request }: CommandCase) =>
      rows.some(({ userId, idemKey }) => userId === client.person.userId && idemKey === request.key);
    return cases.filter(isDone);
  }

  test.each(POINTS)(
    'loses nothing and executes nothing twice after a crash at $point',
    async ({ point, nth, ...minimum }) => {
      const crashing = await startHub();
      const { cases, toPay, toCancel, toShip, toRefund } = await commands(point);
      const before = await balances();
      await crashing.crashAt(point, nth);
      const first = await Promise.all(cases.map((command) => send(command).catch(() => undefined)));
      await until(`the hub crashes at ${point}`, () => crashing.hasEnded, ENDED_WITHIN_MS);
      expect((await crashing.ended).signal).toBe('SIGKILL');

      // Acknowledged commands must be executed, and the crash must have happened where the point's name says.
      const acknowledged = cases.filter((_, index) => first[index] !== undefined);
      const executed = await executedOf(cases);
      expect(executed).toEqual(expect.arrayContaining(acknowledged));
      expect(executed.length).toBeGreaterThanOrEqual(minimum.executed ?? 0);
      expect(acknowledged.length).toBeGreaterThanOrEqual(minimum.acknowledged ?? 0);
      if (minimum.executed === undefined && point !== 'commit-sent') expect(executed.length).toBeLessThan(cases.length);

      await startHub();
      const second = [];
      for (const command of cases) second.push(await send(command));
      const third = await Promise.all(cases.map(send));
      expect(second.map(codeOf)).toEqual(cases.map(({ outcome }) => outcome));
      second.forEach((answer, index) => {
        const { replayed, ...answerData } = answer;
        if (executed.includes(cases[index] as CommandCase)) expect(replayed).toBe(true);
        if (first[index]) expect(answer).toEqual({ ...first[index], replayed: true });
        expect(third[index]).toEqual({ ...answerData, replayed: true });
      });

      const statuses = async (...ids: string[]) =>
        Promise.all(ids.map(async (orderId) => (await buyer.person.does('order:get', { orderId })).status));
      expect(await statuses(toPay, toCancel, toShip, toRefund)).toEqual(['paid', 'cancelled', 'shipped', 'cancelled']);
      expect(await balances()).toEqual({ buyer: before.buyer + 7, seller: before.seller, stock: before.stock - 3 + 2 });
      const [ownId, otherId] = [second[0], second[4]].map((answer) => answer?.ok && (answer.data as Order).orderId);
      expect(ownId).not.toBe(otherId);

      for (const participant of everyone()) {
        const room = await participant.room();
        await until(`${participant.person.userId} receives the whole room`, () => {
          const last = participant.person.events.at(-1) ?? participant.received.at(-1);
          return last?.seq === room.at(-1)?.seq;
        });
        const received = [...participant.received, ...participant.person.events].slice(participant.verified);
        expect(received).toEqual(room);
        expect(received.map(({ seq }) => seq)).toEqual(
          range(room.length).map((index) => participant.verified + index + 1),
        );
        const changes = received.map(({ orderId, version }) => `${orderId} ${version}`);
        expect(new Set(changes).size).toBe(changes.length);
        participant.verified += room.length;
      }
      expect(await reader.snapshot((books) => audit(books))).toEqual([]);
    },
  );
});
