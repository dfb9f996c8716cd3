import type { Socket } from 'socket.io';

type Transport = Socket['conn']['transport'];

/** The frame parser of `ws`, a private part of it. Where it is missing, nothing is filtered. */
interface Receiver {
  write(bytes: Buffer): boolean;
  _state: number;
  _bufferedBytes: number;
}

/** The receiver's state when it expects the first byte of a frame. */
const GET_INFO = 0;
/** The first byte of an unfragmented text frame (RFC 6455, section 5.2). */
const TEXT_FRAME = 0x81;
const MASK_BIT = 0x80;
const LENGTH_BITS = 0x7f;
const LENGTH_IN_2_BYTES = 126;
const LENGTH_IN_8_BYTES = 127;
const MASK_BYTES = 4;
/** Characters of a message that the predicate sees. */
const OPENING_MAX = 48;

const EMPTY = Buffer.alloc(0);
const opening = Buffer.alloc(OPENING_MAX);

/**
 * Drops WebSocket text messages by their first characters before `ws` parses, unmasks or copies them. All other bytes pass
 * unchanged: the filter only finds the boundaries of frames, and leaves their validation to `ws`.
 */
export class FrameFilter {
  private isAligned = false;
  /** Bytes still to come of a frame whose header has passed. */
  private remaining = 0;
  /** The start of a header that is not complete yet. */
  private partialHeader: Buffer = EMPTY;

  private constructor(
    private readonly receiver: Receiver,
    private readonly pass: (bytes: Buffer) => boolean,
    private readonly shouldDrop: (opening: string) => boolean,
  ) {}

  static attach(transport: Transport, shouldDrop: (opening: string) => boolean): void {
    const { _receiver: receiver } = (transport as { socket?: { _receiver?: Receiver } }).socket ?? {};
    if (!receiver) return;
    const filter = new FrameFilter(receiver, receiver.write.bind(receiver), shouldDrop);
    receiver.write = (bytes) => filter.write(bytes);
  }

  /** Like the receiver's `write`, returns false when its buffer is full. */
  private write(chunk: Buffer): boolean {
    this.isAligned ||= this.receiver._state === GET_INFO && this.receiver._bufferedBytes === 0;
    if (!this.isAligned) return this.pass(chunk);
    const bytes = this.partialHeader === EMPTY ? chunk : Buffer.concat([this.partialHeader, chunk]);
    let passFrom = 0;
    let at = Math.min(this.remaining, bytes.length);
    this.remaining -= at;
    let hasRoom = true;
    while (at < bytes.length) {
      const payloadAt = at + headerLength(bytes, at);
      if (payloadAt > bytes.length) break;
      const end = payloadAt + payloadLength(bytes, at);
      if (end <= bytes.length && isMaskedText(bytes, at) && this.shouldDrop(openingOf(bytes, payloadAt, end))) {
        if (passFrom < at) hasRoom = this.pass(bytes.subarray(passFrom, at));
        passFrom = end;
      }
      this.remaining = Math.max(0, end - bytes.length);
      at = Math.min(end, bytes.length);
    }
    this.partialHeader = at === bytes.length ? EMPTY : Buffer.from(bytes.subarray(at));
    return passFrom < at ? this.pass(bytes.subarray(passFrom, at)) : hasRoom;
  }
}

/** A client must mask its frames: `ws` reports one that does not. */
function isMaskedText(bytes: Buffer, at: number): boolean {
  return bytes[at] === TEXT_FRAME && ((bytes[at + 1] ?? 0) & MASK_BIT) !== 0;
}

function headerLength(bytes: Buffer, at: number): number {
  const second = bytes[at + 1] ?? 0;
  const length = second & LENGTH_BITS;
  const extended = length === LENGTH_IN_2_BYTES ? 2 : length === LENGTH_IN_8_BYTES ? 8 : 0;
  return 2 + extended + (second & MASK_BIT ? MASK_BYTES : 0);
}

function payloadLength(bytes: Buffer, at: number): number {
  const length = (bytes[at + 1] ?? 0) & LENGTH_BITS;
  if (length === LENGTH_IN_2_BYTES) return bytes.readUInt16BE(at + 2);
  return length === LENGTH_IN_8_BYTES ? Number(bytes.readBigUInt64BE(at + 2)) : length;
}

/** Unmasks the first characters of a payload. */
function openingOf(bytes: Buffer, payloadAt: number, end: number): string {
  const length = Math.min(OPENING_MAX, end - payloadAt);
  const maskAt = payloadAt - MASK_BYTES;
  for (let index = 0; index < length; index++) {
    opening[index] = (bytes[payloadAt + index] ?? 0) ^ (bytes[maskAt + (index & 3)] ?? 0);
  }
  return opening.toString('latin1', 0, length);
}
