import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import mysql, { type Connection } from 'mysql2/promise';
import { type TestHub, until } from './hub.js';
import type { TestDatabase } from './test.database.js';
import { range } from './ways.js';

/** A server ends a transaction in which nothing happens for five seconds. */
const STIR_EVERY_MS = 1_000;

/** Keeps every batch of a hub waiting that touches the stock of a store; gives the way to let it go. */
export async function holdStock({ database }: TestHub): Promise<() => Promise<void>> {
  let isHeld = false;
  let isLetGo = false;
  let stir = () => {};
  const done = database.transaction(async (tx) => {
    await tx.query(`SELECT stock FROM book_stock${database.dialect.forUpdate}`);
    isHeld = true;
    while (!isLetGo) {
      await Promise.race([
        sleep(STIR_EVERY_MS),
        new Promise<void>((resolve) => {
          stir = resolve;
        }),
      ]);
      await tx.query('SELECT 1');
    }
  });
  await until('the stock is held', () => isHeld);
  return async () => {
    isLetGo = true;
    stir();
    await done;
  };
}

/** Locks a row from outside of the hub, as a neighbour on the same server might. Gives what lets go of it. */
export async function lockRow({ url }: TestDatabase, sql: string, parameters: unknown[]): Promise<() => Promise<void>> {
  const connection = await mysql.createConnection(url);
  await connection.beginTransaction();
  await connection.query(`${sql} FOR UPDATE`, parameters);
  return async () => {
    await connection.rollback();
    await connection.end();
  };
}

/** Rows that make a transaction the one that InnoDB would rather keep. */
export const HEAVY_ROWS = 500;

/** Somebody else on the same server, in a transaction that has written so many rows. */
export async function beginAsNeighbour({ url }: TestDatabase, rows: number): Promise<Connection> {
  const neighbour = await mysql.createConnection(url);
  await neighbour.query('CREATE TABLE IF NOT EXISTS neighbours (n INT)');
  await neighbour.beginTransaction();
  await neighbour.query(`INSERT INTO neighbours VALUES ${range(rows).map((n) => `(${n})`)}`);
  return neighbour;
}

/** Locks the embedded database for writing, from another process, until it is released or for so long. */
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
