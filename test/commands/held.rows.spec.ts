import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import mysql, { type Connection } from 'mysql2/promise';
import type { Order } from '../../src/contract/orders.js';
import { type Answer, KEY_HEADER } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { PASSWORD, TestHub, until } from '../support/hub.js';
import { lockFile } from '../support/locks.js';
import { onEmbedded, onServer } from '../support/on.server.js';
import type { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { asAnswer, codeOf, dataOf, range } from '../support/ways.js';

/** A neighbour has its answer within a second on a machine that does nothing else. */
const NEIGHBOUR_WITHIN_MS = 10_000;
const NEIGHBOUR_ROUNDS = 12;
const LONG_HOLD_MS = 10_000;

/**
 * Another client of the database, as a console does, holds what one command needs. Whoever does not need it must not notice; the
 * command itself waits for a while, and takes effect once.
 */
describe('what another client of the database holds', () => {
  let database: TestDatabase;
  let hub: TestHub;
  /** The store and the buyer whose rows are held, and those who have nothing to do with them. */
  let seller: Person;
  let buyer: Person;
  let otherSeller: Person;
  let otherBuyer: Person;
  let console: Connection | undefined;
  let count = 0;
  const lines: Record<string, unknown>[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    hub = await TestHub.start({ logLevel: 'info' }, database, {
      write: (line) => {
        lines.push(JSON.parse(line));
      },
    });
    // A range that is held begins behind the last row of the user before: that of nobody who plays a part here.
    const before = await hub.seller([{ stock: 10 }], 'a-seller');
    seller = await hub.seller([{ stock: 10_000 }, { stock: 10_000 }], 'm-seller');
    otherSeller = await hub.seller([{ stock: 10_000 }], 'z-seller');
    buyer = await hub.buyer(1_000_000, 'm-buyer');
    otherBuyer = await hub.buyer(1_000_000, 'z-buyer');
    await Promise.all([seller, buyer, otherSeller, otherBuyer].map((person) => person.connect()));
    for (const store of [before, seller, otherSeller]) {
      for (const person of [buyer, otherBuyer]) {
        const { orderId } = dataOf(await person.send('order:place', message(store)));
        await person.does('order:pay', { orderId });
      }
    }
  });
  afterEach(async () => {
    console?.destroy();
    console = undefined;
    await until('nothing is set aside', async () => (await metric('commands_set_aside')) === 0);
  });
  afterAll(async () => {
    expect(await audit(hub)).toEqual([]);
    await hub.stop();
  });

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${hub.url}/metrics`)).text();
    return Number(new RegExp(`^order_hub_${name} (\\S+)$`, 'm').exec(text)?.[1]);
  }

  /** Holds what a statement touches, in a transaction as a console begins it; the tests' locks are of InnoDB's default kind. */
  async function hold(...statements: string[]): Promise<void> {
    console ??= await mysql.createConnection({ uri: database.url, multipleStatements: true });
    await console.query('SET SESSION idle_transaction_timeout = 0').catch(() => {});
    if (!statements[0]?.startsWith('LOCK')) await console.beginTransaction();
    for (const statement of statements) await console.query(statement);
  }
  const release = async () => {
    await console?.query('UNLOCK TABLES');
    await console?.rollback();
  };

  const bookNo = async (bookId = 'book-1') => {
    const sql = 'SELECT book_no AS bookNo FROM books WHERE store_id = ? AND book_id = ?';
    const [book] = await hub.rows<{ bookNo: number }>(sql, [seller.storeId, bookId]);
    return Number(book?.bookNo);
  };
  const message = (store: Person, bookId = 'book-1', key = `key-${1_000 + ++count}`) => ({
    storeId: store.storeId,
    items: [{ bookId, count: 1 }],
    key,
  });

  /** Whoever needs nothing that is held: orders, payments and money of others, round by round. */
  async function neighboursGoOn(rounds = NEIGHBOUR_ROUNDS): Promise<void> {
    for (const _ of range(rounds)) {
      const from = performance.now();
      const answers = await Promise.all([
        otherBuyer.send('order:place', message(otherSeller)),
        otherSeller.post(`/stores/${otherSeller.storeId}/books/book-1/stock`, { add: 1 }),
      ]);
      expect([codeOf(answers[0]), answers[1].status]).toEqual(['OK', 200]);
      const paid = await otherBuyer.send('order:pay', { orderId: dataOf(answers[0]).orderId });
      expect(codeOf(paid)).toBe('OK');
      expect(performance.now() - from).toBeLessThan(NEIGHBOUR_WITHIN_MS);
    }
  }

  /** Sends a command again, with its key, until it is executed. */
  async function executed<Data>(
    first: Promise<Answer<Data>>,
    again: () => Promise<Answer<Data>>,
  ): Promise<Answer<Data>> {
    let answer = await first;
    await until('the command is executed', async () => {
      if (!answer.ok && answer.error.retryable) answer = await again();
      return answer.ok || !answer.error.retryable;
    });
    return answer;
  }

  const orders = async () =>
    (await hub.rows(`SELECT order_id FROM orders WHERE seller_id = '${seller.userId}'`)).length;

  /** Each: what is held, and a command that needs it, sent as often as wished with one key. */
  const kinds: [string, () => Promise<{ held: string[]; command: () => Promise<Answer<unknown>> }>][] = [
    [
      'the stock of a book',
      async () => {
        const order = message(seller);
        return {
          held: [`SELECT * FROM book_stock WHERE book_no = ${await bookNo()} FOR UPDATE`],
          command: () => buyer.send('order:place', order),
        };
      },
    ],
    [
      'an order',
      async () => {
        const { orderId } = await buyer.place(seller);
        return {
          held: [`SELECT * FROM orders WHERE order_id = '${orderId}' FOR UPDATE`],
          command: () => buyer.send('order:pay', { orderId, key: `pay-${orderId}` }),
        };
      },
    ],
    [
      'a wallet',
      async () => ({
        held: [`UPDATE wallets SET balance = balance WHERE user_id = '${buyer.userId}'`, walletLock()],
        command: () => deposit('wallet'),
      }),
    ],
    [
      'a seller’s room',
      async () => {
        const order = message(seller);
        return { held: [roomLock('seller', seller)], command: () => buyer.send('order:place', order) };
      },
    ],
    [
      'several rows at two places',
      async () => {
        const order = message(seller, 'book-2');
        return {
          held: [
            `SELECT * FROM book_stock WHERE book_no = ${await bookNo('book-2')} FOR UPDATE`,
            roomLock('seller', seller),
            roomLock('buyer', buyer),
            walletLock(),
          ],
          command: () => buyer.send('order:place', order),
        };
      },
    ],
    [
      'the stored answer to a key',
      async () => {
        const order = message(seller);
        await buyer.send('order:place', order);
        return {
          held: [
            `SELECT * FROM command_answers WHERE idem_key = '${order.key}' AND user_id = '${buyer.userId}' FOR UPDATE`,
          ],
          command: () => buyer.send('order:place', order),
        };
      },
    ],
    [
      'the range of a user’s keys',
      async () => {
        const order = message(seller);
        return {
          held: [`SELECT * FROM command_answers FORCE INDEX (PRIMARY) WHERE user_id = '${buyer.userId}' FOR UPDATE`],
          command: () => buyer.send('order:place', order),
        };
      },
    ],
    [
      'the range of a user’s ledger',
      async () => ({
        held: [`SELECT * FROM wallet_entries FORCE INDEX (PRIMARY) WHERE user_id = '${buyer.userId}' FOR UPDATE`],
        command: () => deposit('ledger'),
      }),
    ],
    [
      'the range of a seller’s events',
      async () => {
        const order = message(seller);
        return {
          held: [
            `SELECT * FROM room_events FORCE INDEX (PRIMARY) WHERE role = 'seller' AND user_id = '${seller.userId}' FOR UPDATE`,
          ],
          command: () => buyer.send('order:place', order),
        };
      },
    ],
  ];
  const deposit = async (key: string) =>
    asAnswer(await buyer.post('/wallet/deposits', { amount: 1 }, { [KEY_HEADER]: key }));
  const walletLock = () => `SELECT * FROM wallets WHERE user_id = '${buyer.userId}' FOR UPDATE`;
  const roomLock = (role: string, { userId }: Person) =>
    `SELECT * FROM rooms WHERE role = '${role}' AND user_id = '${userId}' FOR UPDATE`;

  onServer.each(kinds)('%s: neighbours go on, and the command is executed once it is free', async (_, prepare) => {
    const { held, command } = await prepare();
    await hold(...held);
    const first = command();
    await neighboursGoOn();
    await release();
    expect(codeOf(await executed(first, command))).toBe('OK');
    expect(await command()).toMatchObject({ ok: true, replayed: true });
  });

  onServer('a table: commands that do not need it go on', async () => {
    const order = message(seller);
    const { orderId } = await otherBuyer.place(otherSeller);
    await hold('LOCK TABLES book_stock WRITE');
    const first = buyer.send('order:place', order);
    for (const _ of range(NEIGHBOUR_ROUNDS)) {
      const from = performance.now();
      expect((await otherBuyer.post('/wallet/deposits', { amount: 1 })).status).toBe(200);
      expect(performance.now() - from).toBeLessThan(NEIGHBOUR_WITHIN_MS);
    }
    expect(codeOf(await otherBuyer.send('order:pay', { orderId }))).toBe('OK');
    await release();
    expect(codeOf(await executed(first, () => buyer.send('order:place', order)))).toBe('OK');
  });

  onServer('for long: what needs it is UNAVAILABLE in time and has not happened, every second anew', async () => {
    const before = await orders();
    await hold(`SELECT * FROM book_stock WHERE book_no = ${await bookNo()} FOR UPDATE`);
    const end = performance.now() + LONG_HOLD_MS;
    const answers: Promise<Answer<Order>>[] = [];
    while (performance.now() < end) {
      answers.push(buyer.send('order:place', message(seller)));
      await neighboursGoOn(2);
      await sleep(500);
    }
    const early = answers.slice(0, 2);
    for (const answer of await Promise.all(early))
      expect(answer).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', retryable: true } });
    expect(await orders()).toBe(before);
    await release();
    const late = (await Promise.all(answers)).filter(({ ok }) => ok);
    expect(await orders()).toBe(before + late.length);
  });

  onServer('keeps the order of one user’s commands, and takes a key given again as the same command', async () => {
    const [placed, again, later] = [message(seller), message(seller, 'book-2'), message(otherSeller)];
    await hold(`SELECT * FROM book_stock WHERE book_no = ${await bookNo()} FOR UPDATE`);
    const sent = [placed, placed, again, later, placed].map((order) => buyer.send('order:place', order));
    await neighboursGoOn(3);
    await release();
    const answers = await Promise.all(sent);
    if (answers.every(({ ok }) => ok)) {
      const seqs = answers.map((answer) => (answer.ok ? Number(answer.seq) : 0));
      expect(seqs).toEqual([...seqs.slice(0, 1), seqs[0], Number(seqs[0]) + 1, Number(seqs[0]) + 2, seqs[0]]);
      expect(answers.map((answer) => Boolean(answer.replayed))).toEqual([false, true, false, false, true]);
    }
    for (const order of [placed, again, later])
      expect(codeOf(await executed(buyer.send('order:place', order), () => buyer.send('order:place', order)))).toBe(
        'OK',
      );
    const keys = [placed, again, later].map(({ key }) => `'${key}'`);
    expect(await hub.rows(`SELECT idem_key FROM command_answers WHERE idem_key IN (${keys})`)).toHaveLength(3);
  });

  onServer('is named in the log and in the metrics, without anybody’s data', async () => {
    await hold(`SELECT * FROM wallets WHERE user_id = '${buyer.userId}' FOR UPDATE`);
    const first = deposit('logged');
    await until('a command is set aside', async () => (await metric('commands_set_aside')) > 0);
    await release();
    expect(codeOf(await executed(first, () => deposit('logged')))).toBe('OK');
    await until('what was held is free', () => lines.some(({ msg }) => msg === 'what another client held is free'));
    const held = lines.filter(({ msg }) => msg === 'another client holds what commands need');
    expect(held.at(-1)).toMatchObject({ table: 'wallets', held: 'rows' });
    expect(JSON.stringify(held)).not.toContain(buyer.userId);
  });

  onServer('by a user whose account, store or book it is: others log in, register and edit', async () => {
    const holds = [
      `SELECT * FROM users WHERE user_id = '${seller.userId}' FOR UPDATE`,
      `SELECT * FROM stores WHERE store_id = '${seller.storeId}' FOR UPDATE`,
      `SELECT * FROM books WHERE book_no = ${await bookNo()} FOR UPDATE`,
    ];
    await hold(...holds);
    const login = { userId: seller.userId, password: PASSWORD };
    const waiting = [
      ...range(20).map((index) => seller.patch(`/stores/${seller.storeId}/books/book-1`, { title: `Title ${index}` })),
      ...range(20).map((index) => seller.post('/stores', { storeId: `more-${index}` })),
      // Few, because hashing a password takes most of a processor.
      ...range(3).map(() => seller.post('/auth/login', login)),
    ];
    await sleep(500);
    for (const round of range(4)) {
      const from = performance.now();
      const title = `Other ${round}`;
      const edited = await otherSeller.patch(`/stores/${otherSeller.storeId}/books/book-1`, { title });
      expect(edited.status).toBe(200);
      expect((await otherBuyer.get('/orders?role=buyer')).status).toBe(200);
      expect((await fetch(`${hub.url}/health/ready`)).status).toBe(200);
      expect(performance.now() - from).toBeLessThan(NEIGHBOUR_WITHIN_MS);
    }
    await neighboursGoOn(2);
    const visitor = await hub.register();
    expect(visitor.token).not.toBe('');
    await release();
    await Promise.all(waiting);
  });

  onServer('while orders expire: those of others do', async () => {
    const ttl = await TestHub.start({ unpaidTtlSeconds: 2 }, database);
    try {
      const store = await ttl.seller([{ stock: 100 }], 'n-seller');
      const shopper = await ttl.buyer(1_000, 'n-buyer');
      const [held, ...others] = await Promise.all(range(6).map(() => shopper.place(store)));
      await hold(`SELECT * FROM orders WHERE order_id = '${held?.orderId}' FOR UPDATE`);
      const statusOf = async (order: Order | undefined) =>
        (await shopper.get<Order>(`/orders/${order?.orderId}`)).body.status;
      await until(
        'the other orders have expired',
        async () => {
          const statuses = await Promise.all(others.map(statusOf));
          return statuses.every((status) => status === 'cancelled');
        },
        8_000,
      );
      expect(await statusOf(held)).toBe('placed');
      await release();
      await until('the order that was held expires', async () => (await statusOf(held)) === 'cancelled');
    } finally {
      await ttl.leave();
    }
  });

  onEmbedded('on the embedded database is the whole file: all wait, and go on when it is free', async () => {
    const { released } = await lockFile(database, 500);
    const sent = [buyer.send('order:place', message(seller)), otherBuyer.send('order:place', message(otherSeller))];
    for (const answer of await Promise.all(sent)) expect(['OK', 'UNAVAILABLE']).toContain(codeOf(answer));
    await released;
    await neighboursGoOn(2);
  });
});
