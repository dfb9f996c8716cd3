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
  /** What the server itself is told besides. */
  options?: string[];
  /** A folder of MySQL's programs that were unpacked before: unpacking them takes a while. */
  programs?: string;
}

/** Below the ports that the system gives to outgoing connections. */
const PORTS = { from: 20_000, to: 31_999 };

/** A real database server or Redis of a test's own, that the test may kill, freeze and start again. */
export class ServerProcess {
  private constructor(
    readonly kind: ServerKind,
    readonly folder: string,
    readonly port: number,
    private readonly options: string[],
    private readonly isOwn: boolean,
  ) {}

  /** Starts a server in a new folder, on a free port. */
  static async start(kind: ServerKind, { options = [], programs }: ServerOptions = {}): Promise<ServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), `order-hub-${kind}-`));
    if (programs !== undefined) await symlink(resolve(programs), join(folder, 'root'));
    const server = new ServerProcess(kind, folder, await freePort(), options, true);
    try {
      await server.startAgain();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** One that runs already, started by the same script. It is left running at the end. */
  static attach(kind: ServerKind, folder: string, port: number, options: string[] = []): ServerProcess {
    return new ServerProcess(kind, folder, port, options, false);
  }

  get url(): string {
    return this.kind === 'redis' ? `redis://127.0.0.1:${this.port}` : `mysql://hub:hub@127.0.0.1:${this.port}/orders`;
  }

  get isRunning(): boolean {
    return this.pid() !== undefined;
  }

  /** Starts what was killed: what the server had made durable is there again. Resolves when it answers. */
  async startAgain(): Promise<void> {
    const script = join('scripts', 'servers', this.kind);
    await promisify(execFile)('bash', [script, 'start', this.folder, String(this.port), ...this.options]);
  }

  /** Ends the process as a power cut would. Resolves when it is gone. */
  async kill(): Promise<void> {
    const pid = this.pid();
    if (pid === undefined) return;
    process.kill(pid, 'SIGKILL');
    await until(`the ${this.kind} server is gone`, () => !this.isRunning);
  }

  /** Stops the process where it stands: connections stay open, and nothing is answered. */
  freeze(): void {
    this.signalRunning('SIGSTOP');
  }

  thaw(): void {
    this.signalRunning('SIGCONT');
  }

  /** Ends the server and removes all that it left. One that was only attached runs on. */
  async stop(): Promise<void> {
    if (!this.isOwn) {
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

  /** The server's process, while it runs. What a killed one has left in its file may be another's number by now. */
  private pid(): number | undefined {
    const file = join(this.folder, 'pid');
    const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
    if (pid <= 0 || !runs(pid)) return undefined;
    const command = aboutProcess(pid, 'cmdline');
    // One that is about to be gone has nothing left to tell.
    return command === '' || command.includes(this.folder) || command.includes(`:${this.port}`) ? pid : undefined;
  }
}

/** A process that has ended, but that nobody has waited for yet, does not run; unless threads of it are still at their end. */
function runs(pid: number): boolean {
  const status = aboutProcess(pid, 'status');
  return /^State:\s*[^ZX\s]/m.test(status) || /^Threads:\s*([2-9]|\d\d)/m.test(status);
}

function aboutProcess(pid: number, file: 'cmdline' | 'status'): string {
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
    const isFree = await new Promise<boolean>((tell) => {
      server.once('error', () => tell(false));
      server.listen(port, '127.0.0.1', () => server.close(() => tell(true)));
    });
    if (isFree) return port;
  }
}
