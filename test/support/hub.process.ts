import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { PASSWORD, type TestHub, until } from './hub.js';
import { Person } from './person.js';
import type { TestDatabase } from './test.database.js';

/** Several processes may start at once on a busy machine. */
const START_WITHIN_MS = 60_000;

let isBuilt = false;

/** Builds the hub unless the build is newer than its sources. */
export function prepare(): void {
  if (isBuilt) return;
  const script = join('scripts', 'prepare.mjs');
  const { status, stderr, stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The hub could not be built: ${stdout}${stderr}`);
  isBuilt = true;
}

/** How a process exited: with a code, or by a signal. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

interface ProcessOptions {
  /** Whether to load the crash points; a string `<point>:<nth>` arms one at start. See crash.points.mjs. */
  crash?: boolean | string;
  /** Whether standard error stays unread, so that its pipe fills up. */
  ignoreStderr?: boolean;
  /** A free port by default. */
  port?: number;
}

/** A hub in a separate process, as in production, that a test can kill. */
export class HubProcess {
  /** Resolves when the process has exited. */
  readonly ended: Promise<Ending>;

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    private readonly errors: string[],
    private readonly output: { stdout: string },
  ) {
    this.ended = this.exited();
  }

  /** Starts the built hub and waits for the address that it prints. */
  static async start(
    { url: databaseUrl }: TestDatabase,
    variables: Record<string, string> = {},
    { crash = false, port = 0, ignoreStderr = false }: ProcessOptions = {},
  ): Promise<HubProcess> {
    prepare();
    const preload = crash === false ? [] : ['--import', `./${join('test', 'support', 'crash.points.mjs')}`];
    // main.js is a bundle; crash points need the separate modules behind start.js.
    const entry = join('dist', crash === false ? 'main.js' : 'start.js');
    const child = spawn(process.execPath, ['--disable-proto=delete', ...preload, entry], {
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: databaseUrl,
        PORT: String(port),
        LOG_LEVEL: 'silent',
        RATE_LIMITS: 'off',
        ...(typeof crash === 'string' ? { CRASH_AT: crash } : {}),
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe', ...(crash === false ? [] : (['ipc'] as const))],
    });
    const errors: string[] = [];
    const output = { stdout: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    if (!ignoreStderr) child.stderr?.setEncoding('utf8').on('data', (text: string) => errors.push(text));
    const address = () => /http:\/\/(127\.0\.0\.1|0\.0\.0\.0):\d+/.exec(output.stdout)?.[0];
    await until(
      'the hub prints its address',
      () => {
        if (child.exitCode !== null) throw new Error(`The hub exited with ${child.exitCode}: ${errors.join('')}`);
        return address() !== undefined;
      },
      START_WITHIN_MS,
    );
    return new HubProcess(child, address() ?? '', errors, output);
  }

  /** A person on this hub. A person uses nothing of a hub but its URL. */
  person(userId: string, token = ''): Person {
    return new Person({ url: this.url } as TestHub, userId, token);
  }

  async register(userId: string): Promise<Person> {
    const person = this.person(userId);
    await person.post('/auth/register', { userId, password: PASSWORD });
    const { body } = await person.post<{ token: string }>('/auth/login', { userId, password: PASSWORD });
    person.token = body.token;
    return person;
  }

  /** Kills the process with SIGKILL and waits for its exit. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Sends SIGTERM and returns the exit code. */
  async terminate(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return (await this.ended).code;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Suspends the process with SIGSTOP; its connections stay open. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** Arms a crash at the nth passing of a point from now. The process must have been started with `crash`. */
  async crashAt(point: string, nth = 1): Promise<void> {
    const crashAt = `${point}:${nth}`;
    const armed = once(this.child, 'message');
    this.child.send({ crashAt });
    await armed;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** What the process has written to standard error. */
  get complaints(): string {
    return this.errors.join('');
  }

  /** What the process has written to standard output. */
  get printed(): string {
    return this.output.stdout;
  }

  private async exited(): Promise<Ending> {
    if (!this.hasEnded) await once(this.child, 'exit');
    return { code: this.child.exitCode, signal: this.child.signalCode };
  }
}
