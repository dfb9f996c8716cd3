import { type Closing, RawLine } from '../support/raw.line.js';

const ADMITTED_WITHIN_MS = 10_000;

/** What was said to one message: every acknowledgement that came for it. */
export type Said = unknown[];

/** A socket of a user, spoken by hand: the frames of Socket.IO are written letter by letter, and every answer is counted. */
export class Speaker {
  private readonly answers = new Map<string, Said>();
  private readonly waiting = new Map<string, () => void>();
  /** What the hub said by itself, by name. */
  readonly pushes: { name: string; payload: unknown }[] = [];
  /** The id of the line, as the hub told it. */
  sid = '';
  private count = 0;

  private constructor(readonly line: RawLine) {
    line.onText = (text) => this.hear(text);
    void line.closed.then(() => {
      for (const stop of this.waiting.values()) stop();
    });
  }

  /** Connects, and resolves when the socket is ready. */
  static async connect(url: string, token: string): Promise<Speaker> {
    const line = await RawLine.open(url);
    const speaker = new Speaker(line);
    const ready = speaker.once('ready', ADMITTED_WITHIN_MS);
    line.send(`40${JSON.stringify({ token })}`);
    if (!(await ready)) throw new Error('The door let nobody in');
    return speaker;
  }

  get closed(): Promise<Closing> {
    return this.line.closed;
  }

  get isClosed(): boolean {
    return this.line.isClosed;
  }

  /** A number for an acknowledgement that no other message of this socket has. */
  nextId(): string {
    return String(++this.count);
  }

  /** Sends an event, its arguments as JSON text, and gives its number. */
  say(args: string, id = this.nextId()): string {
    this.line.send(`42${id}${args}`);
    return id;
  }

  /** All that came for this number so far. */
  said(id: string): Said {
    return this.answers.get(id) ?? [];
  }

  /** Waits until something has come for this number, or the line is cut; gives whether it came in time. */
  async once(id: string, withinMs: number): Promise<boolean> {
    if (this.said(id).length > 0) return true;
    if (this.isClosed) return false;
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        this.waiting.delete(id);
        resolve(this.said(id).length > 0);
      };
      const timer = setTimeout(settle, withinMs);
      this.waiting.set(id, settle);
    });
  }

  forget(): void {
    this.answers.clear();
    this.pushes.length = 0;
  }

  hangUp(): void {
    this.line.hangUp();
  }

  private hear(text: string): void {
    const [, id, body] = /^43([^[]*)(\[.*)$/s.exec(text) ?? [];
    if (id !== undefined && body !== undefined) this.note(id, (JSON.parse(body) as unknown[])[0]);
    if (text.startsWith('0{')) this.sid = (JSON.parse(text.slice(1)) as { sid: string }).sid;
    if (!text.startsWith('42[')) return;
    const [name, payload] = JSON.parse(text.slice(2)) as [string, unknown];
    this.pushes.push({ name, payload });
    if (name === 'room:ready') this.note('ready', payload);
  }

  private note(id: string, answer: unknown): void {
    const said = this.answers.get(id);
    if (said) said.push(answer);
    else this.answers.set(id, [answer]);
    this.waiting.get(id)?.();
  }
}
