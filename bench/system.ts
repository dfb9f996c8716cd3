import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { TestDatabase } from '../test/support/test.database.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const TICKS_A_SECOND = 100;
const STARTS_WITHIN_MS = 30_000;

/** What is compared: the hub, and what one would write or pick instead. */
export const systems = {
  hub: [join('dist', 'main.js')],
  bare: [join(HERE, 'systems', 'bare.js')],
  usual: [join(HERE, 'systems', 'nest.js'), 'usual'],
  lean: [join(HERE, 'systems', 'nest.js'), 'lean'],
} satisfies Record<string, string[]>;
export type SystemName = keyof typeof systems;

export interface Cost {
  cpuUs: number;
  rssMb: number;
}

/** Where there are two cores, what is measured has one to itself, and the load another. */
export function pinned(core: 'system' | 'load', command: string[]): string[] {
  const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;
  return canPin ? ['taskset', '-c', core === 'system' ? '0' : '1', ...command] : command;
}

/** What all processes of a system have used. */
export function costOf(systems: readonly System[]): Cost {
  const costs = systems.map((system) => system.cost());
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return { cpuUs: sum(costs.map(({ cpuUs }) => cpuUs)), rssMb: sum(costs.map(({ rssMb }) => rssMb)) };
}

/** A system under test: a process of its own. */
export class System {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(name: SystemName, database: TestDatabase, profiles?: string): Promise<System> {
    const flags = profiles ? ['--cpu-prof', '--cpu-prof-dir', profiles] : [];
    const [command = '', ...parameters] = pinned('system', [process.execPath, ...flags, ...systems[name]]);
    const child = spawn(command, parameters, {
      env: {
        PATH: process.env.PATH,
        PORT: '0',
        DATABASE_URL: database.url,
        LOG_LEVEL: 'error',
        RATE_LIMITS: 'off',
        NODE_ENV: 'production',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout?.on('data', (data) => {
      printed += data;
    });
    const end = Date.now() + STARTS_WITHIN_MS;
    for (;;) {
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0];
      if (url) return new System(child, url);
      if (child.exitCode !== null || Date.now() > end) throw new Error(`${name} did not start: ${printed}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What the operating system says that the process has used, in user and kernel. */
  cost(): Cost {
    const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { cpuUs: (ticks / TICKS_A_SECOND) * 1_000_000, rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024 };
  }

  /** As one would stop it: a profile is written at a regular end only. */
  async stop(): Promise<void> {
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await gone;
  }
}
