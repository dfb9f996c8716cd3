import type { Unit } from './periods.js';
import type { Period } from './report.js';

type Times = Pick<Period, 'from' | 'to'>;

const tableFormats: Record<Unit, Intl.DateTimeFormatOptions> = {
  days: { weekday: 'short', month: 'short', day: 'numeric' },
  weeks: { month: 'short', day: 'numeric' },
  months: { month: 'short', year: 'numeric' },
};

/** A period by name: a day, the first and the last day of a week, or a month. */
export function labelOf(unit: Unit, { from, to }: Times): string {
  const format = formatOf(tableFormats[unit]);
  return unit === 'weeks' ? format.formatRange(from, to - 1) : format.format(from);
}

/** What stands under a bar: a short text, and under the first of a month or year its name. */
export function axisLabelOf(unit: Unit, periods: readonly Times[], index: number): [string, string | undefined] {
  const format = formatOf(unit === 'months' ? { year: 'numeric' } : { month: 'short' });
  const nameAt = (at: number) => periods[at] && format.format(periods[at].from);
  const name = nameAt(index);
  // Two names side by side would not fit: that of a month or year that ends with the first bar is left out.
  const isFirst = index === 0 ? nameAt(1) === name : nameAt(index - 1) !== name;
  const from = periods[index]?.from ?? 0;
  // A day is a bare number in every language.
  const text = unit === 'months' ? formatOf({ month: 'short' }).format(from) : String(new Date(from).getDate());
  return [text, isFirst ? name : undefined];
}

/** From the first day to the last, with the year. */
export function spanLabelOf(from: number, to: number): string {
  return formatOf({ year: 'numeric', month: 'short', day: 'numeric' }).formatRange(from, to - 1);
}

/** The day in the device's time zone as files and spreadsheets write it: `2026-12-01`. */
export function isoDay(epochMs: number): string {
  const date = new Date(epochMs);
  const part = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${part(date.getMonth() + 1)}-${part(date.getDate())}`;
}

function formatOf(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(document.documentElement.lang, options);
}
