import { setTimeout as sleep } from 'node:timers/promises';
import {
  DataSource,
  type DataSourceOptions,
  DefaultNamingStrategy,
  type EntityManager,
  type EntitySchema,
  type MixedList,
  type QueryRunner,
} from 'typeorm';
import { Refusal } from '../contract/errors.js';
import { type Dialect, dataSourceOptions, dialectOf } from './dialect.js';
import { claimFile } from './embedded.driver.js';
import { migrations } from './migrations/all.js';
import { adaptColumns, migrate } from './schema.js';
import { type Connections, connectionsOf } from './server.driver.js';

/** What a piece of work writes and reads through inside one transaction. */
export type Tx = EntityManager;

const ATTEMPTS_MAX = 5;
const BACKOFF_MS = 10;
/** A server that is away needs longer than a lost race. */
const AWAY_BACKOFF_MS = 100;
/**
 * No attempt begins after this: what waits for the answer has its deadline, and is told that nothing was done. A wait for a
 * lock that may last one second (`dialect.ts`) lasts nearly two: InnoDB looks at those who wait once a second. Locks that
 * were asked for together are waited for one after another, also behind one that was not had.
 */
const ATTEMPTS_BEGIN_WITHIN_MS = 2_500;

class SnakeCase extends DefaultNamingStrategy {
  override columnName(propertyName: string, customName: string | undefined): string {
    return customName ?? propertyName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  }
}

interface TransactionOptions {
  /** Which errors, besides lost races, a new attempt can mend. */
  retry?: (error: unknown) => boolean;
  /** What to refuse with when a unique key that the work inserts is taken. */
  taken?: Refusal;
  /** Finds out whether a COMMIT whose answer was lost took effect. Without it, such a transaction is not run again. */
  wasCommitted?: () => Promise<boolean>;
}

/**
 * The database, as features see it: `read` for what needs no transaction, `transaction` for all that writes.
 * On the embedded database all transactions take turns on one connection, and reads go through another that cannot write.
 */
export class Database {
  private turn: Promise<unknown> = Promise.resolve();
  /** Transactions of the embedded database that are in or before their turn. */
  private turns = 0;

  private constructor(
    readonly dialect: Dialect,
    readonly writer: DataSource,
    private readonly reader: DataSource,
    private readonly letGo: () => void,
  ) {}

  /** Connects, and brings the schema up to date. */
  static async open(url: string, entities: MixedList<Function | string | EntitySchema>): Promise<Database> {
    const dialect = await dialectOf(url);
    const letGo = dialect.singleWriter ? claimFile(url) : () => {};
    const shared = {
      entities,
      migrations: migrations(dialect),
      namingStrategy: new SnakeCase(),
      logging: false,
      synchronize: false,
    };
    const options = dataSourceOptions(dialect, url, shared);
    const opened: DataSource[] = [];
    const connect = async (to: DataSourceOptions): Promise<DataSource> => {
      const dataSource = await new DataSource(to).initialize();
      opened.push(dataSource);
      adaptColumns(dialect, dataSource);
      return dataSource;
    };
    try {
      const writer = await connect(options.writer);
      const migrator = options.migrator ? await connect(options.migrator) : writer;
      await migrate(dialect, migrator);
      if (migrator !== writer) await migrator.destroy();
      const reader = options.reader ? await connect(options.reader) : writer;
      return new Database(dialect, writer, reader, letGo);
    } catch (error) {
      for (const dataSource of opened) if (dataSource.isInitialized) await dataSource.destroy().catch(() => {});
      letGo();
      throw error;
    }
  }

  /** Reads the latest committed state, outside of any transaction. */
  get read(): EntityManager {
    return this.reader.manager;
  }

  /**
   * All or nothing: runs the work in one transaction, and the whole of it again if it loses a race. Statements that are given
   * together are on their way together, and are done in that order; if one fails, so does the work.
   */
  async transaction<T>(work: (tx: Tx) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const { retry, taken, wasCommitted } = options;
    const lastBegin = Date.now() + ATTEMPTS_BEGIN_WITHIN_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.inTurn(() =>
          this.attempt(work, wasCommitted && (() => this.patiently(wasCommitted, lastBegin))),
        );
      } catch (error) {
        const isAway = this.dialect.isUnreachable(error);
        const lost = this.dialect.isConflict(error) || (retry?.(error) ?? false);
        // A lost connection says nothing of the outcome; only work that can find it out may be run again.
        const again = lost || (isAway && wasCommitted !== undefined);
        const pauseMs = Math.random() * (isAway ? AWAY_BACKOFF_MS : BACKOFF_MS) * 2 ** attempt;
        if (again && attempt < ATTEMPTS_MAX && Date.now() + pauseMs < lastBegin) {
          await sleep(pauseMs);
          continue;
        }
        if (again || isAway) throw new Refusal('UNAVAILABLE');
        if (taken && this.dialect.isDuplicate(error)) throw taken;
        throw error;
      }
    }
  }

  /** Throws unless the database answers. */
  async ping(): Promise<void> {
    await this.read.query('SELECT 1');
  }

  /** The connections for transactions: how many are in use and free, and how many pieces of work wait for one. */
  get connections(): Connections {
    if (!this.dialect.singleWriter) return connectionsOf(this.writer);
    const used = Math.min(this.turns, 1);
    return { used, free: 1 - used, waiting: this.turns - used };
  }

  /** What is set at the server so that a power cut could undo what was acknowledged: it must be 1. */
  async unsafeSettings(): Promise<{ setting: string; value: number }[]> {
    const { unsafeSettings } = this.dialect;
    return unsafeSettings === undefined ? [] : this.read.query(unsafeSettings);
  }

  async close(): Promise<void> {
    await this.turn;
    if (this.reader !== this.writer) await this.reader.destroy();
    await this.writer.destroy();
    this.letGo();
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (!this.dialect.singleWriter) return work();
    this.turns++;
    const result = this.turn.then(work).finally(() => this.turns--);
    this.turn = result.catch(() => {});
    return result;
  }

  private async attempt<T>(work: (tx: Tx) => Promise<T>, wasCommitted?: () => Promise<boolean>): Promise<T> {
    const runner = this.writer.createQueryRunner();
    try {
      await this.dialect.begin(runner);
      const result = await work(runner.manager);
      await this.commit(runner, wasCommitted);
      return result;
    } catch (error) {
      // Always: after a lock wait timeout only the last statement was undone, and a COMMIT would keep half of the work.
      await this.dialect.undo(runner, error);
      throw error;
    } finally {
      this.dialect.end(runner);
      await runner.release().catch(() => {});
    }
  }

  private async commit(runner: QueryRunner, wasCommitted?: () => Promise<boolean>): Promise<void> {
    try {
      await runner.commitTransaction();
    } catch (error) {
      // Whatever a server or a proxy says of it, but that it lost a race.
      const isUnknown = !this.dialect.singleWriter && !this.dialect.isConflict(error);
      if (isUnknown && (await wasCommitted?.())) return;
      throw error;
    }
  }

  /** Asks again while the database is away: it comes back with the answer. */
  private async patiently(ask: () => Promise<boolean>, until: number): Promise<boolean> {
    for (;;) {
      try {
        return await ask();
      } catch {
        // Nobody may take what may have been done for something that was not.
        if (Date.now() + AWAY_BACKOFF_MS > until) throw new Refusal('UNAVAILABLE');
        await sleep(AWAY_BACKOFF_MS);
      }
    }
  }
}

/** These values in their order, so many at a time. */
export function chunks<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}
