import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import mysql from 'mysql2/promise';
import type { TestDatabase } from './test.database.js';

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
