import type { Socket } from 'node:net';
import mysql from 'mysql2';
import type { DataSource, QueryRunner } from 'typeorm';

export const CONNECTIONS = 10;
/** Who would be the next to wait for a connection is told so instead: by its turn nobody would wait for it any more. */
const WAITING_MAX = 1_000;
const CONNECT_WITHIN_MS = 3_000;
/** A server that says nothing for so long to a statement is taken for dead. More than a statement may wait for a lock. */
const SILENCE_MS = 3_000;
/** Given back earlier than the server would cut it: that frees what a transaction holds whose process was stopped. */
const IDLE_MS = 2_500;

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
      });
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

/** Takes the connection of this runner, if it has one, out of its pool for good. */
export function discard(runner: QueryRunner): void {
  const { databaseConnection } = runner as QueryRunner & { databaseConnection?: mysql.PoolConnection };
  databaseConnection?.destroy();
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
    // One that could not be set up must not be used: it would answer by other rules.
    connection.query(`SET SESSION ${settings}`, (error) => error && connection.destroy());
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

/** The socket beneath: the driver's types leave it out. */
function streamOf(connection: mysql.PoolConnection): Socket {
  return (connection as mysql.PoolConnection & { stream: Socket }).stream;
}
