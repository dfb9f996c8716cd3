import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import mysql, { type Connection } from 'mysql2/promise';
import { type TestHub, until } from './hub.js';
import type { TestDatabase } from './test.database.js';
import { range } from './ways.js';

/** A server aborts a transaction that is idle for five seconds. */
const KEEP_ALIVE_MS = 1_000;

/** Locks the stock rows, which blocks every batch that touches stock. Returns a function that releases the lock. */
export async function holdStock({ database }: TestHub): Promise<() => Promise<void>> {
  let isHeld = false;
  let isReleased = false;
  let wake = () => {};
  const done = database.transaction(async (tx) => {
    await tx.query(`SELECT stock FROM book_stock${database.dialect.forUpdate}`);
    isHeld = true;
    while (!isReleased) {
      await Promise.race([
        sleep(KEEP_ALIVE_MS),
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
      ]);
      await tx.query('SELECT 1');
    }
  });
  await until('the stock is held', () => isHeld);
  return async () => {
    isReleased = true;
    wake();
    await done;
  };
}

/** Locks a row over a separate connection. Returns a function that releases the lock. */
export async function lockRow({ url }: TestDatabase, sql: string, parameters: unknown[]): Promise<() => Promise<void>> {
  const connection = await mysql.createConnection(url);
  await connection.beginTransaction();
  await connection.query(`${sql} FOR UPDATE`, parameters);
  return async () => {
    await connection.rollback();
    await connection.end();
  };
}

/** Enough written rows that InnoDB picks the other transaction as its deadlock victim. */
export const HEAVY_ROWS = 500;

/** Opens another transaction on the same server that has written this number of rows. */
export async function beginOtherTransaction({ url }: TestDatabase, rows: number): Promise<Connection> {
  const other = await mysql.createConnection(url);
  await other.query('CREATE TABLE IF NOT EXISTS other_rows (n INT)');
  await other.beginTransaction();
  await other.query(`INSERT INTO other_rows VALUES ${range(rows).map((n) => `(${n})`)}`);
  return other;
}

/** Locks the embedded database for writing from another process, until released or for `forMs`. */
export async function lockFile({ url }: TestDatabase, forMs = 60_000) {
  const script = `
    import { DatabaseSync } from '@photostructure/sqlite';
    const database = new DatabaseSync(process.argv[1]);
    database.exec('BEGIN IMMEDIATE');
    console.log('locked');
    setTimeout(() => database.close(), ${forMs});`;
  const file = url.slice('sqlite:'.length);
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const released = once(child, 'exit');
  await once(child.stdout, 'data');
  return { release: () => child.kill(), released };
}
