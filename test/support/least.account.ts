import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import type { TestDatabase } from './test.database.js';

const PASSWORD = 'of-the-least-account';
const CREATED = 'least_';

/** An account on the database's server that has what ops/grants.sql gives on this database, and nothing else. */
export interface LeastAccount {
  /** The same database, entered with this account. */
  database: TestDatabase;
  drop(): Promise<void>;
}

/** Makes one. The database must have its tables already: rights are given on what is there. */
export async function createLeastAccount(database: TestDatabase): Promise<LeastAccount> {
  const user = CREATED + Math.random().toString(36).slice(2, 12);
  const granted = readFileSync(join('ops', 'grants.sql'), 'utf8').replaceAll('order_hub@', `${user}@`);
  const root = await enterAsRoot(database.url);
  await root.query(`CREATE USER ${user}@'%' IDENTIFIED BY '${PASSWORD}'`);
  for (const statement of statementsIn(granted)) await root.query(statement);
  const url = Object.assign(new URL(database.url), { username: user, password: PASSWORD });
  return {
    database: { url: url.href, drop: () => database.drop() },
    async drop() {
      await root.query(`DROP USER ${user}@'%'`);
      await root.end();
    },
  };
}

/** Throwaway servers have a root without a password; elsewhere the tests' own account must be able to give rights. */
async function enterAsRoot(url: string): Promise<mysql.Connection> {
  const asRoot = Object.assign(new URL(url), { username: 'root', password: '' });
  return mysql.createConnection(asRoot.href).catch(() => mysql.createConnection(url));
}

function statementsIn(script: string): string[] {
  const sql = script.replaceAll(/^--.*$/gm, '');
  return sql.split(';').flatMap((statement) => statement.trim() || []);
}
