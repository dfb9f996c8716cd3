import type { Scenario } from './scenarios.js';
import type { Usage } from './system.js';
import type { BackgroundMeasured, Measured, Probed } from './wire.js';

/** Figures of one run, under their names in docs/performance.json. Times in microseconds; what was not measured is left out. */
export interface Figures {
  perSecond?: number;
  /** CPU time of all processes of the system, per message. */
  cpuUs?: number;
  /** CPU time of the database server, per message. */
  serverCpuUs?: number;
  p50Us?: number;
  p99Us?: number;
  slowestUs?: number;
  pushLagUs?: number;
  /** Received by clients per message: the answer and its pushes. */
  bytes?: number;
  loopP99Us?: number;
  loopMaxUs?: number;
  /** Event loop utilization, 0 to 1. */
  busy?: number;
  loadShare?: number;
  lateUs?: number;
  rssMb?: number;
  /** Growth of the database file per command. */
  diskBytes?: number;
  /** Written to disk per message, by the system and its database server: logs and rewritten pages too. */
  writtenKb?: number;
  /** Rate and median duration of the background load's operations. */
  asidePerSecond?: number;
  asideUs?: number;
  /** Memory of each idle socket. */
  idleKb?: number;
  startMs?: number;
}
export type Figure = keyof Figures;

/** Medians over the rounds, and the lowest and highest rate. */
export interface RowResult {
  median: Figures;
  range?: [number, number];
}
/** A scenario's results on one database, as stored in docs/performance.json. */
export interface Result {
  says: string;
  at: string;
  rounds: number;
  seconds: number;
  rows: Record<string, RowResult>;
  /** The baseline of each row. */
  against: Record<string, string>;
}

/** Raw data of one run; pairs are samples at the start and end of the measured window. */
export interface Run {
  measured: Measured;
  system: [Usage, Usage];
  server?: [Usage, Usage];
  probed: Probed[];
  background?: BackgroundMeasured;
  idleKb?: number;
  isAtRate: boolean;
  /** The row has no commands: the background load is what is measured. */
  isBackgroundOnly: boolean;
}

export function figuresOf(run: Run): Figures {
  const { measured, system, server, probed, background, isAtRate, idleKb } = run;
  const only = run.isBackgroundOnly ? background : undefined;
  const messages = only ? only.done : measured.messages;
  const cpuPerMessage = ([begun, ended]: [Usage, Usage]) => (ended.cpuUs - begun.cpuUs) / messages;
  const writtenKb = [system, server].reduce((sum, usages) => sum + (usages ? writtenBetween(usages) : 0), 0);
  const worst = (of: (each: Probed) => number) => Math.max(...probed.map(of));
  return {
    perSecond: (messages * 1_000) / (only ? only.ms : measured.ms),
    cpuUs: cpuPerMessage(system),
    ...(server ? { serverCpuUs: cpuPerMessage(server) } : {}),
    ...(writtenKb > 0 ? { writtenKb: writtenKb / messages } : {}),
    ...(only ? {} : latencies(measured)),
    ...(background ? { asideUs: background.p50Us, asidePerSecond: (background.done * 1_000) / background.ms } : {}),
    ...(idleKb === undefined ? {} : { idleKb }),
    loopP99Us: worst(({ loopP99Us }) => loopP99Us),
    loopMaxUs: worst(({ loopMaxUs }) => loopMaxUs),
    busy: worst(({ busy }) => busy),
    rssMb: system[1].rssMb,
    loadShare: measured.loadShare,
    ...(isAtRate ? { lateUs: measured.lateUs } : {}),
  };
}

function writtenBetween([begun, ended]: [Usage, Usage]): number {
  return ended.writtenKb - begun.writtenKb;
}

function latencies({ p50Us, p99Us, slowestUs, pushLagUs, bytes, messages, observed }: Measured): Figures {
  const isReadOnly = Object.keys(observed.done).length === 0;
  return { p50Us, p99Us, slowestUs, bytes: bytes / messages, ...(isReadOnly ? {} : { pushLagUs }) };
}

export function resultOf(
  { description, baselineOf }: Scenario,
  rounds: Record<string, Figures[]>,
  run: { rounds: number; seconds: number; at: string },
): Result {
  const rows = Object.entries(rounds).map(([name, figures]): [string, RowResult] => {
    const rates = figures.flatMap(({ perSecond }) => (perSecond === undefined ? [] : [rounded(perSecond)]));
    const median = medians(figures);
    return [name, rates.length > 0 ? { median, range: [Math.min(...rates), Math.max(...rates)] } : { median }];
  });
  const against = Object.fromEntries(Object.keys(rounds).map((name) => [name, baselineOf(name) ?? name]));
  return { says: description, ...run, rows: Object.fromEntries(rows), against };
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

/** Three significant digits below 1,000 and four above: the rest is noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(value >= 1_000 ? 4 : 3));
}

/** How many times `value` is of `other`; undefined if either is missing or zero. */
export function ratioOf(value: number | undefined, other: number | undefined): string | undefined {
  return value && other ? showRatio(value / other) : undefined;
}
export const showRatio = (ratio: number) => `${ratio.toFixed(ratio < 10 ? 2 : 1)}×`;
export const showMs = (us: number) => (us / 1_000).toFixed(Math.abs(us) < 10_000 ? 2 : 0);
const showWhole = (value: number) => Math.round(value).toLocaleString('en');
const showRate = (value: number) => (value < 20 ? value.toFixed(1) : showWhole(value));
const showPercent = (share: number) => `${Math.round(share * 100)} %`;

interface Column {
  title: string;
  cell(row: RowResult, baseline: RowResult | undefined): string | undefined;
}

const figure = (title: string, name: Figure, show: (value: number) => string): Column => ({
  title,
  cell: ({ median: { [name]: value } }) => (value === undefined ? undefined : show(value)),
});
const ratio = (title: string, name: Figure): Column => ({
  title,
  cell: (row, baseline) => ratioOf(row.median[name], baseline?.median[name]),
});

const COLUMNS: Column[] = [
  figure('per second', 'perSecond', showRate),
  { title: 'range', cell: ({ range }) => range?.map(showRate).join('–') },
  ratio('rate', 'perSecond'),
  figure('CPU µs', 'cpuUs', showWhole),
  ratio('CPU', 'cpuUs'),
  figure('server CPU µs', 'serverCpuUs', showWhole),
  figure('p50 ms', 'p50Us', showMs),
  figure('p99 ms', 'p99Us', showMs),
  figure('max ms', 'slowestUs', showMs),
  figure('push lag ms', 'pushLagUs', showMs),
  figure('bytes', 'bytes', showWhole),
  figure('KB written', 'writtenKb', (value) => value.toFixed(1)),
  figure('disk bytes', 'diskBytes', showWhole),
  figure('start ms', 'startMs', showWhole),
  ratio('start', 'startMs'),
  figure('background/s', 'asidePerSecond', showRate),
  figure('background ms', 'asideUs', showMs),
  figure('KB/socket', 'idleKb', (value) => value.toFixed(1)),
  figure('loop delay p99 ms', 'loopP99Us', showMs),
  figure('loop delay max ms', 'loopMaxUs', showMs),
  figure('loop busy', 'busy', showPercent),
  figure('RSS MB', 'rssMb', showWhole),
  figure('load core', 'loadShare', (share) => `${showPercent(share)}${isSaturated(share) ? ' !' : ''}`),
  figure('send delay ms', 'lateUs', showMs),
];
const SATURATED = 0.93;

/** Row names of docs/performance.json that tables show differently. */
const ROW_LABELS: Record<string, string> = {
  'nobody comes back': 'no replays',
  'beside replays': 'with replays',
  'beside lists': 'with lists',
  'beside searches': 'with searches',
};

/** Whether the load itself may have limited the rate. */
export function isSaturated(loadShare: number | undefined): boolean {
  return (loadShare ?? 0) > SATURATED;
}

/** The cells of a scenario's table, header first; columns that are empty in every row are left out. */
export function cellsOf({ rows, against }: Result): string[][] {
  const cells = Object.entries(rows).map(([name, row]) =>
    COLUMNS.map(({ cell }) => cell(row, rows[against[name] ?? ''])),
  );
  const isUsed = COLUMNS.map((_, column) => cells.some((row) => row[column] !== undefined));
  const used = <T>(row: T[]) => row.filter((_, column) => isUsed[column]);
  const head = ['', ...used(COLUMNS.map(({ title }) => title))];
  const labels = Object.keys(rows).map((name) => ROW_LABELS[name] ?? name);
  return [head, ...labels.map((label, index) => [label, ...used(cells[index] ?? []).map((cell) => cell ?? '')])];
}

/** A scenario's table as aligned text. */
export function textTable(result: Result): string {
  const rows = cellsOf(result);
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ')).join('\n');
}
