import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Dialect } from '../../src/platform/database/dialect.js';
import { migrationNumber, OLDEST_HUB } from '../../src/platform/database/migrations/all.js';
import { mariadb, mysql } from '../../src/platform/database/server.dialect.js';
import { sqlite } from '../../src/platform/database/sqlite.dialect.js';
import { TestHub, until } from '../support/hub.js';
import { HubProcess } from '../support/hub.process.js';
import { onServer } from '../support/on.server.js';
import { executeOn, type TestDatabase } from '../support/test.database.js';

const MIGRATIONS = join('src', 'platform', 'database', 'migrations');
const START_WITHIN_MS = 90_000;

/**
 * The text of every published migration. Databases remember which have run, and never run one again: a change to one reaches new
 * databases only. To change the schema, add a file with the next number, list it in `all.ts`, and add its line here
 * (`sha256sum src/platform/database/migrations/00*`) when it is released.
 */
const PUBLISHED = {
  '0001-initial.ts': 'aebfceae42d1a966fc02d8e1459753ca5b007a7ac12bd392820e8a3ff85e10b0',
  '0002-keeping.ts': '7e2ae0657a286690359923bc29b486745e29e44e6f2f59aa75d640834721de08',
  '0003-events-by-room.ts': '5ef566dfdba08edcb1ee0c0670d78b99ff58c6fd9d9f61735f5051f3ecc8b70a',
  '0004-events-as-they-come.ts': 'b3fa46fe541e1459fac042678ffb12e25ce1257151071c0dfb00714558c6791c',
  '0005-database-info.ts': '9cf91b1ff8dadd118e6d94a0ab18f3d12d6317d61899258229ffcbc7847fd681',
  '0006-clocks.ts': '7ddb05397a92ebfbb19def6110e597178758a3e7412424142a5d80fe0cd56405',
  '0007-known-addresses.ts': 'db62e168f38ec6d5981260155d3de543b9232062da29eccd5484cdfff1c96a5e',
  '0008-row-versions.ts': '28f88a8c68ceeb052c01188513526c9fdb5aea680ca63da9a1e0f56b57d896f9',
  '0009-order-numbers.ts': '29aa4cc6ed09606306b7bcc2349e1666bc159c7a8c8b287725a1459228d6244d',
  '0010-api-keys.ts': '59066b435552b72435ceec7d7f9ecd146ceb575391b26edb45b3ca497e519ccc',
  '0011-held-money.ts': '1770ad92b0352a9368020debac1e791a3411a1dae7458c097c7049b5b624bf68',
  '0012-payments.ts': '71e7fa23317bcf8a8ce9c86d89e500c0fa66fc77d7b125e8f0c8ad9ac94376e4',
  '0013-order-words.ts': '1e63351984ac63ccb59ef19692827cda2c1fa663e71e2282cbc608ce5a34e771',
  '0014-webhooks.ts': '70605cc7cc415e39912d6384c0c734876e3291d5aadd41ffcebf3282fc56b635',
  '0015-store-policy.ts': '0487500ad9b26aa69c34d78808700d5d4a73716a35a5ace2b3629f687262e389',
  '0016-finding.ts': 'b913a8a679d5918cbfd024c5e6817d4e81049ba1964508b5530e180ab3eae5b2',
  '0017-staff.ts': '299b0ce8bbaa31506da14d2967aeca241a595f431601614268ac28f9fb8e8b58',
  '0018-push.ts': '7990f1724f62441f9448f25a9c07f8259d13f0039b452424922192c0ee67ce6a',
};

describe('a published migration', () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

  test('never changes', () => {
    const found = readdirSync(MIGRATIONS).filter((file) => file in PUBLISHED);
    const hashes = found.map((file) => [file, sha256(readFileSync(join(MIGRATIONS, file), 'utf8'))]);
    expect(Object.fromEntries(hashes)).toEqual(PUBLISHED);
  });

  test('is given the same column types for ever', () => {
    const types = [sqlite, mariadb, mysql].map(({ ddl }) => [
      ...[ddl.text(64), ddl.longText, ddl.integer, ddl.serial, ddl.quote('name'), ddl.table, ddl.clustered],
    ]);
    const table = (collation: string) => `ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=${collation}`;
    const serverTypes = (collation: string) => [
      ...['VARCHAR(64)', 'MEDIUMTEXT', 'BIGINT', 'BIGINT PRIMARY KEY AUTO_INCREMENT', '`name`'],
      ...[table(collation), table(collation)],
    ];
    expect(types).toEqual([
      [
        ...['TEXT', 'TEXT', 'INTEGER', 'INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL', '"name"'],
        ...['STRICT', 'STRICT, WITHOUT ROWID'],
      ],
      serverTypes('utf8mb4_nopad_bin'),
      serverTypes('utf8mb4_0900_bin'),
    ]);
  });
});

/** Starts a hub on a database that these statements have changed, which must fail, and returns why. */
async function refusalAfter(statementsFor: (dialect: Dialect) => string[]): Promise<string> {
  const hub = await TestHub.start();
  for (const statement of statementsFor(hub.database.dialect)) await hub.database.writer.query(statement);
  const database = await hub.leave();
  const reason = await refusalOf(database);
  await database.drop();
  return reason;
}

async function refusalOf(database: TestDatabase): Promise<string> {
  try {
    await (await TestHub.start({}, database)).leave();
    return 'it started';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a schema that is not what the hub expects', () => {
  test('is completed, if an earlier text of the initial migration created it', async () => {
    let hub = await TestHub.start();
    const { writer, dialect } = hub.database;
    while ((await writer.query('SELECT name FROM migrations')).length > 1) await writer.undoLastMigration();
    const { text, integer, table } = dialect.ddl;
    for (const statement of [
      'DROP TABLE ended_sessions',
      'DROP TABLE hub_batches',
      `CREATE TABLE hub_batches (node_id ${text(36)} NOT NULL, batch_no ${integer} NOT NULL, PRIMARY KEY (node_id)) ${table}`,
      "INSERT INTO hub_batches (node_id, batch_no) VALUES ('a hub that has stopped', 7)",
    ]) {
      await writer.query(statement);
    }
    hub = await hub.restart();
    const { upQueries } = await hub.database.writer.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
    const [seller, buyer] = [await hub.seller(), await hub.buyer()];
    expect(await buyer.place(seller)).toMatchObject({ status: 'placed' });
    expect((await buyer.post('/auth/logout')).status).toBe(204);
    await hub.stop();
  });

  const answersWithoutKey = ({ ddl: { text, longText, integer, table } }: Dialect) => [
    'DROP TABLE command_answers',
    `CREATE TABLE command_answers (user_id ${text(64)} NOT NULL, idem_key ${text(64)} NOT NULL, message_hash ${text(64)} NOT NULL,
      answer ${longText} NOT NULL, at ${integer} NOT NULL) ${table}`,
  ];

  test.each<[what: string, statements: (dialect: Dialect) => string[], expected: RegExp]>([
    [
      'without a column',
      () => ['ALTER TABLE hub_batches DROP COLUMN rooms'],
      /: the column hub_batches\.rooms is missing/,
    ],
    ['without a table', () => ['DROP TABLE command_answers'], /: the table command_answers is missing/],
    [
      'without two tables',
      () => ['DROP TABLE command_answers', 'DROP TABLE ended_sessions'],
      /: the table \w+ is missing.* \(and 1 more differences\)/,
    ],
    [
      'without the key that makes a command happen once',
      answersWithoutKey,
      /: the table command_answers has no unique key on \(user_id, idem_key\)/,
    ],
    [
      'with another type',
      ({ ddl }) => [
        'ALTER TABLE room_events DROP COLUMN at',
        `ALTER TABLE room_events ADD COLUMN at ${ddl.text(9)} NOT NULL DEFAULT ''`,
      ],
      /: the column room_events\.at is \w+, not \w+/,
    ],
  ])('stops the start by name: %s', async (_, statements, expected) => {
    const reason = await refusalAfter(statements);
    expect(reason).toMatch(/^The database does not have the schema of this hub: [^\n]*$/);
    expect(reason).toMatch(expected);
  });

  onServer.each<[what: string, statement: string, expected: RegExp]>([
    ['another engine', 'ALTER TABLE wallets ENGINE=MyISAM', /: the table wallets must have the engine InnoDB/],
    [
      'a collation that takes one name for another',
      'ALTER TABLE rooms CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci',
      /: the column rooms\.role must have the collation utf8mb4_\w+bin/,
    ],
    [
      'a shorter column',
      'ALTER TABLE command_answers MODIFY idem_key VARCHAR(32) NOT NULL',
      /: the column command_answers\.idem_key is shorter than 64/,
    ],
    [
      'a time that must be set',
      'ALTER TABLE orders MODIFY paid_at BIGINT NOT NULL',
      /: the column orders\.paid_at must allow NULL/,
    ],
    [
      'a new column that every row must have',
      'ALTER TABLE rooms ADD COLUMN later BIGINT NOT NULL',
      /: the column rooms\.later is unknown, and has no default value/,
    ],
  ])('stops the start by name, on a server: %s', async (_, statement, expected) => {
    expect(await refusalAfter(() => [statement])).toMatch(expected);
  });
});

describe('a database', () => {
  let hub: TestHub;
  let version: number;
  beforeAll(async () => {
    hub = await TestHub.start();
    version = Math.max(...hub.database.writer.migrations.map(({ name = '' }) => migrationNumber(name)));
  });
  afterAll(() => hub.stop());

  const versions = async () => {
    const [row] = await hub.rows<Record<'schema_version' | 'oldest_hub', number>>('SELECT * FROM database_info');
    return [Number(row?.schema_version), Number(row?.oldest_hub)];
  };
  /** What a later release would leave in the database. */
  const LATER = "INSERT INTO migrations (timestamp, name) VALUES (1700000098000, 'Later1700000098000')";
  const say = (schemaVersion: number, oldestHub: number) =>
    `UPDATE database_info SET schema_version = ${schemaVersion}, oldest_hub = ${oldestHub}`;

  test('says which hubs may use it', async () => {
    expect(await versions()).toEqual([version, OLDEST_HUB]);
  });

  test('is used on by a hub that the migrations of a newer one have left room for', async () => {
    for (const sql of [LATER, say(99, version)]) await hub.database.writer.query(sql);
    hub = await hub.restart();
    expect((await hub.person()).token).not.toBe('');
    expect(await versions()).toEqual([99, version]);
  });

  test('refuses a hub that is too old, or that does not know a migration which says nothing of older hubs', async () => {
    const database = await hub.leave();
    await executeOn(database, say(version, version));
    expect(await refusalOf(database)).toBe(
      'The database has the migration Later1700000098000, which this hub does not know. Start the newer release that ran it.',
    );
    await executeOn(database, say(99, 99));
    expect(await refusalOf(database)).toBe(
      `The database was upgraded for newer hubs: its schema needs version 99, and this hub has ${version}. Start the newer release.`,
    );
    await executeOn(database, say(version, OLDEST_HUB), "DELETE FROM migrations WHERE name LIKE 'Later%'");
    hub = await TestHub.start({}, database);
  });

  onServer(
    'stops a hub that became too old for it, and is not written by it any more',
    async () => {
      const buyer = await hub.buyer();
      const database = await hub.leave();
      const other = await HubProcess.start(database);
      hub = await TestHub.start({}, database);
      await hub.database.writer.query(say(99, 99));
      const ready = () => fetch(`${hub.url}/health/ready`);
      await until('the hub is not ready', async () => (await ready()).status === 503);
      const deposit = await fetch(`${hub.url}/wallet/deposits`, {
        method: 'POST',
        headers: { authorization: `Bearer ${buyer.token}`, 'content-type': 'application/json' },
        body: '{"amount":1}',
      });
      expect([deposit.status, await deposit.json()]).toEqual([
        503,
        { error: expect.objectContaining({ code: 'UNAVAILABLE' }) },
      ]);
      expect(await other.ended).toEqual({ code: 1, signal: null });
      expect(other.complaints).toContain('The database was upgraded for newer hubs: its schema needs version 99');
      await executeOn(database, say(version, OLDEST_HUB));
    },
    START_WITHIN_MS,
  );
});
