/** Minimum pause before a poll that was woken: a flood of wakeups must not become a flood of queries. */
const WAKE_PAUSE_MS = 10;

interface PollerOptions {
  intervalMs: number;
  poll(): Promise<void>;
  /** Called for the first of consecutive failures only. */
  onFailure(error: unknown): void;
}

/** Polls at an interval measured from the end of the previous poll, or soon after a wakeup. Polls never overlap. */
export class Poller {
  private timer: NodeJS.Timeout | undefined;
  private polling: Promise<void> | undefined;
  private endedAt = Number.NEGATIVE_INFINITY;
  private wakePending = false;
  private failing = false;
  private stopped = false;

  constructor(private readonly options: PollerOptions) {}

  start(): void {
    this.scheduleIn(this.options.intervalMs);
  }

  /** Polls soon. A poll that is running may have missed what is new, so another follows it. */
  wake(): void {
    if (this.polling) this.wakePending = true;
    else this.scheduleIn(this.endedAt + WAKE_PAUSE_MS - performance.now());
  }

  /** Polls at once, after the poll that is running, and resolves when that is done. Never rejects. */
  async pollNext(): Promise<void> {
    while (this.polling) await this.polling;
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.polling = this.pollNow();
    await this.polling;
  }

  /** Resolves once the running poll has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.polling;
  }

  private scheduleIn(ms: number): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        this.polling = this.pollNow();
      },
      Math.max(0, ms),
    );
    this.timer.unref();
  }

  private async pollNow(): Promise<void> {
    this.wakePending = false;
    try {
      await this.options.poll();
      this.failing = false;
    } catch (error) {
      if (!this.failing) this.options.onFailure(error);
      this.failing = true;
    }
    this.endedAt = performance.now();
    this.polling = undefined;
    this.scheduleIn(this.wakePending ? WAKE_PAUSE_MS : this.options.intervalMs);
  }
}
