import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql from 'mysql2/promise';
import { RetentionService } from '../../src/commands/retention.service.js';
import { BatchLog } from '../../src/rooms/batch.log.js';
import { audit } from '../support/audit.js';
import { PASSWORD, TestHub } from '../support/hub.js';
import { prepare } from '../support/hub.process.js';
import { createLeastAccount, type LeastAccount } from '../support/least.account.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const DAYS_40_MS = 40 * 86_400_000;

beforeAll(prepare, 120_000);

/** Runs the migrations with the owner's account, as an operator does before starting hubs with least privileges. */
function migrate({ url }: TestDatabase): void {
  const command = spawnSync(process.execPath, [join('dist', 'migrate.js')], {
    env: { PATH: process.env.PATH, DATABASE_URL: url },
    encoding: 'utf8',
  });
  expect([command.status, command.stderr]).toEqual([0, '']);
  expect(command.stdout).toMatch(/^The schema is up to date/);
}

/** Exercises every kind of write: accounts, trading, unregistration and retention. */
async function exerciseAll(hub: TestHub): Promise<void> {
  const seller = await hub.seller([{ stock: 5 }]);
  const buyer = await hub.register();
  await buyer.deposit(10_000);
  const shelf = `/stores/${seller.storeId}/books/book-1`;
  expect((await seller.patch(shelf, { title: 'Another title', tags: ['new'] })).status).toBe(200);
  expect((await seller.post(`${shelf}/stock`, { add: 3, key: 'more' })).status).toBe(200);
  for (const open of [false, true]) {
    expect((await seller.patch(`/stores/${seller.storeId}`, { open, name: 'Renamed' })).status).toBe(200);
  }
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
  await app.get(RetentionService).purge(Date.now() + DAYS_40_MS);
  await app.get(BatchLog).prune(Date.now() + DAYS_40_MS);
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

    test('suffices with the privileges of ops/grants.sql', async () => {
      const hub = await TestHub.start({}, account.database);
      await exerciseAll(hub);
      expect(await audit(hub)).toEqual([]);
      await hub.leave();
    });

    test.each([
      ['drop a table', 'DROP TABLE orders'],
      ['truncate a table', 'TRUNCATE TABLE wallet_entries'],
      ['create a table', 'CREATE TABLE mine (id INT)'],
      ['alter a table', 'ALTER TABLE wallets ADD COLUMN mine INT'],
      ['create an index', 'CREATE INDEX mine ON orders (total)'],
      ['create a trigger', 'CREATE TRIGGER mine BEFORE INSERT ON orders FOR EACH ROW SET NEW.total = 0'],
      ['delete ledger entries', 'DELETE FROM wallet_entries'],
      ['update ledger entries', 'UPDATE wallet_entries SET amount = 0'],
      ['delete orders', 'DELETE FROM orders'],
      ['delete users', 'DELETE FROM users'],
      ['update events', "UPDATE room_events SET body = '{}'"],
      ['update stored answers', "UPDATE command_answers SET answer = '{}'"],
      ['change the owner of a store', "UPDATE stores SET owner_id = 'me'"],
      ['delete a migration record', 'DELETE FROM migrations'],
      ['write a file on the server', "SELECT 1 INTO OUTFILE '/tmp/order-hub-outfile'"],
      ['load a file from the server', "LOAD DATA INFILE '/etc/passwd' INTO TABLE sessions"],
      ['read the accounts', 'SELECT * FROM mysql.user'],
      ['create a database', 'CREATE DATABASE mine'],
      ['create an account', "CREATE USER mine@'%'"],
      ['grant privileges', 'GRANT SELECT ON orders TO root@localhost'],
      ['change a server setting', 'SET GLOBAL max_connections = 1'],
    ])('cannot %s', async (_, statement) => {
      await expect(connection.query(statement)).rejects.toThrow(/denied|not have|not allowed/i);
    });

    test('cannot read server files or see other databases', async () => {
      const [rows] = await connection.query<mysql.RowDataPacket[]>("SELECT LOAD_FILE('/etc/passwd') AS content");
      expect(rows[0]?.content).toBeNull();
      const [visible] = await connection.query<mysql.RowDataPacket[]>('SHOW DATABASES');
      const names = visible.map((row) => String(row.Database));
      const ownDatabase = new URL(database.url).pathname.slice(1);
      expect(names.filter((name) => !['information_schema', 'performance_schema'].includes(name))).toEqual([
        ownDatabase,
      ]);
    });

    test('fails the start of a hub on an outdated schema', async () => {
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

describe('ops/grants.sql', () => {
  const script = readFileSync(join('ops', 'grants.sql'), 'utf8');

  test('covers every table once, with row privileges only', async () => {
    const database = await createTestDatabase();
    migrate(database);
    const hub = await TestHub.start({}, database);
    const tables = hub.database.writer.entityMetadatas.map(({ tableName }) => tableName);
    await hub.stop();
    const granted = [...script.matchAll(/^GRANT ([A-Z, ]+)(?: \([a-z_, ]+\))? ON (\w+) TO order_hub@'%';$/gm)];
    expect(granted.map(([, , table]) => table).sort()).toEqual([...tables, 'migrations'].sort());
    const privileges = new Set(granted.flatMap(([, list = '']) => list.split(', ')));
    expect([...privileges].sort()).toEqual(['DELETE', 'INSERT', 'SELECT', 'UPDATE']);
    expect(script.match(/^GRANT/gm)).toHaveLength(granted.length);
  });

  test('makes the ledger append-only', () => {
    expect(script).toMatch(/^GRANT SELECT, INSERT ON wallet_entries TO/m);
  });
});

describe('the connection of the hub', () => {
  test('allows no multiple statements, no LOCAL INFILE and no writes through the reader', async () => {
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
