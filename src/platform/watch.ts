/** Hinted looks are so far apart at least: a flood of hints must not become a flood of queries. */
const HINTED_PAUSE_MS = 10;

interface WatchOptions {
  everyMs: number;
  look(): Promise<void>;
  /** Is told of the first of the looks that fail one after another. */
  onFailure(error: unknown): void;
}

/** Looks again and again: one look at a time, the next so long after the end of the last, or soon after a hint. */
export class Watch {
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private endedAt = Number.NEGATIVE_INFINITY;
  private hinted = false;
  private failing = false;
  private stopped = false;

  constructor(private readonly options: WatchOptions) {}

  start(): void {
    this.lookIn(this.options.everyMs);
  }

  /** There is something to see. A look that is under way may have passed it, so another follows. */
  hint(): void {
    if (this.looking) this.hinted = true;
    else this.lookIn(this.endedAt + HINTED_PAUSE_MS - performance.now());
  }

  /** Looks no more, and resolves when nothing of it is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  private lookIn(ms: number): void {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        this.looking = this.lookNow();
      },
      Math.max(0, ms),
    );
    this.timer.unref();
  }

  private async lookNow(): Promise<void> {
    this.hinted = false;
    try {
      await this.options.look();
      this.failing = false;
    } catch (error) {
      if (!this.failing) this.options.onFailure(error);
      this.failing = true;
    }
    this.endedAt = performance.now();
    this.looking = undefined;
    this.lookIn(this.hinted ? HINTED_PAUSE_MS : this.options.everyMs);
  }
}
