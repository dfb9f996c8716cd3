import { DatabaseSync } from '@photostructure/sqlite';
import mysql from 'mysql2/promise';
import type { Books } from './audit.js';
import type { TestDatabase } from './test.database.js';

const ANSWER_WITHIN_MS = 10_000;

type Rows = (sql: string, parameters: unknown[]) => Promise<unknown[]>;

/**
 * A test's own way into a database, beside the hubs: sees what is committed, and cannot change it. It survives that the
 * server goes away: a read meanwhile throws, and the next one connects anew.
 */
export class DatabaseReader implements Books {
  private connection: Promise<mysql.Connection> | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly database: Pick<TestDatabase, 'url'>) {}

  rows<Row = Record<string, unknown>>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.snapshot((books) => books.rows<Row>(sql, parameters));
  }

  /** All that the work reads is of one moment. Snapshots take turns. */
  snapshot<T>(work: (books: Books) => Promise<T>): Promise<T> {
    const { url } = this.database;
    const look = () => (url.startsWith('sqlite:') ? lookIntoFile(url, work) : this.lookIntoServer(work));
    const result = this.turn.then(look);
    this.turn = result.catch(() => {});
    return result;
  }

  async close(): Promise<void> {
    await this.turn;
    const connection = await this.connection?.catch(() => undefined);
    this.connection = undefined;
    connection?.destroy();
  }

  private async lookIntoServer<T>(work: (books: Books) => Promise<T>): Promise<T> {
    this.connection ??= connect(this.database.url);
    let connection: mysql.Connection | undefined;
    try {
      const own = await this.connection;
      connection = own;
      const rows: Rows = async (sql, values) => {
        const [found] = await own.query({ sql, values, timeout: ANSWER_WITHIN_MS });
        return found as unknown[];
      };
      await rows('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY', []);
      const result = await work(booksOf(rows));
      await rows('COMMIT', []);
      return result;
    } catch (error) {
      this.connection = undefined;
      connection?.destroy();
      throw error;
    }
  }
}

function booksOf(rows: Rows): Books {
  return { rows: async <Row>(sql: string, parameters: unknown[] = []) => (await rows(sql, parameters)) as Row[] };
}

async function connect(url: string): Promise<mysql.Connection> {
  const connection = await mysql.createConnection({
    uri: url,
    supportBigNumbers: true,
    bigNumberStrings: false,
    decimalNumbers: true,
    connectTimeout: ANSWER_WITHIN_MS,
  });
  // What happens to a connection that nobody reads from is told by the next read.
  connection.on('error', () => {});
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  return connection;
}

/** Opened for each look and closed after it, so that a hub that was killed finds the file as it left it. */
async function lookIntoFile<T>(url: string, work: (books: Books) => Promise<T>): Promise<T> {
  const file = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true, timeout: ANSWER_WITHIN_MS });
  try {
    file.exec('BEGIN');
    return await work(booksOf(async (sql, values) => file.prepare(sql).all(...values)));
  } finally {
    // What is closed lives on until its statements are collected, and its snapshot would keep the log from being emptied.
    if (file.isTransaction) file.exec('ROLLBACK');
    file.close();
  }
}
