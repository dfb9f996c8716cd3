/** Request and response over a child process's IPC channel. A child may also send notices. */
import type { ChildProcess } from 'node:child_process';
import process from 'node:process';

interface Request {
  id: number;
  body: object;
}
type Message = { id: number; result: unknown } | { id: number; error: string } | { notice: object };

/** The runner's end of the channel. */
export class Child {
  private readonly pending = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  private nextId = 0;

  constructor(
    readonly process: ChildProcess,
    private readonly name: string,
    onNotice: (notice: object) => void = () => {},
  ) {
    process.on('message', (message: Message) => {
      if ('notice' in message) return onNotice(message.notice);
      const request = this.pending.get(message.id);
      this.pending.delete(message.id);
      if ('error' in message) request?.reject(new Error(`${name}: ${message.error}`));
      else request?.resolve(message.result);
    });
    // 'disconnect' follows the last message; 'exit' may precede it.
    process.on('disconnect', () => this.rejectPending('exited'));
  }

  /** Rejects if the child fails, exits or does not respond within `timeoutMs`. */
  request<Result>(body: object, timeoutMs: number): Promise<Result> {
    const id = this.nextId++;
    const result = new Promise<Result>((resolve, reject) => {
      this.pending.set(id, { resolve: (value) => resolve(value as Result), reject });
    });
    const timer = setTimeout(() => this.rejectPending(`timed out: ${JSON.stringify(body).slice(0, 80)}`), timeoutMs);
    this.process.send({ id, body } satisfies Request);
    return result.finally(() => clearTimeout(timer));
  }

  private rejectPending(reason: string): void {
    for (const { reject } of this.pending.values()) reject(new Error(`${this.name} ${reason}`));
    this.pending.clear();
  }
}

/** Handles the runner's requests in a child process, which ends when the runner disconnects. */
export function serveRequests<Body extends object>(
  handle: (body: Body, notify: (notice: object) => void) => Promise<unknown>,
): void {
  const send = (message: Message) => process.send?.(message);
  process.on('message', async ({ id, body }: Request) => {
    try {
      send({ id, result: await handle(body as Body, (notice) => send({ notice })) });
    } catch (error) {
      send({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}
