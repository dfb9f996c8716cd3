import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Socket } from 'socket.io';
import * as ws from 'ws';
import { FRAME_BYTES_MAX } from '../../src/contract/wire.js';
import { FrameSieve } from '../../src/platform/frame.sieve.js';

type Transport = Socket['conn']['transport'];
interface WsReceiver {
  on(event: 'message' | 'ping', listener: (data: Buffer, isBinary: boolean) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  write(bytes: Buffer): boolean;
}
/** The library gives these out, though its types do not. */
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

/** A frame as a client sends it, with a mask of its own. */
function frameOf({ opcode, text, isWhole }: Sent): Buffer {
  const options = { fin: isWhole, opcode, mask: true, readOnly: false, rsv1: false };
  return Buffer.concat(Sender.frame(Buffer.from(text), options));
}

/** The library's own receiver, and all that it hears. */
function listening() {
  const heard: string[] = [];
  const receiver = new Receiver({ isServer: true, maxPayload: FRAME_BYTES_MAX });
  receiver.on('message', (data, isBinary) => heard.push(`${isBinary ? 'binary' : 'text'} ${data}`));
  receiver.on('ping', (data) => heard.push(`ping ${data}`));
  receiver.on('error', ({ message }) => heard.push(message));
  return { receiver, heard };
}

/** The same behind a sieve that takes what begins with `take`. */
function sieved() {
  const { receiver, heard } = listening();
  const taken: string[] = [];
  FrameSieve.before({ socket: { _receiver: receiver } } as unknown as Transport, (opening) => {
    if (!opening.startsWith('take')) return false;
    taken.push(opening);
    return true;
  });
  return { receiver, heard, taken };
}

const isToBeTaken = ({ opcode, text, isWhole }: Sent) => opcode === TEXT && isWhole && text.startsWith('take');
const openings = (sent: Sent[]) => sent.map(({ text }) => text.slice(0, 48));

const lengths = fc.oneof(fc.integer({ min: 0, max: 130 }), fc.constantFrom(4_000, 65_000));
const words = fc.tuple(fc.constantFrom('take', 'give'), fc.integer({ min: 0 }), lengths);
const texts = words.map(([verb, number, length]) => `${verb} ${number} ${'.'.repeat(length)}`);
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

describe('the sieve before a WebSocket', () => {
  test('takes every whole text that it is to take, and lets all else through', () => {
    const all = (sent: Sent[]) => {
      const { receiver, heard, taken } = sieved();
      receiver.write(Buffer.concat(sent.map(frameOf)));
      const plain = listening();
      plain.receiver.write(Buffer.concat(sent.filter((frame) => !isToBeTaken(frame)).map(frameOf)));
      expect(taken).toEqual(openings(sent.filter(isToBeTaken)));
      expect(heard).toEqual(plain.heard);
    };
    fc.assert(fc.property(frames, all), { numRuns: 100 });
  });

  test('loses nothing and doubles nothing, however what comes in is cut', () => {
    const cut = (sent: Sent[], lengths: number[]) => {
      const { receiver, heard, taken } = sieved();
      const bytes = Buffer.concat(sent.map(frameOf));
      for (let at = 0, piece = 0; at < bytes.length; piece++) {
        const end = at + (lengths[piece % lengths.length] ?? 1);
        receiver.write(Buffer.from(bytes.subarray(at, end)));
        at = end;
      }
      // A text that comes in pieces is not taken, for it would have to be kept until it is whole.
      const left = [...taken];
      const through = sent.filter((frame) => {
        const isTaken = isToBeTaken(frame) && left[0] === frame.text.slice(0, 48);
        if (isTaken) left.shift();
        return !isTaken;
      });
      const plain = listening();
      plain.receiver.write(Buffer.concat(through.map(frameOf)));
      expect(left).toEqual([]);
      expect(heard).toEqual(plain.heard);
    };
    fc.assert(fc.property(frames, pieces, cut), { numRuns: 100 });
  });

  test('leaves to others what no client may send', async () => {
    const { receiver, heard, taken } = sieved();
    const unmasked = Buffer.from([0x81, 4, ...Buffer.from('take')]);
    receiver.write(unmasked);
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toEqual([]);
    expect(heard).toEqual(['Invalid WebSocket frame: MASK must be set']);
  });
});
