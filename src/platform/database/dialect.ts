import type { DataSource, DataSourceOptions, QueryRunner } from 'typeorm';
import type { EmbeddedFile } from './embedded.file.js';
import type { InCondition } from './in.condition.js';

/**
 * Rows to insert into a table, or with `change` existing rows to find by their key and update in these columns; with `orInsert` those
 * that do not exist are inserted.
 */
export interface Write {
  table: string;
  columns: readonly string[];
  rows: readonly (readonly unknown[])[];
  change?: { key: readonly string[]; columns: readonly string[]; orInsert?: true };
}

export type SharedOptions = Pick<
  DataSourceOptions,
  'entities' | 'migrations' | 'namingStrategy' | 'logging' | 'synchronize'
>;

/** What the connections of one database have besides. */
export interface OwnOptions {
  /** Of a server, besides those of the dialect. */
  sessionVariables?: readonly string[];
  /** Of an embedded database. */
  file?: EmbeddedFile | undefined;
}

/** What each connection is opened with. Connections of the reader are read-only. */
export interface ConnectionOptions {
  writer: DataSourceOptions;
  reader: DataSourceOptions;
  /** Without time limits. Where it is missing, the writer migrates. */
  migrator?: DataSourceOptions;
}

/** Everything in which the supported databases differ. */
export interface Dialect {
  readonly name: 'sqlite' | 'mariadb' | 'mysql';
  /** One transaction at a time: the driver has a single connection for writing, on which transactions would nest. */
  readonly singleWriter: boolean;
  /** Ends a SELECT to lock its rows until the transaction ends. */
  readonly forUpdate: string;
  /** The same for those rows only that no other transaction holds. The embedded database has no locks on rows. */
  readonly forUpdateSkipLocked: string;
  /** Column types and table options for migrations. */
  readonly ddl: {
    text(characters: number): string;
    longText: string;
    integer: string;
    serial: string;
    /** Quotes a name: TypeORM finds foreign keys and generated columns of the embedded database by their quotes. */
    quote(name: string): string;
    table: string;
    /** For a table stored in the order of its primary key. */
    clustered: string;
  };
  /** The collation of every text column and the engine of every table, on a server. */
  readonly collation?: string;
  readonly engine?: string;
  /** Select what the database has: `FoundColumn` and `FoundKey` of schema.check.ts. */
  readonly columnsSql: string;
  readonly uniqueKeysSql: string;
  readonly inCondition: InCondition;
  /** One statement for any number of rows, and its parameters. */
  write(write: Write): [sql: string, parameters: unknown[]];
  /** Violates a unique key. */
  isDuplicate(error: unknown): boolean;
  /** The transaction lost a race and was rolled back; all of it can be retried. */
  isConflict(error: unknown): boolean;
  /** Connection error, or the server is temporarily unavailable. */
  isUnreachable(error: unknown): boolean;
  /** A statement waited in vain for a lock, or, if its transaction `wasInterrupted`, was ended by that. */
  isLockWait(error: unknown, wasInterrupted: boolean): boolean;
  /** The statement with which another connection interrupts what this one executes, where that is possible. */
  interruptionOf(runner: QueryRunner): string | undefined;
  /** Begins a transaction that stays open, whatever fails in it, until it is committed or rolled back. */
  begin(runner: QueryRunner): Promise<void>;
  /** Restores the connection's state after a transaction. */
  end(runner: QueryRunner): void;
  /** Rolls back a transaction that failed with this error. */
  rollback(runner: QueryRunner, error: unknown): Promise<void>;
  connectionOptions(url: string, shared: SharedOptions, own?: OwnOptions): ConnectionOptions;
  /** Selects the server's clock as `now`, in epoch milliseconds. */
  readonly clock?: string;
  /** Throws one sentence that names each setting of the server or the session with which the hub cannot work. */
  verify?(dataSource: DataSource, role: keyof ConnectionOptions): Promise<void>;
  /** Selects settings, as `setting` and `value`, with which a power cut loses acknowledged commits; each must be 1. */
  readonly unsafeSettings?: string;
}

/** `a = …, b = …` with a value for each column. */
export function assignments(columns: readonly string[], value: (column: string) => string): string {
  return columns.map((column) => `${column} = ${value(column)}`).join(', ');
}
