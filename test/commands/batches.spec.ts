import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { CommandBatch } from '../../src/commands/command.batch.js';
import { type Command, messageHash } from '../../src/commands/command.js';
import { CommandQueue } from '../../src/commands/command.queue.js';
import type { CommandName, CommandRequest } from '../../src/contract/commands.js';
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

  /** The hub's counts of batches, of their commands, and of batches of one command. */
  async function readCounts(): Promise<{ batches: number; commands: number; single: number }> {
    const text = await (await fetch(`${hub.url}/metrics`)).text();
    const value = (name: string) => {
      const line = text.split('\n').find((candidate) => candidate.startsWith(`order_hub_batch_commands${name} `));
      if (line === undefined) throw new Error(`The metric order_hub_batch_commands${name} is missing`);
      return Number(line.split(' ')[1]);
    };
    return { batches: value('_count'), commands: value('_sum'), single: value('_bucket{le="1"}') };
  }

  async function countsOf(work: () => Promise<unknown>) {
    const before = await readCounts();
    await work();
    const after = await readCounts();
    return {
      batches: after.batches - before.batches,
      commands: after.commands - before.commands,
      single: after.single - before.single,
    };
  }

  /** A command as the queue creates it, with a unique key. */
  function command<Name extends CommandName>(name: Name, actor: Person, request: CommandRequest<Name>): Command {
    const key = { text: uuidv7(), messageHash: messageHash(name, request) };
    const command = {
      name,
      actorId: actor.userId,
      request,
      key,
      ...(name === 'order:place' ? { newId: uuidv7() } : {}),
    };
    // The parameters tie `request` to `name`, which the compiler cannot infer.
    return command as unknown as Command;
  }

  /** Runs commands as one batch; all must succeed. */
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
  /** This number of each kind of command, for one batch. */
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

  test('64 sockets that place concurrently share transactions, and the metric counts every command', async () => {
    const sockets = await Promise.all(range(64).map((index) => device(pick(buyers, index)).connect()));
    const placeAll = () =>
      Promise.all(sockets.map((socket, index) => socket.place(pick(sellers, index)))).then((orders) => {
        expect(new Set(orders.map(({ orderId }) => orderId)).size).toBe(64);
      });
    const { batches, commands, single } = await countsOf(async () => {
      for (const _ of range(5)) await placeAll();
    });
    expect(commands).toBe(5 * 64);
    expect(batches).toBeLessThan(commands);
    expect(batches - single).toBeGreaterThan(0);
    for (const socket of sockets) socket.disconnect();
  });

  test('commands sent one after the other are batches of one', async () => {
    const [buyer, seller] = [await device(pick(buyers, 0)).connect(), pick(sellers, 0)];
    const counts = await countsOf(async () => {
      for (const _ of range(5)) await buyer.place(seller);
    });
    expect(counts).toEqual({ batches: 5, commands: 5, single: 5 });
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
  ])('a batch takes the same number of statements for any number of commands: %s', async (_, prepare, sizes) => {
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
    // The rooms and stock to lock are known only once the orders are read.
    ['cancel', 4, async (count) => (await paid(count)).map(cancel)],
    ['deposit', 3, async (count) => range(count).map(deposit)],
    ['all commands', 4, mixed],
  ])('a batch of %s makes %i round trips to its database before it commits', async (_, roundTrips, prepare) => {
    for (const size of [1, 10]) {
      const commands = await prepare(size);
      expect(await waitsOfBatch(() => run(commands))).toBe(roundTrips);
    }
  });

  test('a command that fails is answered INTERNAL, and the rest of its batch succeeds', async () => {
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
      // The others queue while the first runs, and form the next batch.
      const first = queue.submit('wallet:deposit', pick(buyers, 0).userId, { amount: 1 });
      const others = orders.map((order) =>
        queue.submit('order:pay', order.buyerId, { orderId: order.orderId, key: order.orderId }),
      );
      await first;
      answers = await Promise.all(others);
    });
    const batchLoads = statements.filter(({ sql, parameters }) => {
      const values = JSON.stringify(parameters);
      return sql.includes('FROM orders') && orders.every(({ orderId }) => values.includes(orderId));
    });
    expect(batchLoads.length).toBeGreaterThan(0);
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
    const repaired = await queue.submit('order:pay', buyerId, { orderId, key: orderId });
    expect(repaired).toMatchObject({ ok: true, data: { status: 'paid' } });
    expect(repaired.replayed).toBeUndefined();
  });

  test('the messages of a socket take effect and are answered in the order they are sent', async () => {
    const buyer = await (await hub.buyer(1_000_000)).connect();
    const seller = pick(sellers, 1);
    const items = [{ bookId: 'book-1', count: 1 }];
    const answered: number[] = [];
    const answers = await Promise.all(
      range(90).map(async (index) => {
        const sends = [
          () => buyer.send('order:place', { storeId: seller.storeId, items, key: `in-order-${index}` }),
          () => buyer.sendRaw('order:place', { storeId: seller.storeId, items: [] }),
          () => buyer.send('order:list', { role: 'buyer', limit: 1 }),
        ];
        const answer = await pick(sends, index)();
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
      // The read was sent after the command, so it sees the command’s effect or a later one.
      const seen = dataOf(list).items[0]?.orderId ?? '';
      expect(seen >= dataOf(place).orderId).toBe(true);
    }
  });

  test('a read sent after a command on the same socket sees its effect', async () => {
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

  test('a command on a briefly locked database takes effect once when the lock is released', async () => {
    const [buyer, seller] = [await device(pick(buyers, 3)).connect(), pick(sellers, 3)];
    const message = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: 'locked-for-a-moment' };
    const stock = await seller.stock();
    if (hub.database.dialect.singleWriter) {
      const { released } = await lockFile(database, 400);
      const during = await buyer.send('order:place', message);
      if (!during.ok) expect(during.error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
      await released;
    } else {
      // Below the lock wait timeout, and above it, where the whole transaction is retried.
      for (const [round, holdMs] of [800, 1_500].entries()) {
        const release = await lockStock(seller);
        const placing = buyer.send('order:place', round === 0 ? message : { ...message, key: `${message.key}-2` });
        await sleep(holdMs);
        expect(await seller.stock()).toBe(stock - round);
        await release();
        expect(await placing).toMatchObject({ ok: true });
      }
    }
    expect(dataOf(await buyer.send('order:place', message)).status).toBe('placed');
    expect(await seller.stock()).toBe(stock - (hub.database.dialect.singleWriter ? 1 : 2));
    buyer.disconnect();
  });

  test('a batch is published while the next one still waits for a lock', async () => {
    const [firstBuyer, secondBuyer] = [device(pick(buyers, 5)), device(pick(buyers, 6))];
    const [firstSeller, secondSeller] = [device(pick(sellers, 5)), pick(sellers, 6)];
    await Promise.all([firstBuyer, secondBuyer, firstSeller].map((person) => person.connect()));
    // The embedded database has no row locks; there, only the order of the answers can be verified.
    const { singleWriter } = hub.database.dialect;
    const [releaseFirst, releaseSecond] = singleWriter
      ? []
      : [await lockStock(firstSeller), await lockStock(secondSeller)];
    const answered: string[] = [];
    const place = async (buyer: Person, { storeId }: Person, name: string) => {
      const answer = await buyer.send('order:place', { storeId, items: [{ bookId: 'book-1', count: 1 }] });
      answered.push(name);
      return answer;
    };
    const first = place(firstBuyer, firstSeller, 'first');
    await sleep(150);
    const second = place(secondBuyer, secondSeller, 'second');
    await sleep(150);
    await releaseFirst?.();
    const { orderId } = dataOf(await first);
    await until('the seller receives the event', () => firstSeller.events.some((event) => event.orderId === orderId));
    expect(singleWriter ? answered.slice(0, 1) : answered).toEqual(['first']);
    await releaseSecond?.();
    expect(await second).toMatchObject({ ok: true });
    for (const person of [firstBuyer, secondBuyer, firstSeller]) person.disconnect();
  });

  test('a command on a database that stays locked is UNAVAILABLE without effect, and a retry with its key succeeds', async () => {
    const [buyer, seller] = [await device(pick(buyers, 4)).connect(), pick(sellers, 4)];
    const message = { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key: 'locked-out' };
    const stock = await seller.stock();
    const before = await hub.rows('SELECT order_id FROM orders');
    const release = await lockWrites(seller);
    const answer = await buyer.send('order:place', message);
    expect(answer).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', retryable: true } });
    expect(await hub.rows('SELECT order_id FROM orders')).toHaveLength(before.length);
    expect(await seller.stock()).toBe(stock);
    await release();
    const again = await buyer.send('order:place', message);
    expect(again).toMatchObject({ ok: true, data: { status: 'placed' } });
    expect(again.replayed).toBeUndefined();
    expect(await seller.stock()).toBe(stock - 1);
    buyer.disconnect();
  });

  /** Locks the stock of the seller's book, or on the embedded database the file. Returns a function that releases the lock. */
  async function lockWrites(seller: Person): Promise<() => Promise<unknown>> {
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

  test('the audit finds no fault after all batches', async () => {
    expect(await audit(hub)).toEqual([]);
  });

  test('no statement that loads a batch scans a table or an index', async () => {
    await insertFillers();
    const commands = [...(await mixed(3)), command('order:pay', pick(buyers, 0), { orderId: uuidv7() })];
    const due = await placed(2);
    for (const { orderId } of due) commands.push({ name: 'order:timeout', actorId: null, request: { orderId } });
    const unknownStore = { storeId: 'nowhere', items: [{ bookId: 'book-1', count: 1 }] };
    commands.push(command('order:place', pick(buyers, 0), unknownStore));
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

  /** Inserts unrelated rows, enough that a scan is never the cheapest plan. */
  async function insertFillers(): Promise<void> {
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

  /** The full table and index scans in the statement's query plan. */
  async function scansOf({ sql, parameters }: Statement): Promise<string[]> {
    if (hub.database.dialect.singleWriter) {
      const plan = await hub.rows<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, parameters);
      // The JSON list of wanted keys is always scanned.
      const scans = plan.filter(({ detail }) => /^SCAN (?!json_each)/.test(detail));
      return scans.map(({ detail }) => `${detail}: ${sql}`);
    }
    // Only a connection that may write can explain a locking read.
    const plan: { type: string | null; table: string | null }[] = await hub.database.writer.query(
      `EXPLAIN FORMAT=TRADITIONAL ${sql}`,
      parameters,
    );
    expect(plan.length).toBeGreaterThan(0);
    const scans = plan.filter(({ type }) => type === 'ALL' || type === 'index');
    return scans.map(({ type, table }) => `${type} of ${table}: ${sql}`);
  }
});
