import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { TestHub, until } from '../support/hub.js';
import { beginOtherTransaction, HEAVY_ROWS, lockFile, lockRow } from '../support/locks.js';
import type { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { codeOf, dataOf, range } from '../support/ways.js';

const isServer = Boolean(process.env.TEST_DATABASE_URL);
/** The contract's five seconds, with slack for a busy machine. */
const ANSWERED_WITHIN_MS = 10_000;
/** Longer than the lock wait timeout, so that the batch must be retried. */
const LOCKED_MS = 2_200;
/** InnoDB caches `innodb_trx` for a tenth of a second after each read. */
const LOCK_VIEW_REFRESH_MS = 150;

/**
 * Server faults in the middle of a batch. The hub uses a separate account, so that other suites on the server are unaffected. On
 * the embedded database, the nearest equivalent fault is tested.
 */
describe('a batch whose database fails', () => {
  let database: TestDatabase;
  let hub: TestHub;
  let admin: Connection;
  /** Connections left by a failed test would block dropping the database. */
  const otherConnections: Connection[] = [];
  let account: string;
  let hubUrl: string;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    hubUrl = database.url;
    if (isServer) {
      admin = await mysql.createConnection(database.url);
      account = `faults_${Math.random().toString(36).slice(2, 10)}`;
      const url = new URL(database.url);
      await admin.query(`CREATE USER ${userHosts()} IDENTIFIED BY 'hub'`);
      await grant(url.pathname.slice(1));
      url.username = account;
      url.password = 'hub';
      hubUrl = url.href;
    }
    hub = await TestHub.start({}, { ...database, url: hubUrl });
    seller = await hub.seller([{ stock: 10_000 }, { stock: 10_000 }]);
    buyer = await hub.buyer();
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(async () => {
    for (const other of otherConnections) other.destroy();
    if (isServer) await admin.query('SET GLOBAL read_only = 0');
    await hub.stop();
    if (!isServer) return;
    await admin.query(`DROP USER ${userHosts()}`);
    await admin.end();
  });

  // Both, because an anonymous account for localhost would take precedence over '%'.
  const hosts = ['%', 'localhost'];
  const userHosts = () => hosts.map((host) => `${account}@'${host}'`).join();

  /** The tests' account may create users but not grant privileges, so it writes the privilege table. */
  async function grant(name: string): Promise<void> {
    const privileges = ['Select', 'Insert', 'Update', 'Delete', 'Create', 'Drop', 'References', 'Index', 'Alter'];
    const columns = privileges.map((privilege) => `${privilege}_priv`);
    for (const host of hosts) {
      const values = [host, name, account, ...privileges.map(() => 'Y')];
      await admin.query(`INSERT INTO mysql.db (Host, Db, User, ${columns}) VALUES (?)`, [values]);
    }
    await admin.query('FLUSH PRIVILEGES');
  }

  const message = (key: string, ...books: string[]) => ({
    storeId: seller.storeId,
    items: (books.length > 0 ? books : ['book-1']).map((bookId) => ({ bookId, count: 1 })),
    key,
  });
  const place = (key: string) => buyer.send('order:place', message(key));
  const lockRoom = () =>
    lockRow(database, 'SELECT head FROM rooms WHERE role = ? AND user_id = ?', ['seller', seller.userId]);

  async function orders(): Promise<number> {
    return (await hub.rows('SELECT order_id FROM orders')).length;
  }

  /** Runs work whose commands may end `UNAVAILABLE`; after retries, each key must have placed one order. */
  async function expectEachPlacedOnce(keys: string[], work: () => Promise<unknown>): Promise<void> {
    const before = { orders: await orders(), stock: await seller.stock() };
    await work();
    for (const key of keys) {
      await until(`the order with key ${key} is placed`, async () => (await place(key)).ok, ANSWERED_WITHIN_MS);
      expect(await place(key)).toMatchObject({ ok: true, replayed: true });
    }
    expect(await orders()).toBe(before.orders + keys.length);
    expect(await seller.stock()).toBe(before.stock - keys.length);
    expect((await fetch(`${hub.url}/health/ready`)).status).toBe(200);
  }

  async function withDeadline(answer: Promise<Answer<Order>>): Promise<Answer<Order>> {
    let isAnswered = false;
    void answer.finally(() => {
      isAnswered = true;
    });
    await until('the command is answered', () => isAnswered, ANSWERED_WITHIN_MS);
    return answer;
  }

  /** The ids of the hub's current connections. */
  async function hubConnections(): Promise<number[]> {
    const [rows] = await admin.query<RowDataPacket[]>('SHOW PROCESSLIST');
    return rows.filter(({ User }) => User === account).map(({ Id }) => Number(Id));
  }

  /** The id of a hub connection that waits for a lock, if any. */
  async function findLockWait(): Promise<number | undefined> {
    await sleep(LOCK_VIEW_REFRESH_MS);
    const ids = await hubConnections();
    const sql = "SELECT trx_mysql_thread_id AS id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
    const [rows] = await admin.query<RowDataPacket[]>(sql);
    return rows.map(({ id }) => Number(id)).find((id) => ids.includes(id));
  }

  /** Waits until a hub connection waits for a lock, and returns its id. */
  async function lockWait(): Promise<number> {
    let found: number | undefined;
    await until('a batch waits for a lock', async () => {
      found = await findLockWait();
      return found !== undefined;
    });
    return found ?? 0;
  }

  async function kill(...ids: number[]): Promise<void> {
    // A connection that has closed meanwhile cannot be killed.
    for (const id of ids) await admin.query(`KILL CONNECTION ${id}`).catch(() => {});
  }

  test.each([
    ['light', 'a smaller transaction on the other side', 1],
    ['heavy', 'a larger transaction on the other side', HEAVY_ROWS],
  ])('takes effect once after a deadlock (%s: %s)', async (name, _, rows) => {
    const key = `deadlock-${name}`;
    if (!isServer) {
      // No row locks to deadlock on: crossing orders simply run one after another.
      const crossing = range(20).map((index) => {
        const books = index % 2 === 0 ? ['book-1', 'book-2'] : ['book-2', 'book-1'];
        return buyer.send('order:place', message(`${key}-${index}`, ...books));
      });
      expect((await Promise.all(crossing)).map(codeOf)).toEqual(range(20).map(() => 'OK'));
      return;
    }
    await expectEachPlacedOnce([key], async () => {
      const other = await beginOtherTransaction(database, rows);
      otherConnections.push(other);
      await other.query('SELECT head FROM rooms WHERE role = ? AND user_id = ? FOR UPDATE', ['seller', seller.userId]);
      const placing = place(key);
      await lockWait();
      // The batch holds the stock and waits for the room; the other transaction holds the room and requests the stock.
      const outcome = await other.query('SELECT stock FROM book_stock FOR UPDATE').then(
        () => 'the batch was rolled back',
        (error: { code?: string }) => error.code,
      );
      expect(['the batch was rolled back', 'ER_LOCK_DEADLOCK']).toContain(outcome);
      if (name === 'heavy') expect(outcome).toBe('the batch was rolled back');
      await other.rollback();
      await other.end();
      expect(await withDeadline(placing)).toMatchObject({ ok: true, data: { status: 'placed' } });
    });
  });

  test('is retried after a lock wait timeout and succeeds once the lock is released', async () => {
    await expectEachPlacedOnce(['in-time'], async () => {
      if (!isServer) {
        const { released } = await lockFile(database, 300);
        expect(['OK', 'UNAVAILABLE']).toContain(codeOf(await place('in-time')));
        await released;
        return;
      }
      const release = await lockRoom();
      const placing = place('in-time');
      await lockWait();
      await sleep(LOCKED_MS);
      await release();
      expect(await withDeadline(placing)).toMatchObject({ ok: true });
    });
  });

  test('is UNAVAILABLE without effect while a lock is held, and the same key succeeds later', async () => {
    const before = await orders();
    await expectEachPlacedOnce(['too-late', 'too-late-2'], async () => {
      const release = isServer ? await lockRoom() : undefined;
      const fileLock = isServer ? undefined : await lockFile(database);
      const answers = await Promise.all([withDeadline(place('too-late')), withDeadline(place('too-late-2'))]);
      for (const answer of answers)
        expect(answer).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', retryable: true } });
      expect(await orders()).toBe(before);
      // The answer may precede the end of the last attempt, which would still succeed after the release.
      if (isServer) await until('no batch waits for a lock', async () => (await findLockWait()) === undefined);
      await release?.();
      fileLock?.release();
      await fileLock?.released;
      const retried = await place('too-late');
      expect(retried.replayed).toBeUndefined();
    });
  });

  test.each(isServer ? ['read only'] : ['read only', 'full'])(
    'is UNAVAILABLE without effect while the database is %s, and reads continue',
    async (state) => {
      const name = state.replace(' ', '-');
      const setState = async (enabled: boolean) => {
        if (isServer) await admin.query(`SET GLOBAL read_only = ${Number(enabled)}`);
        else if (state === 'full')
          await hub.database.writer.query(`PRAGMA max_page_count = ${enabled ? 1 : 1_000_000}`);
        else await hub.database.writer.query(`PRAGMA query_only = ${Number(enabled)}`);
      };
      const keys: string[] = [];
      const placeNext = async () => {
        const key = `${name}-${keys.length}`;
        keys.push(key);
        return withDeadline(place(key));
      };
      await expectEachPlacedOnce(keys, async () => {
        await setState(true);
        try {
          // A full file still has space in its existing pages.
          if (state === 'full') await until('the file is full', async () => !(await placeNext()).ok);
          const before = await orders();
          expect(await placeNext()).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
          const httpAnswer = await buyer.post('/orders', message(`${name}-0-http`));
          expect(httpAnswer.status).toBe(503);
          expect(dataOf(await buyer.send('order:list', { role: 'buyer', limit: 1 })).items).toHaveLength(1);
          expect(await orders()).toBe(before);
        } finally {
          await setState(false);
        }
      });
    },
  );

  test('is UNAVAILABLE while no connection is accepted, and recovers afterwards', async () => {
    await expectEachPlacedOnce(['no-room'], async () => {
      if (!isServer) {
        // The only writing connection is busy: the command waits.
        const other = hub.database.transaction(() => sleep(300));
        expect(await withDeadline(place('no-room'))).toMatchObject({ ok: true });
        return other;
      }
      const limitTo = (count: number) => admin.query(`ALTER USER ${userHosts()} WITH MAX_USER_CONNECTIONS ${count}`);
      await limitTo(1);
      let occupied: Connection | undefined;
      try {
        await until('another client holds the only connection', async () => {
          await kill(...(await hubConnections()));
          occupied = await mysql.createConnection(hubUrl).catch(() => undefined);
          return occupied !== undefined;
        });
        expect(await withDeadline(place('no-room'))).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
        expect(await buyer.send('order:list', { role: 'buyer' })).toMatchObject({ error: { code: 'UNAVAILABLE' } });
        expect((await fetch(`${hub.url}/health/live`)).status).toBe(200);
      } finally {
        await limitTo(0);
        occupied?.destroy();
      }
    });
  });

  test('is retried on another connection when its connection is killed', async () => {
    await expectEachPlacedOnce(['killed'], async () => {
      const release = isServer ? await lockRoom() : undefined;
      const placing = place('killed');
      if (isServer) await kill(await lockWait());
      await release?.();
      expect(await withDeadline(placing)).toMatchObject({ ok: true });
    });
  });

  test('succeeds, or fails at most once, after idle connections are killed', async () => {
    const keys = range(5).map((index) => `killed-idle-${index}`);
    await expectEachPlacedOnce(keys, async () => {
      for (const key of keys) {
        if (isServer) await kill(...(await hubConnections()));
        expect(['OK', 'UNAVAILABLE']).toContain(codeOf(await withDeadline(place(key))));
      }
    });
  });

  test('leaves no partial effects, and delivers every event once', async () => {
    const [{ head } = { head: 0 }] = await hub.rows<{ head: number }>(
      "SELECT head FROM rooms WHERE role = 'seller' AND user_id = ?",
      [seller.userId],
    );
    expect(head).toBe(await orders());
    for (const person of [seller, buyer])
      expect((await person.hears(head)).map(({ seq }) => seq)).toEqual(range(head).map((index) => index + 1));
    expect(await audit(hub)).toEqual([]);
  });
});
