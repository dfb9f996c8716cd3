import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { TestDatabase } from '../test/support/test.database.js';
import { Child } from './child.js';
import type { Probed, ToProbe } from './wire.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const PROBE = pathToFileURL(join(HERE, 'probe.js')).href;
const TICKS_A_SECOND = 100;
const STARTS_WITHIN_MS = 30_000;
const PROBED_WITHIN_MS = 60_000;

/** As `npm start` starts the hub. The others are given the same. */
const NODE_FLAGS = ['--disable-proto=delete', '--max-semi-space-size=64'];

/** What is compared: the hub, and what one would write or pick instead. `nest` is a Nest application that does nothing. */
export const systems = {
  hub: [join('dist', 'main.js')],
  bare: [join(HERE, 'systems', 'bare.js')],
  usual: [join(HERE, 'systems', 'baseline.js'), 'usual'],
  lean: [join(HERE, 'systems', 'baseline.js'), 'lean'],
  nest: [join(HERE, 'systems', 'nest.js')],
} satisfies Record<string, string[]>;
export type SystemName = keyof typeof systems;
const HUB_IN_FILES = [join('dist', 'start.js')];

export interface Cost {
  cpuUs: number;
  rssMb: number;
}

type Core = 'system' | 'load';

/** Where there are two cores, what is measured has one to itself, and the load another. */
function pinned(core: Core, command: string[]): string[] {
  const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;
  return canPin ? ['taskset', '-c', core === 'system' ? '0' : '1', ...command] : command;
}

/** Starts a process of load, which answers questions. */
export function startLoad(file: 'load' | 'aside', onNotice?: (notice: object) => void): Child {
  const [command = '', ...flags] = pinned('load', [process.execPath]);
  const child = fork(join(HERE, `${file}.js`), { execPath: command, execArgv: flags });
  return new Child(child, `the ${file} process`, onNotice);
}

/** What all these processes have used. */
export function costOf(pids: readonly number[]): Cost {
  const costs = pids.map(costOfProcess);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return { cpuUs: sum(costs.map(({ cpuUs }) => cpuUs)), rssMb: sum(costs.map(({ rssMb }) => rssMb)) };
}

/** What the operating system says that all threads of a process have used, in user and kernel, and hold. */
function costOfProcess(pid: number): Cost {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { cpuUs: (ticks / TICKS_A_SECOND) * 1_000_000, rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024 };
}

interface StartOptions {
  /** Several processes of a system share all cores with the load: one core is too few for them. */
  isPinned: boolean;
  /** Without the probe, a system starts as it is. */
  isProbed: boolean;
  /** A profile tells files apart: then the hub is not run from the one file that it is built into. */
  isProfiled?: boolean;
}

/** A system under test: a process of its own. */
export class System {
  private constructor(
    private readonly process: ChildProcess,
    private readonly probe: Child,
    readonly url: string,
  ) {}

  static async start(name: SystemName, database: TestDatabase, options: StartOptions): Promise<System> {
    const entry = name === 'hub' && options.isProfiled ? HUB_IN_FILES : systems[name];
    const own = [process.execPath, ...NODE_FLAGS, ...(options.isProbed ? ['--import', PROBE] : []), ...entry];
    const [command = '', ...parameters] = options.isPinned ? pinned('system', own) : own;
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
    const url = await addressOf(name, child);
    return new System(child, new Child(child, name), url);
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  ask(question: ToProbe): Promise<Probed | undefined> {
    return this.probe.ask(question, PROBED_WITHIN_MS);
  }

  /** As one would stop it. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    await gone;
  }
}

/** What a system prints once it listens. */
function addressOf(name: string, child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    const fail = () => {
      clearTimeout(timer);
      reject(new Error(`${name} did not start: ${printed}`));
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail();
    }, STARTS_WITHIN_MS);
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
