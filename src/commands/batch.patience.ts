import type { Phase } from '../platform/observability/phase.timer.js';

/**
 * How a batch meets held rows. A `usual` one waits for all rows but those that are known to be held. When that takes too long, it
 * is run again to `look` for what is held, and waits for no row. When it is a write that waits, only each `part` of it can show
 * whose. A `trial` is one command that tries whether what was held is free.
 */
export type BatchMode = 'usual' | 'look' | 'part' | 'trial';

/** Other hubs' batches, which wait for the same rows, take less. For parts and trials, all other commands wait. */
const BASE_MS: Record<BatchMode, number> = { usual: 400, look: 200, part: 100, trial: 100 };
/** Consecutive timeouts after which patience doubles with each further one: the server is slow, rather than a row held. */
const FAILURES_MIN = 3;
const STRAIN_MAX = 8;
const TYPICAL_FACTOR = 2;
const TYPICAL_DECAY = 0.8;

/** How long batches may take until their COMMIT before a wait for locks is assumed: it adapts to how long they do take. */
export class BatchPatience {
  private typicalMs = 0;
  private failures = 0;

  ms(mode: BatchMode): number {
    const strain = 2 ** Math.max(0, this.failures - FAILURES_MIN);
    return BASE_MS[mode] * Math.min(STRAIN_MAX, strain) + TYPICAL_FACTOR * this.typicalMs;
  }

  succeeded(phases: readonly Phase[]): void {
    const tookMs = phases.reduce((sum, { name, from, to }) => (name === 'commit' ? sum : sum + to - from), 0);
    this.typicalMs = Math.max(tookMs, this.typicalMs * TYPICAL_DECAY);
    this.failures = 0;
  }

  failed(): void {
    this.failures++;
  }
}
