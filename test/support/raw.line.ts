import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

const CONNECT_WITHIN_MS = 10_000;
const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x8;

/** How a WebSocket ended: the close frame's code, if one was received. */
export interface Closing {
  code: number | undefined;
}

/** A hub's response to raw bytes, until it closed the connection or the timeout. */
export interface Exchange {
  text: string;
  closed: boolean;
}

/** The head of a WebSocket upgrade request, in which headers may be repeated or missing. */
export function upgradeHead(
  path: string,
  headers: [name: string, value: string][] = [],
  without: string[] = [],
): string {
  const defaults: [string, string][] = [
    ['Host', 'localhost'],
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', randomBytes(16).toString('base64')],
  ];
  const headerLines = [...defaults.filter(([name]) => !without.includes(name)), ...headers].map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `GET ${path} HTTP/1.1\r\n${headerLines.join('\r\n')}\r\n\r\n`;
}

/** Sends bytes to a port and collects the response until the connection closes, `enough` is true, or the timeout. */
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
    // A reset during a write counts as closed.
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNREFUSED' ? reject(error) : undefined));
  });
}

/** A client frame. A mask of zero is legal and keeps the payload readable. */
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

/** A hand-written WebSocket that can send invalid frames and sees every text. */
export class RawLine {
  /** Resolves when the connection has closed, on either side. */
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

  /** Opens a WebSocket; rejects with the hub's response if the upgrade is refused. */
  static open(url: string, head = upgradeHead('/socket.io/?EIO=4&transport=websocket')): Promise<RawLine> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    const connection = new RawLine(socket);
    return new Promise((resolve, reject) => {
      let received = Buffer.alloc(0);
      const fail = () => reject(new Error(`The upgrade was refused: ${received.toString('latin1').slice(0, 400)}`));
      const timer = setTimeout(fail, CONNECT_WITHIN_MS);
      socket.once('connect', () => socket.write(head));
      socket.once('close', fail);
      const onData = (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        const end = received.indexOf('\r\n\r\n');
        if (end < 0) return;
        clearTimeout(timer);
        socket.off('data', onData);
        socket.off('close', fail);
        if (!received.toString('latin1').startsWith('HTTP/1.1 101')) {
          fail();
          return void socket.destroy();
        }
        socket.on('data', (more: Buffer) => connection.read(more));
        resolve(connection);
        // The caller attaches its handlers before the first frame is read.
        setImmediate(() => connection.read(received.subarray(end + 4)));
      };
      socket.on('data', onData);
    });
  }

  send(...payloads: (string | Buffer)[]): void {
    this.write(Buffer.concat(payloads.map((payload) => frame(payload))));
  }

  write(bytes: Buffer): void {
    if (!this.isClosed) this.socket.write(bytes);
  }

  /** Closes once everything written has been flushed. */
  end(): void {
    this.socket.end(() => this.socket.destroy());
  }

  destroy(): void {
    this.socket.destroy();
  }

  private read(chunk: Buffer): void {
    let rest = this.unread.length === 0 ? chunk : Buffer.concat([this.unread, chunk]);
    for (;;) {
      const start = payloadStart(rest);
      if (start === undefined) break;
      const end = start + payloadLength(rest);
      if (rest.length < end) break;
      this.handleFrame((rest[0] ?? 0) & 0xf, rest.subarray(start, end));
      rest = rest.subarray(end);
    }
    this.unread = rest;
  }

  private handleFrame(opcode: number, payload: Buffer): void {
    if (opcode === CLOSE) {
      this.closing = { code: payload.length >= 2 ? payload.readUInt16BE(0) : undefined };
      // The close handshake requires a close frame in return.
      this.write(frame(payload, 0x80 | CLOSE));
    }
    if (opcode !== 1) return;
    const text = payload.toString();
    // Answers Engine.IO's ping.
    if (text === '2') this.send('3');
    this.onText(text);
  }
}

/** The offset of a frame's payload; undefined until its header is complete. Server frames are unmasked. */
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
