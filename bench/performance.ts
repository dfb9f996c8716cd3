import { cpus, loadavg, release, totalmem, type } from 'node:os';
import process from 'node:process';
import type { Result } from './report.js';
import type { Stage } from './stages.js';

/** What `docs/performance.json` holds: all that PERFORMANCE.md says in figures. */
export interface Performance {
  machine: Machine;
  /** By database and scenario. */
  results: Record<string, Record<string, Result>>;
  /** By database and row: where the time of one message goes. */
  stages?: Record<string, Record<string, Stage[]>>;
}

export interface Machine {
  processor: string;
  cores: number;
  memoryGb: number;
  node: string;
  system: string;
  /** The load average before the benchmark began: what others did on the machine. */
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
