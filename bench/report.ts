import type { Cost, SystemName } from './system.js';
import type { Measured } from './wire.js';

/** What one run came to. Times in microseconds. */
export interface Figures {
  perSecond: number;
  cpuUs: number;
  p50Us: number;
  p99Us: number;
  rssMb: number;
  /** How much later the other party heard of a change than its sender was answered. */
  pushLagUs: number;
  slowestUs: number;
  /** From connecting until everything that was missed was told. */
  replayUs: number;
}

export function figuresOf(
  { messages, ms, latenciesUs, pushLagsUs, replaysUs }: Measured,
  [begun, ended]: Cost[],
): Figures {
  return {
    perSecond: (messages * 1_000) / ms,
    cpuUs: ((ended?.cpuUs ?? 0) - (begun?.cpuUs ?? 0)) / messages,
    p50Us: percentile(latenciesUs, 50),
    p99Us: percentile(latenciesUs, 99),
    rssMb: ended?.rssMb ?? 0,
    pushLagUs: percentile(pushLagsUs, 50),
    slowestUs: percentile(latenciesUs, 100),
    replayUs: percentile(replaysUs, 50),
  };
}

type Rounds = Partial<Record<SystemName, Figures[]>>;

/** Medians over the rounds, the range of the rate, and each system's rate as the hub sees it. */
export function table(rounds: Rounds): string {
  const hub = rounds.hub && medians(rounds.hub);
  const lines = Object.entries(rounds).map(([name, figures]) => {
    const median = medians(figures);
    const rates = figures.map(({ perSecond }) => Math.round(perSecond));
    return [
      name,
      `${Math.round(median.perSecond)}`,
      `${Math.min(...rates)}–${Math.max(...rates)}`,
      hub ? `${(hub.perSecond / median.perSecond).toFixed(2)}×` : '',
      `${Math.round(median.cpuUs)}`,
      hub ? `${(hub.cpuUs / median.cpuUs).toFixed(2)}×` : '',
      (median.p50Us / 1_000).toFixed(2),
      (median.p99Us / 1_000).toFixed(2),
      (median.slowestUs / 1_000).toFixed(0),
      (median.pushLagUs / 1_000).toFixed(2),
      median.replayUs ? (median.replayUs / 1_000).toFixed(0) : '',
      `${Math.round(median.rssMb)}`,
    ];
  });
  const head = [
    ...['system', 'messages/s', 'range', 'hub is', 'CPU µs', 'hub costs'],
    ...['p50 ms', 'p99 ms', 'slowest ms', 'push ms', 'replay ms', 'RSS MB'],
  ];
  const rows = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ')).join('\n');
}

export function summary(results: Record<string, Rounds>): object {
  return Object.fromEntries(
    Object.entries(results).map(([scenario, rounds]) => [
      scenario,
      Object.fromEntries(
        Object.entries(rounds).map(([name, figures]) => [name, { median: medians(figures), rounds: figures }]),
      ),
    ]),
  );
}

function medians(figures: Figures[]): Figures {
  const names = ['perSecond', 'cpuUs', 'p50Us', 'p99Us', 'rssMb', 'pushLagUs', 'slowestUs', 'replayUs'] as const;
  return Object.fromEntries(
    names.map((name) => [
      name,
      percentile(
        figures.map((each) => each[name]),
        50,
      ),
    ]),
  ) as unknown as Figures;
}

export function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}
