import { execFile } from 'node:child_process';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { DatabaseSync } from '@photostructure/sqlite';
import type { RowDataPacket } from 'mysql2';
import mysql, { type Connection } from 'mysql2/promise';
import { prepare } from './hub.process.js';
import type { TestDatabase } from './test.database.js';

const ROWS_PER_INSERT = 500;

export interface Backup {
  /** Puts the backup in the place of the database, which no hub may use meanwhile. */
  restore(): Promise<void>;
}

/** A consistent backup of a database that may be in use, made as a tool for it would: a copy of the file, or a dump in one snapshot. */
export async function backUp({ url }: TestDatabase): Promise<Backup> {
  return url.startsWith('sqlite:') ? copyOf(url.slice('sqlite:'.length)) : dumpOf(url);
}

/** Runs `npm run restored` on a database. Rejects, with its output, if it fails. */
export async function runRestored({ url }: TestDatabase): Promise<{ stdout: string; stderr: string }> {
  prepare();
  return promisify(execFile)(process.execPath, [join('dist', 'restored.js')], {
    env: { PATH: process.env.PATH, DATABASE_URL: url },
  });
}

async function copyOf(file: string): Promise<Backup> {
  const copy = `${file}.backup`;
  await rm(copy, { force: true });
  const database = new DatabaseSync(file);
  database.exec(`VACUUM INTO '${copy}'`);
  database.close();
  return {
    async restore() {
      // A new file: a connection that this process has not yet freed shares its state with others on the same one.
      for (const part of ['', '-wal', '-shm']) await rm(file + part, { force: true });
      await copyFile(copy, file);
    },
  };
}

interface Dump {
  table: string;
  create: string;
  rows: unknown[][];
}

async function dumpOf(url: string): Promise<Backup> {
  const tables = await onServer(url, async (connection) => {
    await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    const dumps: Dump[] = [];
    for (const table of await tablesOf(connection)) {
      const [[shown]] = await connection.query<RowDataPacket[]>(`SHOW CREATE TABLE ${table}`);
      const [rows] = await connection.query<RowDataPacket[][]>({ sql: `SELECT * FROM ${table}`, rowsAsArray: true });
      dumps.push({ table, create: String(shown?.['Create Table']), rows });
    }
    return dumps;
  });
  return {
    restore: () =>
      onServer(url, async (connection) => {
        await connection.query('SET foreign_key_checks = 0');
        for (const table of await tablesOf(connection)) await connection.query(`DROP TABLE ${table}`);
        for (const { table, create, rows } of tables) {
          await connection.query(create);
          for (let from = 0; from < rows.length; from += ROWS_PER_INSERT)
            await connection.query(`INSERT INTO ${table} VALUES ?`, [rows.slice(from, from + ROWS_PER_INSERT)]);
        }
      }),
  };
}

async function tablesOf(connection: Connection): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[][]>({ sql: 'SHOW TABLES', rowsAsArray: true });
  return rows.map(([table]) => String(table));
}

async function onServer<T>(url: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await mysql.createConnection({ uri: url, supportBigNumbers: true });
  try {
    return await work(connection);
  } finally {
    await connection.end();
  }
}
