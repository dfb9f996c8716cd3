import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { Database } from '../../src/platform/database/database.js';
import { audit } from '../support/audit.js';
import { report, serverUnderTest } from '../support/chaos.js';
import { TestHub } from '../support/hub.js';
import { createTestDatabase, type TestDatabase } from '../support/test.database.js';

const ACCOUNT = 'ambient';
const UNLIMITED = '18446744073709551615';
const server = serverUnderTest();

/** Global values that another application of the server may need. All at once, so that one hub meets them all. */
const hostile: Record<string, string> = {
  sql_mode:
    "'ANSI_QUOTES,PIPES_AS_CONCAT,NO_AUTO_VALUE_ON_ZERO,PAD_CHAR_TO_FULL_LENGTH,IGNORE_SPACE,HIGH_NOT_PRECEDENCE'",
  time_zone: "'+09:00'",
  autocommit: '0',
  completion_type: "'RELEASE'",
  sql_select_limit: '1',
  max_join_size: '1',
  max_sort_length: '4',
  sql_safe_updates: '1',
  sql_auto_is_null: '1',
  sql_big_selects: '0',
  foreign_key_checks: '0',
  unique_checks: '0',
  default_storage_engine: "'MyISAM'",
  character_set_server: "'latin1'",
  character_set_client: "'latin1'",
  character_set_results: "'latin1'",
  collation_connection: "'latin1_swedish_ci'",
  lock_wait_timeout: '1',
  wait_timeout: '1',
  net_write_timeout: '1',
  group_concat_max_len: '4',
  big_tables: '1',
  auto_increment_increment: '7',
  auto_increment_offset: '3',
  innodb_default_row_format: "'COMPACT'",
  div_precision_increment: '0',
  ...(server.kind === 'mariadb'
    ? {
        tx_isolation: "'SERIALIZABLE'",
        tx_read_only: '1',
        max_statement_time: '0.001',
        idle_write_transaction_timeout: '1',
        check_constraint_checks: '0',
        alter_algorithm: "'INSTANT'",
        old_mode: "'ZERO_DATE_TIME_CAST'",
      }
    : {
        transaction_isolation: "'SERIALIZABLE'",
        transaction_read_only: '1',
        max_execution_time: '1',
        sql_require_primary_key: '1',
        sql_generate_invisible_primary_key: '1',
        default_collation_for_utf8mb4: "'utf8mb4_general_ci'",
      }),
};

/** What the hub cannot live with, and the sentence that stops its start. */
const unfit: [setting: string, value: string, sentence: RegExp][] = [
  ['max_allowed_packet', '1048576', /max_allowed_packet is 1048576 and must be at least/],
  ...(server.kind === 'mariadb'
    ? ([['enforce_storage_engine', "'MyISAM'", /enforce_storage_engine is MyISAM and must be/]] as [
        string,
        string,
        RegExp,
      ][])
    : // Only a server with a binary log, which this one has by default, cannot write it so.
      ([['binlog_format', "'STATEMENT'", /binlog_format is STATEMENT and must be ROW or MIXED/]] as [
        string,
        string,
        RegExp,
      ][])),
];

/** Server settings for which a start waits, since they are changed during a failover. */
const waited: [setting: string, value: string, errno: number][] = [
  ['read_only', '1', 1290],
  ...(server.kind === 'mysql' ? ([['offline_mode', '1', 3032]] as [string, string, number][]) : []),
];

describe("a database server with another application's settings", () => {
  let root: Connection;
  const changed = new Map<string, unknown>();

  beforeAll(async () => {
    root = await mysql.createConnection({
      uri: `mysql://root@127.0.0.1:${server.port}/mysql`,
      supportBigNumbers: true,
    });
    await root.query("SET SESSION sql_mode = ''");
    for (const host of ['%', 'localhost']) {
      await root.query(`CREATE USER ${ACCOUNT}@'${host}' IDENTIFIED BY 'hub'`);
      await root.query(`GRANT ALL ON \`hub_test%\`.* TO ${ACCOUNT}@'${host}'`);
    }
  });
  afterAll(async () => {
    await restore();
    for (const host of ['%', 'localhost']) await root.query(`DROP USER ${ACCOUNT}@'${host}'`);
    await root.end();
  });

  async function change(name: string, value: string): Promise<void> {
    const [rows] = await root.query<RowDataPacket[]>(`SELECT @@GLOBAL.${name} AS was`);
    await root.query(`SET GLOBAL ${name} = ${value}`);
    changed.set(name, rows[0]?.was);
  }
  async function restore(): Promise<void> {
    for (const [name, was] of changed) {
      const value = typeof was === 'string' && was !== UNLIMITED ? mysql.escape(was) : String(was ?? 'NULL');
      await root.query(`SET GLOBAL ${name} = ${value}`);
    }
    changed.clear();
  }
  /** A database for an account without rights to the server. */
  async function createDatabase(): Promise<TestDatabase> {
    const database = await createTestDatabase(`mysql://root@127.0.0.1:${server.port}/mysql`);
    return { ...database, url: Object.assign(new URL(database.url), { username: ACCOUNT, password: 'hub' }).href };
  }
  async function open(database: TestDatabase): Promise<void> {
    await (await Database.open(database.url, [])).close();
  }

  test('is worked with as with any other', async () => {
    const database = await createDatabase();
    for (const [name, value] of Object.entries(hostile)) await change(name, value);
    try {
      const hub = await TestHub.start({}, database);
      const seller = await hub.seller([{ title: 'It\'s \\ "三体"' }, { title: 'Second' }, { title: 'Third' }]);
      const buyer = await hub.buyer();
      const order = await buyer.place(seller);
      expect(await buyer.send('order:pay', { orderId: order.orderId })).toMatchObject({ data: { status: 'paid' } });
      await buyer.place(seller, [{ bookId: 'book-2', count: 2 }]);
      expect((await buyer.does('order:list', { role: 'buyer' })).items).toHaveLength(2);
      const search = await buyer.get<{ items: { title: string }[] }>(`/books?q=${encodeURIComponent('三体')}`);
      expect(search.body.items.map(({ title }) => title)).toEqual(['It\'s \\ "三体"']);
      const shelf = await buyer.get<{ items: unknown[] }>(`/stores/${seller.storeId}/books`);
      expect(shelf.body.items).toHaveLength(3);
      expect(await buyer.hears(3)).toHaveLength(3);
      expect(await audit(hub)).toEqual([]);
      const engines = 'SELECT DISTINCT engine AS engine FROM information_schema.tables WHERE table_schema = DATABASE()';
      expect(await hub.rows(engines)).toEqual([{ engine: 'InnoDB' }]);
      await hub.leave();
    } finally {
      await restore();
    }
    await database.drop();
    report('ambient', { 'hostile settings': Object.keys(hostile).length });
  });

  test.each(unfit)('%s = %s stops the start in one sentence', async (name, value, sentence) => {
    const database = await createDatabase();
    await change(name, value);
    await expect(open(database)).rejects.toThrow(sentence);
    await restore();
    await open(database);
    await database.drop();
  });

  test.each(waited)('%s = %s is waited for', async (name, value, errno) => {
    const database = await createDatabase();
    await open(database);
    await change(name, value);
    await expect(open(database)).rejects.toMatchObject({ errno });
    await restore();
    await open(database);
    await database.drop();
  });
});
