import type { Performance } from './performance.js';
import type { Figure, Result } from './report.js';

/** What the hub is meant to reach, as a ratio or a time in one run on one machine. */
export interface Goal {
  says: string;
  limit: string;
  /** What it came to on this database: nothing if it was not measured. */
  found(results: Record<string, Result>): number | undefined;
  isReached(found: number): boolean;
  show(found: number): string;
  /** The goal is set for these only. */
  on?: string[];
}

type Results = Record<string, Result>;

function figure(results: Results, scenario: string, row: string, name: Figure): number | undefined {
  return results[scenario]?.rows[row]?.median[name];
}

/** How many times the one is of the other. */
function ratio(results: Results, name: Figure, one: [string, string], other: [string, string]): number | undefined {
  const [a, b] = [figure(results, ...one, name), figure(results, ...other, name)];
  return a === undefined || !b ? undefined : a / b;
}

/** The worst of several; nothing if one of them is missing. */
function worst(values: (number | undefined)[], of: (...numbers: number[]) => number): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? of(...known) : undefined;
}

const times = (value: number) => `${value < 10 ? value.toFixed(2) : value.toFixed(1)}×`;
const msOf = (us: number) => `${(us / 1_000).toFixed(Math.abs(us) < 10_000 ? 2 : 0)} ms`;
const atLeast = (limit: number) => ({ isReached: (found: number) => found >= limit, show: times });
const atMost = (limit: number) => ({ isReached: (found: number) => found <= limit, show: times });

function hotGoal(shelf: string): Goal['found'] {
  return (results) => {
    const scenario = results['hot-all'] ? 'hot-all' : 'hot';
    return ratio(results, 'perSecond', [scenario, `hub, ${shelf}`], [scenario, 'hub, spread']);
  };
}

function sizeGoal(step: string): Goal {
  const scenario = `orders-${step}`;
  return {
    says: `${step} with 1,000,000 orders in the tables, beside 1,000`,
    limit: '≥ 0.9×',
    found: (results) =>
      step === 'replay'
        ? ratio(results, 'asideUs', [scenario, '1,000'], [scenario, '1,000,000'])
        : ratio(results, 'perSecond', [scenario, '1,000,000'], [scenario, '1,000']),
    ...atLeast(0.9),
  };
}

function memoryGoal(sockets: string): Goal {
  return {
    says: `memory of each of ${sockets} idle sockets, beside *bare*`,
    limit: '≤ 1.3×',
    found: (results) => ratio(results, 'idleKb', ['idle', `hub, ${sockets}`], ['idle', `bare, ${sockets}`]),
    ...atMost(1.3),
  };
}

function rateGoal(says: string, other: string, limit: number, on: string[]): Goal {
  const found = (results: Results) => ratio(results, 'perSecond', ['place', 'hub'], ['place', other]);
  return { says, limit: `≥ ${limit}×`, found, on, ...atLeast(limit) };
}

export const goals: Goal[] = [
  rateGoal('place, commands a second beside *usual*', 'usual', 20, ['mariadb']),
  rateGoal('place, commands a second beside *usual*', 'usual', 12, ['sqlite']),
  rateGoal('place, commands a second beside *lean*', 'lean', 8, ['mariadb']),
  {
    says: 'CPU of the hub for each `place`, beside *bare*',
    limit: '≤ 1.25×',
    found: (results) => ratio(results, 'cpuUs', ['place', 'hub'], ['place', 'bare']),
    ...atMost(1.25),
  },
  { says: 'a hot book, beside spread', limit: '≥ 0.9×', found: hotGoal('one book'), ...atLeast(0.9) },
  { says: 'a hot seller, beside spread', limit: '≥ 0.9×', found: hotGoal('one seller'), ...atLeast(0.9) },
  ...['place', 'pay', 'list', 'replay'].map(sizeGoal),
  {
    says: 'a lone command’s median, beside *lean*',
    limit: '≤ 1.5×',
    found: (results) => ratio(results, 'p50Us', ['lone', 'hub'], ['lone', 'lean']),
    ...atMost(1.5),
  },
  {
    says: 'p99 at half of the peak rate, beside the lone median',
    limit: '< 5×',
    found(results) {
      const [p99, lone] = [figure(results, 'half', 'half', 'p99Us'), figure(results, 'half', 'lone', 'p50Us')];
      return p99 === undefined || !lone ? undefined : p99 / lone;
    },
    isReached: (found) => found < 5,
    show: times,
  },
  {
    says: 'a push after the acknowledgement, median, lone and at 256 in flight',
    limit: '≤ 2 ms',
    found: (results) =>
      worst(
        ['lone', 'place'].map((scenario) => figure(results, scenario, 'hub', 'pushLagUs')),
        Math.max,
      ),
    isReached: (found) => found <= 2_000,
    show: msOf,
  },
  memoryGoal('1,000'),
  memoryGoal('10,000'),
  {
    says: 'replay of 10,000 missed events to one socket',
    limit: '< 1 s',
    found: (results) => figure(results, 'replay', 'beside replays', 'asideUs'),
    isReached: (found) => found < 1_000_000,
    show: msOf,
  },
  {
    says: 'how much longer the slowest of the others waits meanwhile',
    limit: '≤ 50 ms',
    found(results) {
      const slowest = (row: string) => figure(results, 'replay', row, 'slowestUs');
      const [beside, alone] = [slowest('beside replays'), slowest('nobody comes back')];
      return beside === undefined || alone === undefined ? undefined : beside - alone;
    },
    isReached: (found) => found <= 50_000,
    show: msOf,
  },
  {
    says: 'start until ready, beside a Nest application that does nothing',
    limit: '< 1.5×',
    found: (results) => ratio(results, 'startMs', ['start', 'hub'], ['start', 'nest']),
    isReached: (found) => found < 1.5,
    show: times,
  },
];

/** Goals against what was measured: a line for each goal, a column for each database. */
export function goalLines({ results }: Performance, databases: string[]): string[][] {
  return goals.map(({ says, limit, found, isReached, show, on }) => [
    says,
    limit,
    ...databases.map((database) => {
      if (on && !on.includes(database)) return '';
      const value = found(results[database] ?? {});
      if (value === undefined) return '–';
      return isReached(value) ? `**${show(value)}**` : `${show(value)} (not reached)`;
    }),
  ]);
}
