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

/** A batch of so many tells how fast the hub is; a smaller one does not. */
const TELLING = 64;
const HELD_MS = 300;
/** More orders than ever wait. */
const CROWD = 5_000;

describe('the queue of commands', () => {
  const book = new LogBook();
  let hub: TestHub;
  let queue: CommandQueue;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    hub = await TestHub.start({ logLevel: 'debug' }, undefined, book);
    queue = hub.hub.app.get(CommandQueue);
    seller = await hub.seller([{ stock: 100_000 }, { stock: 100_000 }]);
    buyer = await hub.buyer(1_000_000);
  });
  afterAll(() => hub.stop());

  /** Keeps every batch waiting that touches this book; gives the way to let it go. The embedded database has one turn for all. */
  async function hold(bookId: string): Promise<() => Promise<void>> {
    const sql = `SELECT stock FROM book_stock WHERE book_no = (SELECT book_no FROM books WHERE store_id = ? AND book_id = ?)`;
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let isHeld = false;
    const done = hub.database.transaction(async (tx) => {
      await tx.query(sql + hub.database.dialect.forUpdate, [seller.storeId, bookId]);
      isHeld = true;
      await held;
    });
    await until(`${bookId} is held`, () => isHeld);
    return async () => {
      letGo();
      await done;
    };
  }

  const basket = (bookId = 'book-1') => ({ storeId: seller.storeId, items: [{ bookId, count: 1 }] });
  const place = (bookId?: string, isThere = () => true) =>
    queue.give<Order>('order:place', buyer.userId, basket(bookId), { isThere });

  async function metric(name: string): Promise<number> {
    const { body } = await buyer.get<string>('/metrics');
    const line = body.split('\n').find((candidate) => candidate.startsWith(`order_hub_${name} `));
    return line === undefined ? 0 : Number(line.split(' ')[1]);
  }

  /** While a batch is held, what was given waits. Gives what the work gives, when all of it is over. */
  async function meanwhile<T>(work: () => T | Promise<T>): Promise<T> {
    const release = await hold('book-1');
    const first = place();
    const result = await work();
    await release();
    await first;
    await queue.idle();
    return result;
  }

  /** Gives orders until no more are taken, and takes them all back. */
  const roomForOrders = () =>
    meanwhile(() => {
      let isThere = true;
      const refused = () => queue.refusalOf('order:place', buyer.userId);
      let waiting = 0;
      for (; waiting < CROWD && !refused(); waiting++) void place('book-1', () => isThere);
      const errors = range(50).map(refused);
      const others = [
        queue.refusalOf('order:pay', buyer.userId),
        queue.refusalOf('order:place', null),
        queue.refusalOf('order:due', null),
      ];
      isThere = false;
      return { waiting, errors, others };
    });

  /** So many commands share a batch that takes a while. */
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

  test('drops what nobody waits for any more, without a batch', async () => {
    const batches = await metric('batch_commands_count');
    const dropped: Promise<Answer<Order>>[] = [];
    await meanwhile(() => {
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

  test('tells how many wait, and is idle when each has its answer', async () => {
    const told: string[] = [];
    const release = await hold('book-1');
    const commands = range(3).map((index) => place().then(() => told.push(`answer ${index}`)));
    const idle = queue.idle().then(() => told.push('idle'));
    expect(await metric('queue_commands')).toBe(2);
    expect(told).toEqual([]);
    await release();
    await Promise.all([...commands, idle]);
    expect(told).toEqual(['answer 0', 'answer 1', 'answer 2', 'idle']);
    expect(await metric('queue_commands')).toBe(0);
    await queue.idle();
  });

  test('gathers what comes meanwhile in one batch, unless it is too many lines of orders', async () => {
    const orderOf = (lines: number) => ({
      storeId: seller.storeId,
      items: range(lines).map((index) => ({ bookId: `none-${index}`, count: 1 })),
    });
    const batchesOf = async (commands: number, lines: number) => {
      const batches = await metric('batch_commands_count');
      await meanwhile(() => {
        for (const _ of range(commands)) void queue.give('order:place', buyer.userId, orderOf(lines));
      });
      return (await metric('batch_commands_count')) - batches - 1;
    };
    expect(await batchesOf(20, 50)).toBe(1);
    expect(await batchesOf(21, 50)).toBe(2);
  });

  test('gives each order an id of its own, and the first answer again for a key', async () => {
    const one = await place();
    const other = await place();
    expect(dataOf(one).orderId).not.toBe(dataOf(other).orderId);
    expect([one.replayed, other.replayed]).toEqual([undefined, undefined]);
    const keyed = () => queue.give<Order>('order:place', buyer.userId, { ...basket(), key: 'queue-1' });
    const first = await keyed();
    expect(await keyed()).toEqual({ ...first, replayed: true });
    const reused = await queue.give('order:place', buyer.userId, { ...basket('book-2'), key: 'queue-1' });
    expect(codeOf(reused)).toBe('KEY_REUSED');
  });

  test('counts each command by its code, and each batch by its commands', async () => {
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
    await meanwhile(() => {
      void place();
      void queue.give('order:place', buyer.userId, { ...basket(), storeId: 'nowhere' });
    });
    const after = await count();
    expect(after.map((value, index) => value - (before[index] ?? 0))).toEqual([2, 1, 3, 2, 3, 2]);
    const sum = await metric('command_seconds_sum{message="order:place"}');
    // Times since they were given, not since the hub or the year 1970 began.
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan((after[2] as number) * 30);
  });

  test('lets parties hear what was committed, and an owner what the shelf lacks', async () => {
    const owner = await (await hub.seller([{ stock: 6 }])).connect();
    const customer = await (await hub.person()).connect();
    const placed = await customer.place(owner);
    expect(await customer.hears(1)).toMatchObject([{ orderId: placed.orderId, seq: 1, status: 'placed' }]);
    expect(await owner.hears(1)).toMatchObject([{ orderId: placed.orderId, seq: 1, status: 'placed' }]);
    await until('the owner is told of the stock', () => owner.stockAlerts.length > 0);
    expect(owner.stockAlerts).toMatchObject([{ storeId: owner.storeId, bookId: 'book-1', stock: 5 }]);
  });

  test('lets nothing that stops one command stop its neighbours, and logs it under the message that it stopped', async () => {
    const customer = await (await hub.buyer()).connect();
    const orders = await Promise.all(range(3).map(() => customer.place(seller)));
    const setItems = (json: string) =>
      hub.database.transaction((tx) =>
        tx.query('UPDATE orders SET items = ? WHERE order_id = ?', [json, orders[1]?.orderId]),
      );
    await setItems('{broken');
    const { paying } = await meanwhile(async () => {
      const paying = orders.map(({ orderId }) => customer.send('order:pay', { orderId }));
      await until('they wait', async () => (await metric('queue_commands')) === 3);
      return { paying };
    });
    const answers = await Promise.all(paying);
    expect(answers.map(codeOf)).toEqual(['OK', 'INTERNAL', 'OK']);
    const error = (answers[1] as { error: ErrorBody }).error;
    const [fault] = book.lines('fault', error.details as Record<string, unknown>);
    const stopped = () => book.lines('message', { message: 'order:pay', code: 'INTERNAL' });
    await until('the message is written down', () => stopped().length > 0);
    expect(fault?.ids).toEqual([stopped()[0]?.id]);
  });

  test('refuses what it has no room for at once, counts it, and has done nothing of it', async () => {
    const refusals = 'commands_total{message="order:place",code="OVERLOADED"}';
    const [before, byQueue] = [await metric(refusals), await metric('refusals_total{limit="queue"}')];
    const answer = await meanwhile(async () => {
      let isThere = true;
      let told = 0;
      for (let count = 0; count < CROWD && told === 0; count++) {
        void place('book-1', () => isThere).then((given) => {
          if (codeOf(given) === 'OVERLOADED') told++;
        });
        if (count % 100 === 0) await Promise.resolve();
      }
      const last = await place('book-1', () => isThere);
      isThere = false;
      return last;
    });
    expect(answer).toMatchObject({ ok: false, error: { code: 'OVERLOADED' } });
    expect(await metric(refusals)).toBeGreaterThan(before);
    expect(await metric('refusals_total{limit="queue"}')).toBeGreaterThan(byQueue);
  });

  test('says when to come again: when the line will be gone, each at another moment', async () => {
    const { errors, others } = await roomForOrders();
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
    // Of what is done in a second, half may be orders, and three quarters of these by one user.
    expect(waits.every((ms) => ms >= 374 && ms <= 751 && Number.isInteger(ms))).toBe(true);
    expect(new Set(waits).size).toBeGreaterThan(10);
  });

  test('takes fewer orders when a batch has shown that less is done, and a small one shows nothing', async () => {
    const before = await roomForOrders();
    await slowBatch(TELLING - 1);
    expect((await roomForOrders()).waiting).toBe(before.waiting);
    await slowBatch(TELLING);
    const { waiting } = await roomForOrders();
    // One batch counts a fifth: had it done nothing at all, that would be missing now.
    expect(waiting).toBeLessThan(0.85 * before.waiting);
    expect(waiting).toBeGreaterThan(0.75 * before.waiting);
  });
});
