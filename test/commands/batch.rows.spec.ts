import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BatchOutcome, CommandBatch } from '../../src/commands/command.batch.js';
import type { Command } from '../../src/commands/command.js';
import type { Order } from '../../src/contract/orders.js';
import type { Role } from '../../src/contract/transitions.js';
import { OrderScheduler } from '../../src/orders/order.scheduler.js';
import { decodeEvent } from '../../src/rooms/event.codec.js';
import { commandOf as command } from '../support/batch.commands.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import { lockRow } from '../support/locks.js';
import type { Person } from '../support/person.js';
import { statementsOfBatch } from '../support/statements.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { codeOf, dataOf, range } from '../support/ways.js';

/** A well-formed id without an order. */
const NO_ORDER = '01900000-0000-7000-8000-000000000000';
/** Within this time a batch has looked up its idempotency keys. */
const LOOKED_UP_MS = 300;
const UNPAID_MS = 900_000;
const AUTO_RECEIVE_MS = 864_000_000;

/** The rows that a batch reads and writes, as another hub reads them. */
describe('the rows of a batch', () => {
  let database: TestDatabase;
  let hub: TestHub;
  let seller: Person;
  let other: Person;
  let buyer: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await TestHub.start({}, database);
    // These tests submit the timeouts themselves.
    await hub.hub.app.get(OrderScheduler).stop();
    seller = await hub.seller([
      { stock: 100, price: 30 },
      { stock: 100, price: 5 },
    ]);
    other = await hub.seller([{ stock: 50, price: 7 }]);
    buyer = await hub.buyer(100_000);
  });
  afterAll(() => hub.stop());

  const run = (...commands: Command[]): Promise<BatchOutcome> => hub.hub.app.get(CommandBatch).run(commands);
  /** Runs one command, which must succeed. */
  const does = async (command: Command) => dataOf((await run(command)).answers[0] as { ok: true; data: Order });

  const place = (items = [{ bookId: 'book-1', count: 2 }], from = seller, by = buyer, key?: string) =>
    command('order:place', by, { storeId: from.storeId, items }, key);
  const pay = ({ orderId }: Order, key?: string) => command('order:pay', buyer, { orderId }, key);
  const ship = ({ orderId }: Order) => command('order:ship', seller, { orderId, carrier: 'SF', trackingNo: '17' });
  const receive = ({ orderId }: Order) => command('order:receive', buyer, { orderId });
  const cancel = ({ orderId }: Order) => command('order:cancel', seller, { orderId, reason: 'why' });
  const timeout = ({ orderId }: { orderId: string }) => command('order:timeout', null, { orderId });
  const paid = async () => does(pay(await does(place())));
  const shipped = async () => does(ship(await paid()));
  /** Moves the order’s due time into the past. */
  const makeDue = ({ orderId }: Order) =>
    hub.database.transaction((tx) => tx.query('UPDATE orders SET due_at = 1 WHERE order_id = ?', [orderId]));

  const rowOf = async ({ orderId }: Order): Promise<Record<string, unknown>> => {
    const [row] = await hub.rows('SELECT * FROM orders WHERE order_id = ?', [orderId]);
    return {
      ...row,
      items: JSON.parse(String(row?.items)),
      timeline: JSON.parse(String(row?.timeline)),
    };
  };
  const head = async (role: string, { userId }: Person) => {
    const [row] = await hub.rows<{ head: number }>('SELECT head FROM rooms WHERE role = ? AND user_id = ?', [
      role,
      userId,
    ]);
    return row?.head ?? -1;
  };
  const eventsOf = async ({ orderId }: Order) => {
    const rows = await hub.rows<{ role: Role; user_id: string; seq: number; body: string; at: number }>(
      'SELECT * FROM room_events ORDER BY role, user_id, seq',
    );
    const events = rows.map(({ body, ...row }) => ({ ...row, push: decodeEvent(row.role, row.seq, body) }));
    return events.filter(({ push }) => push.orderId === orderId);
  };
  const entriesOf = async ({ userId }: Person, count: number) =>
    (await hub.rows('SELECT * FROM wallet_entries WHERE user_id = ? ORDER BY entry_no', [userId])).slice(-count);
  const walletOf = async ({ userId }: Person) =>
    (
      await hub.rows<{ balance: number; entries: number }>(
        'SELECT user_id, balance, entries FROM wallets WHERE user_id = ?',
        [userId],
      )
    )[0];

  test('placing an order writes its row, its stock, its events and the stored answer', async () => {
    const stock = await seller.stock();
    const heads = [await head('buyer', buyer), await head('seller', seller)] as const;
    const command = place([{ bookId: 'book-1', count: 2 }], seller, buyer, 'rows-1');
    const { answers, events } = await run(command);
    const order = dataOf(answers[0] as { ok: true; data: Order });
    const placedAt = Date.parse(order.placedAt);
    const [book] = await hub.rows<{ book_no: number }>(
      "SELECT book_no FROM books WHERE store_id = ? AND book_id = 'book-1'",
      [seller.storeId],
    );
    expect(await rowOf(order)).toEqual({
      ...{ order_id: command.newId, store_id: seller.storeId, buyer_id: buyer.userId, seller_id: seller.userId },
      ...{ status: 'placed', version: 1, total: 60 },
      items: [{ bookNo: book?.book_no, bookId: 'book-1', title: 'Book 1', count: 2, price: 30 }],
      timeline: [{ version: 1, status: 'placed', by: buyer.userId, at: placedAt }],
      ...{ placed_at: placedAt, expires_at: placedAt + UNPAID_MS, due_at: placedAt + UNPAID_MS },
      ...{ paid_at: null, shipped_at: null, received_at: null, cancelled_at: null },
      ...{ carrier: null, tracking_no: null, cancel_reason: null, number: heads[1] + 1 },
      ...{ claimed_by: null, claimed_until: null, claims: 0 },
    });
    expect(await seller.stock()).toBe(stock - 2);
    expect([await head('buyer', buyer), await head('seller', seller)]).toEqual([heads[0] + 1, heads[1] + 1]);
    const written = await eventsOf(order);
    expect(written).toEqual([
      { role: 'buyer', user_id: buyer.userId, seq: heads[0] + 1, at: placedAt, push: events[0]?.push },
      { role: 'seller', user_id: seller.userId, seq: heads[1] + 1, at: placedAt, push: events[1]?.push },
    ]);
    expect(written[0]?.push).toMatchObject({ role: 'buyer', seq: heads[0] + 1, status: 'placed', total: 60 });
    const [stored] = await hub.rows<Record<string, unknown>>("SELECT * FROM command_answers WHERE idem_key = 'rows-1'");
    expect({ ...stored, answer: JSON.parse(String(stored?.answer)) }).toEqual({
      ...{ user_id: buyer.userId, idem_key: 'rows-1', message_hash: command.key?.messageHash, at: placedAt },
      answer: { orderId: order.orderId, version: 1, seq: heads[0] + 1, role: 'buyer', form: 5 },
    });
  });

  test('each transition updates the order’s row, and keeps what was placed', async () => {
    const order = await does(place());
    const before = await rowOf(order);
    const transitions: [(order: Order) => Command, Record<string, unknown>][] = [
      [pay, { status: 'paid', paid_at: expect.any(Number), due_at: null }],
      [ship, { status: 'shipped', shipped_at: expect.any(Number), carrier: 'SF', tracking_no: '17' }],
      [receive, { status: 'received', received_at: expect.any(Number), due_at: null }],
    ];
    let expected = before;
    for (const [index, [transition, change]] of transitions.entries()) {
      await does(transition(order));
      const row = await rowOf(order);
      const timeline = [...(expected.timeline as unknown[]), expect.objectContaining({ version: index + 2 })];
      const times = change.status === 'shipped' ? { due_at: Number(row.shipped_at) + AUTO_RECEIVE_MS } : {};
      expect(row).toEqual({ ...expected, ...change, ...times, version: index + 2, timeline });
      expected = row;
    }
  });

  test('a cancellation restores stock and balance, whether by the seller or a timeout', async () => {
    const before = { stock: await seller.stock(), buyer: await walletOf(buyer), seller: await walletOf(seller) };
    const order = await paid();
    await does(cancel(order));
    expect(await rowOf(order)).toMatchObject({ status: 'cancelled', cancel_reason: 'why', due_at: null });
    expect(await seller.stock()).toBe(before.stock);
    const [buyerWallet, sellerWallet] = [before.buyer, before.seller];
    expect(await walletOf(buyer)).toMatchObject({
      balance: buyerWallet?.balance,
      entries: Number(buyerWallet?.entries) + 2,
    });
    expect(await walletOf(seller)).toMatchObject({
      balance: sellerWallet?.balance,
      entries: Number(sellerWallet?.entries) + 2,
    });
    const entry = { user_id: buyer.userId, order_id: order.orderId, at: expect.any(Number) };
    const [balance, entries] = [Number(buyerWallet?.balance), Number(buyerWallet?.entries)];
    expect(await entriesOf(buyer, 2)).toEqual([
      { ...entry, entry_no: entries + 1, amount: -60, balance: balance - 60, kind: 'payment' },
      { ...entry, entry_no: entries + 2, amount: 60, balance, kind: 'refund' },
    ]);

    const expired = await does(place());
    await makeDue(expired);
    expect((await run(timeout(expired))).answers[0]).toMatchObject({ ok: true, data: { cancelReason: 'expired' } });
    expect(await seller.stock()).toBe(before.stock);
    const late = await shipped();
    await makeDue(late);
    expect((await run(timeout(late))).answers[0]).toMatchObject({ ok: true, data: { status: 'received' } });
  });

  test('a stock change answers with all fields of the book', async () => {
    const texts = {
      ...{ author: 'A', publisher: 'P', isbn: 'I', tags: ['t'], summary: 'S', coverUrl: '/c', details: { pages: 9 } },
    };
    const shelf = `/stores/${seller.storeId}/books`;
    await seller.post(shelf, { bookId: 'detailed', title: 'Detailed', price: 1, stock: 3, lowMark: 2, ...texts });
    const add = command('stock:add', seller, { storeId: seller.storeId, bookId: 'detailed', add: -1 });
    const { answers, stockAlerts } = await run(add);
    const book = {
      storeId: seller.storeId,
      bookId: 'detailed',
      title: 'Detailed',
      price: 1,
      stock: 2,
      lowMark: 2,
      listed: true,
    };
    expect(answers).toEqual([{ ok: true, data: { ...book, ...texts } }]);
    expect(stockAlerts).toEqual([
      {
        ownerId: seller.userId,
        push: { storeId: seller.storeId, bookId: 'detailed', stock: 2, at: expect.any(String) },
      },
    ]);
    expect(await seller.stock('detailed')).toBe(2);
  });

  test('deposits and withdrawals are booked in the ledger and answered', async () => {
    const person = await hub.buyer(10);
    const outcome = await run(
      command('wallet:deposit', person, { amount: 5 }),
      command('wallet:withdraw', person, { amount: 7 }),
      command('wallet:withdraw', person, { amount: 9 }),
    );
    expect(outcome.answers.slice(0, 2)).toEqual([
      { ok: true, data: { balance: 15 } },
      { ok: true, data: { balance: 8 } },
    ]);
    expect(outcome.answers[2]).toMatchObject({
      error: { code: 'INSUFFICIENT_FUNDS', details: { needed: 9, balance: 8 } },
    });
    expect(await walletOf(person)).toEqual({ user_id: person.userId, balance: 8, entries: 3 });
    const entry = { user_id: person.userId, order_id: null, at: expect.any(Number) };
    expect(await entriesOf(person, 2)).toEqual([
      { ...entry, entry_no: 2, amount: 5, balance: 15, kind: 'deposit' },
      { ...entry, entry_no: 3, amount: -7, balance: 8, kind: 'withdrawal' },
    ]);
  });

  test('the commands of a batch see each other’s changes to shared rows', async () => {
    const orders = await Promise.all([does(place()), does(place([{ bookId: 'book-1', count: 1 }], other))]);
    const [first, second] = orders as [Order, Order];
    const stocks = [await seller.stock(), await seller.stock('book-2'), await other.stock()] as const;
    const { answers } = await run(
      pay(first),
      pay(second),
      ship(first),
      place([
        { bookId: 'book-1', count: 1 },
        { bookId: 'book-2', count: 4 },
      ]),
      place([{ bookId: 'book-1', count: 3 }], other),
      place([{ bookId: 'book-2', count: 1 }], other),
      command('stock:add', other, { storeId: other.storeId, bookId: 'book-1', add: 10 }),
      command('wallet:deposit', seller, { amount: 1 }),
      command('order:cancel', other, { orderId: second.orderId }),
      receive(first),
      pay({ ...first, orderId: NO_ORDER }),
      pay({ ...first, orderId: 'nothing' }),
    );
    const codes = [...range(5).map(() => 'OK'), 'BOOK_NOT_FOUND', ...range(4).map(() => 'OK')];
    expect(answers.map(codeOf)).toEqual([...codes, 'ORDER_NOT_FOUND', 'ORDER_NOT_FOUND']);
    expect(await rowOf(first)).toMatchObject({ status: 'received', version: 4 });
    expect(await rowOf(second)).toMatchObject({ status: 'cancelled', version: 3 });
    const after = [await seller.stock(), await seller.stock('book-2'), await other.stock()];
    expect(after).toEqual([stocks[0] - 1, stocks[1] - 4, stocks[2] - 3 + 10 + 1]);
  });

  test('a key belongs to its user, replays its answer in the same batch and later, and is KEY_REUSED for another message', async () => {
    const message = place(undefined, seller, buyer, 'rows-2');
    const differing = place([{ bookId: 'book-2', count: 1 }], seller, buyer, 'rows-2');
    const [first, second, third, fourth] = (
      await run(message, message, differing, place(undefined, seller, other, 'rows-2'))
    ).answers;
    expect(first).toMatchObject({ ok: true, data: { orderId: message.newId } });
    expect(second).toEqual({ ...first, replayed: true });
    expect(third).toMatchObject({ ok: false, error: { code: 'KEY_REUSED' } });
    expect(fourth).toMatchObject({ ok: true, data: { buyerId: other.userId } });
    expect(fourth?.replayed).toBeUndefined();
    const later = (await run(message, differing, place(undefined, seller, buyer, 'rows-3'))).answers;
    expect(later[0]).toEqual(JSON.parse(JSON.stringify({ ...first, replayed: true })));
    expect(codeOf(later[1] as { ok: true; data: unknown })).toBe('KEY_REUSED');
    expect(later[2]).toMatchObject({ ok: true });
    expect(later[2]?.replayed).toBeUndefined();
  });

  test('a key that another hub answers concurrently replays that hub’s answer, without a second effect', async () => {
    // An embedded database has a single writer, so there the other hub always commits before or after.
    const isSingleWriter = hub.database.dialect.singleWriter;
    const stock = await seller.stock();
    const command = place(undefined, seller, buyer, 'rows-5');
    const release = isSingleWriter ? undefined : await lockRow(database, 'SELECT stock FROM book_stock', []);
    const running = isSingleWriter ? undefined : run(command);
    await sleep(isSingleWriter ? 0 : LOOKED_UP_MS);
    const otherAnswer = { ok: true, data: { orderId: 'of the other hub' } };
    await hub.database.transaction((tx) =>
      tx.query('INSERT INTO command_answers (user_id, idem_key, message_hash, answer, at) VALUES (?, ?, ?, ?, ?)', [
        ...[buyer.userId, 'rows-5', command.key?.messageHash, JSON.stringify(otherAnswer), Date.now()],
      ]),
    );
    await release?.();
    expect((await (running ?? run(command))).answers).toEqual([{ ...otherAnswer, replayed: true }]);
    expect(await seller.stock()).toBe(stock);
  });

  test('an unregistered user is rejected as a buyer and as a seller', async () => {
    const unregistered = await hub.seller();
    await unregistered.post('/auth/unregister', { password: PASSWORD });
    const { answers } = await run(
      place(undefined, seller, unregistered),
      place(undefined, unregistered),
      timeout({ orderId: NO_ORDER }),
    );
    expect(answers.map(codeOf)).toEqual(['UNAUTHENTICATED', 'USER_NOT_FOUND', 'ORDER_NOT_FOUND']);
  });

  test('a store is queried separately only if none of its books is found', async () => {
    const unknownBook = [{ bookId: 'nothing', count: 1 }];
    const answers: unknown[] = [];
    const statements = await statementsOfBatch(hub, async () => {
      const add = command('stock:add', other, { storeId: other.storeId, bookId: 'nothing', add: 1 });
      answers.push(...(await run(place(), place(unknownBook, other), add)).answers.map(codeOf));
    });
    expect(answers).toEqual(['OK', 'BOOK_NOT_FOUND', 'BOOK_NOT_FOUND']);
    const storeQueries = statements.filter(({ sql }) => sql.includes('FROM stores'));
    expect(storeQueries.map(({ parameters }) => parameters)).toEqual([
      hub.database.dialect.inCondition.values('store_id', [other.storeId])[1],
    ]);
  });

  test('a batch logs its number, the heads of its rooms and the wallets that it changed, and reports its phases', async () => {
    const first = await run(place());
    const second = await run(command('wallet:deposit', buyer, { amount: 1 }));
    expect(second.batchNo).toBe(first.batchNo + 1);
    const logged = await hub.rows<{ batch_no: number; rooms: string }>(
      'SELECT * FROM hub_batches WHERE batch_no >= ?',
      [first.batchNo],
    );
    const [wallet] = await hub.rows<{ balance: number; version: number }>(
      'SELECT balance, version FROM wallets WHERE user_id = ?',
      [buyer.userId],
    );
    expect(logged.map(({ batch_no, rooms }) => [batch_no, JSON.parse(rooms)])).toEqual([
      [
        first.batchNo,
        [
          ['buyer', buyer.userId, await head('buyer', buyer)],
          ['seller', seller.userId, await head('seller', seller)],
        ],
      ],
      [second.batchNo, [['wallet', buyer.userId, [wallet?.balance, 0, wallet?.version]]]],
    ]);
    expect(first.phases.map(({ name }) => name)).toEqual(['load', 'settle', 'save', 'commit']);
    for (const { from, to } of first.phases) expect(to).toBeGreaterThanOrEqual(from);
  });

  describe('a batch touches only the tables that its command needs:', () => {
    const ORDER = ['hub_batches', 'orders', 'room_events', 'rooms', 'users'];
    const WALLETS = ['wallet_entries', 'wallets'];
    const STOCK = ['book_stock', 'books'];
    test.each<[string, () => Promise<Command> | Command, string[]]>([
      ['place', () => place(), [...ORDER, ...STOCK, 'stores', 'staff_members']],
      [
        'place with a key',
        () => place(undefined, seller, buyer, 'rows-4'),
        [...ORDER, ...STOCK, 'stores', 'staff_members', 'command_answers'],
      ],
      ['pay', async () => pay(await does(place())), [...ORDER, ...WALLETS]],
      ['ship', async () => ship(await paid()), ORDER],
      ['receive', async () => receive(await shipped()), ORDER],
      ['cancel', async () => cancel(await does(place())), [...ORDER, ...STOCK, 'wallets']],
      ['cancel a paid order', async () => cancel(await paid()), [...ORDER, ...STOCK, ...WALLETS]],
      ['deposit', () => command('wallet:deposit', buyer, { amount: 1 }), ['hub_batches', 'users', ...WALLETS]],
      ['withdraw', () => command('wallet:withdraw', buyer, { amount: 1 }), ['hub_batches', 'users', ...WALLETS]],
      [
        'add stock',
        () => command('stock:add', seller, { storeId: seller.storeId, bookId: 'book-1', add: 1 }),
        ['hub_batches', 'users', 'stores', ...STOCK, 'book_texts'],
      ],
      ['a malformed order id', () => pay({ orderId: 'nothing' } as Order), ['hub_batches', 'users']],
      ['an unknown order', () => pay({ orderId: NO_ORDER } as Order), ['hub_batches', 'users', 'orders']],
      [
        'place in an unknown store',
        () => place(undefined, { storeId: 'nowhere' } as Person),
        ['hub_batches', 'users', 'stores', 'books'],
      ],
      [
        'time out an order',
        async () => {
          const order = await does(place());
          await makeDue(order);
          return timeout(order);
        },
        [...ORDER.filter((table) => table !== 'users'), ...STOCK],
      ],
    ])('%s', async (_, prepare, tables) => {
      const command = await prepare();
      const statements = await statementsOfBatch(hub, () => run(command));
      const touched = statements.flatMap(({ sql }) => [...sql.matchAll(/\b(?:FROM|INTO|JOIN) `?(?!json_each)(\w+)/g)]);
      expect([...new Set(touched.map(([, table]) => table))].sort()).toEqual([...tables].sort());
    });
  });
});
