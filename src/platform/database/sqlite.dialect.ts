import type { DataSourceOptions } from 'typeorm';
import {
  assignments,
  type ConnectionOptions,
  type Dialect,
  type OwnOptions,
  type SharedOptions,
  type Write,
} from './dialect.js';
import { messageOf } from './driver.errors.js';
import { EmbeddedDatabase, isLocked } from './embedded.driver.js';
import { isUnusable } from './embedded.file.js';
import { jsonConditions, placeholders } from './in.condition.js';

/** Page cache of each connection. By default it is 2 MB: with a million orders, batches would read mostly from the disk. */
const CACHE_KB = 65_536;
/** Pages (of 4 KB) in the WAL before a checkpoint. Pages that many batches write are then copied once: at a fifth of the rate. */
const CHECKPOINT_PAGES = 4_000;

const PRAGMAS = [
  'journal_mode = WAL',
  // With NORMAL, commits to the WAL would be durable only at the next checkpoint.
  'synchronous = FULL',
  `cache_size = -${CACHE_KB}`,
  `wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
];

/** The embedded database. */
export const sqlite: Dialect = {
  name: 'sqlite',
  singleWriter: true,
  forUpdate: '',
  forUpdateSkipLocked: '',
  ddl: {
    text: () => 'TEXT',
    longText: 'TEXT',
    integer: 'INTEGER',
    serial: 'INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL',
    quote: (name) => `"${name}"`,
    table: 'STRICT',
    clustered: 'STRICT, WITHOUT ROWID',
  },
  columnsSql: `SELECT m.name AS tableName, c.name AS columnName, c.type AS type, NULL AS length, NULL AS collation, NULL AS engine,
      c."notnull" = 0 AS isNullable, c."notnull" = 1 AND c.dflt_value IS NULL AND c.pk = 0 AS isRequired
    FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`,
  // The primary key of a table is no index if it is a number.
  uniqueKeysSql: `SELECT tableName, keyName, columnName FROM (
      SELECT m.name AS tableName, '' AS keyName, c.name AS columnName, c.pk AS position
        FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.pk > 0
      UNION ALL SELECT m.name, i.name, x.name, x.seqno
        FROM sqlite_master m JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) x WHERE m.type = 'table' AND i."unique" = 1
    ) ORDER BY tableName, keyName, position`,
  inCondition: jsonConditions,
  write,
  isDuplicate: (error) => /UNIQUE constraint failed/.test(messageOf(error)),
  isConflict: isLocked,
  isUnreachable: (error) => isUnusable(error) || /database is not open/.test(messageOf(error)),
  // Its one lock is on the whole file: nobody's rows are held while others are free.
  isLockWait: () => false,
  interruptionOf: () => undefined,
  begin: (runner) => runner.startTransaction(),
  end() {},
  async rollback(runner) {
    if (!runner.isTransactionActive) return;
    // A full disk may have rolled it back already: TypeORM would keep it open, and nest later transactions in it.
    await runner
      .rollbackTransaction()
      .catch(() => Object.assign(runner, { isTransactionActive: false, transactionDepth: 0 }));
  },
  connectionOptions,
};

/** A statement for one row, which the driver runs for each: a statement for many rows takes SQLite twice as long. */
function write({ table, columns, rows, change }: Write): [sql: string, parameters: unknown[]] {
  if (!change || change.orInsert) {
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${placeholders(columns.length)})`;
    if (!change) return [sql, [...rows]];
    const update = assignments(change.columns, (column) => `excluded.${column}`);
    return [`${sql} ON CONFLICT (${change.key.join(', ')}) DO UPDATE SET ${update}`, [...rows]];
  }
  const indexes = [...change.columns, ...change.key].map((column) => columns.indexOf(column));
  const where = change.key.map((column) => `${column} = ?`).join(' AND ');
  const sql = `UPDATE ${table} SET ${assignments(change.columns, () => '?')} WHERE ${where}`;
  return [sql, rows.map((row) => indexes.map((index) => row[index]))];
}

function connectionOptions(_url: string, shared: SharedOptions, { file }: OwnOptions = {}): ConnectionOptions {
  const connection = (pragmas: string[], isWriter: boolean): DataSourceOptions => ({
    ...shared,
    type: 'better-sqlite3',
    database: file?.path ?? '',
    driver: EmbeddedDatabase,
    prepareDatabase: (database: EmbeddedDatabase) => {
      for (const pragma of pragmas) database.pragma(pragma);
      file?.attach(database, isWriter);
    },
  });
  return { writer: connection(PRAGMAS, true), reader: connection([...PRAGMAS, 'query_only = ON'], false) };
}
