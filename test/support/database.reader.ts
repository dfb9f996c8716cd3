import { DatabaseSync } from '@photostructure/sqlite';
import mysql from 'mysql2/promise';
import { CLUSTER_VARIABLES_SQL, causalReads } from '../../src/platform/database/causal.reads.js';
import type { Books } from './audit.js';
import type { TestDatabase } from './test.database.js';

const ANSWER_WITHIN_MS = 10_000;

type Rows = (sql: string, parameters: unknown[]) => Promise<unknown[]>;

/**
 * A read-only connection to a hub's database that sees committed rows. When the server goes down, reads throw and the next one
 * reconnects.
 */
export class DatabaseReader implements Books {
  private connection: Promise<mysql.Connection> | undefined;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly database: Pick<TestDatabase, 'url'>) {}

  rows<Row = Record<string, unknown>>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.snapshot((books) => books.rows<Row>(sql, parameters));
  }

  /** Runs the work in one consistent snapshot. Snapshots run one at a time. */
  snapshot<T>(work: (books: Books) => Promise<T>): Promise<T> {
    const { url } = this.database;
    const read = () => (url.startsWith('sqlite:') ? readFile(url, work) : this.readServer(work));
    const result = this.queue.then(read);
    this.queue = result.catch(() => {});
    return result;
  }

  async close(): Promise<void> {
    await this.queue;
    const connection = await this.connection?.catch(() => undefined);
    this.connection = undefined;
    connection?.destroy();
  }

  private async readServer<T>(work: (books: Books) => Promise<T>): Promise<T> {
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
      const result = await work(viewOf(rows));
      await rows('COMMIT', []);
      return result;
    } catch (error) {
      this.connection = undefined;
      connection?.destroy();
      throw error;
    }
  }
}

function viewOf(rows: Rows): Books {
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
  // An error on an idle connection surfaces at the next read.
  connection.on('error', () => {});
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  // At a node of a cluster that is a moment behind, what a client knows already would not be committed.
  const [found] = await connection.query<mysql.RowDataPacket[]>(CLUSTER_VARIABLES_SQL);
  const variables = new Map(found.map(({ Variable_name: name, Value: value }) => [String(name), String(value)]));
  for (const variable of causalReads(variables)) await connection.query(`SET SESSION ${variable}`);
  return connection;
}

/** Opens and closes the file for each snapshot, so that a killed hub finds it as it left it. */
async function readFile<T>(url: string, work: (books: Books) => Promise<T>): Promise<T> {
  const file = new DatabaseSync(url.slice('sqlite:'.length), { readOnly: true, timeout: ANSWER_WITHIN_MS });
  try {
    file.exec('BEGIN');
    return await work(viewOf(async (sql, values) => file.prepare(sql).all(...values)));
  } finally {
    // A closed handle lives on until its statements are garbage-collected; an open snapshot would block WAL checkpoints.
    if (file.isTransaction) file.exec('ROLLBACK');
    file.close();
  }
}
