import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { PASSWORD, type TestHub, until } from './hub.js';
import { Person } from './person.js';
import type { TestDatabase } from './test.database.js';

/** A process loads a while where several begin at once on a machine that has other things to do. */
const STARTS_WITHIN_MS = 60_000;

let isPrepared = false;

/** Builds the hub, unless what is built is newer than its sources: one script decides, for everybody. */
export function prepare(): void {
  if (isPrepared) return;
  const script = join('scripts', 'prepare.mjs');
  const { status, stderr, stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The hub could not be built: ${stdout}${stderr}`);
  isPrepared = true;
}

/** How a process ended: of itself with a code, or by a signal. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

interface ProcessOptions {
  /** Whether the process can be told to crash; or at once where, as `<point>:<nth>`. See crash.points.mjs. */
  crash?: boolean | string;
  /** Whether nobody reads what the process says on standard error. */
  unheard?: boolean;
  /** A port of its own choosing, unless told. */
  port?: number;
}

/** A hub as it runs for its users: a process of its own, that can be killed. */
export class HubProcess {
  /** Resolves when the process has ended, however it did. */
  readonly ended: Promise<Ending>;

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    private readonly errors: string[],
  ) {
    this.ended = this.exited();
  }

  /** Starts the built hub, and reads from what it prints where it listens. */
  static async start(
    { url: databaseUrl }: TestDatabase,
    variables: Record<string, string> = {},
    { crash = false, port = 0, unheard = false }: ProcessOptions = {},
  ): Promise<HubProcess> {
    prepare();
    const preloaded = crash === false ? [] : ['--import', `./${join('test', 'support', 'crash.points.mjs')}`];
    // What ends a hub inside stands in modules of its own.
    const entry = join('dist', crash === false ? 'main.js' : 'start.js');
    const child = spawn(process.execPath, ['--disable-proto=delete', ...preloaded, entry], {
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
    let printed = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    if (!unheard) child.stderr?.setEncoding('utf8').on('data', (text: string) => errors.push(text));
    const address = () => /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0];
    await until(
      'the hub prints its address',
      () => {
        if (child.exitCode !== null) throw new Error(`The hub ended with ${child.exitCode}: ${errors.join('')}`);
        return address() !== undefined;
      },
      STARTS_WITHIN_MS,
    );
    return new HubProcess(child, address() ?? '', errors);
  }

  /** Somebody who speaks to this hub. A person needs nothing of a hub but its address. */
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

  /** Ends the process as a power cut would: nothing of it runs any more. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Asks the process to end, and gives its exit code. */
  async terminate(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return (await this.ended).code;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Stops the process where it stands: nothing of it runs until it is thawed, and its connections stay open. */
  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  /** Makes the process, started with `crash`, end itself at the nth passing of a point from now. */
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

  /** What the process has said on standard error. */
  get complaints(): string {
    return this.errors.join('');
  }

  private async exited(): Promise<Ending> {
    if (!this.hasEnded) await once(this.child, 'exit');
    return { code: this.child.exitCode, signal: this.child.signalCode };
  }
}
