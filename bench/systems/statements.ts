import process from 'node:process';
import mysql, { type ResultSetHeader, type RowDataPacket } from 'mysql2/promise';
import { EmbeddedDatabase } from '../../src/platform/database/embedded.driver.js';
import { POOL_SIZE } from '../../src/platform/database/server.driver.js';

export type Value = string | number | null;
export interface Answer {
  rows: Record<string, unknown>[];
  /** Affected rows. */
  written: number;
}
export type Run = (sql: string, values: Value[]) => Promise<Answer>;

/** Transactions of prepared statements directly on the driver, with a pool as large as the hub's. */
export interface Statements {
  forUpdate: string;
  transaction<T>(work: (run: Run) => Promise<T>): Promise<T>;
}

export function openStatements(url = process.env.DATABASE_URL ?? ''): Statements {
  return url.startsWith('sqlite:') ? embedded(url.slice('sqlite:'.length)) : onServer(url);
}

function onServer(url: string): Statements {
  const pool = mysql.createPool({ uri: url, connectionLimit: POOL_SIZE, charset: 'utf8mb4', timezone: 'Z' });
  pool.pool.on('connection', (connection) =>
    connection.query("SET SESSION transaction_isolation = 'READ-COMMITTED'", () => {}),
  );
  return {
    forUpdate: ' FOR UPDATE',
    async transaction(work) {
      const connection = await pool.getConnection();
      try {
        await connection.beginTransaction();
        const result = await work(async (sql, values) => {
          const [result] = await connection.execute<RowDataPacket[] | ResultSetHeader>(sql, values);
          return Array.isArray(result) ? { rows: result, written: 0 } : { rows: [], written: result.affectedRows };
        });
        await connection.commit();
        return result;
      } catch (error) {
        await connection.rollback();
        throw error;
      } finally {
        connection.release();
      }
    },
  };
}

function embedded(file: string): Statements {
  const database = new EmbeddedDatabase(file, {});
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL']) database.pragma(pragma);
  const prepared = new Map<string, ReturnType<EmbeddedDatabase['prepare']>>();
  const run: Run = async (sql, values) => {
    const statement = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, statement);
    if (statement.reader) return { rows: statement.all(...values) as Answer['rows'], written: 0 };
    return { rows: [], written: Number((statement.run(...values) as { changes: number }).changes) };
  };
  let previous: Promise<unknown> = Promise.resolve();
  return {
    forUpdate: '',
    transaction(work) {
      const result = previous.then(async () => {
        await run('BEGIN IMMEDIATE', []);
        try {
          const value = await work(run);
          await run('COMMIT', []);
          return value;
        } catch (error) {
          await run('ROLLBACK', []);
          throw error;
        }
      });
      previous = result.catch(() => {});
      return result;
    },
  };
}
