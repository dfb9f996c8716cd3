import type { Socket } from 'node:net';
import mysql from 'mysql2';
import type { DataSource, QueryRunner } from 'typeorm';
import { CLUSTER_VARIABLES_SQL, causalReads } from './causal.reads.js';
import type { Host, ServerLocation } from './database.url.js';
import { isUnreachable, SETTING_REFUSED } from './driver.errors.js';
import { pipelineStatements } from './pipelining.js';
import { assertWritable, hostsOf, type ServerHosts } from './server.hosts.js';
import { settingsSql, sharedSettings } from './session.settings.js';

export const POOL_SIZE = 10;
/** Callers that may wait for a connection. Further ones fail at once: by their turn they would have timed out. */
const POOL_QUEUE_MAX = 1_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** A server that is silent for this long during a statement counts as dead. Longer than a lock wait. */
const SOCKET_TIMEOUT_MS = 3_000;
/** Below the server's own timeout, which releases the locks of a process that stopped in mid-transaction. */
const IDLE_TIMEOUT_MS = 2_500;
/**
 * The session's mode makes a backslash an ordinary character, so that only apostrophes are escaped. Batches write mostly JSON, whose
 * double quotes would otherwise be escaped here and unescaped by the server: a twentieth of a batch's time.
 */
const formatQuery = (sql: string, values: mysql.SqlValue[]) =>
  mysql.format(sql, values, false, 'Z', { noBackslashEscapes: true });

/**
 * The driver for a database server, whose connections all begin by setting the session variables. With `isHurried` they are pipelined,
 * and closed when the server falls silent, where the driver would wait for ever.
 */
export function serverDriver(sessionVariables: string, isHurried: boolean, hosts: ServerHosts): object {
  return {
    ...mysql,
    createPool(options: mysql.PoolOptions): mysql.Pool {
      const pool = mysql.createPool({
        ...options,
        connectTimeout: CONNECT_TIMEOUT_MS,
        queueLimit: POOL_QUEUE_MAX,
        maxIdle: POOL_SIZE - 1,
        idleTimeout: IDLE_TIMEOUT_MS,
        gracefulEnd: true,
        queryFormat: formatQuery,
      });
      // The statement's caller receives the error. The pool listens to a connection's first error only, and a second one, which
      // a server that closes connections may cause, would end the process.
      pool.on('connection', (connection) => connection.on('error', () => {}));
      configurePool(pool, sessionVariables, isHurried);
      hosts.attach(pool);
      return pool;
    },
  };
}

/** What a server is: its version, and its session variables for reads that miss nothing (causal.reads.ts). */
interface ServerDescription {
  version: string;
  sessionVariables: string[];
}

/** Describes the first server that takes writes; with a single one, that one. */
export async function describeServer(location: ServerLocation): Promise<ServerDescription> {
  const [first, ...others] = location.hosts;
  if (others.length === 0) return describeHost(location, first, false);
  let failure: unknown;
  for (const host of location.hosts) {
    try {
      return await describeHost(location, host, true);
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function describeHost(
  { socketPath, username, password, database, tls }: ServerLocation,
  { host, port }: Host,
  mustWrite: boolean,
): Promise<ServerDescription> {
  const opened = mysql.createConnection({
    ...{ host, port, user: username, password, database, connectTimeout: CONNECT_TIMEOUT_MS },
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(tls ? { ssl: tls } : {}),
  });
  const connection = opened.promise();
  connection.on('error', () => {});
  try {
    if (mustWrite) await assertWritable(opened);
    // Global limits of another application must not end these reads either.
    await connection.query({
      sql: `SET SESSION ${settingsSql(sharedSettings)} /*M! , max_statement_time = 0 */ /*!80000 , max_execution_time = 0 */`,
      timeout: SOCKET_TIMEOUT_MS,
    });
    const [rows] = await connection.query<mysql.RowDataPacket[]>({
      sql: 'SELECT VERSION() AS version',
      timeout: SOCKET_TIMEOUT_MS,
    });
    const [variables] = await connection.query<mysql.RowDataPacket[]>({
      sql: CLUSTER_VARIABLES_SQL,
      timeout: SOCKET_TIMEOUT_MS,
    });
    return {
      version: String(rows[0]?.version),
      sessionVariables: causalReads(new Map(variables.map(({ Variable_name, Value }) => [Variable_name, Value]))),
    };
  } finally {
    connection.destroy();
  }
}

/**
 * Begins a transaction by switching autocommit off rather than by BEGIN: a deadlock ends what BEGIN began, and pipelined
 * statements behind it would each commit alone.
 */
export async function beginTransaction(runner: QueryRunner): Promise<void> {
  setVariables(await runner.connect(), 'autocommit = 0');
  Object.assign(runner, { isTransactionActive: true, transactionDepth: 1 });
}

/** Switches autocommit on again, after the transaction was committed or rolled back. */
export function endTransaction(runner: QueryRunner): void {
  const connection = connectionOf(runner);
  if (connection) setVariables(connection, 'autocommit = 1');
}

/** Removes the runner's connection, if it has one, from its pool, and with several servers those that are idle too. */
export function discardConnection(runner: QueryRunner): void {
  connectionOf(runner)?.destroy();
  hostsOf(poolOf(runner.connection))?.doubt();
}

/** Ends the statement that the runner's connection executes, and does nothing to an idle one. An account may do so to its own. */
export function interruptionOf(runner: QueryRunner): string | undefined {
  const connection = connectionOf(runner);
  if (!connection?.threadId) return undefined;
  // By now, another server may have given this number to another connection.
  const hosts = hostsOf(poolOf(runner.connection));
  return hosts?.isCurrent(connection) === false ? undefined : `KILL QUERY ${connection.threadId}`;
}

function connectionOf(runner: QueryRunner): mysql.PoolConnection | undefined {
  return (runner as QueryRunner & { databaseConnection?: mysql.PoolConnection }).databaseConnection;
}

export type PoolStats = Record<'used' | 'free' | 'waiting', number>;

/** Reads the lists of the driver's pool, which its types omit. */
export function poolStatsOf(dataSource: DataSource): PoolStats {
  const pool = poolOf(dataSource) as Record<`_${string}`, { length: number } | undefined>;
  const count = (list: string) => pool[`_${list}`]?.length ?? 0;
  const free = count('freeConnections');
  return { used: count('allConnections') - free, free, waiting: count('connectionQueue') };
}

/** How often the data source has moved from one of its servers to another. */
export function failoversOf(dataSource: DataSource): number {
  return hostsOf(poolOf(dataSource))?.failovers ?? 0;
}

function poolOf({ driver }: DataSource): object {
  return (driver as unknown as { pool: object }).pool;
}

function configurePool(pool: mysql.Pool, sessionVariables: string, isHurried: boolean): void {
  pool.on('connection', (connection) => {
    // No statement is sent ahead before these are set: until then a backslash in a text would escape.
    const pipeline = () => pipelineStatements(connection);
    setVariables(connection, `SESSION ${sessionVariables}`, isHurried ? pipeline : undefined);
    // TypeORM requests this for every statement, and each time the driver would load a module and add five listeners.
    const promises = connection.promise();
    connection.promise = () => promises;
    const stream = streamOf(connection);
    stream.on('timeout', () =>
      stream.destroy(Object.assign(new Error('The server fell silent'), { code: 'ETIMEDOUT' })),
    );
  });
  if (!isHurried) return;
  // Only while in use: idle connections are silent.
  pool.on('acquire', (connection) => streamOf(connection).setTimeout(SOCKET_TIMEOUT_MS));
  pool.on('release', (connection) => streamOf(connection).setTimeout(0));
}

/** Sets variables on a connection, or destroys it: without them it would behave differently. */
function setVariables(connection: mysql.PoolConnection, variables: string, whenSet = () => {}): void {
  connection.query(`SET ${variables}`, (error) => {
    if (error) streamOf(connection).destroy(isUnreachable(error) ? error : settingRefused(error));
    else whenSet();
  });
}

function settingRefused({ message }: Error): Error {
  return Object.assign(new Error(`it does not accept a session setting (${message})`), { code: SETTING_REFUSED });
}

/** The connection's TCP socket, which the driver's types omit. */
function streamOf(connection: mysql.PoolConnection): Socket {
  return (connection as mysql.PoolConnection & { stream: Socket }).stream;
}
