import type { Scenario } from './scenarios.js';
import type { Cost } from './system.js';
import type { AsideMeasured, Measured, Probed } from './wire.js';

/** What one run came to. Times in microseconds; what a run does not tell is left out. */
export interface Figures {
  perSecond?: number;
  /** Of all processes of the system, for each message. */
  cpuUs?: number;
  /** Of the database server, for each message. */
  serverCpuUs?: number;
  p50Us?: number;
  p99Us?: number;
  slowestUs?: number;
  pushLagUs?: number;
  /** Of an answer and what was pushed because of it. */
  bytes?: number;
  loopP99Us?: number;
  loopMaxUs?: number;
  /** The share of the time in which a system's event loop had something to do. */
  busy?: number;
  loadShare?: number;
  lateUs?: number;
  rssMb?: number;
  /** What the tables grew by. */
  diskBytes?: number;
  /** What others did meanwhile: how often a second, and how long each time took. */
  asidePerSecond?: number;
  asideUs?: number;
  /** What an idle socket holds. */
  idleKb?: number;
  startMs?: number;
}
export type Figure = keyof Figures;

/** The median of each figure over the rounds, and the least and the most of the rate. */
export interface RowResult {
  median: Figures;
  range?: [number, number];
}
/** What a scenario came to on one database. */
export interface Result {
  says: string;
  at: string;
  rounds: number;
  seconds: number;
  rows: Record<string, RowResult>;
  /** Whom each row is held against. */
  against: Record<string, string>;
}

/** All that a run consists of: looks at the system when measuring began and when it ended. */
export interface Run {
  measured: Measured;
  system: [Cost, Cost];
  server?: [Cost, Cost];
  probed: Probed[];
  aside?: AsideMeasured;
  idleKb?: number;
  isAtRate: boolean;
}

export function figuresOf(run: Run): Figures {
  const { measured, system, server, probed, aside, isAtRate, idleKb } = run;
  const isAsideOnly = measured.messages === 0 && aside !== undefined;
  const messages = isAsideOnly ? aside.done : measured.messages;
  const cost = ([begun, ended]: [Cost, Cost]) => (ended.cpuUs - begun.cpuUs) / messages;
  const most = (of: (each: Probed) => number) => Math.max(...probed.map(of));
  return {
    perSecond: (messages * 1_000) / (isAsideOnly ? aside.ms : measured.ms),
    cpuUs: cost(system),
    ...(server ? { serverCpuUs: cost(server) } : {}),
    ...(isAsideOnly ? {} : latencies(measured)),
    ...(aside ? { asideUs: aside.p50Us, asidePerSecond: (aside.done * 1_000) / aside.ms } : {}),
    ...(idleKb === undefined ? {} : { idleKb }),
    loopP99Us: most(({ loopP99Us }) => loopP99Us),
    loopMaxUs: most(({ loopMaxUs }) => loopMaxUs),
    busy: most(({ busy }) => busy),
    rssMb: system[1].rssMb,
    loadShare: measured.loadShare,
    ...(isAtRate ? { lateUs: measured.lateUs } : {}),
  };
}

function latencies({ p50Us, p99Us, slowestUs, pushLagUs, bytes, messages, told }: Measured): Figures {
  const isRead = Object.keys(told.done).length === 0;
  return { p50Us, p99Us, slowestUs, bytes: bytes / messages, ...(isRead ? {} : { pushLagUs }) };
}

export function resultOf(
  { says, against }: Scenario,
  rounds: Record<string, Figures[]>,
  run: { rounds: number; seconds: number; at: string },
): Result {
  const rows = Object.entries(rounds).map(([name, figures]): [string, RowResult] => {
    const rates = figures.flatMap(({ perSecond }) => (perSecond === undefined ? [] : [rounded(perSecond)]));
    const range: RowResult = { median: medians(figures), range: [Math.min(...rates), Math.max(...rates)] };
    return [name, rates.length > 0 ? range : { median: range.median }];
  });
  const others = Object.keys(rounds).map((name) => [name, against(name) ?? name]);
  return { says, ...run, rows: Object.fromEntries(rows), against: Object.fromEntries(others) };
}

function medians(figures: Figures[]): Figures {
  const names = new Set(figures.flatMap((each) => Object.keys(each) as Figure[]));
  return Object.fromEntries(
    [...names].map((name) => {
      const values = figures.flatMap((each) => each[name] ?? []).sort((a, b) => a - b);
      const middle = (values.length - 1) / 2;
      return [name, rounded(((values[Math.floor(middle)] ?? 0) + (values[Math.ceil(middle)] ?? 0)) / 2)];
    }),
  );
}

/** Three digits and no more: the rest is noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(value >= 1_000 ? 4 : 3));
}

interface Column {
  title: string;
  cell(row: RowResult, against: RowResult | undefined): string | undefined;
}

const of = (title: string, figure: Figure, show: (value: number) => string): Column => ({
  title,
  cell: ({ median: { [figure]: value } }) => (value === undefined ? undefined : show(value)),
});
const ratio = (title: string, figure: Figure, isInverse: boolean): Column => ({
  title,
  cell(row, against) {
    const [own, other] = [row.median[figure], against?.median[figure]];
    if (!own || !other) return undefined;
    return `${timesOf(isInverse ? other / own : own / other)}×`;
  },
});
const whole = (value: number) => Math.round(value).toLocaleString('en');
const ms = (us: number) => (us / 1_000).toFixed(Math.abs(us) < 10_000 ? 2 : 0);
const percent = (share: number) => `${Math.round(share * 100)} %`;
export const timesOf = (value: number) => value.toFixed(value < 10 ? 2 : 1);

const COLUMNS: Column[] = [
  of('a second', 'perSecond', (value) => (value < 20 ? value.toFixed(1) : whole(value))),
  {
    title: 'range',
    cell: ({ range }) => range?.map((rate) => (rate < 20 ? rate.toFixed(1) : whole(rate))).join('–'),
  },
  ratio('rate', 'perSecond', false),
  of('CPU µs', 'cpuUs', whole),
  ratio('CPU', 'cpuUs', false),
  of('server’s CPU µs', 'serverCpuUs', whole),
  of('p50 ms', 'p50Us', ms),
  of('p99 ms', 'p99Us', ms),
  of('slowest ms', 'slowestUs', ms),
  of('push ms', 'pushLagUs', ms),
  of('bytes', 'bytes', whole),
  of('on disk', 'diskBytes', whole),
  of('start ms', 'startMs', whole),
  ratio('start', 'startMs', false),
  of('aside a second', 'asidePerSecond', (value) => (value < 20 ? value.toFixed(1) : whole(value))),
  of('aside ms', 'asideUs', ms),
  of('KB a socket', 'idleKb', (value) => value.toFixed(1)),
  of('loop late p99 ms', 'loopP99Us', ms),
  of('most', 'loopMaxUs', ms),
  of('loop busy', 'busy', percent),
  of('RSS MB', 'rssMb', whole),
  of('load’s core', 'loadShare', (share) => `${percent(share)}${isSaturated(share) ? ' !' : ''}`),
  of('sent late ms', 'lateUs', ms),
];
const SATURATED = 0.93;

/** The load could hardly do more: a system that looks no faster may be. */
export function isSaturated(loadShare: number | undefined): boolean {
  return (loadShare ?? 0) > SATURATED;
}

/** The cells of a scenario's table: a line for each row, and only the columns that some row has something to say in. */
export function cellsOf({ rows, against }: Result): string[][] {
  const cells = Object.entries(rows).map(([name, row]) =>
    COLUMNS.map(({ cell }) => cell(row, rows[against[name] ?? ''])),
  );
  const used = COLUMNS.map((_, column) => cells.some((line) => line[column] !== undefined));
  const kept = <T>(line: T[]) => line.filter((_, column) => used[column]);
  const head = ['', ...kept(COLUMNS.map(({ title }) => title))];
  return [head, ...Object.keys(rows).map((name, line) => [name, ...kept(cells[line] ?? []).map((cell) => cell ?? '')])];
}

/** A table for a terminal. */
export function table(result: Result): string {
  const lines = cellsOf(result);
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) => line.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ')).join('\n');
}
