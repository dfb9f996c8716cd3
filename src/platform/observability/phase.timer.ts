/** A phase of a task; times are of `performance.now()`. */
export interface Phase {
  name: string;
  from: number;
  to: number;
}

/** Times consecutive phases. */
export class PhaseTimer {
  readonly phases: Phase[] = [];
  private from = performance.now();

  /** Restarts the current phase, to leave out the wait before a retry. */
  start(): void {
    this.from = performance.now();
  }

  /** Ends the current phase and starts the next. */
  endPhase(name: string): void {
    const to = performance.now();
    this.phases.push({ name, from: this.from, to });
    this.from = to;
  }
}
