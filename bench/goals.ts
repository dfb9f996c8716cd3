import type { Performance } from './performance.js';
import { type Figure, type Result, showMs, showRatio } from './report.js';

type Results = Record<string, Result>;

/** A target for the hub, as a ratio or a time within one run on one machine. */
export interface Goal {
  description: string;
  limit: string;
  /** The value on one database; undefined if it was not measured. */
  evaluate(results: Results): number | undefined;
  isReached(value: number): boolean;
  show(value: number): string;
  /** Databases the goal applies to; all by default. */
  on?: string[];
  /** Why it is missed where it is. */
  reason?: string;
}

function figure(results: Results, scenario: string, row: string, name: Figure): number | undefined {
  return results[scenario]?.rows[row]?.median[name];
}

type Cell = [scenario: string, row: string];

function ratio(results: Results, name: Figure, numerator: Cell, denominator: Cell): number | undefined {
  const [a, b] = [figure(results, ...numerator, name), figure(results, ...denominator, name)];
  return a === undefined || !b ? undefined : a / b;
}

const showMsUnit = (us: number) => `${showMs(us)} ms`;
const atLeast = (limit: number) => ({ isReached: (value: number) => value >= limit, show: showRatio });
const atMost = (limit: number) => ({ isReached: (value: number) => value <= limit, show: showRatio });
const below = (limit: number) => ({ isReached: (value: number) => value < limit, show: showRatio });

function rateGoal(baseline: string, limit: number, on: string[], reason: string): Goal {
  return {
    description: `\`place\` rate vs *${baseline}*`,
    limit: `≥ ${limit}×`,
    evaluate: (results) => ratio(results, 'perSecond', ['place', 'hub'], ['place', baseline]),
    ...{ on, reason },
    ...atLeast(limit),
  };
}

function hotGoal(contention: string): Goal {
  return {
    description: `\`place\` rate, ${contention} vs spread`,
    limit: '≥ 0.9×',
    evaluate(results) {
      const scenario = results['hot-all'] ? 'hot-all' : 'hot';
      return ratio(results, 'perSecond', [scenario, `hub, ${contention}`], [scenario, 'hub, spread']);
    },
    ...atLeast(0.9),
  };
}

function sizeGoal(operation: string): Goal {
  const scenario = `orders-${operation}`;
  return {
    description: `\`${operation}\` with 1,000,000 existing orders vs 1,000`,
    limit: '≥ 0.9×',
    evaluate: (results) =>
      operation === 'replay'
        ? ratio(results, 'asideUs', [scenario, '1,000'], [scenario, '1,000,000'])
        : ratio(results, 'perSecond', [scenario, '1,000,000'], [scenario, '1,000']),
    ...atLeast(0.9),
  };
}

function memoryGoal(sockets: string, reason?: string): Goal {
  return {
    description: `memory per idle socket, ${sockets} sockets, vs *bare*`,
    limit: '≤ 1.3×',
    evaluate: (results) => ratio(results, 'idleKb', ['idle', `hub, ${sockets}`], ['idle', `bare, ${sockets}`]),
    ...(reason === undefined ? {} : { reason }),
    ...atMost(1.3),
  };
}

const SHARED_CORES = 'hub, server and load share two cores, on which even *bare* is not far above this goal';

export const goals: Goal[] = [
  rateGoal('usual', 20, ['mariadb'], SHARED_CORES),
  rateGoal('usual', 12, ['sqlite'], 'the embedded engine runs on the hub’s own thread'),
  rateGoal('lean', 8, ['mariadb'], SHARED_CORES),
  {
    description: 'CPU per `place` vs *bare*',
    limit: '≤ 1.25×',
    evaluate: (results) => ratio(results, 'cpuUs', ['place', 'hub'], ['place', 'bare']),
    reason: 'validation, queue, rules, SQL text and events add up; no single stage dominates',
    ...atMost(1.25),
  },
  hotGoal('one book'),
  hotGoal('one seller'),
  ...['place', 'pay', 'list', 'replay'].map(sizeGoal),
  {
    description: 'median latency of a lone command vs *lean*',
    limit: '≤ 1.5×',
    evaluate: (results) => ratio(results, 'p50Us', ['lone', 'hub'], ['lone', 'lean']),
    ...atMost(1.5),
  },
  {
    description: 'p99 at half of the peak rate vs the lone median',
    limit: '< 5×',
    evaluate(results) {
      const [p99, lone] = [figure(results, 'half', 'half', 'p99Us'), figure(results, 'half', 'lone', 'p50Us')];
      return p99 === undefined || !lone ? undefined : p99 / lone;
    },
    reason: 'smaller batches cost more per command, so half of the peak rate still nearly fills the core',
    ...below(5),
  },
  {
    description: 'median push lag, lone and with 256 in flight',
    limit: '≤ 2 ms',
    evaluate(results) {
      const lags = ['lone', 'place'].map((scenario) => figure(results, scenario, 'hub', 'pushLagUs'));
      const known = lags.filter((lag) => lag !== undefined);
      return known.length === lags.length ? Math.max(...known) : undefined;
    },
    isReached: (us) => us <= 2_000,
    show: showMsUnit,
  },
  memoryGoal('1,000', 'the young generation grows with the load and is spread over few sockets'),
  memoryGoal('10,000'),
  {
    description: 'replay of 10,000 missed events to one socket',
    limit: '< 1 s',
    evaluate: (results) => figure(results, 'replay', 'beside replays', 'asideUs'),
    isReached: (us) => us < 1_000_000,
    show: showMsUnit,
  },
  {
    description: 'added maximum latency of other clients during replays',
    limit: '≤ 50 ms',
    evaluate(results) {
      const slowest = (row: string) => figure(results, 'replay', row, 'slowestUs');
      const [during, without] = [slowest('beside replays'), slowest('nobody comes back')];
      return during === undefined || without === undefined ? undefined : during - without;
    },
    isReached: (us) => us <= 50_000,
    show: showMsUnit,
  },
  {
    description: 'start time vs an empty Nest application',
    limit: '< 1.5×',
    evaluate: (results) => ratio(results, 'startMs', ['start', 'hub'], ['start', 'nest']),
    ...below(1.5),
  },
];

/** A row for each goal, a cell for each database; a value in bold reaches the goal. */
export function goalRows({ results }: Performance, databases: string[]): string[][] {
  return goals.map(({ description, limit, evaluate, isReached, show, on }) => [
    description,
    limit,
    ...databases.map((database) => {
      if (on && !on.includes(database)) return '';
      const value = evaluate(results[database] ?? {});
      if (value === undefined) return '–';
      return isReached(value) ? `**${show(value)}**` : `${show(value)} (not reached)`;
    }),
  ]);
}

/** A list item for each missed goal: its values, its limit and why it is missed. `names` maps databases to display names. */
export function missedGoals({ results }: Performance, names: Record<string, string>): string[] {
  return goals.flatMap(({ description, limit, evaluate, isReached, show, on, reason }) => {
    const missed = Object.entries(names).flatMap(([database, name]) => {
      const value = on && !on.includes(database) ? undefined : evaluate(results[database] ?? {});
      return value === undefined || isReached(value) ? [] : [`${show(value)} on ${name}`];
    });
    if (missed.length === 0) return [];
    return [`- ${description}: ${missed.join(', ')}; goal ${limit}${reason === undefined ? '' : `: ${reason}`}.`];
  });
}
