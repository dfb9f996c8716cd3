/** What the sandbox's routes can make of the whole hub. One thing at a time. */
export const SANDBOX_CONTROLS = Symbol('SANDBOX_CONTROLS');
export interface SandboxControls {
  /** Moves the time on by this much, and returns the time when all that came due is done. */
  advance(ms: number): Promise<number>;
  /** Replaces the hub by one on an empty database. */
  reset(): Promise<void>;
  /** Replaces the hub, whose database was emptied by another. */
  follow(): Promise<void>;
}
