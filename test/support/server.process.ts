import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { until } from './hub.js';

export type ServerKind = 'mariadb' | 'mysql' | 'redis';

interface ServerOptions {
  /** Extra command-line options. */
  options?: string[];
  /** A folder of MySQL binaries that are unpacked already, which saves time. */
  binaries?: string;
}

/** Below the ephemeral port range. */
const PORTS = { from: 20_000, to: 31_999 };

/** A real database server or Redis that a test may kill, freeze and restart. */
export class ServerProcess {
  private constructor(
    readonly kind: ServerKind,
    readonly folder: string,
    readonly port: number,
    private readonly options: string[],
    private readonly isOwned: boolean,
  ) {}

  /** Starts a server in a new folder, on a free port. */
  static async start(kind: ServerKind, { options = [], binaries }: ServerOptions = {}): Promise<ServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), `order-hub-${kind}-`));
    if (binaries !== undefined) await symlink(resolve(binaries), join(folder, 'root'));
    const server = new ServerProcess(kind, folder, await freePort(), options, true);
    try {
      await server.restart();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Attaches to a running server, which stays running at the end. */
  static attach(kind: ServerKind, folder: string, port: number, options: string[] = []): ServerProcess {
    return new ServerProcess(kind, folder, port, options, false);
  }

  get url(): string {
    return this.kind === 'redis' ? `redis://127.0.0.1:${this.port}` : `mysql://hub:hub@127.0.0.1:${this.port}/orders`;
  }

  get isRunning(): boolean {
    return this.pid() !== undefined;
  }

  /** Restarts a killed server on its data. Resolves when it accepts connections. */
  async restart(): Promise<void> {
    const script = join('scripts', 'servers', this.kind);
    await promisify(execFile)('bash', [script, 'start', this.folder, String(this.port), ...this.options]);
  }

  /** Kills the process with SIGKILL. Resolves when it is gone. */
  async kill(): Promise<void> {
    const pid = this.pid();
    if (pid === undefined) return;
    process.kill(pid, 'SIGKILL');
    await until(`the ${this.kind} server is gone`, () => !this.isRunning);
  }

  /** Suspends the process: connections stay open, but nothing is answered. */
  freeze(): void {
    this.signalRunning('SIGSTOP');
  }

  thaw(): void {
    this.signalRunning('SIGCONT');
  }

  /** Kills the server and removes its folder. An attached server is only thawed. */
  async stop(): Promise<void> {
    if (!this.isOwned) {
      if (this.isRunning) this.thaw();
      return;
    }
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private signalRunning(name: NodeJS.Signals): void {
    const pid = this.pid();
    if (pid === undefined) throw new Error(`The ${this.kind} server does not run`);
    process.kill(pid, name);
  }

  /** The pid of the running server. The pid file of a killed server may name a reused pid, so the command line is checked. */
  private pid(): number | undefined {
    const file = join(this.folder, 'pid');
    const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
    if (pid <= 0 || !isAlive(pid)) return undefined;
    const command = readProc(pid, 'cmdline');
    // An exiting process has an empty command line.
    return command === '' || command.includes(this.folder) || command.includes(`:${this.port}`) ? pid : undefined;
  }
}

/** A zombie does not count as alive, unless some of its threads are still exiting. */
function isAlive(pid: number): boolean {
  const status = readProc(pid, 'status');
  return /^State:\s*[^ZX\s]/m.test(status) || /^Threads:\s*([2-9]|\d\d)/m.test(status);
}

function readProc(pid: number, file: 'cmdline' | 'status'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from + 1));
    const server = createServer();
    const isFree = await new Promise<boolean>((resolvePort) => {
      server.once('error', () => resolvePort(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolvePort(true)));
    });
    if (isFree) return port;
  }
}
