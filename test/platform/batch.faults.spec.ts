import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import type { Order } from '../../src/contract/orders.js';
import type { Answer } from '../../src/contract/wire.js';
import { audit } from '../support/audit.js';
import { TestHub, until } from '../support/hub.js';
import { beginAsNeighbour, HEAVY_ROWS, lockFile, lockRow } from '../support/locks.js';
import type { Person } from '../support/person.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';
import { codeOf, dataOf, range } from '../support/ways.js';

const isServer = Boolean(process.env.TEST_DATABASE_URL);
/** What the contract's five seconds leave room for on a busy machine; without a deadline nothing would ever come. */
const ANSWERED_WITHIN_MS = 10_000;
/** More than a statement waits for a lock, so that the whole batch must be run again. */
const LOCKED_MS = 2_200;
/** InnoDB shows its locks anew only to who has not looked for a tenth of a second. */
const LOCKS_LOOK_MS = 150;

/**
 * What a server does to a batch in the middle of it. The hub has an account of its own there, so that no other suite on the
 * server feels any of it. The embedded database knows few of these faults: there, what it knows in their place.
 */
describe('a batch that its database fails', () => {
  let database: TestDatabase;
  let hub: TestHub;
  let admin: Connection;
  /** What a test that failed has left would keep the database from being dropped. */
  const neighbours: Connection[] = [];
  let account: string;
  let hubsUrl: string;
  let seller: Person;
  let buyer: Person;

  beforeAll(async () => {
    database = await createTestDatabase();
    hubsUrl = database.url;
    if (isServer) {
      admin = await mysql.createConnection(database.url);
      account = `faults_${Math.random().toString(36).slice(2, 10)}`;
      const url = new URL(database.url);
      await admin.query(`CREATE USER ${accounts()} IDENTIFIED BY 'hub'`);
      await allow(url.pathname.slice(1));
      url.username = account;
      url.password = 'hub';
      hubsUrl = url.href;
    }
    hub = await TestHub.start({}, { ...database, url: hubsUrl });
    seller = await hub.seller([{ stock: 10_000 }, { stock: 10_000 }]);
    buyer = await hub.buyer();
    await Promise.all([seller.connect(), buyer.connect()]);
  });
  afterAll(async () => {
    for (const neighbour of neighbours) neighbour.destroy();
    if (isServer) await admin.query('SET GLOBAL read_only = 0');
    await hub.stop();
    if (!isServer) return;
    await admin.query(`DROP USER ${accounts()}`);
    await admin.end();
  });

  // Both, because a server may have an account without a name that stands before the first.
  const hosts = ['%', 'localhost'];
  const accounts = () => hosts.map((host) => `${account}@'${host}'`).join();

  /** The account of the tests may make accounts, and not hand out rights: it writes them where the server reads them. */
  async function allow(name: string): Promise<void> {
    const rights = ['Select', 'Insert', 'Update', 'Delete', 'Create', 'Drop', 'References', 'Index', 'Alter'];
    const columns = rights.map((right) => `${right}_priv`);
    for (const host of hosts) {
      const values = [host, name, account, ...rights.map(() => 'Y')];
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

  /** Runs something that may or may not come to `UNAVAILABLE`; in the end each of its keys has placed one order. */
  async function eachOnce(keys: string[], during: () => Promise<unknown>): Promise<void> {
    const before = { orders: await orders(), stock: await seller.stock() };
    await during();
    for (const key of keys) {
      await until(`the order with the key ${key} is placed`, async () => (await place(key)).ok, ANSWERED_WITHIN_MS);
      expect(await place(key)).toMatchObject({ ok: true, replayed: true });
    }
    expect(await orders()).toBe(before.orders + keys.length);
    expect(await seller.stock()).toBe(before.stock - keys.length);
    expect((await fetch(`${hub.url}/health/ready`)).status).toBe(200);
  }

  async function answerOf(answer: Promise<Answer<Order>>): Promise<Answer<Order>> {
    let isAnswered = false;
    void answer.finally(() => {
      isAnswered = true;
    });
    await until('the command is answered', () => isAnswered, ANSWERED_WITHIN_MS);
    return answer;
  }

  /** The connections that the hub has on the server now. */
  async function hubsConnections(): Promise<number[]> {
    const [rows] = await admin.query<RowDataPacket[]>('SHOW PROCESSLIST');
    return rows.filter(({ User }) => User === account).map(({ Id }) => Number(Id));
  }

  /** The connection on which a batch of the hub waits for a lock, if there is one. */
  async function waitsNow(): Promise<number | undefined> {
    await sleep(LOCKS_LOOK_MS);
    const ids = await hubsConnections();
    const sql = "SELECT trx_mysql_thread_id AS id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
    const [rows] = await admin.query<RowDataPacket[]>(sql);
    return rows.map(({ id }) => Number(id)).find((id) => ids.includes(id));
  }

  /** The connection on which a batch of the hub waits for a lock, as soon as there is one. */
  async function waiting(): Promise<number> {
    let found: number | undefined;
    await until('a batch waits for a lock', async () => {
      found = await waitsNow();
      return found !== undefined;
    });
    return found ?? 0;
  }

  async function kill(...ids: number[]): Promise<void> {
    // One that has gone by itself meanwhile cannot be killed any more.
    for (const id of ids) await admin.query(`KILL CONNECTION ${id}`).catch(() => {});
  }

  test.each([
    ['light', 'a neighbour that has done little', 1],
    ['heavy', 'a neighbour that has done much', HEAVY_ROWS],
  ])('by a deadlock (%s: %s) takes effect once and is answered', async (name, _, rows) => {
    const key = `deadlock-${name}`;
    if (!isServer) {
      // There are no locks of rows to cross: orders for the same books in opposite order just take their turns.
      const crossing = range(20).map((index) => {
        const books = index % 2 === 0 ? ['book-1', 'book-2'] : ['book-2', 'book-1'];
        return buyer.send('order:place', message(`${key}-${index}`, ...books));
      });
      expect((await Promise.all(crossing)).map(codeOf)).toEqual(range(20).map(() => 'OK'));
      return;
    }
    await eachOnce([key], async () => {
      const neighbour = await beginAsNeighbour(database, rows);
      neighbours.push(neighbour);
      await neighbour.query('SELECT head FROM rooms WHERE role = ? AND user_id = ? FOR UPDATE', [
        'seller',
        seller.userId,
      ]);
      const placing = place(key);
      await waiting();
      // The batch holds the stock and waits for the room, the neighbour holds the room and now asks for the stock.
      const outcome = await neighbour.query('SELECT stock FROM book_stock FOR UPDATE').then(
        () => 'the batch was undone',
        (error: { code?: string }) => error.code,
      );
      expect(['the batch was undone', 'ER_LOCK_DEADLOCK']).toContain(outcome);
      if (name === 'heavy') expect(outcome).toBe('the batch was undone');
      await neighbour.rollback();
      await neighbour.end();
      expect(await answerOf(placing)).toMatchObject({ ok: true, data: { status: 'placed' } });
    });
  });

  test('by a lock that is let go in time is run again, and answered with what it did', async () => {
    await eachOnce(['in-time'], async () => {
      if (!isServer) {
        const { released } = await lockFile(database, 300);
        expect(['OK', 'UNAVAILABLE']).toContain(codeOf(await place('in-time')));
        await released;
        return;
      }
      const letGo = await lockRoom();
      const placing = place('in-time');
      await waiting();
      await sleep(LOCKED_MS);
      await letGo();
      expect(await answerOf(placing)).toMatchObject({ ok: true });
    });
  });

  test('by a lock that is not let go is UNAVAILABLE, does nothing, and the same key succeeds later', async () => {
    const before = await orders();
    await eachOnce(['too-late', 'too-late-2'], async () => {
      const letGo = isServer ? await lockRoom() : undefined;
      const locked = isServer ? undefined : await lockFile(database);
      const answers = await Promise.all([answerOf(place('too-late')), answerOf(place('too-late-2'))]);
      for (const answer of answers)
        expect(answer).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', retryable: true } });
      expect(await orders()).toBe(before);
      // The answer may come a moment before the last attempt has given up, which the lock would still let through.
      if (isServer) await until('no batch waits any more', async () => (await waitsNow()) === undefined);
      await letGo?.();
      locked?.release();
      await locked?.released;
      const later = await place('too-late');
      expect(later.replayed).toBeUndefined();
    });
  });

  test.each(isServer ? ['read only'] : ['read only', 'full'])(
    'that is %s now is UNAVAILABLE, does nothing, and is read all the same',
    async (state) => {
      const name = state.replace(' ', '-');
      const set = async (isSo: boolean) => {
        if (isServer) await admin.query(`SET GLOBAL read_only = ${Number(isSo)}`);
        else if (state === 'full') await hub.database.writer.query(`PRAGMA max_page_count = ${isSo ? 1 : 1_000_000}`);
        else await hub.database.writer.query(`PRAGMA query_only = ${Number(isSo)}`);
      };
      const keys: string[] = [];
      const placeNext = async () => {
        const key = `${name}-${keys.length}`;
        keys.push(key);
        return answerOf(place(key));
      };
      await eachOnce(keys, async () => {
        await set(true);
        try {
          // One that is full still has room for a few rows in the pages that it has.
          if (state === 'full') await until('there is no room left', async () => !(await placeNext()).ok);
          const before = await orders();
          expect(await placeNext()).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
          const overHttp = await buyer.post('/orders', message(`${name}-0-http`));
          expect(overHttp.status).toBe(503);
          expect(dataOf(await buyer.send('order:list', { role: 'buyer', limit: 1 })).items).toHaveLength(1);
          expect(await orders()).toBe(before);
        } finally {
          await set(false);
        }
      });
    },
  );

  test('that takes no connection more is UNAVAILABLE, and all is well when it does again', async () => {
    await eachOnce(['no-room'], async () => {
      if (!isServer) {
        // The one connection for writing is taken by another's work: the command waits for its turn.
        const other = hub.database.transaction(() => sleep(300));
        expect(await answerOf(place('no-room'))).toMatchObject({ ok: true });
        return other;
      }
      const limitTo = (count: number) => admin.query(`ALTER USER ${accounts()} WITH MAX_USER_CONNECTIONS ${count}`);
      await limitTo(1);
      let occupant: Connection | undefined;
      try {
        await until('somebody else has the only place', async () => {
          await kill(...(await hubsConnections()));
          occupant = await mysql.createConnection(hubsUrl).catch(() => undefined);
          return occupant !== undefined;
        });
        expect(await answerOf(place('no-room'))).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } });
        expect(await buyer.send('order:list', { role: 'buyer' })).toMatchObject({ error: { code: 'UNAVAILABLE' } });
        expect((await fetch(`${hub.url}/health/live`)).status).toBe(200);
      } finally {
        await limitTo(0);
        occupant?.destroy();
      }
    });
  });

  test('whose connection is killed in the middle is run again on another', async () => {
    await eachOnce(['killed'], async () => {
      const letGo = isServer ? await lockRoom() : undefined;
      const placing = place('killed');
      if (isServer) await kill(await waiting());
      await letGo?.();
      expect(await answerOf(placing)).toMatchObject({ ok: true });
    });
  });

  test('whose connections are killed while nothing happens is not felt, or only once', async () => {
    const keys = range(5).map((index) => `killed-idle-${index}`);
    await eachOnce(keys, async () => {
      for (const key of keys) {
        if (isServer) await kill(...(await hubsConnections()));
        expect(['OK', 'UNAVAILABLE']).toContain(codeOf(await answerOf(place(key))));
      }
    });
  });

  test('leaves nothing half done, and every event is heard once', async () => {
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
