import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { TestDatabase } from '../test/support/test.database.js';
import { Child } from './child.js';
import type { Probed, ProbeRequest } from './wire.js';

const BUILT = dirname(fileURLToPath(import.meta.url));
const PROBE = pathToFileURL(join(BUILT, 'probe.js')).href;
const CLOCK_TICKS_PER_SECOND = 100;
const START_TIMEOUT_MS = 30_000;
const PROBE_TIMEOUT_MS = 60_000;

/** As in `npm start`; every system gets the same. */
const NODE_FLAGS = ['--disable-proto=delete', '--max-semi-space-size=64'];

/** The hub and its baselines. `nest` is an empty Nest application, the baseline of the start time. */
export const systems = {
  hub: [join('dist', 'main.js')],
  bare: [join(BUILT, 'systems', 'bare.js')],
  usual: [join(BUILT, 'systems', 'baseline.js'), 'usual'],
  lean: [join(BUILT, 'systems', 'baseline.js'), 'lean'],
  nest: [join(BUILT, 'systems', 'nest.js')],
} satisfies Record<string, string[]>;
export type SystemName = keyof typeof systems;
const UNBUNDLED_HUB = [join('dist', 'start.js')];

export interface Usage {
  cpuUs: number;
  rssMb: number;
  /** Handed to the file system's disk since the start; 0 in memory, as on a tmpfs. */
  writtenKb: number;
}

type Role = 'system' | 'load';

const CORES = availableParallelism();

/**
 * Every system, with all its threads, gets the first `cores` cores. The load has the others to itself, or shares those of the
 * system if there are none.
 */
function pinned(role: Role, cores: number, command: string[]): string[] {
  const canPin = CORES > 1 && spawnSync('taskset', ['--version']).status === 0;
  if (!canPin) return command;
  const others = cores < CORES ? `${cores}-${CORES - 1}` : `0-${CORES - 1}`;
  return ['taskset', '-c', role === 'system' ? `0-${cores - 1}` : others, ...command];
}

export function startLoad(
  script: 'load' | 'background.load',
  cores: number,
  onNotice?: (notice: object) => void,
): Child {
  const [command = '', ...flags] = pinned('load', cores, [process.execPath]);
  const child = fork(join(BUILT, `${script}.js`), { execPath: command, execArgv: flags });
  return new Child(child, script, onNotice);
}

/** CPU time and resident memory of several processes, summed. */
export function usageOf(pids: readonly number[]): Usage {
  const usages = pids.map(usageOfProcess);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return {
    cpuUs: sum(usages.map(({ cpuUs }) => cpuUs)),
    rssMb: sum(usages.map(({ rssMb }) => rssMb)),
    writtenKb: sum(usages.map(({ writtenKb }) => writtenKb)),
  };
}

/** From /proc: user and system time of all threads, and what the disk was given to write. */
function usageOfProcess(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    cpuUs: (ticks / CLOCK_TICKS_PER_SECOND) * 1_000_000,
    rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024,
    writtenKb: Number(/^write_bytes:\s+(\d+)/m.exec(io)?.[1]) / 1_024,
  };
}

interface StartOptions {
  /** How many cores it gets; none for several processes of a system, which share all cores with the load. */
  cores?: number;
  isProbed: boolean;
  /** Runs the hub unbundled, because a profile is summed by file. */
  isProfiled?: boolean;
}

/** A system under test, in a process of its own. */
export class System {
  private constructor(
    private readonly process: ChildProcess,
    private readonly probe: Child,
    readonly url: string,
  ) {}

  /** Resolves once the system listens. */
  static async start(name: SystemName, database: TestDatabase, options: StartOptions): Promise<System> {
    const entry = name === 'hub' && options.isProfiled ? UNBUNDLED_HUB : systems[name];
    const node = [process.execPath, ...NODE_FLAGS, ...(options.isProbed ? ['--import', PROBE] : []), ...entry];
    const [command = '', ...parameters] = options.cores ? pinned('system', options.cores, node) : node;
    const child = spawn(command, parameters, {
      env: {
        PATH: process.env.PATH,
        PORT: '0',
        DATABASE_URL: database.url,
        LOG_LEVEL: 'error',
        RATE_LIMITS: 'off',
        NODE_ENV: 'production',
      },
      stdio: ['ignore', 'pipe', 'inherit', ...(options.isProbed ? (['ipc'] as const) : [])],
    });
    const url = await listeningUrl(name, child);
    return new System(child, new Child(child, name), url);
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  requestProbe(request: ProbeRequest): Promise<Probed | undefined> {
    return this.probe.request(request, PROBE_TIMEOUT_MS);
  }

  /** Graceful, and a no-op once stopped. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    await exited;
  }
}

/** The URL that a system prints once it listens. */
function listeningUrl(name: string, child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    const fail = () => {
      clearTimeout(timer);
      reject(new Error(`${name} did not start: ${printed}`));
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail();
    }, START_TIMEOUT_MS);
    child.once('exit', fail);
    child.stdout?.on('data', (text) => {
      printed += text;
      const [url] = /http:\/\/127\.0\.0\.1:\d+(?=\s)/.exec(printed) ?? [];
      if (!url) return;
      clearTimeout(timer);
      child.off('exit', fail);
      resolve(url);
    });
  });
}
