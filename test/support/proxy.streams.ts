/** What becomes of some bytes on their way: what of them goes on, and whether the connection is cut behind that. */
export interface Passage {
  pass: Buffer;
  cut?: boolean;
}

/** Reads one connection, both ways, from its first byte on. What it does not pass on yet it keeps until it can judge it. */
export interface Streams {
  toServer(chunk: Buffer): Passage;
  toClient(chunk: Buffer): Passage;
}

export type CommitMoment = 'before' | 'after';

interface Arming {
  moment: CommitMoment;
  left: number;
  done(): void;
}

const MYSQL_HEADER_BYTES = 4;
const COM_QUERY = 0x03;
const QUERY_READ_BYTES = 60;

/** Waits on every connection to a database for the COMMIT of a batch: of a transaction that has signed `hub_batches`. */
export class CommitCuts {
  private readonly armed: Arming[] = [];

  next(moment: CommitMoment, nth: number): Promise<void> {
    return new Promise((resolve) => this.armed.push({ moment, left: nth, done: resolve }));
  }

  streams(): Streams {
    let kept: Buffer = Buffer.alloc(0);
    let signed = false;
    let committing: Arming | undefined;
    return {
      toServer: (chunk) => {
        kept = Buffer.concat([kept, chunk]);
        let start = 0;
        for (;;) {
          const end = packetEnd(kept, start);
          if (end === undefined) break;
          const sql = queryOf(kept.subarray(start, end));
          if (sql?.startsWith('INSERT INTO hub_batches')) signed = true;
          const arming = sql === 'COMMIT' && signed ? this.passed() : undefined;
          if (arming?.moment === 'before') {
            const pass = kept.subarray(0, start);
            setImmediate(arming.done);
            return { pass, cut: true };
          }
          committing ??= arming;
          if (sql && /^(START TRANSACTION|BEGIN|COMMIT|ROLLBACK)$/.test(sql)) signed = false;
          start = end;
        }
        const pass = kept.subarray(0, start);
        kept = kept.subarray(start);
        return { pass };
      },
      toClient: (chunk) => {
        // A client says nothing more before it has its answer: what comes after a COMMIT is what the server says to it.
        if (!committing) return { pass: chunk };
        setImmediate(committing.done);
        return { pass: Buffer.alloc(0), cut: true };
      },
    };
  }

  /** A COMMIT of a batch has come by: whether it is one to cut at. */
  private passed(): Arming | undefined {
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

/** The statement of a packet that holds one: long ones are cut short. */
function queryOf(packet: Buffer): string | undefined {
  if (packet[3] !== 0 || packet[MYSQL_HEADER_BYTES] !== COM_QUERY) return undefined;
  // MySQL lets attributes stand before a statement, MariaDB does not: their number, here none, and the number of their sets.
  const attributesBytes = packet[MYSQL_HEADER_BYTES + 1] === 0 ? 2 : 0;
  const start = MYSQL_HEADER_BYTES + 1 + attributesBytes;
  return packet.toString('latin1', start, start + QUERY_READ_BYTES);
}

const WEBSOCKET_TEXT = 1;
/** Socket.IO's packets of an acknowledgement and of an event, in Engine.IO's packet of a message. */
const ACK = /^43\d+\[/;
const ORDER_EVENT = /^42\["order:status",/;

const TEXT_READ_BYTES = 80;

/** Judges each text that a hub sends over WebSockets by how it begins; a cut is made in the middle of its frame. */
function judgedTexts(judge: (beginning: string) => 'pass' | 'drop' | 'cut'): Streams {
  let kept: Buffer = Buffer.alloc(0);
  let speaks: 'nothing yet' | 'HTTP' | 'WebSocket' = 'nothing yet';
  const toClient = (chunk: Buffer): Passage => {
    if (speaks === 'HTTP') return { pass: chunk };
    kept = Buffer.concat([kept, chunk]);
    const passed: Buffer[] = [];
    let start = 0;
    if (speaks === 'nothing yet') {
      const head = kept.indexOf('\r\n\r\n');
      if (head === -1) return { pass: Buffer.alloc(0) };
      speaks = kept.toString('latin1', 0, 'HTTP/1.1 101'.length) === 'HTTP/1.1 101' ? 'WebSocket' : 'HTTP';
      start = speaks === 'WebSocket' ? head + 4 : kept.length;
      passed.push(kept.subarray(0, start));
    }
    for (;;) {
      const frame = frameAt(kept, start);
      if (!frame) break;
      const isText = frame.kind === WEBSOCKET_TEXT;
      const judgement = isText
        ? judge(kept.toString('latin1', frame.body, Math.min(frame.end, frame.body + TEXT_READ_BYTES)))
        : 'pass';
      if (judgement === 'cut') {
        const half = kept.subarray(start, Math.floor((frame.body + frame.end) / 2));
        return { pass: Buffer.concat([...passed, half]), cut: true };
      }
      if (judgement === 'pass') passed.push(kept.subarray(start, frame.end));
      start = frame.end;
    }
    kept = kept.subarray(start);
    return { pass: Buffer.concat(passed) };
  };
  return { toServer: (chunk) => ({ pass: chunk }), toClient };
}

/** Cuts acknowledgements that a hub sends over WebSockets, in the middle of their frames. */
export class AckCuts {
  cuts = 0;
  /** Acknowledgements that came by, those among them that were cut. */
  seen = 0;

  constructor(
    private readonly share: number,
    private readonly random: () => number,
  ) {}

  streams(): Streams {
    return judgedTexts((beginning) => {
      if (!ACK.test(beginning)) return 'pass';
      this.seen++;
      if (this.random() >= this.share) return 'pass';
      this.cuts++;
      return 'cut';
    });
  }
}

/** Takes order events out of what a hub sends over WebSockets: the next so many. */
export class EventDrops {
  left = 0;

  streams(): Streams {
    return judgedTexts((beginning) => {
      if (this.left === 0 || !ORDER_EVENT.test(beginning)) return 'pass';
      this.left--;
      return 'drop';
    });
  }
}

/** Listens in on what a hub sends over WebSockets: how those texts begin that match, and when they came by. */
export class Overheard {
  readonly texts: { text: string; at: number }[] = [];

  constructor(private readonly pattern: RegExp) {}

  streams(): Streams {
    return judgedTexts((text) => {
      if (this.pattern.test(text)) this.texts.push({ text, at: Date.now() });
      return 'pass';
    });
  }
}

/** A whole frame of a server, which masks nothing. */
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

const HINTS = 'order-hub:hints';
const HINT = new RegExp(`^[*>]3\r\n\\$7\r\nmessage\r\n\\$${HINTS.length}\r\n${HINTS}\r\n`);

/** Takes hints between hubs out of what Redis sends, whole, in either version of its protocol. */
export class HintDrops {
  dropped = 0;
  /** Hints that came by, those among them that were dropped. */
  seen = 0;

  constructor(
    private readonly share: number,
    private readonly random: () => number,
  ) {}

  streams(): Streams {
    let kept: Buffer = Buffer.alloc(0);
    const toClient = (chunk: Buffer): Passage => {
      kept = Buffer.concat([kept, chunk]);
      const passed: Buffer[] = [];
      let start = 0;
      for (;;) {
        const end = valueEnd(kept, start);
        if (end === undefined) break;
        if (!this.drops(kept.toString('latin1', start, Math.min(end, start + 60))))
          passed.push(kept.subarray(start, end));
        start = end;
      }
      kept = kept.subarray(start);
      return { pass: Buffer.concat(passed) };
    };
    return { toServer: (chunk) => ({ pass: chunk }), toClient };
  }

  private drops(beginning: string): boolean {
    if (!HINT.test(beginning)) return false;
    this.seen++;
    if (this.random() >= this.share) return false;
    this.dropped++;
    return true;
  }
}

/** Where a value of Redis's protocol ends that starts here; nothing while it is not whole. */
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
