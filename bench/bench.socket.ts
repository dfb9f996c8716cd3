import { RawLine } from '../test/support/raw.line.js';

const CONNECT = '40';
const DISCONNECT = '41';
const EVENT = '42';
const ACK = '43';
const CONNECT_ERROR = '44';

export interface Answer {
  ok: boolean;
  data?: unknown;
  error?: unknown;
}
type EventHandler = (payload: never) => void;

/**
 * A minimal Socket.IO client: WebSocket only, the same frames as `socket.io-client` at a third of its CPU cost. With the
 * standard client the load's single core would saturate before the hub's.
 */
export class BenchSocket {
  /** Of all sockets of the process, in characters; the payloads are ASCII, so these are bytes. */
  static bytesReceived = 0;
  private readonly pending = new Map<number, (answer: Answer) => void>();
  private nextId = 0;
  private isClosed = false;

  private constructor(
    private readonly raw: RawLine,
    private readonly handlers: Map<string, EventHandler>,
    private readonly onClose: (reason: string) => void,
  ) {}

  /** Resolves once connected; handlers are in place before the first event. `onClose` is called only if the server or network closes. */
  static async open(
    url: string,
    auth: object,
    handlers: Record<string, EventHandler>,
    onClose: (reason: string) => void,
  ): Promise<BenchSocket> {
    const raw = await RawLine.open(url);
    const socket = new BenchSocket(raw, new Map(Object.entries(handlers)), onClose);
    await new Promise<void>((resolve, reject) => {
      raw.onText = (text) => {
        if (text.startsWith('0')) raw.send(`${CONNECT}${JSON.stringify(auth)}`);
        else if (text.startsWith(CONNECT_ERROR)) reject(new Error(`Connection refused: ${text}`));
        else if (text.startsWith(CONNECT)) {
          raw.onText = (next) => socket.receive(next);
          resolve();
        }
      };
      raw.closed.then(() => {
        reject(new Error('Connection closed'));
        socket.closedByPeer('connection closed');
      });
    });
    return socket;
  }

  request(name: string, message: object): Promise<Answer> {
    if (this.isClosed) return Promise.resolve({ ok: false, error: 'closed' });
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.pending.set(id, resolve);
      this.raw.send(`${EVENT}${id}${JSON.stringify([name, message])}`);
    });
  }

  /** Fails pending requests. */
  close(): void {
    this.isClosed = true;
    this.failPending('not answered');
    this.raw.send(DISCONNECT);
    this.raw.end();
  }

  private receive(text: string): void {
    BenchSocket.bytesReceived += text.length;
    const type = text.slice(0, 2);
    const start = text.indexOf('[');
    if (type === ACK) {
      const id = Number(text.slice(2, start));
      const [answer] = JSON.parse(text.slice(start));
      this.pending.get(id)?.(answer);
      this.pending.delete(id);
    } else if (type === EVENT) {
      const [name, payload] = JSON.parse(text.slice(start));
      this.handlers.get(name)?.(payload as never);
    } else if (type === DISCONNECT) this.closedByPeer('disconnected by the server');
  }

  private closedByPeer(reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.failPending(reason);
    this.onClose(reason);
  }

  private failPending(error: string): void {
    for (const resolve of this.pending.values()) resolve({ ok: false, error });
    this.pending.clear();
  }
}
