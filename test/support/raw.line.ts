import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

const OPEN_WITHIN_MS = 10_000;
const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x8;

/** How a line ended: with the code of a close frame, or without a word. */
export interface Closing {
  code: number | undefined;
}

/** What a hub said to bytes that were sent to its port, until it closed the line or the time was over. */
export interface Exchange {
  text: string;
  closed: boolean;
}

/** The head of a request that asks for a WebSocket, line by line: a header may stand in it twice, or not at all. */
export function upgradeHead(
  path: string,
  headers: [name: string, value: string][] = [],
  without: string[] = [],
): string {
  const usual: [string, string][] = [
    ['Host', 'localhost'],
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', randomBytes(16).toString('base64')],
  ];
  const lines = [...usual.filter(([name]) => !without.includes(name)), ...headers].map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** Sends bytes to a port, and gives what comes back until the line is closed, enough was heard, or the time is over. */
export function exchange(
  url: string,
  bytes: string | Buffer,
  { withinMs = 2_000, enough = () => false }: { withinMs?: number; enough?: (text: string) => boolean } = {},
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    let text = '';
    const end = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, closed });
    };
    const timer = setTimeout(() => end(false), withinMs);
    socket.once('connect', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (enough(text)) end(false);
    });
    socket.once('close', () => end(true));
    // A line that the hub cuts while it is written to is a line that was closed.
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNREFUSED' ? reject(error) : undefined));
  });
}

/** A frame as a client sends it. The mask is zero: legal, and what is sent can be read. */
export function frame(payload: string | Buffer, firstByte = typeof payload === 'string' ? TEXT : BINARY): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const length = body.length;
  const mask = Buffer.alloc(4);
  if (length < 126) return Buffer.concat([Buffer.from([firstByte, 0x80 | length]), mask, body]);
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = firstByte;
  if (length < 65_536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, mask, body]);
}

/** A WebSocket that is written by hand: it sends what no client would, and hears all that is said. */
export class RawLine {
  /** Resolves when the line has ended, whoever ended it. */
  readonly closed: Promise<Closing>;
  isClosed = false;
  onText: (text: string) => void = () => {};
  private unread: Buffer = Buffer.alloc(0);
  private closing: Closing = { code: undefined };

  private constructor(private readonly socket: Socket) {
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true;
        resolve(this.closing);
      });
    });
    socket.on('error', () => {});
  }

  /** Opens a line. A hub that does not give one is told of as an error, with what it said. */
  static open(url: string, head = upgradeHead('/socket.io/?EIO=4&transport=websocket')): Promise<RawLine> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    const line = new RawLine(socket);
    return new Promise((resolve, reject) => {
      let heard = Buffer.alloc(0);
      const fail = () => reject(new Error(`No line was opened: ${heard.toString('latin1').slice(0, 400)}`));
      const timer = setTimeout(fail, OPEN_WITHIN_MS);
      socket.once('connect', () => socket.write(head));
      socket.once('close', fail);
      const listen = (chunk: Buffer) => {
        heard = Buffer.concat([heard, chunk]);
        const end = heard.indexOf('\r\n\r\n');
        if (end < 0) return;
        clearTimeout(timer);
        socket.off('data', listen);
        socket.off('close', fail);
        if (!heard.toString('latin1').startsWith('HTTP/1.1 101')) {
          fail();
          return void socket.destroy();
        }
        socket.on('data', (more: Buffer) => line.read(more));
        resolve(line);
        // Whoever opened the line listens before anything is read from it.
        setImmediate(() => line.read(heard.subarray(end + 4)));
      };
      socket.on('data', listen);
    });
  }

  send(...payloads: (string | Buffer)[]): void {
    this.write(Buffer.concat(payloads.map((payload) => frame(payload))));
  }

  write(bytes: Buffer): void {
    if (!this.isClosed) this.socket.write(bytes);
  }

  /** Says no more, once what was written has gone out. */
  end(): void {
    this.socket.end(() => this.socket.destroy());
  }

  hangUp(): void {
    this.socket.destroy();
  }

  private read(chunk: Buffer): void {
    let rest = this.unread.length === 0 ? chunk : Buffer.concat([this.unread, chunk]);
    for (;;) {
      const start = payloadStart(rest);
      if (start === undefined) break;
      const end = start + payloadLength(rest);
      if (rest.length < end) break;
      this.hear((rest[0] ?? 0) & 0xf, rest.subarray(start, end));
      rest = rest.subarray(end);
    }
    this.unread = rest;
  }

  private hear(opcode: number, payload: Buffer): void {
    if (opcode === CLOSE) {
      this.closing = { code: payload.length >= 2 ? payload.readUInt16BE(0) : undefined };
      // A goodbye is said by both.
      this.write(frame(payload, 0x80 | CLOSE));
    }
    if (opcode !== 1) return;
    const text = payload.toString();
    // Engine.IO asks now and then whether somebody is there.
    if (text === '2') this.send('3');
    this.onText(text);
  }
}

/** Where the payload of a frame begins; undefined until its head is complete. The hub sends its frames without a mask. */
function payloadStart(bytes: Buffer): number | undefined {
  const short = (bytes[1] ?? 0) & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  return bytes.length < start ? undefined : start;
}

function payloadLength(bytes: Buffer): number {
  const short = (bytes[1] ?? 0) & 0x7f;
  if (short < 126) return short;
  return short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
}
