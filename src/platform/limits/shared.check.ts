interface SharedCheckOptions {
  /** Throws if the check fails. */
  check(): Promise<void>;
  /** A check that takes longer counts as failed. */
  timeoutMs: number;
  /** For how long an outcome is reused. */
  reuseMs: number;
  /** Called with each outcome. */
  onOutcome(hasPassed: boolean, error: unknown): void;
}

/**
 * A check that runs at most once at a time, and whose outcome is shared: health probes pass every limit, so that a flood of them must
 * not become a flood of checks.
 */
export class SharedCheck {
  private isRunning = false;
  private answer: Promise<boolean> | undefined;
  private latest: { hasPassed: boolean; at: number } | undefined;

  constructor(private readonly options: SharedCheckOptions) {}

  async passes(): Promise<boolean> {
    if (this.latest && performance.now() - this.latest.at < this.options.reuseMs) return this.latest.hasPassed;
    if (this.answer) return this.answer;
    // A check that has timed out still holds its connection.
    if (this.isRunning) return false;
    this.answer = this.run();
    return this.answer;
  }

  private async run(): Promise<boolean> {
    this.isRunning = true;
    const work = this.options.check().finally(() => {
      this.isRunning = false;
    });
    const { hasPassed, error } = await this.inTime(work);
    this.latest = { hasPassed, at: performance.now() };
    this.answer = undefined;
    this.options.onOutcome(hasPassed, error);
    return hasPassed;
  }

  private inTime(work: Promise<void>): Promise<{ hasPassed: boolean; error?: unknown }> {
    const { timeoutMs } = this.options;
    return new Promise((resolve) => {
      const error = Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
      const timer = setTimeout(() => resolve({ hasPassed: false, error }), timeoutMs);
      work
        .then(
          () => resolve({ hasPassed: true }),
          (cause: unknown) => resolve({ hasPassed: false, error: cause }),
        )
        .finally(() => clearTimeout(timer));
    });
  }
}
