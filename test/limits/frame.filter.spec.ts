import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Socket } from 'socket.io';
import * as ws from 'ws';
import { FRAME_BYTES_MAX } from '../../src/contract/wire.js';
import { FrameFilter } from '../../src/platform/sockets/frame.filter.js';

type Transport = Socket['conn']['transport'];
interface WsReceiver {
  on(event: 'message' | 'ping', listener: (data: Buffer, isBinary: boolean) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  write(bytes: Buffer): boolean;
}
/** Exported by ws, but missing in its types. */
const { Receiver, Sender } = ws as unknown as {
  Receiver: new (options: object) => WsReceiver;
  Sender: { frame(data: Buffer, options: object): Buffer[] };
};

const TEXT = 1;
const BINARY = 2;
const CONTINUED = 0;
const PING = 9;

interface Sent {
  opcode: number;
  text: string;
  isWhole: boolean;
}

/** A masked client frame. */
function frameOf({ opcode, text, isWhole }: Sent): Buffer {
  const options = { fin: isWhole, opcode, mask: true, readOnly: false, rsv1: false };
  return Buffer.concat(Sender.frame(Buffer.from(text), options));
}

/** The receiver of ws, with everything it emits. */
function recordingReceiver() {
  const received: string[] = [];
  const receiver = new Receiver({ isServer: true, maxPayload: FRAME_BYTES_MAX });
  receiver.on('message', (data, isBinary) => received.push(`${isBinary ? 'binary' : 'text'} ${data}`));
  receiver.on('ping', (data) => received.push(`ping ${data}`));
  receiver.on('error', ({ message }) => received.push(message));
  return { receiver, received };
}

/** The same behind a filter that consumes texts beginning with `take`. */
function filteredReceiver() {
  const { receiver, received } = recordingReceiver();
  const consumed: string[] = [];
  FrameFilter.attach({ socket: { _receiver: receiver } } as unknown as Transport, (prefix) => {
    if (!prefix.startsWith('take')) return false;
    consumed.push(prefix);
    return true;
  });
  return { receiver, received, consumed };
}

const isConsumable = ({ opcode, text, isWhole }: Sent) => opcode === TEXT && isWhole && text.startsWith('take');
const prefixes = (sent: Sent[]) => sent.map(({ text }) => text.slice(0, 48));

const lengths = fc.oneof(fc.integer({ min: 0, max: 130 }), fc.constantFrom(4_000, 65_000));
const labels = fc.tuple(fc.constantFrom('take', 'give'), fc.integer({ min: 0 }), lengths);
const texts = labels.map(([verb, number, length]) => `${verb} ${number} ${'.'.repeat(length)}`);
const frames = fc
  .array(
    fc.oneof(
      texts.map((text): Sent[] => [{ opcode: TEXT, text, isWhole: true }]),
      texts.map((text): Sent[] => [{ opcode: BINARY, text, isWhole: true }]),
      texts.map((text): Sent[] => [{ opcode: PING, text: text.slice(0, 125), isWhole: true }]),
      fc.tuple(texts, texts).map(([first, second]): Sent[] => [
        { opcode: TEXT, text: first.slice(0, 30_000), isWhole: false },
        { opcode: CONTINUED, text: second.slice(0, 30_000), isWhole: true },
      ]),
    ),
    { maxLength: 12 },
  )
  .map((lists) => lists.flat());
const pieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 70_000 })), {
  minLength: 1,
});

describe('the frame filter', () => {
  test('consumes every matching text frame and passes everything else', () => {
    const consumesAll = (sent: Sent[]) => {
      const { receiver, received, consumed } = filteredReceiver();
      receiver.write(Buffer.concat(sent.map(frameOf)));
      const plain = recordingReceiver();
      plain.receiver.write(Buffer.concat(sent.filter((frame) => !isConsumable(frame)).map(frameOf)));
      expect(consumed).toEqual(prefixes(sent.filter(isConsumable)));
      expect(received).toEqual(plain.received);
    };
    fc.assert(fc.property(frames, consumesAll), { numRuns: 100 });
  });

  test('loses and duplicates nothing, however the bytes are split', () => {
    const consumesSplit = (sent: Sent[], lengths: number[]) => {
      const { receiver, received, consumed } = filteredReceiver();
      const bytes = Buffer.concat(sent.map(frameOf));
      for (let at = 0, piece = 0; at < bytes.length; piece++) {
        const end = at + (lengths[piece % lengths.length] ?? 1);
        receiver.write(Buffer.from(bytes.subarray(at, end)));
        at = end;
      }
      // A frame split across reads is passed on, because the filter does not buffer.
      const remaining = [...consumed];
      const passed = sent.filter((frame) => {
        const isConsumed = isConsumable(frame) && remaining[0] === frame.text.slice(0, 48);
        if (isConsumed) remaining.shift();
        return !isConsumed;
      });
      const plain = recordingReceiver();
      plain.receiver.write(Buffer.concat(passed.map(frameOf)));
      expect(remaining).toEqual([]);
      expect(received).toEqual(plain.received);
    };
    fc.assert(fc.property(frames, pieces, consumesSplit), { numRuns: 100 });
  });

  test('leaves invalid frames to ws', async () => {
    const { receiver, received, consumed } = filteredReceiver();
    const unmasked = Buffer.from([0x81, 4, ...Buffer.from('take')]);
    receiver.write(unmasked);
    await new Promise((resolve) => setImmediate(resolve));
    expect(consumed).toEqual([]);
    expect(received).toEqual(['Invalid WebSocket frame: MASK must be set']);
  });
});
