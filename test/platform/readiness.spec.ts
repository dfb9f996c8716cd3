import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql, { type Connection } from 'mysql2/promise';
import { SharedCheck } from '../../src/platform/limits/shared.check.js';
import { audit } from '../support/audit.js';
import { TestHub, until } from '../support/hub.js';
import { createLeastAccount, type LeastAccount } from '../support/least.account.js';
import { LogBook } from '../support/log.book.js';
import type { Person } from '../support/person.js';
import { rawHttp } from '../support/raw.http.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { codeOf, range } from '../support/ways.js';

const isServer = Boolean(process.env.TEST_DATABASE_URL);
/** An operator waits three seconds; a busy machine needs longer. */
const NOTICED_WITHIN_MS = 10_000;

describe('readiness', () => {
  const log = new LogBook();
  let database: TestDatabase;
  let account: LeastAccount;
  let root: Connection;
  let hub: TestHub;
  let seller: Person;
  let buyer: Person;
  let orders = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    if (isServer) {
      // The owner's first start creates the tables. The hub's own account can then be locked without disturbing other tests.
      await (await TestHub.start({}, database)).leave();
      account = await createLeastAccount(database);
      root = await mysql.createConnection(database.url);
    }
    hub = await TestHub.start({ logLevel: 'info' }, isServer ? account.database : database, log);
    [seller, buyer] = [await hub.seller([{ stock: 1_000 }]), await hub.buyer()];
    await buyer.connect();
  });
  afterAll(async () => {
    await hub.leave();
    if (isServer) {
      await account.drop();
      await root.end();
    }
    await database.drop();
  });

  const ready = async () => {
    const { status, text } = await rawHttp(hub, 'GET', '/health/ready');
    return { status, database: (JSON.parse(text) as { database: string }).database };
  };
  const place = (key: string) =>
    buyer.send('order:place', { storeId: seller.storeId, items: [{ bookId: 'book-1', count: 1 }], key });

  /** Expects that a fault shows at the probe and in the answers, and that both recover when it has passed. */
  async function expectOutage(cause: () => Promise<unknown>, end: () => Promise<unknown>): Promise<void> {
    const key = `order-${++orders}`;
    expect((await ready()).status).toBe(200);
    await cause();
    try {
      await until('the hub is not ready', async () => (await ready()).status === 503, NOTICED_WITHIN_MS);
      expect(await ready()).toMatchObject({ status: 503, database: 'down' });
      expect(codeOf(await place(key))).toBe('UNAVAILABLE');
    } finally {
      await end();
    }
    await until('the hub is ready', async () => (await ready()).status === 200, NOTICED_WITHIN_MS);
    expect(codeOf(await place(key))).toBe('OK');
  }

  if (isServer) {
    const user = () => `${new URL(account.database.url).username}@'%'`;
    const killConnections = async () => {
      const [rows] = await root.query<mysql.RowDataPacket[]>(
        'SELECT id FROM information_schema.processlist WHERE user = ?',
        [new URL(account.database.url).username],
      );
      for (const { id } of rows) await root.query(`KILL ${id}`).catch(() => {});
    };

    test('is lost while the password of the account is another one', async () => {
      const { password } = new URL(account.database.url);
      const change = (to: string) => root.query(`ALTER USER ${user()} IDENTIFIED BY '${to}'`).then(killConnections);
      await expectOutage(
        () => change('rotated'),
        () => change(password),
      );
    });

    test('is lost while the account is locked', async () => {
      const lock = (word: string) => root.query(`ALTER USER ${user()} ACCOUNT ${word}`).then(killConnections);
      await expectOutage(
        () => lock('LOCK'),
        () => lock('UNLOCK'),
      );
    });

    // Real errors of the server, with the numbers that clusters, proxies and full disks give.
    test.each([1021, 1047, 1105, 1142, 1180, 1792, 3101, 9001])(
      'is lost while writes fail with the error %i',
      async (number) => {
        await expectOutage(
          () =>
            root.query(`CREATE TRIGGER failing BEFORE INSERT ON hub_batches FOR EACH ROW
              SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = ${number}, MESSAGE_TEXT = 'injected'`),
          () => root.query('DROP TRIGGER failing'),
        );
      },
    );
  } else {
    test('is lost while the file cannot be written', async () => {
      const setReadOnly = (value: number) => hub.database.writer.query(`PRAGMA query_only = ${value}`);
      await expectOutage(
        () => setReadOnly(1),
        () => setReadOnly(0),
      );
    });
  }

  test('leaves no trace in the database, and its changes are in the log', async () => {
    expect(await hub.rows('SELECT * FROM hub_batches WHERE batch_no = 0')).toEqual([]);
    const lines = log.written.filter((line) => /not ready"|works again: ready"/.test(line));
    expect(lines.length).toBe(2 * orders);
    expect(await audit(hub)).toEqual([]);
  });

  test('answers a flood of probes from one trial write', async () => {
    const answers = await Promise.all(range(50).map(() => ready()));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(hub.database.poolStats.waiting).toBe(0);
  });
});

describe('a shared check', () => {
  const start = (check: () => Promise<void>) => {
    const outcomes: boolean[] = [];
    const shared = new SharedCheck({
      check,
      timeoutMs: 200,
      reuseMs: 300,
      onOutcome: (passed) => outcomes.push(passed),
    });
    return { shared, outcomes };
  };

  test('runs once for all that ask at the same time, and again later', async () => {
    let runs = 0;
    const { shared, outcomes } = start(async () => {
      runs++;
      await sleep(10);
    });
    expect(await Promise.all(range(50).map(() => shared.passes()))).toEqual(range(50).map(() => true));
    expect(await shared.passes()).toBe(true);
    expect([runs, outcomes]).toEqual([1, [true]]);
    await sleep(400);
    expect(await shared.passes()).toBe(true);
    expect(runs).toBe(2);
  });

  test('fails when it throws or takes too long, and never runs twice at a time', async () => {
    expect(await start(() => Promise.reject(new Error('no'))).shared.passes()).toBe(false);
    let release = () => {};
    let runs = 0;
    const { shared } = start(() => {
      runs++;
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    expect(await shared.passes()).toBe(false);
    await sleep(400);
    expect(await shared.passes()).toBe(false);
    expect(runs).toBe(1);
    release();
    await sleep(10);
    const again = shared.passes();
    release();
    expect(await again).toBe(true);
    expect(runs).toBe(2);
  });
});
