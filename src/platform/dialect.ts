import type { DataSourceOptions, QueryRunner } from 'typeorm';
import { type Among, amongJson, amongMarks, marks } from './among.js';
import { codeOf, hasLostRace, mayComeUp, messageOf } from './driver.errors.js';
import { EmbeddedDatabase, isLocked } from './embedded.driver.js';
import { beginTransaction, CONNECTIONS, discard, endTransaction, serverDriver, versionOf } from './server.driver.js';

/** Rows for one table: new ones, or with `change` such as it holds, found by their key and changed in these columns. */
export interface Write {
  table: string;
  columns: readonly string[];
  rows: readonly (readonly unknown[])[];
  change?: { key: readonly string[]; columns: readonly string[] };
}

/**
 * Everything in which the databases differ, and the only file that names one.
 * The embedded database is SQLite; MariaDB and MySQL share a driver and differ in their collations and in one word of SQL.
 */
export interface Dialect {
  readonly name: 'sqlite' | 'mariadb' | 'mysql';
  /** One transaction at a time: the driver has a single connection for writing, on which transactions would nest. */
  readonly singleWriter: boolean;
  /** Ends a SELECT whose rows no other transaction may change before this one ends. */
  readonly forUpdate: string;
  /** The column types and table endings that migrations are written with. */
  readonly ddl: {
    text(characters: number): string;
    longText: string;
    integer: string;
    serial: string;
    /** A name in quotes: TypeORM finds foreign keys and generated columns of the embedded database by them. */
    quote(name: string): string;
    table: string;
    /** The ending of a table whose rows are kept in the order of its primary key. */
    clustered: string;
  };
  readonly among: Among;
  /** How rows are written: a statement, which is the same for any number of rows, and its parameters. */
  write(write: Write): [sql: string, parameters: unknown[]];
  /** The table must hold a row with one of these unique keys already. */
  isDuplicate(error: unknown): boolean;
  /** The transaction lost a race and was undone; the whole of it can be run again. */
  isConflict(error: unknown): boolean;
  /** The server did not answer, or cannot do its work now. */
  isUnreachable(error: unknown): boolean;
  /** Begins a transaction that stays open, whatever fails in it, until it is committed or undone: only a COMMIT keeps anything. */
  begin(runner: QueryRunner): Promise<void>;
  /** Leaves the connection as it was before the transaction. */
  end(runner: QueryRunner): void;
  /** Makes sure that nothing is left of a transaction that failed so. */
  undo(runner: QueryRunner, error: unknown): Promise<void>;
  /** Asks for settings, as rows of `setting` and `value`, that lose acknowledged commits with the power; with what they must be. */
  readonly unsafeSettings?: string;
}

const sqlite: Dialect = {
  name: 'sqlite',
  singleWriter: true,
  forUpdate: '',
  ddl: {
    text: () => 'TEXT',
    longText: 'TEXT',
    integer: 'INTEGER',
    serial: 'INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL',
    quote: (name) => `"${name}"`,
    table: 'STRICT',
    clustered: 'STRICT, WITHOUT ROWID',
  },
  among: amongJson,
  // Row by row in one call (`embedded.driver.ts`): a statement for many rows takes this engine twice as long.
  write: ({ table, columns, rows, change }) => {
    if (!change) {
      return [`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${marks(columns.length)})`, [...rows]];
    }
    const places = [...change.columns, ...change.key].map((column) => columns.indexOf(column));
    const where = change.key.map((column) => `${column} = ?`).join(' AND ');
    const sql = `UPDATE ${table} SET ${setAll(change.columns, () => '?')} WHERE ${where}`;
    return [sql, rows.map((row) => places.map((place) => row[place]))];
  },
  isDuplicate: (error) => /UNIQUE constraint failed/.test(messageOf(error)),
  isConflict: isLocked,
  isUnreachable: (error) =>
    /disk I\/O error|database or disk is full|readonly database|database is not open/.test(messageOf(error)),
  begin: (runner) => runner.startTransaction(),
  end() {},
  async undo(runner) {
    if (!runner.isTransactionActive) return;
    // A full disk may have ended it already. TypeORM would take it for open, and nest all that follows in it.
    await runner
      .rollbackTransaction()
      .catch(() => Object.assign(runner, { isTransactionActive: false, transactionDepth: 0 }));
  },
};

function setAll(columns: readonly string[], value: (column: string) => string): string {
  return columns.map((column) => `${column} = ${value(column)}`).join(', ');
}

function serverDialect(
  name: 'mariadb' | 'mysql',
  collation: string,
  fresh: { row: string; value(column: string): string },
): Dialect {
  const table = `ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=${collation}`;
  return {
    name,
    singleWriter: false,
    forUpdate: ' FOR UPDATE',
    ddl: {
      text: (characters) => `VARCHAR(${characters})`,
      longText: 'MEDIUMTEXT',
      integer: 'BIGINT',
      serial: 'BIGINT PRIMARY KEY AUTO_INCREMENT',
      quote: (name) => `\`${name}\``,
      table,
      clustered: table,
    },
    among: amongMarks,
    // The driver writes a list of rows for one mark. An INSERT is how many rows are changed at once, each in its own way.
    write: ({ table, columns, rows, change }) => {
      const ending = change ? `${fresh.row} ON DUPLICATE KEY UPDATE ${setAll(change.columns, fresh.value)}` : '';
      return [`INSERT INTO ${table} (${columns.join(', ')}) VALUES ?${ending}`, [rows]];
    },
    isDuplicate: (error) => codeOf(error) === 'ER_DUP_ENTRY',
    // Where there is a binary log, it decides after a crash what was committed.
    unsafeSettings: `SELECT 'innodb_flush_log_at_trx_commit' AS setting, @@innodb_flush_log_at_trx_commit AS value
      WHERE @@innodb_flush_log_at_trx_commit <> 1
      UNION ALL SELECT 'sync_binlog', @@sync_binlog WHERE @@log_bin = 1 AND @@sync_binlog <> 1`,
    isConflict: hasLostRace,
    isUnreachable: mayComeUp,
    begin: beginTransaction,
    end: endTransaction,
    async undo(runner, error) {
      // The next connection may lead to a server that can do what this one cannot.
      if (mayComeUp(error)) discard(runner);
      else if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => discard(runner));
    },
  };
}

// Byte for byte, trailing blanks included: other binary collations take 'a ' for 'a'.
const mariadb = serverDialect('mariadb', 'utf8mb4_nopad_bin', { row: '', value: (column) => `VALUES(${column})` });
const mysqlServer = serverDialect('mysql', 'utf8mb4_0900_bin', {
  row: ' AS fresh',
  value: (column) => `fresh.${column}`,
});

/**
 * Set once per connection. READ COMMITTED: InnoDB's default answers raced commands from the past. The limits free what a
 * process holds that was stopped in the middle of a transaction, and end statements that nobody waits for any more.
 */
const SETTINGS = {
  mariadb:
    "tx_isolation = 'READ-COMMITTED', time_zone = '+00:00', innodb_lock_wait_timeout = 1, idle_transaction_timeout = 5, max_statement_time = 3",
  mysql:
    "transaction_isolation = 'READ-COMMITTED', time_zone = '+00:00', innodb_lock_wait_timeout = 1, wait_timeout = 5, max_execution_time = 3000",
};

/** Finds out which database a URL leads to. A server is asked: its version tells MariaDB from MySQL. */
export async function dialectOf(url: string): Promise<Dialect> {
  if (url.startsWith('sqlite:')) return sqlite;
  return /mariadb/i.test(await versionOf(url)) ? mariadb : mysqlServer;
}

type Shared = Pick<DataSourceOptions, 'entities' | 'migrations' | 'namingStrategy' | 'logging' | 'synchronize'>;

/** What each connection to the embedded database may keep of it in memory. */
const CACHE_KB = 65_536;
/** So many pages (of 4 KB) may wait in its log. A page that batch after batch writes to is then copied to the file once: a fifth of the rate. */
const LOG_PAGES = 4_000;

/**
 * What TypeORM connects with: for writing; on the embedded database a second connection that can only read; on a server
 * another for migrations, whose statements may take as long as they need.
 */
export function dataSourceOptions(
  dialect: Dialect,
  url: string,
  shared: Shared,
): { writer: DataSourceOptions; reader?: DataSourceOptions; migrator?: DataSourceOptions } {
  if (dialect.name === 'sqlite') {
    const file = url.slice('sqlite:'.length);
    // WAL alone would make commits durable only at the next checkpoint (synchronous=NORMAL): FULL is set on every connection.
    // By default SQLite keeps 2 MB of the file in memory: with a million orders, each batch would read most of what it touches.
    const embedded = (pragmas: string[]): DataSourceOptions => ({
      ...shared,
      type: 'better-sqlite3',
      database: file,
      driver: EmbeddedDatabase,
      prepareDatabase: (database: EmbeddedDatabase) => {
        const sizes = [`cache_size = -${CACHE_KB}`, `wal_autocheckpoint = ${LOG_PAGES}`];
        for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', ...sizes, ...pragmas])
          database.pragma(pragma);
      },
    });
    return { writer: embedded([]), reader: embedded(['query_only = ON']) };
  }
  const { name } = dialect;
  const server = (driver: object): DataSourceOptions => ({
    ...shared,
    type: name,
    url,
    driver,
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: false,
    poolSize: CONNECTIONS,
    trace: false,
  });
  return { writer: server(serverDriver(SETTINGS[name])), migrator: server(serverDriver()) };
}
