import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import type { TestDatabase } from './test.database.js';

const PASSWORD = 'of-the-least-account';
const USER_PREFIX = 'least_';

/** A database account with the privileges of ops/grants.sql on this database, and no others. */
export interface LeastAccount {
  /** The same database, accessed with this account. */
  database: TestDatabase;
  drop(): Promise<void>;
}

/** Creates the account. The tables must exist already, because privileges are granted on each. */
export async function createLeastAccount(database: TestDatabase): Promise<LeastAccount> {
  const user = USER_PREFIX + Math.random().toString(36).slice(2, 12);
  const grants = readFileSync(join('ops', 'grants.sql'), 'utf8').replaceAll('order_hub@', `${user}@`);
  const root = await connectAsRoot(database.url);
  await root.query(`CREATE USER ${user}@'%' IDENTIFIED BY '${PASSWORD}'`);
  for (const statement of statementsIn(grants)) await root.query(statement);
  const url = Object.assign(new URL(database.url), { username: user, password: PASSWORD });
  return {
    database: { url: url.href, drop: () => database.drop() },
    async drop() {
      await root.query(`DROP USER ${user}@'%'`);
      await root.end();
    },
  };
}

/** Throwaway servers have a root without a password; elsewhere the tests' account must be able to grant privileges. */
async function connectAsRoot(url: string): Promise<mysql.Connection> {
  const asRoot = Object.assign(new URL(url), { username: 'root', password: '' });
  return mysql.createConnection(asRoot.href).catch(() => mysql.createConnection(url));
}

function statementsIn(script: string): string[] {
  const sql = script.replaceAll(/^--.*$/gm, '');
  return sql.split(';').flatMap((statement) => statement.trim() || []);
}
