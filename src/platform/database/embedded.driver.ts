import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';

/** Watches the files of a connection. */
export interface FileWatch {
  /** Throws if no statement may run now. */
  before(isCommit: boolean): void;
  /** Throws if what was just committed would not be there after a restart. */
  committed(): void;
  failed(error: unknown, connection: EmbeddedDatabase): void;
  /** Whether closing the connection would do damage. */
  readonly mustStayOpen: boolean;
}

type StatementRole = 'BEGIN' | 'COMMIT' | 'ROLLBACK' | undefined;

function roleOf(sql: string): StatementRole {
  if (sql.startsWith('BEGIN')) return 'BEGIN';
  return sql === 'COMMIT' || sql === 'ROLLBACK' ? sql : undefined;
}

/**
 * A prepared statement with the interface that TypeORM's `better-sqlite3` driver expects: `reader` is whether it returns rows.
 * Rows are read as arrays and turned into objects here, because the package looks up the column name of each value again, and
 * writes create no result object: together that saves an eighth of a batch's time.
 */
class Statement {
  readonly reader: boolean;
  private readonly columnNames: readonly string[];

  constructor(
    private readonly statement: StatementSyncInstance,
    private readonly connection: EmbeddedDatabase,
    private readonly role: StatementRole,
  ) {
    this.columnNames = statement.columns().map(({ name }) => name);
    this.reader = this.columnNames.length > 0;
    statement.setReturnArrays(true);
  }

  all(...parameters: unknown[]): unknown[] {
    const rows = this.watched(() => this.statement.all(...parameters) as unknown[][]);
    return rows.map((values) => this.rowOf(values));
  }

  /** Runs once, or for each of several rows, whose parameters are arrays. */
  run(...parameters: unknown[]): unknown {
    return this.watched(() => {
      if (!Array.isArray(parameters[0])) return this.statement.run(...parameters);
      // Unlike `run`, `get` creates no object with the changes.
      for (const row of parameters as unknown[][]) this.statement.get(...row);
      return { changes: parameters.length };
    });
  }

  private watched<T>(execute: () => T): T {
    const { watch } = this.connection;
    const isCommit = this.role === 'COMMIT';
    try {
      this.connection.before(this.role);
      watch?.before(isCommit);
      const result = execute();
      this.connection.after(this.role);
      if (isCommit) watch?.committed();
      return result;
    } catch (error) {
      this.connection.failed(error);
      watch?.failed(error, this.connection);
      throw error;
    }
  }

  private rowOf(values: readonly unknown[]): Record<string, unknown> {
    const row: Record<string, unknown> = {};
    this.columnNames.forEach((name, index) => {
      row[name] = values[index];
    });
    return row;
  }
}

/**
 * Adapts `@photostructure/sqlite` to what TypeORM's `better-sqlite3` driver calls. Unlike better-sqlite3 it ships its binaries
 * inside npm packages, so that a fresh clone needs neither a compiler nor a download.
 */
export class EmbeddedDatabase {
  private readonly database: DatabaseSyncInstance;
  watch: FileWatch | undefined;
  private isInTransaction = false;
  /** The error on which SQLite rolled the transaction back implicitly; cleared by the caller's own ROLLBACK or the next BEGIN. */
  private undoneBy: unknown;

  constructor(file: string, options: { timeout?: number }) {
    this.database = new DatabaseSync(file, { timeout: options.timeout ?? 5_000 });
  }

  prepare(sql: string): Statement {
    return new Statement(this.database.prepare(sql), this, roleOf(sql));
  }

  /** Throws for a statement of a transaction that is undone: outside of it, it would commit for itself. */
  before(role: StatementRole): void {
    if (role === 'BEGIN' || role === 'ROLLBACK') this.undoneBy = undefined;
    if (this.undoneBy !== undefined) throw this.undoneBy;
  }

  after(role: StatementRole): void {
    if (role !== undefined) this.isInTransaction = role === 'BEGIN';
  }

  /** On a full disk, an I/O error or lack of memory SQLite may roll back the whole transaction. */
  failed(error: unknown): void {
    if (!this.isInTransaction || this.database.isTransaction) return;
    this.isInTransaction = false;
    this.undoneBy ??= error;
  }

  exec(sql: string): void {
    this.database.exec(sql);
  }

  pragma(source: string): unknown {
    return this.database.prepare(`PRAGMA ${source}`).all();
  }

  close(): void {
    if (!this.watch?.mustStayOpen) this.database.close();
  }
}

/** Another connection holds the lock. */
export function isLocked(error: unknown): boolean {
  return /database is locked/.test((error as Error | undefined)?.message ?? '');
}
