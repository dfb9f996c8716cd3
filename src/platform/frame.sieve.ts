import type { Socket } from 'socket.io';

type Transport = Socket['conn']['transport'];

/** The part of `ws` that takes bytes apart into frames. It is not public: where it is not as known, nothing is sifted. */
interface Receiver {
  write(bytes: Buffer): boolean;
  _state: number;
  _bufferedBytes: number;
}

/** Where a receiver stands that expects the first byte of a frame. */
const BEFORE_A_FRAME = 0;
/** A whole text, in one frame. */
const TEXT = 0x81;
const MASKED = 0x80;
const LENGTH = 0x7f;
const LENGTH_IN_2_BYTES = 126;
const LENGTH_IN_8_BYTES = 127;
const MASK_BYTES = 4;
/** So many characters of a text are looked at. */
const OPENING_MAX = 48;

const NOTHING = Buffer.alloc(0);
const opening = Buffer.alloc(OPENING_MAX);

/**
 * Takes texts out of what comes in over a WebSocket, by how they begin, before anything is made of them: neither unmasked nor
 * copied. All other bytes go on as they came. It only counts where frames begin and end; what is wrong with one is for others.
 */
export class FrameSieve {
  private isAligned = false;
  /** How many bytes of a frame that has begun to go on are still to come. */
  private owed = 0;
  /** The first bytes of a frame, when it cannot be seen from them where it ends. */
  private begun: Buffer = NOTHING;

  private constructor(
    private readonly receiver: Receiver,
    private readonly goOn: (bytes: Buffer) => boolean,
    private readonly takes: (opening: string) => boolean,
  ) {}

  static before(transport: Transport, takes: (opening: string) => boolean): void {
    const { _receiver: receiver } = (transport as { socket?: { _receiver?: Receiver } }).socket ?? {};
    if (!receiver) return;
    const sieve = new FrameSieve(receiver, receiver.write.bind(receiver), takes);
    receiver.write = (bytes) => sieve.sift(bytes);
  }

  /** Gives whether more may come at once, as `write` does. */
  private sift(arrived: Buffer): boolean {
    this.isAligned ||= this.receiver._state === BEFORE_A_FRAME && this.receiver._bufferedBytes === 0;
    if (!this.isAligned) return this.goOn(arrived);
    const bytes = this.begun === NOTHING ? arrived : Buffer.concat([this.begun, arrived]);
    let from = 0;
    let at = Math.min(this.owed, bytes.length);
    this.owed -= at;
    let mayMore = true;
    while (at < bytes.length) {
      const payloadAt = at + headLength(bytes, at);
      if (payloadAt > bytes.length) break;
      const end = payloadAt + payloadLength(bytes, at);
      if (end <= bytes.length && isText(bytes, at) && this.takes(openingOf(bytes, payloadAt, end))) {
        if (from < at) mayMore = this.goOn(bytes.subarray(from, at));
        from = end;
      }
      this.owed = Math.max(0, end - bytes.length);
      at = Math.min(end, bytes.length);
    }
    this.begun = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
    return from < at ? this.goOn(bytes.subarray(from, at)) : mayMore;
  }
}

/** A client masks all that it sends. */
function isText(bytes: Buffer, at: number): boolean {
  return bytes[at] === TEXT && ((bytes[at + 1] ?? 0) & MASKED) !== 0;
}

/** How many bytes come before the payload. */
function headLength(bytes: Buffer, at: number): number {
  const second = bytes[at + 1] ?? 0;
  const length = second & LENGTH;
  const extended = length === LENGTH_IN_2_BYTES ? 2 : length === LENGTH_IN_8_BYTES ? 8 : 0;
  return 2 + extended + (second & MASKED ? MASK_BYTES : 0);
}

function payloadLength(bytes: Buffer, at: number): number {
  const length = (bytes[at + 1] ?? 0) & LENGTH;
  if (length === LENGTH_IN_2_BYTES) return bytes.readUInt16BE(at + 2);
  return length === LENGTH_IN_8_BYTES ? Number(bytes.readBigUInt64BE(at + 2)) : length;
}

function openingOf(bytes: Buffer, payloadAt: number, end: number): string {
  const length = Math.min(OPENING_MAX, end - payloadAt);
  const maskAt = payloadAt - MASK_BYTES;
  for (let index = 0; index < length; index++) {
    opening[index] = (bytes[payloadAt + index] ?? 0) ^ (bytes[maskAt + (index & 3)] ?? 0);
  }
  return opening.toString('latin1', 0, length);
}
