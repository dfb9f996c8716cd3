import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { CommandBatch } from '../../src/commands/command.batch.js';
import { type Command, type CommandName, type CommandRequests, messageHash } from '../../src/commands/command.js';
import { CommandQueue } from '../../src/commands/command.queue.js';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { TestHub, until } from '../support/hub.js';
import { lockFile, lockRow } from '../support/locks.js';
import type { Person } from '../support/person.js';
import { type Statement, statementsOf, statementsOfBatch, waitsOfBatch } from '../support/statements.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { codeOf, dataOf, device, pick, range } from '../support/ways.js';

const SELLERS = 10;
const BUYERS = 100;

describe('batches', () => {
  let database: TestDatabase;
  let hub: TestHub;
  let sellers: Person[];
  let buyers: Person[];

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await TestHub.start({}, database);
    sellers = await Promise.all(range(SELLERS).map(() => hub.seller([{ stock: 100_000 }, { stock: 100_000 }])));
    buyers = await Promise.all(range(BUYERS).map(() => hub.buyer(10_000_000)));
  });
  afterAll(() => hub.stop());

  /** How many batches there were, and how many commands they held. */
  async function batchesSoFar(): Promise<{ batches: number; commands: number; alone: number }> {
    const text = await (await fetch(`${hub.url}/metrics`)).text();
    const value = (name: string) => {
      const line = text.split('\n').find((candidate) => candidate.startsWith(`order_hub_batch_commands${name} `));
      if (line === undefined) throw new Error(`There is no metric order_hub_batch_commands${name}`);
      return Number(line.split(' ')[1]);
    };
    return { batches: value('_count'), commands: value('_sum'), alone: value('_bucket{le="1"}') };
  }

  async function batchesOf(work: () => Promise<unknown>) {
    const before = await batchesSoFar();
    await work();
    const after = await batchesSoFar();
    return {
      batches: after.batches - before.batches,
      commands: after.commands - before.commands,
      alone: after.alone - before.alone,
    };
  }

  /** A command as the queue would make it, with a key of its own. */
  function command<Name extends CommandName>(name: Name, by: Person, request: CommandRequests[Name]): Command {
    const key = { text: uuidv7(), messageHash: messageHash(name, request) };
    const made = { name, by: by.userId, request, key, ...(name === 'order:place' ? { orderId: uuidv7() } : {}) };
    // The compiler cannot follow that `request` belongs to `name`; the parameters above say so.
    return made as unknown as Command;
  }

  /** Runs commands as one batch. All of them must succeed. */
  async function run(commands: Command[]): Promise<unknown[]> {
    const { answers } = await hub.hub.app.get(CommandBatch).run(commands);
    return answers.map(dataOf);
  }

  const place = (index: number, count = 1) =>
    command('order:place', pick(buyers, index), {
      storeId: pick(sellers, index).storeId,
      items: [{ bookId: `book-${1 + (Math.floor(index / SELLERS) % 2)}`, count }],
    });
  const buyerOf = ({ buyerId }: Order) =>
    pick(
      buyers.filter(({ userId }) => userId === buyerId),
      0,
    );
  const sellerOf = ({ sellerId }: Order) =>
    pick(
      sellers.filter(({ userId }) => userId === sellerId),
      0,
    );
  const placed = async (count: number) => (await run(range(count).map((index) => place(index)))) as Order[];
  const pay = (order: Order) => command('order:pay', buyerOf(order), { orderId: order.orderId });
  const paid = async (count: number) => (await run((await placed(count)).map(pay))) as Order[];
  const ship = (order: Order) => command('order:ship', sellerOf(order), { orderId: order.orderId });
  const shipped = async (count: number) => (await run((await paid(count)).map(ship))) as Order[];
  const receive = (order: Order) => command('order:receive', buyerOf(order), { orderId: order.orderId });
  const cancel = (order: Order) => command('order:cancel', sellerOf(order), { orderId: order.orderId });
  const deposit = (index: number) => command('wallet:deposit', pick(buyers, index), { amount: 5 });
  const withdraw = (index: number) => command('wallet:withdraw', pick(buyers, index), { amount: 5 });
  const addStock = (index: number) => {
    const owner = pick(sellers, index);
    return command('stock:add', owner, { storeId: owner.storeId, bookId: 'book-1', add: 1 });
  };
  /** So many of every command there is, in one batch. */
  const mixed = async (count: number): Promise<Command[]> => [
    ...range(count).map((index) => place(index)),
    ...(await placed(count)).map(pay),
    ...(await paid(count)).map(ship),
    ...(await shipped(count)).map(receive),
    ...(await placed(count)).map(cancel),
    ...(await paid(count)).map(cancel),
    ...range(count).map(deposit),
    ...range(count).map(withdraw),
    ...range(count).map(addStock),
  ];

  test('sixty-four sockets that place at once share transactions, and the metric counts every command', async () => {
    const sockets = await Promise.all(range(64).map((index) => device(pick(buyers, index)).connect()));
    const wave = () =>
      Promise.all(sockets.map((socket, index) => socket.place(pick(sellers, index)))).then((orders) => {
        expect(new Set(orders.map(({ orderId }) => orderId)).size).toBe(64);
      });
    const { batches, commands, alone } = await batchesOf(async () => {
      for (const _ of range(5)) await wave();
    });
    expect(commands).toBe(5 * 64);
    expect(batches).toBeLessThan(commands);
    // Some of them held more than one command.
    expect(batches - alone).toBeGreaterThan(0);
    for (const socket of sockets) socket.disconnect();
  });

  test('a command that comes alone is a batch of one', async () => {
    const [buyer, seller] = [await device(pick(buyers, 0)).connect(), pick(sellers, 0)];
    const counted = await batchesOf(async () => {
      for (const _ of range(5)) await buyer.place(seller);
    });
    expect(counted).toEqual({ batches: 5, commands: 5, alone: 5 });
    buyer.disconnect();
  });

  test.each<[string, (count: number) => Promise<Command[]>, number[]]>([
    ['place', async (count) => range(count).map((index) => place(index)), [1, 10, 100]],
    ['pay', async (count) => (await placed(count)).map(pay), [1, 10, 100]],
    ['ship', async (count) => (await paid(count)).map(ship), [1, 10, 100]],
    ['receive', async (count) => (await shipped(count)).map(receive), [1, 10, 100]],
    ['cancel', async (count) => (await paid(count)).map(cancel), [1, 10, 100]],
    ['deposit', async (count) => range(count).map(deposit), [1, 10, 100]],
    ['stock:add', async (count) => range(count).map(addStock), [1, 10, 100]],
    ['all commands', mixed, [1, 10, 25]],
  ])('a batch takes as many statements for one as for a hundred: %s', async (_, prepare, sizes) => {
    const counts: number[] = [];
    for (const size of sizes) {
      const commands = await prepare(size);
      const statements = await statementsOfBatch(hub, () => run(commands));
      counts.push(statements.length);
    }
    expect(counts.length).toBe(sizes.length);
    expect(new Set(counts).size).toBe(1);
  });

  test.each<[string, number, (count: number) => Promise<Command[]>]>([
    ['place', 3, async (count) => range(count).map((index) => place(index))],
    ['pay', 3, async (count) => (await placed(count)).map(pay)],
    // What an order gives back is known when it was read, and where its room and its books stand after that.
    ['cancel', 4, async (count) => (await paid(count)).map(cancel)],
    ['deposit', 3, async (count) => range(count).map(deposit)],
    ['all commands', 4, mixed],
  ])('a batch of %s waits %i times for its database before it commits', async (_, waits, prepare) => {
    for (const size of [1, 10]) {
      const commands = await prepare(size);
      expect(await waitsOfBatch(() => run(commands))).toBe(waits);
    }
  });

  test('what stops one command is answered INTERNAL, and its neighbours in the batch succeed', async () => {
    const orders = await placed(5);
    const broken = pick(orders, 2);
    const [{ items } = { items: '' }] = await hub.rows<{ items: string }>(
      'SELECT items FROM orders WHERE order_id = ?',
      [broken.orderId],
    );
    const setItems = (json: string) =>
      hub.database.transaction((tx) =>
        tx.query('UPDATE orders SET items = ? WHERE order_id = ?', [json, broken.orderId]),
      );
    await setItems('{broken');
    const queue = hub.hub.app.get(CommandQueue);
    let answers: Answer<Order>[] = [];
    const statements = await statementsOf(hub, async () => {
      // The first is under way when the others come: they wait for it together, and form the next batch.
      const first = queue.give<{ balance: number }>('wallet:deposit', pick(buyers, 0).userId, { amount: 1 });
      const others = orders.map((order) =>
        queue.give<Order>('order:pay', order.buyerId, { orderId: order.orderId, key: order.orderId }),
      );
      await first;
      answers = await Promise.all(others);
    });
    const together = statements.filter(({ sql, parameters }) => {
      const said = JSON.stringify(parameters);
      return sql.includes('FROM orders') && orders.every(({ orderId }) => said.includes(orderId));
    });
    expect(together.length).toBeGreaterThan(0);
    expect(answers.map(codeOf)).toEqual(['OK', 'OK', 'INTERNAL', 'OK', 'OK']);
    expect(answers[2]).toEqual({
      ok: false,
      error: {
        code: 'INTERNAL',
        message: expect.not.stringMatching(/JSON|items|SELECT/),
        retryable: true,
        details: { errorId: expect.any(String) },
      },
    });
    const versions = await hub.rows<{ version: number }>(
      `SELECT version FROM orders WHERE order_id IN (${orders.map(() => '?').join()}) ORDER BY order_id`,
      orders.map(({ orderId }) => orderId),
    );
    expect(versions.map(({ version }) => version)).toEqual([2, 2, 1, 2, 2]);

    await setItems(items);
    const { orderId, buyerId } = broken;
    const mended = await queue.give<Order>('order:pay', buyerId, { orderId, key: orderId });
    expect(mended).toMatchObject({ ok: true, data: { status: 'paid' } });
    expect(mended.replayed).toBeUndefined();
  });

  test('the messages of one socket take effect and are answered in the order in which they were sent', async () => {
    const buyer = await (await hub.buyer(1_000_000)).connect();
    const seller = pick(sellers, 1);
    const items = [{ bookId: 'book-1', count: 1 }];
    const answered: number[] = [];
    const answers = await Promise.all(
      range(90).map(async (index) => {
        const kinds = [
          () => buyer.send('order:place', { storeId: seller.storeId, items, key: `in-order-${index}` }),
          () => buyer.sendRaw('order:place', { storeId: seller.storeId, items: [] }),
          () => buyer.send('order:list', { role: 'buyer', limit: 1 }),
        ];
        const answer = await pick(kinds, index)();
        answered.push(index);
        return answer;
      }),
    );
    expect(answered).toEqual(range(90));
    for (const round of range(30)) {
      const [place, bad, list] = answers.slice(round * 3, round * 3 + 3) as [
        Answer<Order>,
        Answer<unknown>,
        Answer<{ items: Order[] }>,
      ];
      expect(place).toMatchObject({ ok: true, seq: round + 1 });
      expect(codeOf(bad)).toBe('BAD_MESSAGE');
      // The read was sent after the command, so it sees what the command did, or something later.
      const seen = dataOf(list).items[0]?.orderId ?? '';
      expect(seen >= dataOf(place).orderId).toBe(true);
    }
  });

  test('a read that is sent after a command on the same socket sees its effect', async () => {
    const buyer = await (await hub.buyer(1_000_000)).connect();
    for (const _ of range(20)) {
      const { orderId } = await buyer.place(pick(sellers, 2));
      const paying = buyer.send('order:pay', { orderId });
      const reading = buyer.send('order:get', { orderId });
      const listing = buyer.send('order:list', { role: 'buyer', status: 'paid', limit: 1 });
      const events = buyer.send('room:read', { role: 'buyer', after: 0, limit: 100 });
      expect(dataOf(await reading)).toMatchObject({ status: 'paid', version: 2 });
      expect(dataOf(await listing).items[0]?.orderId).toBe(orderId);
      const paid = await paying;
      expect(dataOf(await events).head).toBe(paid.ok && paid.seq);
    }
  });

  test('a database that somebody else has locked for a moment has done a command once when it is free again', async () => {
    const [buyer, seller] = [await device(pick(buyers, 3)).connect(), pick(sellers, 3)];
    const message = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: 'locked-for-a-moment' };
    const stock = await seller.stock();
    if (hub.database.dialect.singleWriter) {
      const { released } = await lockFile(database, 400);
      const during = await buyer.send('order:place', message);
      if (!during.ok) expect(during.error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
      await released;
    } else {
      // Less than the time that a statement waits for a lock, and more: then the whole transaction is run again.
      for (const [round, holdMs] of [800, 1_500].entries()) {
        const letGo = await lockStock(seller);
        const placing = buyer.send('order:place', round === 0 ? message : { ...message, key: `${message.key}-2` });
        await sleep(holdMs);
        expect(await seller.stock()).toBe(stock - round);
        await letGo();
        expect(await placing).toMatchObject({ ok: true });
      }
    }
    expect(dataOf(await buyer.send('order:place', message)).status).toBe('placed');
    expect(await seller.stock()).toBe(stock - (hub.database.dialect.singleWriter ? 1 : 2));
    buyer.disconnect();
  });

  test('what a batch did is told while the next one still waits for a lock', async () => {
    const [early, late] = [device(pick(buyers, 5)), device(pick(buyers, 6))];
    const [free, held] = [device(pick(sellers, 5)), pick(sellers, 6)];
    await Promise.all([early, late, free].map((person) => person.connect()));
    // The embedded database has no rows to lock. There the first is told before the second, and no more can be seen.
    const { singleWriter } = hub.database.dialect;
    const [letGo, letGoLast] = singleWriter ? [] : [await lockStock(free), await lockStock(held)];
    const told: string[] = [];
    const place = async (buyer: Person, { storeId }: Person, name: string) => {
      const answer = await buyer.send('order:place', { storeId, items: [{ bookId: 'book-1', count: 1 }] });
      told.push(name);
      return answer;
    };
    const first = place(early, free, 'first');
    await sleep(150);
    const second = place(late, held, 'second');
    await sleep(150);
    await letGo?.();
    const { orderId } = dataOf(await first);
    await until('the seller hears of it', () => free.events.some((event) => event.orderId === orderId));
    expect(singleWriter ? told.slice(0, 1) : told).toEqual(['first']);
    await letGoLast?.();
    expect(await second).toMatchObject({ ok: true });
    for (const person of [early, late, free]) person.disconnect();
  });

  test('a database that stays locked makes a command UNAVAILABLE, does nothing of it, and does it for the same key later', async () => {
    const [buyer, seller] = [await device(pick(buyers, 4)).connect(), pick(sellers, 4)];
    const message = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: 'locked-out' };
    const stock = await seller.stock();
    const before = await hub.rows('SELECT order_id FROM orders');
    const letGo = await lockAll(seller);
    const answer = await buyer.send('order:place', message);
    expect(answer).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', retryable: true } });
    expect(await hub.rows('SELECT order_id FROM orders')).toHaveLength(before.length);
    expect(await seller.stock()).toBe(stock);
    await letGo();
    const again = await buyer.send('order:place', message);
    expect(again).toMatchObject({ ok: true, data: { status: 'placed' } });
    expect(again.replayed).toBeUndefined();
    expect(await seller.stock()).toBe(stock - 1);
    buyer.disconnect();
  });

  /** Locks what the order needs until it is let go: its row, or where there are no locks of rows, the file. */
  async function lockAll(seller: Person): Promise<() => Promise<unknown>> {
    if (!hub.database.dialect.singleWriter) return lockStock(seller);
    const { release, released } = await lockFile(database);
    return () => {
      release();
      return released;
    };
  }

  async function lockStock(seller: Person): Promise<() => Promise<void>> {
    const [book] = await hub.rows<{ book_no: number }>('SELECT book_no FROM books WHERE store_id = ?', [
      seller.storeId,
    ]);
    return lockRow(database, 'SELECT stock FROM book_stock WHERE book_no = ?', [book?.book_no]);
  }

  test('after all batches the books balance', async () => {
    expect(await audit(hub)).toEqual([]);
  });

  test('no statement that loads a batch reads a whole table', async () => {
    await fill();
    const commands = [...(await mixed(3)), command('order:pay', pick(buyers, 0), { orderId: uuidv7() })];
    const due = await placed(2);
    for (const { orderId } of due) commands.push({ name: 'order:due', by: null, request: { orderId } });
    const nowhere = { storeId: 'nowhere', items: [{ bookId: 'book-1', count: 1 }] };
    commands.push(command('order:place', pick(buyers, 0), nowhere));
    const statements = await statementsOfBatch(hub, () => hub.hub.app.get(CommandBatch).run(commands));
    const reads = statements.filter(({ sql }) => /^SELECT\b/.test(sql));
    const tables = [
      'command_answers',
      'orders',
      'stores',
      'books',
      'book_texts',
      'book_stock',
      'wallets',
      'rooms',
      'users',
    ];
    expect(tables.filter((table) => !reads.some(({ sql }) => sql.includes(` FROM ${table} `)))).toEqual([]);
    const scans = (await Promise.all(reads.map(scansOf))).flat();
    expect(scans).toEqual([]);
  });

  /** Rows that no command touches, so many that reading all of them is never the cheapest way. */
  async function fill(): Promise<void> {
    const insert = (table: string, columns: string, rows: unknown[][]) =>
      hub.database.transaction((tx) =>
        tx.query(...hub.database.dialect.write({ table, columns: columns.split(', '), rows })),
      );
    const users = range(3_000).map((index) => `filler-${index}`);
    await insert(
      'users',
      'user_id, password_hash, created_at, unregistered_at',
      users.map((id) => [id, '', 0, null]),
    );
    await insert(
      'wallets',
      'user_id, balance, entries',
      users.map((id) => [id, 0, 0]),
    );
    for (const role of ['buyer', 'seller']) {
      await insert(
        'rooms',
        'role, user_id, head',
        users.map((id) => [role, id, 0]),
      );
    }
    await insert(
      'stores',
      'store_id, name, owner_id, created_at',
      users.map((id) => [`store-of-${id}`, null, id, 0]),
    );
    await insert(
      'books',
      'book_no, store_id, book_id, title, price, low_mark',
      users.map((id, index) => [1_000_000 + index, `store-of-${id}`, 'book-1', 'Filler', 1, 0]),
    );
    await insert(
      'book_stock',
      'book_no, stock',
      users.map((_, index) => [1_000_000 + index, 0]),
    );
    await insert(
      'book_texts',
      'book_no, folded_title, folded_author, folded_tags, folded_summary',
      users.map((_, index) => [1_000_000 + index, 'filler', '', '', '']),
    );
    await insert(
      'command_answers',
      'user_id, idem_key, message_hash, answer, at',
      users.map((id) => [id, 'filler', '', '{}', 0]),
    );
    for (const _ of range(12)) await placed(200);
    if (!hub.database.dialect.singleWriter) {
      await hub.database.writer.query(
        'ANALYZE TABLE users, wallets, rooms, stores, books, book_stock, book_texts, command_answers, orders',
      );
    }
  }

  /** What the database says of a statement, if it means to read all of a table or of an index for it. */
  async function scansOf({ sql, parameters }: Statement): Promise<string[]> {
    if (hub.database.dialect.singleWriter) {
      const plan = await hub.rows<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, parameters);
      // The list of JSON that says what is wanted is read whole.
      const scans = plan.filter(({ detail }) => /^SCAN (?!json_each)/.test(detail));
      return scans.map(({ detail }) => `${detail}: ${sql}`);
    }
    const plan = await hub.rows<{ type: string | null; table: string | null }>(
      `EXPLAIN FORMAT=TRADITIONAL ${sql}`,
      parameters,
    );
    expect(plan.length).toBeGreaterThan(0);
    const scans = plan.filter(({ type }) => type === 'ALL' || type === 'index');
    return scans.map(({ type, table }) => `${type} of ${table}: ${sql}`);
  }
});
