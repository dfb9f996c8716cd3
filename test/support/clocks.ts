/** The variables of a hub process whose machine's clock is ahead by this many milliseconds, or behind if negative. */
export function clockShiftedBy(ms: number): Record<string, string> {
  return { NODE_OPTIONS: '--import=./test/support/shifted.clock.mjs', CLOCK_SHIFT_MS: String(ms) };
}
