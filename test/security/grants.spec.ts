import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql from 'mysql2/promise';
import { Keeping } from '../../src/commands/keeping.js';
import { HubNodes } from '../../src/rooms/hub.nodes.js';
import { audit } from '../support/audit.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import { prepare } from '../support/hub.process.js';
import { createLeastAccount, type LeastAccount } from '../support/least.account.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const DAYS_40_MS = 40 * 86_400_000;

beforeAll(prepare, 120_000);

/** What an operator runs with the account that owns the database, before hubs with lesser accounts start. */
function migrate({ url }: TestDatabase): void {
  const command = spawnSync(process.execPath, [join('dist', 'migrate.js')], {
    env: { PATH: process.env.PATH, DATABASE_URL: url },
    encoding: 'utf8',
  });
  expect([command.status, command.stderr]).toEqual([0, '']);
  expect(command.stdout).toMatch(/^The schema is up to date/);
}

/** Everything that a hub does to its database, once: who joins, trades, leaves, and what is forgotten afterwards. */
async function wholeLife(hub: TestHub): Promise<void> {
  const seller = await hub.seller([{ stock: 5 }]);
  const buyer = await hub.register();
  await buyer.deposit(10_000);
  const shelf = `/stores/${seller.storeId}/books/book-1`;
  expect((await seller.patch(shelf, { title: 'Another title', tags: ['new'] })).status).toBe(200);
  expect((await seller.post(`${shelf}/stock`, { add: 3, key: 'more' })).status).toBe(200);
  expect((await buyer.get<{ items: unknown[] }>('/books?q=another')).body.items).toHaveLength(1);

  const { orderId } = await buyer.does('order:place', {
    storeId: seller.storeId,
    items: [{ bookId: 'book-1', count: 1 }],
    key: 'first',
  });
  await buyer.does('order:pay', { orderId, key: 'second' });
  await seller.does('order:ship', { orderId });
  await buyer.does('order:receive', { orderId });
  const paid = await buyer.place(seller);
  await buyer.does('order:pay', { orderId: paid.orderId });
  await seller.does('order:cancel', { orderId: paid.orderId });
  expect((await buyer.get('/wallet/entries')).status).toBe(200);
  expect(await buyer.hears(7)).toHaveLength(7);

  const leaver = await hub.register();
  expect((await leaver.post('/auth/password', { oldPassword: PASSWORD, newPassword: 'another horse' })).status).toBe(
    204,
  );
  expect((await leaver.post('/auth/unregister', { password: 'another horse' })).status).toBe(204);
  expect((await seller.post('/auth/logout')).status).toBe(204);

  const { app } = hub.hub;
  await app.get(Keeping).forget(Date.now() + DAYS_40_MS);
  await app.get(HubNodes).prune(Date.now() + DAYS_40_MS);
  expect(await hub.rows('SELECT seq FROM room_events')).toEqual([]);
  expect(await hub.rows('SELECT idem_key FROM command_answers')).toEqual([]);
}

if (process.env.TEST_DATABASE_URL) {
  describe("the hub's account on the database server", () => {
    let database: TestDatabase;
    let account: LeastAccount;
    let connection: mysql.Connection;

    beforeAll(async () => {
      database = await createTestDatabase();
      migrate(database);
      account = await createLeastAccount(database);
      connection = await mysql.createConnection(account.database.url);
    });
    afterAll(async () => {
      await connection.end();
      await account.drop();
      await database.drop();
    });

    test('needs only what ops/grants.sql gives: a hub starts with it, and does all that hubs do', async () => {
      const hub = await TestHub.start({}, account.database);
      await wholeLife(hub);
      expect(await audit(hub)).toEqual([]);
      await hub.leave();
    });

    test.each([
      ['drop a table', 'DROP TABLE orders'],
      ['empty a table', 'TRUNCATE TABLE wallet_entries'],
      ['make a table', 'CREATE TABLE mine (id INT)'],
      ['change a table', 'ALTER TABLE wallets ADD COLUMN mine INT'],
      ['make an index', 'CREATE INDEX mine ON orders (total)'],
      ['leave a trigger', 'CREATE TRIGGER mine BEFORE INSERT ON orders FOR EACH ROW SET NEW.total = 0'],
      ['take a line of the ledger away', 'DELETE FROM wallet_entries'],
      ['change a line of the ledger', 'UPDATE wallet_entries SET amount = 0'],
      ['take orders away', 'DELETE FROM orders'],
      ['take users away', 'DELETE FROM users'],
      ['rewrite what a room was told', "UPDATE room_events SET body = '{}'"],
      ['rewrite the answer to a key', "UPDATE command_answers SET answer = '{}'"],
      ['hand a store to somebody else', "UPDATE stores SET owner_id = 'me'"],
      ['forget a migration', 'DELETE FROM migrations'],
      ["write a file on the server's disk", "SELECT 1 INTO OUTFILE '/tmp/order-hub-outfile'"],
      ["load a file of the server's disk", "LOAD DATA INFILE '/etc/passwd' INTO TABLE sessions"],
      ['see the accounts', 'SELECT * FROM mysql.user'],
      ['make a database', 'CREATE DATABASE mine'],
      ['make an account', "CREATE USER mine@'%'"],
      ['give rights away', 'GRANT SELECT ON orders TO root@localhost'],
      ['change a setting of the server', 'SET GLOBAL max_connections = 1'],
    ])('cannot %s', async (_, statement) => {
      await expect(connection.query(statement)).rejects.toThrow(/denied|not have|not allowed/i);
    });

    test('cannot read a file of the server, nor see that there are other databases', async () => {
      const [file] = await connection.query<mysql.RowDataPacket[]>("SELECT LOAD_FILE('/etc/passwd') AS content");
      expect(file[0]?.content).toBeNull();
      const [seen] = await connection.query<mysql.RowDataPacket[]>('SHOW DATABASES');
      const names = seen.map((row) => String(row.Database));
      const own = new URL(database.url).pathname.slice(1);
      expect(names.filter((name) => !['information_schema', 'performance_schema'].includes(name))).toEqual([own]);
    });

    test('is refused by the hub at its start, by name, when the schema is not up to date', async () => {
      const root = await mysql.createConnection(database.url);
      await root.query("DELETE FROM migrations WHERE name NOT LIKE 'Initial%'");
      await root.query('DROP INDEX command_answers_by_time ON command_answers');
      await expect(TestHub.start({}, account.database)).rejects.toThrow(/denied/);
      await root.end();
      migrate(database);
      await (await TestHub.start({}, account.database)).leave();
    });
  });
}

describe('what is granted', () => {
  const script = readFileSync(join('ops', 'grants.sql'), 'utf8');

  test('names every table once, and no right beyond rows', async () => {
    const database = await createTestDatabase();
    migrate(database);
    const hub = await TestHub.start({}, database);
    const tables = hub.database.writer.entityMetadatas.map(({ tableName }) => tableName);
    await hub.stop();
    const granted = [...script.matchAll(/^GRANT ([A-Z, ]+) ON (\w+) TO order_hub@'%';$/gm)];
    expect(granted.map(([, , table]) => table).sort()).toEqual([...tables, 'migrations'].sort());
    const rights = new Set(granted.flatMap(([, list = '']) => list.split(', ')));
    expect([...rights].sort()).toEqual(['DELETE', 'INSERT', 'SELECT', 'UPDATE']);
    expect(script.match(/^GRANT/gm)).toHaveLength(granted.length);
  });

  test('lets nobody change or delete what happened to money', () => {
    expect(script).toMatch(/^GRANT SELECT, INSERT ON wallet_entries TO/m);
  });
});

describe('the connection of the hub', () => {
  test('takes one statement at a time, reads no file of the hub for the server, and reads without writing', async () => {
    const hub = await TestHub.start();
    const { read, dialect } = hub.database;
    if (dialect.singleWriter) {
      await expect(read.query("UPDATE users SET password_hash = ''")).rejects.toThrow(/readonly/);
      await expect(read.query("ATTACH DATABASE '/etc/passwd' AS other; SELECT 1")).rejects.toThrow();
    } else {
      await expect(read.query('SELECT 1; SELECT 2')).rejects.toMatchObject({ code: 'ER_PARSE_ERROR' });
      await expect(read.query("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE ended_sessions")).rejects.toThrow();
      expect(await hub.rows('SELECT token_hash FROM ended_sessions')).toEqual([]);
    }
    await hub.stop();
  });
});
