import { RawLine } from '../test/support/raw.line.js';

const CONNECT = '40';
const DISCONNECT = '41';
const EVENT = '42';
const ACK = '43';
const REFUSED = '44';

export interface Answer {
  ok: boolean;
  data?: unknown;
  error?: unknown;
}
type Hear = (payload: never) => void;

/**
 * A client of Socket.IO for a load: WebSocket only, the same frames as `socket.io-client` sends, at a third of its price.
 * The load has one core, and with the usual client that core is full before the hub's is.
 */
export class Line {
  /** Of all lines of the process: characters, which are bytes here. */
  static heard = 0;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private readonly ears = new Map<string, Hear>();
  private asked = 0;
  private isClosing = false;

  private constructor(
    private readonly raw: RawLine,
    private readonly onCut: (why: string) => void,
  ) {}

  /** Connects, and hears events from the first one on. */
  static async open(
    url: string,
    auth: object,
    ears: Record<string, Hear>,
    onCut: (why: string) => void,
  ): Promise<Line> {
    const raw = await RawLine.open(url);
    const line = new Line(raw, onCut);
    for (const [name, hear] of Object.entries(ears)) line.ears.set(name, hear);
    await new Promise<void>((resolve, reject) => {
      raw.onText = (text) => {
        if (text.startsWith('0')) raw.send(`${CONNECT}${JSON.stringify(auth)}`);
        else if (text.startsWith(REFUSED)) reject(new Error(`Refused: ${text}`));
        else if (text.startsWith(CONNECT)) {
          raw.onText = (next) => line.hear(next);
          resolve();
        }
      };
      raw.closed.then(() => {
        reject(new Error('The line was cut'));
        line.cut('the line ended');
      });
    });
    return line;
  }

  ask(name: string, message: object): Promise<Answer> {
    if (this.isClosing) return Promise.resolve({ ok: false, error: 'closed' });
    const id = this.asked++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.raw.send(`${EVENT}${id}${JSON.stringify([name, message])}`);
    });
  }

  /** Whoever still waits for an answer is told that there will be none. */
  close(): void {
    this.isClosing = true;
    this.giveUp('not answered');
    this.raw.send(DISCONNECT);
    this.raw.end();
  }

  private hear(text: string): void {
    Line.heard += text.length;
    const type = text.slice(0, 2);
    const start = text.indexOf('[');
    if (type === ACK) {
      const id = Number(text.slice(2, start));
      const [answer] = JSON.parse(text.slice(start));
      this.waiting.get(id)?.(answer);
      this.waiting.delete(id);
    } else if (type === EVENT) {
      const [name, payload] = JSON.parse(text.slice(start));
      this.ears.get(name)?.(payload as never);
    } else if (type === DISCONNECT) this.cut('sent away');
  }

  private cut(why: string): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.giveUp(why);
    this.onCut(why);
  }

  private giveUp(why: string): void {
    for (const answer of this.waiting.values()) answer({ ok: false, error: why });
    this.waiting.clear();
  }
}
