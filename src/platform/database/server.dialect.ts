import type { DataSourceOptions } from 'typeorm';
import { parseDatabaseUrl } from './database.url.js';
import { assignments, type ConnectionOptions, type Dialect, type SharedOptions } from './dialect.js';
import { codeOf, isConflict, isLockWait, isUnreachable } from './driver.errors.js';
import { placeholderConditions } from './in.condition.js';
import { verifyServer } from './server.checks.js';
import {
  beginTransaction,
  discardConnection,
  endTransaction,
  interruptionOf,
  POOL_SIZE,
  serverDriver,
} from './server.driver.js';
import { ServerHosts } from './server.hosts.js';
import { type SessionSettings, settingsSql, sharedSettings } from './session.settings.js';

/** What MariaDB and MySQL, which share a driver, have each in its own way. */
interface Server {
  name: 'mariadb' | 'mysql';
  /** Compares byte for byte, including trailing spaces, which other binary collations ignore. */
  collation: string;
  /** The new row in an ON DUPLICATE KEY UPDATE: what names it, and the value of a column of it. */
  rowAlias: string;
  newValue(column: string): string;
  /**
   * Session variables beside those that both have. READ COMMITTED: under InnoDB's default, commands that raced would be answered
   * from an old snapshot.
   */
  session: SessionSettings;
  /** They release the locks of a process that stopped in mid-transaction, and end abandoned statements. */
  limits: SessionSettings;
  /** The same variables for migrations, which may take long. */
  noLimits: SessionSettings;
  /** The variable of a read-only session. */
  readOnly: string;
}

const COLUMNS = `SELECT c.table_name AS tableName, c.column_name AS columnName, c.data_type AS type,
    c.character_maximum_length AS length, c.is_nullable = 'YES' AS isNullable, c.collation_name AS collation, t.engine AS engine,
    c.is_nullable = 'NO' AND c.column_default IS NULL AND c.extra NOT LIKE '%auto_increment%' AND c.extra NOT LIKE '%GENERATED%' AS isRequired
  FROM information_schema.columns c JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
  WHERE c.table_schema = DATABASE()`;
const UNIQUE_KEYS = `SELECT table_name AS tableName, index_name AS keyName, column_name AS columnName FROM information_schema.statistics
  WHERE table_schema = DATABASE() AND non_unique = 0 ORDER BY table_name, index_name, seq_in_index`;

export const mariadb = serverDialect({
  name: 'mariadb',
  collation: 'utf8mb4_nopad_bin',
  rowAlias: '',
  newValue: (column) => `VALUES(${column})`,
  session: {
    collation_connection: 'utf8mb4_nopad_bin',
    tx_isolation: 'READ-COMMITTED',
    check_constraint_checks: 1,
    wait_timeout: 28_800,
    idle_readonly_transaction_timeout: 0,
    idle_write_transaction_timeout: 0,
  },
  limits: { innodb_lock_wait_timeout: 1, idle_transaction_timeout: 5, max_statement_time: 3 },
  noLimits: {
    innodb_lock_wait_timeout: 50,
    idle_transaction_timeout: 0,
    max_statement_time: 0,
    alter_algorithm: 'DEFAULT',
  },
  readOnly: 'tx_read_only',
});

export const mysql = serverDialect({
  name: 'mysql',
  collation: 'utf8mb4_0900_bin',
  rowAlias: ' AS fresh',
  newValue: (column) => `fresh.${column}`,
  session: { collation_connection: 'utf8mb4_0900_bin', transaction_isolation: 'READ-COMMITTED' },
  limits: { innodb_lock_wait_timeout: 1, wait_timeout: 5, max_execution_time: 3_000 },
  noLimits: { innodb_lock_wait_timeout: 50, wait_timeout: 28_800, max_execution_time: 0 },
  readOnly: 'transaction_read_only',
});

function serverDialect(server: Server): Dialect {
  const table = `ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=${server.collation}`;
  return {
    name: server.name,
    singleWriter: false,
    forUpdate: ' FOR UPDATE',
    forUpdateSkipLocked: ' FOR UPDATE SKIP LOCKED',
    ddl: {
      text: (characters) => `VARCHAR(${characters})`,
      longText: 'MEDIUMTEXT',
      integer: 'BIGINT',
      serial: 'BIGINT PRIMARY KEY AUTO_INCREMENT',
      quote: (name) => `\`${name}\``,
      table,
      clustered: table,
    },
    collation: server.collation,
    engine: 'InnoDB',
    columnsSql: COLUMNS,
    uniqueKeysSql: UNIQUE_KEYS,
    inCondition: placeholderConditions,
    // The driver expands one placeholder to all rows. Only an INSERT can change many rows at once, each to other values.
    write: ({ table, columns, rows, change }) => {
      const onDuplicate = change
        ? `${server.rowAlias} ON DUPLICATE KEY UPDATE ${assignments(change.columns, server.newValue)}`
        : '';
      return [`INSERT INTO ${table} (${columns.join(', ')}) VALUES ?${onDuplicate}`, [rows]];
    },
    isDuplicate: (error) => codeOf(error) === 'ER_DUP_ENTRY',
    isConflict,
    isUnreachable,
    isLockWait,
    interruptionOf,
    begin: beginTransaction,
    end: endTransaction,
    async rollback(runner, error) {
      // A new connection may reach a server that can do what this one cannot.
      if (isUnreachable(error)) discardConnection(runner);
      else if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => discardConnection(runner));
    },
    connectionOptions: (url, shared, { sessionVariables = [] } = {}) =>
      connectionOptions(server, url, shared, sessionVariables),
    verify: (dataSource, role) => verifyServer(dataSource, settingsOf(server, role)),
    // Whatever the session's time zone is.
    clock: "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000 AS now",
    // After a crash, the binary log decides what was committed, if there is one.
    unsafeSettings: `SELECT 'innodb_flush_log_at_trx_commit' AS setting, @@innodb_flush_log_at_trx_commit AS value
      WHERE @@innodb_flush_log_at_trx_commit <> 1
      UNION ALL SELECT 'sync_binlog', @@sync_binlog WHERE @@log_bin = 1 AND @@sync_binlog <> 1`,
  };
}

function settingsOf({ session, limits, noLimits, readOnly }: Server, role: keyof ConnectionOptions): SessionSettings {
  const timeouts = role === 'migrator' ? noLimits : limits;
  return { ...sharedSettings, ...session, ...timeouts, [readOnly]: role === 'reader' ? 1 : 0 };
}

function connectionOptions(
  server: Server,
  url: string,
  shared: SharedOptions,
  clusterVariables: readonly string[],
): ConnectionOptions {
  const location = parseDatabaseUrl(url);
  if (location.kind !== 'server') throw new Error('DATABASE_URL names a file, not a server');
  const { hosts, socketPath, username, password, database, tls } = location;
  const [{ host, port }] = hosts;
  const chosen = new ServerHosts(hosts);
  const sessionOf = (role: keyof ConnectionOptions) =>
    [settingsSql(settingsOf(server, role)), ...(role === 'migrator' ? [] : clusterVariables)].join(', ');
  const connection = (role: keyof ConnectionOptions): DataSourceOptions => ({
    ...shared,
    ...{ type: server.name, host, port, username, password, database },
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(tls ? { ssl: tls } : {}),
    driver: serverDriver(sessionOf(role), role !== 'migrator', chosen),
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: false,
    poolSize: POOL_SIZE,
    trace: false,
  });
  return { writer: connection('writer'), reader: connection('reader'), migrator: connection('migrator') };
}
