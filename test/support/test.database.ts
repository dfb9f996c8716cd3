import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from '@photostructure/sqlite';
import mysql from 'mysql2/promise';

/** An empty database: a new file, or a new database on the server at TEST_DATABASE_URL. */
export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

export async function createTestDatabase(server = process.env.TEST_DATABASE_URL): Promise<TestDatabase> {
  return server ? createOnServer(server) : createFile();
}

/** Executes statements on a database that no hub is using. */
export async function executeOn({ url }: TestDatabase, ...statements: string[]): Promise<void> {
  if (!url.startsWith('sqlite:')) {
    for (const statement of statements) await onServer(url, statement);
    return;
  }
  const database = new DatabaseSync(url.slice('sqlite:'.length));
  for (const statement of statements) database.exec(statement);
  database.close();
}

async function createFile(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'order-hub-'));
  return { url: `sqlite:${join(folder, 'hub.sqlite')}`, drop: () => rm(folder, { recursive: true, force: true }) };
}

async function createOnServer(server: string): Promise<TestDatabase> {
  const name = `hub_test_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  await onServer(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(server, `DROP DATABASE ${name}`) };
}

async function onServer(server: string, statement: string): Promise<void> {
  const connection = await mysql.createConnection(server);
  await connection.query(statement);
  await connection.end();
}
