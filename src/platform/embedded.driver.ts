import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';

/**
 * A prepared statement as TypeORM's driver for embedded databases expects it: `reader` tells whether it gives rows. The
 * package looks a name up anew for each value that it puts into an object. So rows come as lists of values and become objects here,
 * and what writes rows makes no object for each: together an eighth of what a batch costs.
 */
class Statement {
  readonly reader: boolean;
  private readonly names: readonly string[];

  constructor(private readonly statement: StatementSyncInstance) {
    this.names = statement.columns().map(({ name }) => name);
    this.reader = this.names.length > 0;
    statement.setReturnArrays(true);
  }

  all(...parameters: unknown[]): unknown[] {
    const rows = this.statement.all(...parameters) as unknown[][];
    return rows.map((values) => this.rowOf(values));
  }

  /** Parameters that are lists are rows: the statement runs for each. */
  run(...parameters: unknown[]): unknown {
    if (!Array.isArray(parameters[0])) return this.statement.run(...parameters);
    // Other than `run`, `get` tells nothing of what was written.
    for (const row of parameters as unknown[][]) this.statement.get(...row);
    return { changes: parameters.length };
  }

  private rowOf(values: readonly unknown[]): Record<string, unknown> {
    const row: Record<string, unknown> = {};
    this.names.forEach((name, column) => {
      row[name] = values[column];
    });
    return row;
  }
}

/**
 * The embedded database behind TypeORM's `better-sqlite3` type. This package ships its binaries inside npm packages, so
 * that a fresh clone needs neither a compiler nor a download; this class passes on what TypeORM calls.
 */
export class EmbeddedDatabase {
  private readonly database: DatabaseSyncInstance;

  constructor(file: string, options: { timeout?: number }) {
    this.database = new DatabaseSync(file, { timeout: options.timeout ?? 5_000 });
  }

  prepare(sql: string): Statement {
    return new Statement(this.database.prepare(sql));
  }

  exec(sql: string): void {
    this.database.exec(sql);
  }

  pragma(source: string): unknown {
    return this.database.prepare(`PRAGMA ${source}`).all();
  }

  close(): void {
    this.database.close();
  }
}

/** Another connection has what this one wants. */
export function isLocked(error: unknown): boolean {
  return /database is locked/.test((error as Error | undefined)?.message ?? '');
}

/**
 * Takes the embedded database's file for this process alone, and gives the way to let it go. The lock is the operating
 * system's: it ends with the process, however that ends.
 */
export function claimFile(url: string): () => void {
  const file = url.slice('sqlite:'.length);
  mkdirSync(dirname(file), { recursive: true });
  const lock = new EmbeddedDatabase(`${file}.lock`, { timeout: 0 });
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (!isLocked(error)) throw error;
    throw new Error(
      `Another hub is using ${file}. One process can use an embedded database; several need MySQL or MariaDB (DATABASE_URL).`,
    );
  }
  return () => lock.close();
}
