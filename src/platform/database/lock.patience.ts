import { setTimeout as sleep } from 'node:timers/promises';

/** Repeated, because each pipelined statement can block on a lock of its own. */
const INTERRUPT_INTERVAL_MS = 20;

/** The timeout is split into this many ticks: a stall of this process, during which the server was not observed, uses up one. */
const PARTS = 8;

/** A statement had to wait too long for a lock. Its transaction was rolled back, and nothing of it has happened. */
export class LockWaitError extends Error {
  /** The table of the statement that waited. */
  readonly table: string;
  /** Whether it was writing: then a range or the table is held, rather than a row. */
  readonly wasWriting: boolean;

  constructor(statement: string) {
    const table = /\b(?:FROM|INTO|UPDATE) (\w+)/.exec(statement)?.[1] ?? '';
    super(`A statement waited too long for a lock in the table ${table}`);
    this.table = table;
    this.wasWriting = !statement.startsWith('SELECT');
  }
}

/**
 * How long a transaction may take before its COMMIT is sent. The server's own limits on lock waits are whole seconds, checked
 * once a second, for each statement. After this time its statements are interrupted from another connection instead.
 */
export class LockPatience {
  private timer: NodeJS.Timeout | undefined;
  private interrupting: Promise<void> | undefined;
  private isOver = false;

  constructor(
    private readonly interrupt: () => Promise<unknown>,
    patienceMs: number,
  ) {
    this.wait(patienceMs / PARTS, PARTS);
  }

  private wait(partMs: number, parts: number): void {
    this.timer = setTimeout(() => {
      if (parts > 1) this.wait(partMs, parts - 1);
      else this.interrupting = this.interruptAll();
    }, partMs);
  }

  /** Whether statements were interrupted. */
  get isExhausted(): boolean {
    return this.interrupting !== undefined;
  }

  /** Resolves when no interruption is under way, which could hit a later statement of the connection. */
  async end(): Promise<void> {
    clearTimeout(this.timer);
    this.isOver = true;
    await this.interrupting;
  }

  private async interruptAll(): Promise<void> {
    while (!this.isOver) {
      // If it cannot be interrupted, the server's own limit ends the wait, or the connection's.
      await this.interrupt().catch(() => {});
      await sleep(INTERRUPT_INTERVAL_MS);
    }
  }
}
