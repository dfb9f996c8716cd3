/** The bytes to forward, and whether to cut the connection after them. */
export interface Passage {
  pass: Buffer;
  cut?: boolean;
}

/** Filters one connection in both directions, from its first byte. Incomplete packets are buffered until they can be parsed. */
export interface Streams {
  toServer(chunk: Buffer): Passage;
  toClient(chunk: Buffer): Passage;
}

export type CommitMoment = 'before' | 'after';

interface ArmedCut {
  moment: CommitMoment;
  left: number;
  done(): void;
}

const MYSQL_HEADER_BYTES = 4;
const COM_QUERY = 0x03;
const QUERY_READ_BYTES = 60;

/** Watches database connections for the COMMIT of a batch: of a transaction that has written to `hub_batches`. */
export class CommitCuts {
  private readonly armed: ArmedCut[] = [];

  next(moment: CommitMoment, nth: number): Promise<void> {
    return new Promise((resolve) => this.armed.push({ moment, left: nth, done: resolve }));
  }

  streams(): Streams {
    let buffered: Buffer = Buffer.alloc(0);
    let isBatch = false;
    let awaitingAck: ArmedCut | undefined;
    return {
      toServer: (chunk) => {
        buffered = Buffer.concat([buffered, chunk]);
        let start = 0;
        for (;;) {
          const end = packetEnd(buffered, start);
          if (end === undefined) break;
          const sql = queryOf(buffered.subarray(start, end));
          if (sql?.startsWith('INSERT INTO hub_batches')) isBatch = true;
          const arming = sql === 'COMMIT' && isBatch ? this.countCommit() : undefined;
          if (arming?.moment === 'before') {
            const pass = buffered.subarray(0, start);
            setImmediate(arming.done);
            return { pass, cut: true };
          }
          awaitingAck ??= arming;
          if (sql && /^(START TRANSACTION|BEGIN|COMMIT|ROLLBACK)$/.test(sql)) isBatch = false;
          start = end;
        }
        const pass = buffered.subarray(0, start);
        buffered = buffered.subarray(start);
        return { pass };
      },
      toClient: (chunk) => {
        // A client waits for the answer to its COMMIT, so the next bytes from the server are that answer.
        if (!awaitingAck) return { pass: chunk };
        setImmediate(awaitingAck.done);
        return { pass: Buffer.alloc(0), cut: true };
      },
    };
  }

  /** Counts a batch's COMMIT; returns the armed cut if this is its nth. */
  private countCommit(): ArmedCut | undefined {
    const [first] = this.armed;
    if (!first || --first.left > 0) return undefined;
    return this.armed.shift();
  }
}

function packetEnd(bytes: Buffer, start: number): number | undefined {
  if (bytes.length < start + MYSQL_HEADER_BYTES) return undefined;
  const end = start + MYSQL_HEADER_BYTES + bytes.readUIntLE(start, 3);
  return bytes.length < end ? undefined : end;
}

/** The beginning of a query packet's statement. */
function queryOf(packet: Buffer): string | undefined {
  if (packet[3] !== 0 || packet[MYSQL_HEADER_BYTES] !== COM_QUERY) return undefined;
  // MySQL sends query attributes before the statement: their count, here 0, and the count of their sets.
  const attributesBytes = packet[MYSQL_HEADER_BYTES + 1] === 0 ? 2 : 0;
  const start = MYSQL_HEADER_BYTES + 1 + attributesBytes;
  return packet.toString('latin1', start, start + QUERY_READ_BYTES);
}

const WEBSOCKET_TEXT = 1;
/** Socket.IO packets of an acknowledgement and of an event, inside an Engine.IO message packet. */
const ACK = /^43\d+\[/;
const ORDER_EVENT = /^42\["order:status",/;

const TEXT_READ_BYTES = 80;

/** Filters a hub's WebSocket text frames by their beginning. A cut truncates the frame in the middle. */
function filterTexts(decide: (beginning: string) => 'pass' | 'drop' | 'cut'): Streams {
  let buffered: Buffer = Buffer.alloc(0);
  let protocol: 'unknown' | 'HTTP' | 'WebSocket' = 'unknown';
  const toClient = (chunk: Buffer): Passage => {
    if (protocol === 'HTTP') return { pass: chunk };
    buffered = Buffer.concat([buffered, chunk]);
    const passed: Buffer[] = [];
    let start = 0;
    if (protocol === 'unknown') {
      const head = buffered.indexOf('\r\n\r\n');
      if (head === -1) return { pass: Buffer.alloc(0) };
      protocol = buffered.toString('latin1', 0, 'HTTP/1.1 101'.length) === 'HTTP/1.1 101' ? 'WebSocket' : 'HTTP';
      start = protocol === 'WebSocket' ? head + 4 : buffered.length;
      passed.push(buffered.subarray(0, start));
    }
    for (;;) {
      const frame = frameAt(buffered, start);
      if (!frame) break;
      const isText = frame.kind === WEBSOCKET_TEXT;
      const verdict = isText
        ? decide(buffered.toString('latin1', frame.body, Math.min(frame.end, frame.body + TEXT_READ_BYTES)))
        : 'pass';
      if (verdict === 'cut') {
        const half = buffered.subarray(start, Math.floor((frame.body + frame.end) / 2));
        return { pass: Buffer.concat([...passed, half]), cut: true };
      }
      if (verdict === 'pass') passed.push(buffered.subarray(start, frame.end));
      start = frame.end;
    }
    buffered = buffered.subarray(start);
    return { pass: Buffer.concat(passed) };
  };
  return { toServer: (chunk) => ({ pass: chunk }), toClient };
}

/** Truncates a hub's acknowledgements in the middle of their WebSocket frames and cuts the connection. */
export class AckCuts {
  cuts = 0;
  /** All acknowledgements, including those cut. */
  seen = 0;

  constructor(
    private readonly share: number,
    private readonly random: () => number,
  ) {}

  streams(): Streams {
    return filterTexts((beginning) => {
      if (!ACK.test(beginning)) return 'pass';
      this.seen++;
      if (this.random() >= this.share) return 'pass';
      this.cuts++;
      return 'cut';
    });
  }
}

/** Drops the next `left` order events that a hub sends over WebSockets. */
export class EventDrops {
  left = 0;

  streams(): Streams {
    return filterTexts((beginning) => {
      if (this.left === 0 || !ORDER_EVENT.test(beginning)) return 'pass';
      this.left--;
      return 'drop';
    });
  }
}

/** Records a hub's WebSocket texts that match a pattern: their beginning and their time. */
export class Overheard {
  readonly texts: { text: string; at: number }[] = [];

  constructor(private readonly pattern: RegExp) {}

  streams(): Streams {
    return filterTexts((text) => {
      if (this.pattern.test(text)) this.texts.push({ text, at: Date.now() });
      return 'pass';
    });
  }
}

/** The complete frame at this offset, if any. Server frames are unmasked. */
function frameAt(bytes: Buffer, start: number): { kind: number; body: number; end: number } | undefined {
  const length = bytes[start + 1];
  if (length === undefined) return undefined;
  const longBytes = length === 127 ? 8 : length === 126 ? 2 : 0;
  const body = start + 2 + longBytes;
  if (bytes.length < body) return undefined;
  const size =
    longBytes === 8 ? Number(bytes.readBigUInt64BE(start + 2)) : longBytes ? bytes.readUInt16BE(start + 2) : length;
  const end = body + size;
  return bytes.length < end ? undefined : { kind: (bytes[start] ?? 0) & 0x0f, body, end };
}

const CHANNEL = 'order-hub:hints';
const WAKEUP = new RegExp(`^[*>]3\r\n\\$7\r\nmessage\r\n\\$${CHANNEL.length}\r\n${CHANNEL}\r\n`);

/** Drops wakeup messages between hubs from what Redis sends, in RESP2 and RESP3. */
export class WakeupDrops {
  dropped = 0;
  /** All wakeups, including those dropped. */
  seen = 0;

  constructor(
    private readonly share: number,
    private readonly random: () => number,
  ) {}

  streams(): Streams {
    let buffered: Buffer = Buffer.alloc(0);
    const toClient = (chunk: Buffer): Passage => {
      buffered = Buffer.concat([buffered, chunk]);
      const passed: Buffer[] = [];
      let start = 0;
      for (;;) {
        const end = valueEnd(buffered, start);
        if (end === undefined) break;
        if (!this.shouldDrop(buffered.toString('latin1', start, Math.min(end, start + 60))))
          passed.push(buffered.subarray(start, end));
        start = end;
      }
      buffered = buffered.subarray(start);
      return { pass: Buffer.concat(passed) };
    };
    return { toServer: (chunk) => ({ pass: chunk }), toClient };
  }

  private shouldDrop(beginning: string): boolean {
    if (!WAKEUP.test(beginning)) return false;
    this.seen++;
    if (this.random() >= this.share) return false;
    this.dropped++;
    return true;
  }
}

/** The end offset of the RESP value that starts here; undefined while it is incomplete. */
function valueEnd(bytes: Buffer, start: number): number | undefined {
  const lineEnd = bytes.indexOf('\r\n', start);
  if (lineEnd === -1) return undefined;
  const kind = String.fromCharCode(bytes[start] ?? 0);
  const count = Number(bytes.toString('latin1', start + 1, lineEnd));
  let end: number | undefined = lineEnd + 2;
  if ('$=!'.includes(kind)) {
    end += count < 0 ? 0 : count + 2;
    return bytes.length < end ? undefined : end;
  }
  const parts = '*>~'.includes(kind) ? count : '%|'.includes(kind) ? 2 * count : 0;
  for (let part = 0; part < parts && end !== undefined; part++) end = valueEnd(bytes, end);
  return end;
}
