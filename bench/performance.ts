import { cpus, loadavg, release, totalmem, type } from 'node:os';
import process from 'node:process';
import type { Result } from './report.js';
import type { Stage } from './stages.js';

/** Display names, in the order of tables and charts. */
export const DATABASE_NAMES: Record<string, string> = { sqlite: 'SQLite', mariadb: 'MariaDB', mysql: 'MySQL' };

/** The format of docs/performance.json. */
export interface Performance {
  machine: Machine;
  /** By database and scenario. */
  results: Record<string, Record<string, Result>>;
  /** CPU time per message, by database and row. */
  stages?: Record<string, Record<string, Stage[]>>;
}

export interface Machine {
  processor: string;
  cores: number;
  memoryGb: number;
  node: string;
  system: string;
  /** Load average before the benchmark: other work on the machine. */
  loadBefore: number;
}

export function machine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    system: `${type()} ${release().split('.').slice(0, 2).join('.')}`,
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}
