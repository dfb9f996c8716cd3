import { setTimeout as sleep } from 'node:timers/promises';
import {
  DataSource,
  type DataSourceOptions,
  DefaultNamingStrategy,
  type EntityManager,
  type EntitySchema,
} from 'typeorm';
import { v4 as uuid } from 'uuid';
import { HubError } from '../../contract/errors.js';
import { DatabaseInfo } from './database.info.entity.js';
import type { ConnectionOptions, Dialect } from './dialect.js';
import { dialectOf } from './dialect.resolver.js';
import { explained } from './driver.errors.js';
import { EmbeddedFile } from './embedded.file.js';
import { type RetryCause, retryCauseOf } from './error.causes.js';
import { LockWaitError } from './lock.patience.js';
import { migrations } from './migrations/all.js';
import { checkSchema } from './schema.check.js';
import { adaptColumns, migrate } from './schema.js';
import { findRefusal } from './schema.version.js';
import { failoversOf, type PoolStats, poolStatsOf } from './server.driver.js';
import { retryUntil, TransactionRunner, type Tx, UNREACHABLE_BACKOFF_MS } from './transaction.runner.js';
import { UserTransactions } from './user.transactions.js';

export type { Tx };

const ATTEMPTS_MAX = 5;
const BACKOFF_MS = 10;
/**
 * No attempt begins later than this, because the caller is answered within `ANSWER_TIMEOUT_MS`. A lock wait of one second
 * (`server.dialect.ts`) can last nearly two, since InnoDB checks its waiters once a second, and locks that are requested together are
 * waited for one after another.
 */
const LAST_ATTEMPT_AFTER_MS = 2_500;

class SnakeCase extends DefaultNamingStrategy {
  override columnName(propertyName: string, customName: string | undefined): string {
    return customName ?? propertyName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  }
}

interface TransactionOptions {
  /** The user for whom it writes, outside of the batches, which have their own queue. */
  userId?: string;
  /** Which errors, besides lost races, a new attempt may resolve. */
  retry?: (error: unknown) => boolean;
  /** The error to throw when a unique key that the work inserts exists already. */
  onDuplicate?: HubError;
  /** Finds out whether a COMMIT whose answer was lost took effect. Without it, such a transaction is not retried. */
  wasCommitted?: () => Promise<boolean>;
  /**
   * How long an attempt may take until its COMMIT, in milliseconds. A lock wait then ends it with a `LockWaitError`, and is not
   * retried. The embedded database has no locks on rows, and no such limit.
   */
  patienceMs?: number;
}

/**
 * The database as features see it: `read` and injected repositories for what needs no transaction, `transaction` for all that
 * writes. The embedded database has one connection for transactions, which therefore run one after another.
 */
export class Database {
  private readonly attempts: TransactionRunner;
  private readonly forUsers = new UserTransactions();
  private lastTransaction: Promise<unknown> = Promise.resolve();
  /** Transactions of the embedded database that run or wait. */
  private pendingTransactions = 0;
  private reportRetry: (cause: RetryCause) => void = () => {};
  /** Why this hub may no longer use the database. */
  private refusal: string | undefined;

  private constructor(
    readonly dialect: Dialect,
    readonly writer: DataSource,
    /** Read-only on every database. Injected repositories belong to it. */
    readonly reader: DataSource,
    /** The embedded database's. */
    private readonly file: EmbeddedFile | undefined,
  ) {
    this.attempts = new TransactionRunner(dialect, writer, reader);
  }

  /** Connects, and brings the schema up to date. */
  static async open(url: string, entities: (Function | string | EntitySchema)[]): Promise<Database> {
    const dialect = await dialectOf(url);
    const file = dialect.singleWriter ? EmbeddedFile.open(url) : undefined;
    const shared = {
      entities: [DatabaseInfo, ...entities],
      migrations: migrations(dialect),
      namingStrategy: new SnakeCase(),
      logging: false,
      synchronize: false,
    };
    const options = dialect.connectionOptions(url, shared, { file });
    const opened: DataSource[] = [];
    const connect = async (role: keyof ConnectionOptions, to: DataSourceOptions): Promise<DataSource> => {
      const dataSource = await new DataSource(to).initialize();
      opened.push(dataSource);
      adaptColumns(dialect, dataSource);
      await dialect.verify?.(dataSource, role);
      return dataSource;
    };
    try {
      const writer = await connect('writer', options.writer);
      const migrator = options.migrator ? await connect('migrator', options.migrator) : writer;
      await migrate(dialect, writer, migrator);
      if (migrator !== writer) await migrator.destroy();
      await checkSchema(dialect, writer);
      const reader = await connect('reader', options.reader);
      file?.start();
      const database = new Database(dialect, writer, reader, file);
      await database.tryWrite();
      return database;
    } catch (error) {
      for (const dataSource of opened) if (dataSource.isInitialized) await dataSource.destroy().catch(() => {});
      file?.close();
      throw explained(file?.explain(error) ?? error);
    }
  }

  /** Reads the latest committed state, outside of any transaction. */
  get read(): EntityManager {
    return this.reader.manager;
  }

  /**
   * Runs the work in one transaction, all or nothing, and all of it again if it loses a race. Statements that are given
   * together are sent together and executed in that order; if one fails, so does the work. Throws `UNAVAILABLE` when the
   * database cannot be reached or every attempt has lost.
   */
  async transaction<T>(work: (tx: Tx) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    if (this.refusal !== undefined) throw new HubError('UNAVAILABLE');
    const { userId, retry, onDuplicate, wasCommitted, patienceMs } = options;
    const lastBegin = performance.now() + LAST_ATTEMPT_AFTER_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        const run = () =>
          this.serialize(() =>
            this.attempts.run(work, patienceMs, wasCommitted && (() => retryUntil(lastBegin, wasCommitted))),
          );
        // The embedded database runs all transactions one after another in any case.
        const isFree = userId === undefined || this.dialect.singleWriter;
        return await (isFree ? run() : this.forUsers.run(userId, run));
      } catch (error) {
        const isUnreachable = this.dialect.isUnreachable(error);
        const lost = this.dialect.isConflict(error) || (retry?.(error) ?? false);
        // A lost connection says nothing about the outcome; only work that can find it out may be run again. A file that cannot be
        // written now is not waited for.
        const again = lost || (isUnreachable && wasCommitted !== undefined && !this.dialect.singleWriter);
        const backoffMs = Math.random() * (isUnreachable ? UNREACHABLE_BACKOFF_MS : BACKOFF_MS) * 2 ** attempt;
        // After a lock wait it is for the caller to run the work again, or its parts.
        if (error instanceof LockWaitError) this.reportRetry('lock-wait');
        if (again && attempt < ATTEMPTS_MAX && performance.now() + backoffMs < lastBegin) {
          this.reportRetry(retryCauseOf(error, this.dialect));
          await sleep(backoffMs);
          continue;
        }
        if (again || isUnreachable) throw Object.assign(new HubError('UNAVAILABLE'), { cause: error });
        if (onDuplicate && this.dialect.isDuplicate(error)) throw onDuplicate;
        throw error;
      }
    }
  }

  /** Calls the listener whenever a transaction is run again. */
  onRetry(listener: (cause: RetryCause) => void): void {
    this.reportRetry = listener;
  }

  /** How often the hub has moved from one of several hosts to another. */
  get failovers(): number {
    return this.dialect.singleWriter ? 0 : failoversOf(this.writer);
  }

  /** Why this hub may no longer use the database, if a newer hub has upgraded it meanwhile. From then on nothing is written. */
  async findRefusal(): Promise<string | undefined> {
    this.refusal ??= await findRefusal(this.reader);
    return this.refusal;
  }

  /**
   * Does what commands need: a write on the writer, undone in its own transaction, and a COMMIT, which is where a cluster without
   * quorum or a full disk refuses. Throws the database's error, or why this hub may not use it any more.
   */
  async tryWrite(): Promise<void> {
    if (this.refusal !== undefined) throw new Error(this.refusal);
    await this.checkFile();
    const nodeId = uuid();
    await this.serialize(() =>
      this.attempts.run(async (tx) => {
        await Promise.all([
          tx.query("INSERT INTO hub_batches (node_id, batch_no, rooms, at) VALUES (?, 0, '[]', 0)", [nodeId]),
          tx.query('DELETE FROM hub_batches WHERE node_id = ?', [nodeId]),
        ]);
      }),
    );
  }

  /** Throws unless the files of an embedded database are in place and can be written. */
  async checkFile(): Promise<void> {
    await this.file?.probe(async (statements) => {
      await this.transaction(async (tx) => {
        for (const statement of statements) await tx.query(statement);
      });
    });
  }

  /** The database's clock, in epoch milliseconds: that of this machine where the database is a file. */
  async time(): Promise<number> {
    const { clock } = this.dialect;
    if (clock === undefined) return Date.now();
    const [row]: { now: number }[] = await this.read.query(clock);
    return Number(row?.now);
  }

  /** Connections in use and free, of both pools, and callers that wait for one. */
  get poolStats(): PoolStats {
    if (!this.dialect.singleWriter) {
      const [writer, reader] = [poolStatsOf(this.writer), poolStatsOf(this.reader)];
      return {
        used: writer.used + reader.used,
        free: writer.free + reader.free,
        waiting: writer.waiting + reader.waiting,
      };
    }
    const used = Math.min(this.pendingTransactions, 1);
    return { used, free: 1 - used, waiting: this.pendingTransactions - used };
  }

  /** Server settings with which a power cut could undo acknowledged commits; each must be 1. */
  async unsafeSettings(): Promise<{ setting: string; value: number }[]> {
    const { unsafeSettings } = this.dialect;
    return unsafeSettings === undefined ? [] : this.read.query(unsafeSettings);
  }

  async close(): Promise<void> {
    await this.lastTransaction;
    this.file?.finish();
    // TypeORM's module destroys the reader itself: that is the data source it was given.
    for (const dataSource of [this.reader, this.writer]) if (dataSource.isInitialized) await dataSource.destroy();
    this.file?.close();
  }

  private serialize<T>(work: () => Promise<T>): Promise<T> {
    if (!this.dialect.singleWriter) return work();
    this.pendingTransactions++;
    const result = this.lastTransaction.then(work).finally(() => this.pendingTransactions--);
    this.lastTransaction = result.catch(() => {});
    return result;
  }
}

/** The values in their order, in lists of at most `size`. */
export function chunks<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}
