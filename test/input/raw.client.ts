import { type Closing, RawLine } from '../support/raw.line.js';

const READY_WITHIN_MS = 10_000;

/** Every acknowledgement of one message. */
export type Received = unknown[];

/** A hand-written Socket.IO client: sends any packet and counts every acknowledgement. */
export class RawClient {
  private readonly answers = new Map<string, Received>();
  private readonly waiters = new Map<string, () => void>();
  /** Every event that the hub pushed. */
  readonly pushes: { name: string; payload: unknown }[] = [];
  /** The Engine.IO session id. */
  sid = '';
  private count = 0;

  private constructor(readonly socket: RawLine) {
    socket.onText = (text) => this.onText(text);
    void socket.closed.then(() => {
      for (const wake of this.waiters.values()) wake();
    });
  }

  /** Connects and resolves at `room:ready`. */
  static async connect(url: string, token: string): Promise<RawClient> {
    const socket = await RawLine.open(url);
    const client = new RawClient(socket);
    const ready = client.waitFor('ready', READY_WITHIN_MS);
    socket.send(`40${JSON.stringify({ token })}`);
    if (!(await ready)) throw new Error('The handshake was not accepted');
    return client;
  }

  get closed(): Promise<Closing> {
    return this.socket.closed;
  }

  get isClosed(): boolean {
    return this.socket.isClosed;
  }

  /** An unused acknowledgement id. */
  nextId(): string {
    return String(++this.count);
  }

  /** Sends an event with its arguments as JSON text; returns its acknowledgement id. */
  send(args: string, id = this.nextId()): string {
    this.socket.send(`42${id}${args}`);
    return id;
  }

  /** The acknowledgements received so far for this id. */
  answersTo(id: string): Received {
    return this.answers.get(id) ?? [];
  }

  /** Waits for an acknowledgement, a disconnect or the timeout. Returns whether the acknowledgement arrived. */
  async waitFor(id: string, withinMs: number): Promise<boolean> {
    if (this.answersTo(id).length > 0) return true;
    if (this.isClosed) return false;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.waiters.delete(id);
        resolve(this.answersTo(id).length > 0);
      };
      const timer = setTimeout(done, withinMs);
      this.waiters.set(id, done);
    });
  }

  clear(): void {
    this.answers.clear();
    this.pushes.length = 0;
  }

  destroy(): void {
    this.socket.destroy();
  }

  private onText(text: string): void {
    const [, id, body] = /^43([^[]*)(\[.*)$/s.exec(text) ?? [];
    if (id !== undefined && body !== undefined) this.record(id, (JSON.parse(body) as unknown[])[0]);
    if (text.startsWith('0{')) this.sid = (JSON.parse(text.slice(1)) as { sid: string }).sid;
    if (!text.startsWith('42[')) return;
    const [name, payload] = JSON.parse(text.slice(2)) as [string, unknown];
    this.pushes.push({ name, payload });
    if (name === 'room:ready') this.record('ready', payload);
  }

  private record(id: string, answer: unknown): void {
    const known = this.answers.get(id);
    if (known) known.push(answer);
    else this.answers.set(id, [answer]);
    this.waiters.get(id)?.();
  }
}
