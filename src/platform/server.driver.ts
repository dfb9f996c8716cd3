import type { Socket } from 'node:net';
import mysql from 'mysql2';
import type { DataSource, QueryRunner } from 'typeorm';
import { pipeline } from './pipelining.js';

export const CONNECTIONS = 10;
/** Who would be the next to wait for a connection is told so instead: by its turn nobody would wait for it any more. */
const WAITING_MAX = 1_000;
const CONNECT_WITHIN_MS = 3_000;
/** A server that says nothing for so long to a statement is taken for dead. More than a statement may wait for a lock. */
const SILENCE_MS = 3_000;
/** Given back earlier than the server would cut it: that frees what a transaction holds whose process was stopped. */
const IDLE_MS = 2_500;
/**
 * A backslash in a text is one like any other sign, so that only an apostrophe is written otherwise. What a batch writes is mostly
 * JSON, whose double quotes would each be escaped here and unescaped by the server: a twentieth of the time of a batch.
 */
const PLAIN_TEXTS = "sql_mode = CONCAT_WS(',', @@sql_mode, 'NO_BACKSLASH_ESCAPES')";
const putIn = (sql: string, values: mysql.SqlValue[]) =>
  mysql.format(sql, values, false, 'Z', { noBackslashEscapes: true });

/**
 * The driver for a database server, with a pool whose connections have these settings, and are cut off when the server
 * falls silent: the driver by itself would wait for ever, and put the connection back. Without settings they are plain.
 */
export function serverDriver(settings?: string): object {
  return {
    ...mysql,
    createPool(options: mysql.PoolOptions): mysql.Pool {
      const pool = mysql.createPool({
        ...options,
        connectTimeout: CONNECT_WITHIN_MS,
        queueLimit: WAITING_MAX,
        maxIdle: CONNECTIONS - 1,
        idleTimeout: IDLE_MS,
        gracefulEnd: true,
        ...(settings === undefined ? {} : { queryFormat: putIn }),
      });
      // Who waits for an answer is told. The pool itself listens only once, and a second error that nobody heard would end the
      // process: a server that ends a connection may say so first, and then its socket is still open for a moment.
      pool.on('connection', (connection) => connection.on('error', () => {}));
      if (settings !== undefined) prepare(pool, settings);
      return pool;
    },
  };
}

/** Asks a server for its version. */
export async function versionOf(url: string): Promise<string> {
  const connection = mysql.createConnection({ uri: url, connectTimeout: CONNECT_WITHIN_MS }).promise();
  connection.on('error', () => {});
  try {
    const [rows] = await connection.query<mysql.RowDataPacket[]>({
      sql: 'SELECT VERSION() AS version',
      timeout: SILENCE_MS,
    });
    return String(rows[0]?.version);
  } finally {
    connection.destroy();
  }
}

/**
 * What is done on the connection of this runner from now on commits only where it is asked to. Not by a BEGIN: a deadlock
 * undoes the transaction that it began, and statements which are on their way already would each commit by themselves.
 */
export async function beginTransaction(runner: QueryRunner): Promise<void> {
  set(await runner.connect(), 'autocommit = 0');
  Object.assign(runner, { isTransactionActive: true, transactionDepth: 1 });
}

/** After its transaction was committed or undone: what is done on the connection commits by itself again. */
export function endTransaction(runner: QueryRunner): void {
  const connection = connectionOf(runner);
  if (connection) set(connection, 'autocommit = 1');
}

/** Takes the connection of this runner, if it has one, out of its pool for good. */
export function discard(runner: QueryRunner): void {
  connectionOf(runner)?.destroy();
}

function connectionOf(runner: QueryRunner): mysql.PoolConnection | undefined {
  return (runner as QueryRunner & { databaseConnection?: mysql.PoolConnection }).databaseConnection;
}

export type Connections = Record<'used' | 'free' | 'waiting', number>;

/** How it stands with a pool. The driver counts it, and its types leave it out. */
export function connectionsOf({ driver }: DataSource): Connections {
  const { pool } = driver as unknown as { pool: Record<`_${string}`, { length: number } | undefined> };
  const count = (list: string) => pool[`_${list}`]?.length ?? 0;
  const free = count('freeConnections');
  return { used: count('allConnections') - free, free, waiting: count('connectionQueue') };
}

function prepare(pool: mysql.Pool, settings: string): void {
  pool.on('connection', (connection) => {
    // Nothing goes before it was answered: to a server that was not told, texts as `putIn` writes them may mean something else.
    set(connection, `SESSION ${settings}, ${PLAIN_TEXTS}`, () => pipeline(connection));
    // TypeORM asks for it at every statement, and each time the driver would load a module and listen to five events.
    const promises = connection.promise();
    connection.promise = () => promises;
    const stream = streamOf(connection);
    stream.on('timeout', () =>
      stream.destroy(Object.assign(new Error('The server fell silent'), { code: 'ETIMEDOUT' })),
    );
  });
  // Only while it is in use: an idle connection is silent by nature.
  pool.on('acquire', (connection) => streamOf(connection).setTimeout(SILENCE_MS));
  pool.on('release', (connection) => streamOf(connection).setTimeout(0));
}

/** Sets what a connection goes by from now on. One that could not be set must not be used: it would answer by other rules. */
function set(connection: mysql.PoolConnection, settings: string, whenSet = () => {}): void {
  connection.query(`SET ${settings}`, (error) => {
    if (error) streamOf(connection).destroy(error);
    else whenSet();
  });
}

/** The socket beneath: the driver's types leave it out. */
function streamOf(connection: mysql.PoolConnection): Socket {
  return (connection as mysql.PoolConnection & { stream: Socket }).stream;
}
