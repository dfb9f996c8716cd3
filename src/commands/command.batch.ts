import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { HubError } from '../contract/errors.js';
import type { Answer } from '../contract/wire.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { LockWaitError } from '../platform/database/lock.patience.js';
import { type Phase, PhaseTimer } from '../platform/observability/phase.timer.js';
import { BatchLog } from '../rooms/batch.log.js';
import type { OrderClaim, StockAlert, StoreStatus, WalletState } from '../rooms/batch.record.js';
import { load } from './batch.loader.js';
import { type BatchMode, BatchPatience } from './batch.patience.js';
import { save } from './batch.writer.js';
import { execute } from './command.executor.js';
import type { Command } from './command.js';
import { CommandRegistry } from './command.registry.js';
import { HeldRows } from './held.rows.js';
import { type HandledCommand, namesOf, type RowName, suspectsOf } from './row.names.js';
import type { EventRow } from './rows.js';
import { type OrderPolicy, UnitOfWork } from './unit.of.work.js';

const NOT_DONE: Answer<never> = { ok: false, error: HubError.body('UNAVAILABLE') };

/** What a committed batch publishes: an answer to each command, in their order, and events, alerts, stores, claims and wallets for the parties. */
export interface BatchOutcome {
  batchNo: number;
  phases: readonly Phase[];
  answers: Answer<unknown>[];
  /** The commands of which nothing has happened, by their index, and what each needs that another client holds. */
  setAside: ReadonlyMap<number, RowName>;
  events: EventRow[];
  stockAlerts: StockAlert[];
  storeStatuses: StoreStatus[];
  claims: OrderClaim[];
  walletChanges: { at: number; wallets: readonly WalletState[] };
}

interface Attempt {
  handled: readonly HandledCommand[];
  mode: BatchMode;
  /** The rows of its last transaction. */
  unit: UnitOfWork;
}

/** Executes commands together in one transaction: load what they need, decide one after another, save what changed. */
@Injectable()
export class CommandBatch {
  private batchNo = 0;
  private readonly policy: OrderPolicy;
  private readonly patience = new BatchPatience();

  constructor(
    private readonly database: Database,
    private readonly batchLog: BatchLog,
    private readonly registry: CommandRegistry,
    private readonly clock: Clock,
    private readonly held: HeldRows,
    @Inject(CONFIG) config: Config,
  ) {
    this.policy = {
      unpaidTtlMs: config.unpaidTtlSeconds * 1_000,
      autoReceiveMs: config.autoReceiveSeconds * 1_000,
      settleAt: config.settleAt,
      payments: config.payments,
      shipWithinMs: config.shipWithinSeconds * 1_000,
      needsAddress: config.storesNeedAddress,
    };
  }

  /** Whether a database server does the work, which leaves this thread free while a batch runs. */
  get isRemote(): boolean {
    return !this.database.dialect.singleWriter;
  }

  /**
   * Runs the commands, and leaves those out that need what another client holds. Throws a `LockWaitError` when one of several
   * commands cannot be written: only smaller batches show which.
   */
  async run(commands: readonly Command[], mode: BatchMode = 'usual'): Promise<BatchOutcome> {
    const handled = commands.map((command) => ({ command, handler: this.registry.handlerOf(command.name) }));
    const attempt: Attempt = { handled, mode, unit: new UnitOfWork(this.policy) };
    for (;;) {
      try {
        const outcome = await this.attempt(attempt);
        this.patience.succeeded(outcome.phases);
        if (mode === 'trial') this.held.free(handled.flatMap((one) => namesOf(one, attempt.unit)));
        return outcome;
      } catch (error) {
        if (!(error instanceof LockWaitError)) throw error;
        this.patience.failed();
        if (mode === 'trial' || error.wasWriting) return this.close(error, attempt);
        // A statement that skips locked rows can only have waited for its whole table.
        if (attempt.mode === 'look') this.closeTable(error.table);
        attempt.mode = 'look';
      }
    }
  }

  private closeTable(table: string): void {
    // Its commands were left out already, so that this wait has another cause.
    if (this.held.isClosed(`${table} *`)) throw new HubError('UNAVAILABLE');
    this.held.close(table);
  }

  /** Closes what a single command could not write; several are for the caller to divide. */
  private close(error: LockWaitError, { handled, unit }: Attempt): BatchOutcome {
    const [only, ...others] = handled;
    if (!only || others.length > 0) throw error;
    const names = namesOf(only, unit);
    const waitsFor = this.held.stillHeld(names) ?? this.held.close(error.table, suspectsOf(error.table, names));
    const setAside = new Map([[0, waitsFor]]);
    const nothing = {
      events: [],
      stockAlerts: [],
      storeStatuses: [],
      claims: [],
      walletChanges: { at: 0, wallets: [] },
    };
    return { batchNo: this.batchNo, phases: [], answers: [NOT_DONE], setAside, ...nothing };
  }

  private async attempt(attempt: Attempt): Promise<BatchOutcome> {
    const { handled, mode } = attempt;
    const { dialect } = this.database;
    const batchNo = ++this.batchNo;
    const timer = new PhaseTimer();
    let isUncertain = false;
    const outcome = await this.database
      .transaction(
        async (tx) => {
          timer.start();
          const unit = new UnitOfWork(this.policy);
          attempt.unit = unit;
          const setAside = await load(tx, dialect, handled, unit, this.held, mode);
          timer.endPhase('load');
          const now = this.clock.now();
          const answers = handled.map((one, index) =>
            setAside.has(index) ? NOT_DONE : execute(one.handler, unit, one.command, now),
          );
          timer.endPhase('settle');
          if (setAside.size < handled.length) {
            const { stockAlerts, storeStatuses, claims, dirty } = unit;
            const record = { rooms: dirty.rooms, stockAlerts, storeStatuses, claims, wallets: dirty.wallets };
            await Promise.all([save(tx, dialect, unit, now), this.batchLog.append(tx, batchNo, record, now)]);
          }
          timer.endPhase('save');
          const walletChanges = { at: now, wallets: [...unit.dirty.wallets] };
          const { stockAlerts, storeStatuses, claims, dirty } = unit;
          return { answers, setAside, events: dirty.events, stockAlerts, storeStatuses, claims, walletChanges };
        },
        {
          patienceMs: this.patience.ms(mode),
          // Another hub stored an answer to the same key first: the next attempt finds it.
          retry: (error) => dialect.isDuplicate(error),
          wasCommitted: () => {
            isUncertain = true;
            return this.batchLog.contains(batchNo);
          },
        },
      )
      .catch((error: unknown) => {
        if (isUncertain) this.batchLog.markUncertain(batchNo);
        throw error;
      });
    timer.endPhase('commit');
    return { ...outcome, batchNo, phases: timer.phases };
  }
}
