import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { HubError } from '../../contract/errors.js';
import type { Dialect } from './dialect.js';
import { statementOf } from './driver.errors.js';
import { LockPatience, LockWaitError } from './lock.patience.js';

/** The connection of one transaction. Whatever writes is given one. */
export type Tx = EntityManager;

/** A server that is down needs longer than a lost race. */
export const UNREACHABLE_BACKOFF_MS = 100;

/** Runs work in a transaction of its own connection: all of it, or nothing. */
export class TransactionRunner {
  constructor(
    private readonly dialect: Dialect,
    private readonly writer: DataSource,
    private readonly reader: DataSource,
  ) {}

  /**
   * One attempt. A lock wait of more than `patienceMs` ends it with a `LockWaitError`; `wasCommitted` finds out about a COMMIT whose
   * answer was lost.
   */
  async run<T>(work: (tx: Tx) => Promise<T>, patienceMs?: number, wasCommitted?: () => Promise<boolean>): Promise<T> {
    const runner = this.writer.createQueryRunner();
    let patience: LockPatience | undefined;
    try {
      await this.dialect.begin(runner);
      patience = this.patienceOf(runner, patienceMs);
      const result = await work(runner.manager);
      await patience?.end();
      await this.commit(runner, wasCommitted);
      return result;
    } catch (thrown) {
      const error = this.errorOf(thrown, patience);
      // Always: a lock wait timeout undoes the last statement only, and a COMMIT would keep half of the work.
      await this.dialect.rollback(runner, error);
      const ended = patience?.end();
      if (!this.dialect.isUnreachable(error)) await ended;
      throw error;
    } finally {
      this.dialect.end(runner);
      await runner.release().catch(() => {});
    }
  }

  private patienceOf(runner: QueryRunner, patienceMs: number | undefined): LockPatience | undefined {
    const interruption = patienceMs === undefined ? undefined : this.dialect.interruptionOf(runner);
    // On a connection of the reader: those of the writer may all be waiting.
    return interruption === undefined || patienceMs === undefined
      ? undefined
      : new LockPatience(() => this.reader.query(interruption), patienceMs);
  }

  private errorOf(error: unknown, patience: LockPatience | undefined): unknown {
    const isLockWait = patience !== undefined && this.dialect.isLockWait(error, patience.isExhausted);
    return isLockWait ? new LockWaitError(statementOf(error)) : error;
  }

  private async commit(runner: QueryRunner, wasCommitted?: () => Promise<boolean>): Promise<void> {
    try {
      await runner.commitTransaction();
    } catch (error) {
      // Any error of a COMMIT leaves its outcome unknown, unless it says that the transaction lost a race.
      const isUnknown = !this.dialect.singleWriter && !this.dialect.isConflict(error);
      if (isUnknown && (await wasCommitted?.())) return;
      throw error;
    }
  }
}

/** Asks until there is an answer, which comes once the database is back; `UNAVAILABLE` if that is too late. */
export async function retryUntil(deadline: number, ask: () => Promise<boolean>): Promise<boolean> {
  for (;;) {
    try {
      return await ask();
    } catch {
      // The outcome stays unknown: it must not count as not committed.
      if (performance.now() + UNREACHABLE_BACKOFF_MS > deadline) throw new HubError('UNAVAILABLE');
      await sleep(UNREACHABLE_BACKOFF_MS);
    }
  }
}
