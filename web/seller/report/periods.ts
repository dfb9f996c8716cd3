export const units = ['days', 'weeks', 'months'] as const;
export type Unit = (typeof units)[number];

/** How many periods a chart shows, the current one included. */
const shown: Record<Unit, number> = { days: 14, weeks: 12, months: 12 };

export interface Span {
  unit: Unit;
  count: number;
  /** Where each period begins, and where the last one ends, in epoch milliseconds. */
  times: number[];
  /** As much of the same number of periods before: up to the same point of the last one. */
  before: [from: number, to: number];
}

/** The periods of the device's time zone that end with the current one. */
export function spanOf(unit: Unit, now: number): Span {
  const count = shown[unit];
  const startOf = (index: number) => startOfPeriod(unit, now, index);
  const times = Array.from({ length: count + 1 }, (_, index) => startOf(index + 1 - count));
  const elapsed = now - startOf(0);
  // The month before may be shorter than what has passed of this one.
  const to = Math.min(startOf(-count) + elapsed, startOf(1 - count));
  return { unit, count, times, before: [startOf(1 - 2 * count), to] };
}

/** Where the period begins that is this many after the current one. By the calendar: days and months differ in length. */
function startOfPeriod(unit: Unit, now: number, after: number): number {
  const date = new Date(now);
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  if (unit === 'months') return new Date(year, month + after, 1).getTime();
  if (unit === 'days') return new Date(year, month, day + after).getTime();
  const daysSinceMonday = (date.getDay() + 6) % 7;
  return new Date(year, month, day - daysSinceMonday + 7 * after).getTime();
}
