import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CommandQueue } from '../../src/commands/command.queue.js';
import type { ErrorBody } from '../../src/contract/errors.js';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import { TestHub, until } from '../support/hub.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { codeOf, dataOf, range } from '../support/ways.js';

/** The smallest batch from which the queue measures its throughput. */
const MEASURED_BATCH = 64;
const HELD_MS = 300;
/** More orders than the queue accepts. */
const TOO_MANY = 5_000;

describe('the command queue', () => {
  const log = new LogBook();
  let hub: TestHub;
  let queue: CommandQueue;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ logLevel: 'debug' }, undefined, log);
    queue = hub.hub.app.get(CommandQueue);
    seller = await hub.seller([{ stock: 100_000 }, { stock: 100_000 }]);
    buyer = await hub.buyer(1_000_000);
  });
  afterAll(() => hub.stop());

  /** Blocks every batch that touches this book (on the embedded database: every batch). Returns a function that releases it. */
  async function hold(bookId: string): Promise<() => Promise<void>> {
    const sql = `SELECT stock FROM book_stock WHERE book_no = (SELECT book_no FROM books WHERE store_id = ? AND book_id = ?)`;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isHeld = false;
    const done = hub.database.transaction(async (tx) => {
      await tx.query(sql + hub.database.dialect.forUpdate, [seller.storeId, bookId]);
      isHeld = true;
      await held;
    });
    await until(`${bookId} is held`, () => isHeld);
    return async () => {
      release();
      await done;
    };
  }

  const basket = (bookId = 'book-1') => ({ storeId: seller.storeId, items: [{ bookId, count: 1 }] });
  const place = (bookId?: string, isConnected = () => true) =>
    queue.submit('order:place', buyer.userId, basket(bookId), { isConnected });

  async function metric(name: string): Promise<number> {
    const { body } = await buyer.get<string>('/metrics');
    const line = body.split('\n').find((candidate) => candidate.startsWith(`order_hub_${name} `));
    return line === undefined ? 0 : Number(line.split(' ')[1]);
  }

  /** Does the work while a batch is blocked, so that submitted commands queue; returns its result once all are answered. */
  async function whileBlocked<T>(work: () => T | Promise<T>): Promise<T> {
    const release = await hold('book-1');
    const first = place();
    const result = await work();
    await release();
    await first;
    await queue.idle();
    return result;
  }

  /** Places orders until the queue rejects them, then lets them all expire. */
  const fillQueue = () =>
    whileBlocked(() => {
      let isConnected = true;
      const rejection = () => queue.check('order:place', buyer.userId);
      let waiting = 0;
      for (; waiting < TOO_MANY && !rejection(); waiting++) void place('book-1', () => isConnected);
      const errors = range(50).map(rejection);
      const others = [
        queue.check('order:pay', buyer.userId),
        queue.check('order:place', null),
        queue.check('order:timeout', null),
      ];
      isConnected = false;
      return { waiting, errors, others };
    });

  /** Runs a slow batch of this number of commands. */
  async function slowBatch(commands: number): Promise<void> {
    const releaseFirst = await hold('book-1');
    const first = place('book-1');
    const holding = hold('book-2');
    const others = range(commands).map(() => place('book-2'));
    await releaseFirst();
    const release = await holding;
    await sleep(HELD_MS);
    await release();
    expect((await Promise.all([first, ...others])).map(codeOf)).toEqual(range(commands + 1).map(() => 'OK'));
  }

  test('drops the commands of disconnected clients without a batch', async () => {
    const batches = await metric('batch_commands_count');
    const dropped: Promise<Answer<Order>>[] = [];
    await whileBlocked(() => {
      dropped.push(
        place('book-1', () => false),
        place('book-1', () => false),
      );
    });
    expect(await Promise.all(dropped)).toEqual(
      range(2).map(() => ({
        ok: false,
        error: { code: 'UNAVAILABLE', message: expect.any(String), retryable: true },
      })),
    );
    expect(await metric('batch_commands_count')).toBe(batches + 1);
  });

  test('reports its length, and is idle once every command is answered', async () => {
    const settled: string[] = [];
    const release = await hold('book-1');
    const commands = range(3).map((index) => place().then(() => settled.push(`answer ${index}`)));
    const idle = queue.idle().then(() => settled.push('idle'));
    expect(await metric('queue_commands')).toBe(2);
    expect(settled).toEqual([]);
    await release();
    await Promise.all([...commands, idle]);
    expect(settled).toEqual(['answer 0', 'answer 1', 'answer 2', 'idle']);
    expect(await metric('queue_commands')).toBe(0);
    await queue.idle();
  });

  test('runs all queued commands as one batch, up to the limit of order lines', async () => {
    const orderOf = (orderLines: number) => ({
      storeId: seller.storeId,
      items: range(orderLines).map((index) => ({ bookId: `none-${index}`, count: 1 })),
    });
    const batchesOf = async (commands: number, orderLines: number) => {
      const batches = await metric('batch_commands_count');
      await whileBlocked(() => {
        for (const _ of range(commands)) void queue.submit('order:place', buyer.userId, orderOf(orderLines));
      });
      return (await metric('batch_commands_count')) - batches - 1;
    };
    expect(await batchesOf(20, 50)).toBe(1);
    expect(await batchesOf(21, 50)).toBe(2);
  });

  test('assigns a unique id to each order, and replays the answer of a repeated key', async () => {
    const one = await place();
    const other = await place();
    expect(dataOf(one).orderId).not.toBe(dataOf(other).orderId);
    expect([one.replayed, other.replayed]).toEqual([undefined, undefined]);
    const keyed = () => queue.submit('order:place', buyer.userId, { ...basket(), key: 'queue-1' });
    const first = await keyed();
    expect(await keyed()).toEqual({ ...first, replayed: true });
    const reused = await queue.submit('order:place', buyer.userId, { ...basket('book-2'), key: 'queue-1' });
    expect(codeOf(reused)).toBe('KEY_REUSED');
  });

  test('counts commands by code, and the commands of each batch', async () => {
    const names = [
      'commands_total{message="order:place",code="OK"}',
      'commands_total{message="order:place",code="STORE_NOT_FOUND"}',
      'command_seconds_count{message="order:place"}',
      'batch_commands_count',
      'batch_commands_sum',
      'batch_seconds_count',
    ];
    const count = () => Promise.all(names.map(metric));
    const before = await count();
    await whileBlocked(() => {
      void place();
      void queue.submit('order:place', buyer.userId, { ...basket(), storeId: 'nowhere' });
    });
    const after = await count();
    expect(after.map((value, index) => value - (before[index] ?? 0))).toEqual([2, 1, 3, 2, 3, 2]);
    const sum = await metric('command_seconds_sum{message="order:place"}');
    // The time since submission, not since the start of the hub or the epoch.
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan((after[2] as number) * 30);
  });

  test('publishes committed events to buyer and seller, and stock alerts to the store’s owner', async () => {
    const owner = await (await hub.seller([{ stock: 6 }])).connect();
    const customer = await (await hub.person()).connect();
    const placed = await customer.place(owner);
    expect(await customer.hears(1)).toMatchObject([{ orderId: placed.orderId, seq: 1, status: 'placed' }]);
    expect(await owner.hears(1)).toMatchObject([{ orderId: placed.orderId, seq: 1, status: 'placed' }]);
    await until('the owner is alerted', () => owner.stockAlerts.length > 0);
    expect(owner.stockAlerts).toMatchObject([{ storeId: owner.storeId, bookId: 'book-1', stock: 5 }]);
  });

  test('isolates a failing command from the rest of its batch, and logs the fault with the id of its message', async () => {
    const customer = await (await hub.buyer()).connect();
    const orders = await Promise.all(range(3).map(() => customer.place(seller)));
    const setItems = (json: string) =>
      hub.database.transaction((tx) =>
        tx.query('UPDATE orders SET items = ? WHERE order_id = ?', [json, orders[1]?.orderId]),
      );
    await setItems('{broken');
    const { paying } = await whileBlocked(async () => {
      const paying = orders.map(({ orderId }) => customer.send('order:pay', { orderId }));
      await until('the commands are queued', async () => (await metric('queue_commands')) === 3);
      return { paying };
    });
    const answers = await Promise.all(paying);
    expect(answers.map(codeOf)).toEqual(['OK', 'INTERNAL', 'OK']);
    const error = (answers[1] as { error: ErrorBody }).error;
    const [fault] = log.lines('fault', error.details as Record<string, unknown>);
    const failed = () => log.lines('message', { message: 'order:pay', code: 'INTERNAL' });
    await until('the message is logged', () => failed().length > 0);
    expect(fault?.ids).toEqual([failed()[0]?.id]);
  });

  test('rejects commands beyond its capacity at once, and counts them', async () => {
    const overloaded = 'commands_total{message="order:place",code="OVERLOADED"}';
    const [before, byQueue] = [await metric(overloaded), await metric('refusals_total{limit="queue"}')];
    const answer = await whileBlocked(async () => {
      let isConnected = true;
      let rejected = 0;
      for (let count = 0; count < TOO_MANY && rejected === 0; count++) {
        void place('book-1', () => isConnected).then((placed) => {
          if (codeOf(placed) === 'OVERLOADED') rejected++;
        });
        if (count % 100 === 0) await Promise.resolve();
      }
      const last = await place('book-1', () => isConnected);
      isConnected = false;
      return last;
    });
    expect(answer).toMatchObject({ ok: false, error: { code: 'OVERLOADED' } });
    expect(await metric(overloaded)).toBeGreaterThan(before);
    expect(await metric('refusals_total{limit="queue"}')).toBeGreaterThan(byQueue);
  });

  test('estimates from its backlog when to retry, with jitter', async () => {
    const { errors, others } = await fillQueue();
    expect(others).toEqual([undefined, undefined, undefined]);
    const waits = errors.map((error) => Number((error?.details as { retryAfterMs?: number })?.retryAfterMs));
    for (const error of errors) {
      expect(error).toEqual({
        code: 'OVERLOADED',
        message: expect.any(String),
        retryable: true,
        details: { retryAfterMs: expect.any(Number) },
      } satisfies Record<keyof ErrorBody, unknown>);
    }
    // The queue holds one second of work: at most half of it new orders, and three quarters of those from one user.
    expect(waits.every((ms) => ms >= 374 && ms <= 751 && Number.isInteger(ms))).toBe(true);
    expect(new Set(waits).size).toBeGreaterThan(10);
  });

  test('adapts its capacity to the throughput of large batches only', async () => {
    const before = await fillQueue();
    await slowBatch(MEASURED_BATCH - 1);
    expect((await fillQueue()).waiting).toBe(before.waiting);
    await slowBatch(MEASURED_BATCH);
    const { waiting } = await fillQueue();
    // A batch has a weight of one fifth: one with no throughput at all would reduce the capacity by that.
    expect(waiting).toBeLessThan(0.85 * before.waiting);
    expect(waiting).toBeGreaterThan(0.75 * before.waiting);
  });
});
