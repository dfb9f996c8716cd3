import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import { until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import type { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { asAnswer, dataOf, range } from '../support/ways.js';

const KILLS = 6;
const IN_FLIGHT = 100;

describe('a hub process', () => {
  let database: TestDatabase;
  let hub: HubProcess;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await HubProcess.start(database);
    [seller, buyer] = [await hub.register('seller'), await hub.register('buyer')];
    seller.storeId = 'store';
    await seller.post('/stores', { storeId: 'store' });
    const book = { bookId: 'book-1', title: 'Book', price: 10, stock: 100_000 };
    expect((await seller.post('/stores/store/books', book)).status).toBe(201);
    await buyer.deposit(1_000_000);
  }, 120_000);
  afterAll(async () => {
    buyer.disconnect();
    await hub.kill();
    await database.drop();
  });

  const message = (key: string) => ({ storeId: 'store', items: [{ bookId: 'book-1', count: 1 }], key });
  const reconnectedPerson = (person: Person) => {
    const reconnected = hub.person(person.userId, person.token);
    reconnected.storeId = person.storeId;
    return reconnected;
  };
  const restart = async () => {
    hub = await HubProcess.start(database);
    [seller, buyer] = [reconnectedPerson(seller), reconnectedPerson(buyer)];
  };
  const headOf = async (person: Person, role: string) =>
    (await person.get<{ head: number }>(`/rooms/${role}/events?after=0`)).body.head;

  test('keeps what it acknowledged right before a kill, and executes the rest once on retry', async () => {
    const acknowledged = new Map<string, Answer<Order>>();
    const keys: string[] = [];
    for (const round of range(KILLS)) {
      await buyer.connect();
      const sent = range(40).map((index) => `kill-${round}-${index}`);
      keys.push(...sent);
      const killAfter = 1 + round * 3;
      let count = 0;
      await new Promise<void>((resolve) => {
        for (const key of sent) {
          buyer.socket?.emit('order:place', message(key), (answer) => {
            acknowledged.set(key, answer);
            // The very first acknowledgement in the first round, a later one in the others.
            if (++count === killAfter) hub.kill().then(resolve);
          });
        }
      });
      await restart();
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(KILLS);

    await buyer.connect();
    for (const [key, answer] of acknowledged) {
      const first = dataOf(answer);
      const stored = await buyer.does('order:get', { orderId: first.orderId });
      expect(stored).toMatchObject({ orderId: first.orderId, version: 1, placedAt: first.placedAt });
      expect(await buyer.send('order:place', message(key))).toEqual({ ...answer, replayed: true });
    }
    // After a retry with its key, every order exists once.
    const orders = await Promise.all(keys.map((key) => buyer.does('order:place', message(key))));
    expect(new Set(orders.map(({ orderId }) => orderId)).size).toBe(keys.length);
    expect(await headOf(buyer, 'buyer')).toBe(keys.length);
    expect(await headOf(seller, 'seller')).toBe(keys.length);
    const stock = (await seller.get<{ stock: number }>('/stores/store/books/book-1')).body.stock;
    expect(stock).toBe(100_000 - keys.length);
  }, 90_000);

  test('has executed each payment fully or not at all after a kill', async () => {
    await buyer.connect();
    const orders = await Promise.all(
      range(30).map((index) => buyer.place(seller, [{ bookId: 'book-1', count: index + 1 }])),
    );
    const [before, total] = [await buyer.balance(), orders.reduce((sum, order) => sum + order.total, 0)];
    await new Promise<void>((resolve) => {
      let count = 0;
      for (const { orderId } of orders) {
        buyer.socket?.emit('order:pay', { orderId, key: `pay-${orderId}` }, () => {
          if (++count === 3) hub.kill().then(resolve);
        });
      }
    });
    await restart();
    await buyer.connect();
    const found = await Promise.all(orders.map(({ orderId }) => buyer.does('order:get', { orderId })));
    const paid = found.filter(({ status }) => status === 'paid');
    expect(paid.length).toBeGreaterThanOrEqual(3);
    const spent = paid.reduce((sum, order) => sum + order.total, 0);
    expect([await buyer.balance(), await seller.balance()]).toEqual([before - spent, spent]);
    // A retry with the keys pays the rest, and nothing twice.
    await Promise.all(orders.map(({ orderId }) => buyer.does('order:pay', { orderId, key: `pay-${orderId}` })));
    expect([await buyer.balance(), await seller.balance()]).toEqual([before - total, total]);
  }, 60_000);

  test('announces its shutdown, answers what is in flight, and exits with 0', async () => {
    await Promise.all([buyer.connect(), seller.connect()]);
    const drainingPushes: unknown[] = [];
    const disconnects: string[] = [];
    for (const person of [buyer, seller]) {
      person.socket?.on('hub:draining', (push) => drainingPushes.push(push));
      person.socket?.on('disconnect', (reason) => disconnects.push(reason));
    }
    const answers = new Map<string, Answer<Order>>();
    const keys = range(IN_FLIGHT).map((index) => `drain-${index}`);
    const reads: Answer<unknown>[] = [];
    const closing = { connection: 'close' };
    const httpAnswers = range(20).map(async (index) => {
      const key = `http-${index}`;
      // Undefined if the connection was refused.
      return { key, answer: await buyer.post('/orders', message(key), closing).then(asAnswer<Order>, () => undefined) };
    });
    const firstAnswer = new Promise<void>((resolve) => {
      for (const key of keys) {
        buyer.socket?.emit('order:place', message(key), (answer) => {
          answers.set(key, answer);
          resolve();
        });
      }
      for (const _ of range(10)) {
        buyer.socket?.emit('order:list', { role: 'buyer', limit: 5 }, (answer) => reads.push(answer));
      }
    });
    await firstAnswer;
    expect(await hub.terminate()).toBe(0);
    await until('both sockets are disconnected', () => disconnects.length === 2);
    expect(hub.complaints).toBe('');

    expect(drainingPushes).toHaveLength(2);
    for (const push of drainingPushes) expect(push).toStrictEqual({ reconnectAfterMs: expect.any(Number) });
    for (const { reconnectAfterMs } of drainingPushes as { reconnectAfterMs: number }[]) {
      expect(Number.isInteger(reconnectAfterMs) && reconnectAfterMs >= 0).toBe(true);
    }
    expect(answers.size).toBe(IN_FLIGHT);
    expect(reads).toHaveLength(10);
    for (const answer of [...answers.values(), ...reads]) {
      if (!answer.ok) expect(answer.error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    }

    for (const { key, answer } of await Promise.all(httpAnswers)) {
      if (answer && !answer.ok) expect(answer.error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
      if (answer) answers.set(key, answer);
    }

    await restart();
    await buyer.connect();
    for (const [key, answer] of answers) {
      const retried = await buyer.send('order:place', message(key));
      if (answer.ok) expect(retried).toEqual({ ...answer, replayed: true });
      else expect(retried.ok).toBe(true);
    }
  }, 60_000);
});
