import { expect, test } from '@jest/globals';
import { spanOf } from '../../web/seller/report/periods.js';

const at = (text: string) => new Date(text).getTime();
const days = (times: readonly number[]) => times.map((time) => new Date(time).toLocaleString('sv'));

test('days are those of the calendar, and are compared with as many before, up to the same time', () => {
  const { times, before } = spanOf('days', at('2026-03-09T15:00:00'));
  expect(times).toHaveLength(15);
  expect(days(times.slice(-4))).toEqual(
    ['2026-03-07', '2026-03-08', '2026-03-09', '2026-03-10'].map((day) => `${day} 00:00:00`),
  );
  expect(days(before)).toEqual(['2026-02-10 00:00:00', '2026-02-23 15:00:00']);
});

test('weeks begin on Monday, also when today is one or a Sunday', () => {
  for (const now of ['2026-11-30T00:00:00', '2026-12-06T23:59:59']) {
    const { times } = spanOf('weeks', at(now));
    expect(times).toHaveLength(13);
    expect(days(times.slice(-2))).toEqual(['2026-11-30 00:00:00', '2026-12-07 00:00:00']);
  }
});

test('months are compared with a year before, which may be shorter', () => {
  const { times, before } = spanOf('months', at('2028-02-29T12:00:00'));
  expect(days([times[0] ?? 0, times.at(-1) ?? 0])).toEqual(['2027-03-01 00:00:00', '2028-03-01 00:00:00']);
  expect(days(before)).toEqual(['2026-03-01 00:00:00', '2027-03-01 00:00:00']);
});
