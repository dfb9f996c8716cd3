import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import mysql from 'mysql2/promise';

/** An empty database of a test's own: a new file, or a new database on the server that TEST_DATABASE_URL leads to. */
export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

export async function createTestDatabase(server = process.env.TEST_DATABASE_URL): Promise<TestDatabase> {
  return server ? createOnServer(server) : createFile();
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
