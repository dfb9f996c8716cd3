/** What a process of load has seen. Times in whole microseconds, counted only while measuring. */
export class Meter {
  /** Acknowledged commands, by message. */
  readonly done: Record<string, number> = {};
  readonly pushes = { buyer: 0, seller: 0 };
  readonly latenciesUs: number[] = [];
  readonly pushLagsUs: number[] = [];
  readonly replaysUs: number[] = [];
  readonly faults: string[] = [];
  /** Messages answered while measuring. */
  answered = 0;
  private isOn = false;
  private since = 0;
  /** When the sender of a change was answered, or the other party heard of it, whichever came first. */
  private readonly firstAt = new Map<string, { at: number; isPush: boolean }>();

  /** Changes that were acknowledged. */
  get changes(): number {
    return Object.values(this.done).reduce((sum, n) => sum + n, 0);
  }

  begin(): void {
    this.isOn = true;
    this.since = performance.now();
  }

  /** Gives how long it was measured, in milliseconds. */
  end(): number {
    this.isOn = false;
    return performance.now() - this.since;
  }

  answeredAt(now: number, dueAt: number): void {
    if (!this.isOn) return;
    this.answered++;
    this.latenciesUs.push(Math.round((now - dueAt) * 1_000));
  }

  replayed(ms: number): void {
    if (this.isOn) this.replaysUs.push(Math.round(ms * 1_000));
  }

  /** How much later the other party heard of a change than its sender was answered; below zero when it was sooner. */
  met(change: string, isPush: boolean): void {
    const at = performance.now();
    const first = this.firstAt.get(change);
    if (!first) {
      this.firstAt.set(change, { at, isPush });
      return;
    }
    this.firstAt.delete(change);
    if (this.isOn) this.pushLagsUs.push(Math.round((isPush ? at - first.at : first.at - at) * 1_000));
  }
}
