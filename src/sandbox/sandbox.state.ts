import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { Logger } from '../platform/observability/logger.js';
import { Poller } from '../platform/poller.js';
import { SANDBOX_CONTROLS, type SandboxControls } from './sandbox.controls.js';

/** The only table of the sandbox, which makes it itself. */
export const SANDBOX_TABLE = 'sandbox';
const POLL_INTERVAL_MS = 100;

interface State {
  aheadMs: number;
  /** Counts how often the database was emptied. */
  resets: number;
}

/**
 * How far the time was moved on: in the database, so that it outlasts a restart, and so that the hubs on one server agree on it,
 * within a moment.
 */
@Injectable()
export class SandboxState implements OnModuleInit, OnApplicationBootstrap {
  private state: State = { aheadMs: 0, resets: 0 };
  private readonly poller: Poller;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(SANDBOX_CONTROLS) private readonly controls: SandboxControls,
    logger: Logger,
  ) {
    this.poller = new Poller({
      intervalMs: POLL_INTERVAL_MS,
      poll: () => this.poll(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'the state of the sandbox cannot be read now'),
    });
  }

  /** Before anything looks at the time. */
  async onModuleInit(): Promise<void> {
    const { ddl, isDuplicate } = this.database.dialect;
    const columns = ['id', 'ahead_ms', 'resets'].map((name) => `${name} ${ddl.integer} NOT NULL`);
    const table = `${SANDBOX_TABLE} (${columns.join(', ')}, PRIMARY KEY (id)) ${ddl.table}`;
    await this.database.writer.query(`CREATE TABLE IF NOT EXISTS ${table}`);
    const insert = `INSERT INTO ${SANDBOX_TABLE} (id, ahead_ms, resets) VALUES (1, 0, 0)`;
    if (!(await this.read())) {
      await this.database
        .transaction((tx) => tx.query(insert))
        .catch((error: unknown) => {
          if (!isDuplicate(error)) throw error;
        });
    }
    this.state = (await this.read()) ?? this.state;
    this.clock.setAhead(this.state.aheadMs);
  }

  onApplicationBootstrap(): void {
    if (!this.database.dialect.singleWriter) this.poller.start();
  }

  async stop(): Promise<void> {
    await this.poller.stop();
  }

  /** Moves the time to this one (epoch milliseconds), unless it is later already. */
  async moveTo(time: number): Promise<void> {
    const aheadMs = this.state.aheadMs + time - this.clock.now();
    if (aheadMs <= this.state.aheadMs) return;
    const sql = `UPDATE ${SANDBOX_TABLE} SET ahead_ms = ? WHERE ahead_ms < ?`;
    await this.database.transaction((tx) => tx.query(sql, [aheadMs, aheadMs]));
    this.setAhead(aheadMs);
  }

  private setAhead(aheadMs: number): void {
    // A poll may have read what was true before.
    if (aheadMs <= this.state.aheadMs) return;
    this.state.aheadMs = aheadMs;
    this.clock.setAhead(aheadMs);
  }

  private async poll(): Promise<void> {
    const state = await this.read();
    if (!state) return;
    if (state.resets === this.state.resets) this.setAhead(state.aheadMs);
    // Not awaited: it stops this poll. If it fails, the hub stops, and says why.
    else this.controls.follow().catch(() => {});
  }

  private async read(): Promise<State | undefined> {
    const [row]: State[] = await this.database.read.query(
      `SELECT ahead_ms AS aheadMs, resets FROM ${SANDBOX_TABLE} WHERE id = 1`,
    );
    return row && { aheadMs: Number(row.aheadMs), resets: Number(row.resets) };
  }
}
