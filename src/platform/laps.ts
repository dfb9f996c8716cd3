/** A part of a piece of work, by `performance.now()`. */
export interface Phase {
  name: string;
  from: number;
  to: number;
}

/** Takes the times of work that goes through phases. */
export class Laps {
  readonly phases: Phase[] = [];
  private from = performance.now();

  /** The next phase begins now: work that is tried again has waited meanwhile. */
  begin(): void {
    this.from = performance.now();
  }

  /** So ends a phase, and the next begins. */
  end(name: string): void {
    const to = performance.now();
    this.phases.push({ name, from: this.from, to });
    this.from = to;
  }
}
