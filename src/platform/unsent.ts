import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';
import { type Reading, webSocketOf } from './reading.js';

type Line = Socket['conn'];

/**
 * A socket whose client does not take what it is told may have so much waiting. If it has taken nothing of that a moment later, it
 * is cut: the hub's memory is for those who listen. The client comes back with `last`, and misses nothing.
 */
export const UNSENT_BYTES_MAX = 1_048_576;
const TAKEN_WITHIN_MS = 1_000;
/** With more than this, it is cut at once. */
const UNSENT_BYTES_EVER = 4 * UNSENT_BYTES_MAX;
/** While more than this waits, the socket is not read from, and nothing is read for it: the answers would only wait as well. */
const UNSENT_BYTES_MUCH = 262_144;
/** What a packet takes in memory besides its text. */
const PACKET_BYTES = 200;

/** What a socket has been told and waits in Engine.IO's buffer, because its client has not taken yet what came before. */
export class Unsent {
  private bytes = 0;
  private judgment: NodeJS.Timeout | undefined;

  private constructor(private readonly line: Line) {}

  /** Counts for a connection from its first packet on, and cuts it when there is too much. */
  static watch(line: Line, reading: Reading): Unsent {
    const unsent = new Unsent(line);
    line.on('packetCreate', ({ data = '' }: { data?: string | Buffer }) => {
      // What waits already decides: a single answer may be larger, and is fine if it is taken.
      if (unsent.bytes > UNSENT_BYTES_EVER) return unsent.cut();
      if (unsent.bytes > UNSENT_BYTES_MAX) unsent.judgment ??= setTimeout(() => unsent.cut(), TAKEN_WITHIN_MS);
      unsent.bytes += PACKET_BYTES + Buffer.byteLength(data);
      // Who polls asks for no more than it takes, and must be read from to be told.
      if (unsent.bytes > UNSENT_BYTES_MUCH && webSocketOf(line)) reading.stop('behind');
    });
    // All that waits is handed to the transport together, which takes the next when this is written.
    line.on('flush', () => {
      reading.goOn('behind');
      unsent.bytes = 0;
      unsent.acquit();
    });
    flushTogether(line);
    line.once('close', () => unsent.acquit());
    return unsent;
  }

  /** Resolves when not much waits any more. */
  eased(): Promise<void> {
    return this.drained(UNSENT_BYTES_MUCH);
  }

  /** Resolves when nothing waits any more (or no more than that), or when nothing will ever be taken. */
  async drained(bytesMax = 0): Promise<void> {
    while (this.bytes > bytesMax && this.line.readyState === 'open') {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.line.off('flush', done).off('close', done);
          resolve();
        };
        this.line.on('flush', done).on('close', done);
      });
    }
  }

  private acquit(): void {
    clearTimeout(this.judgment);
    this.judgment = undefined;
  }

  private cut(): void {
    this.line.close(true);
    destroy(this.line);
  }
}

/** Destroyed rather than closed: who takes nothing does not take the goodbye either, and the line would stay for half a minute. */
export function destroy(line: Line): void {
  webSocketOf(line)?.terminate();
}

/** Not that of the line's first request: a line that began by long-polling has another. */
function tcpSocketOf(line: Line): TcpSocket | null | undefined {
  return webSocketOf(line)?._socket;
}

/**
 * What a socket is told in one turn of the event loop leaves in one write: an answer, its pushes, and the answers and pushes of the
 * batch's other commands. Engine.IO would write each packet by itself, and each write is a system call: most of what
 * telling costs. Half of the CPU of an answer and two pushes is saved so.
 */
function flushTogether(line: Line): void {
  const flushing = line as unknown as { flush(): void };
  const flush = flushing.flush.bind(line);
  let isDue = false;
  flushing.flush = () => {
    if (isDue) return;
    isDue = true;
    process.nextTick(() => {
      isDue = false;
      const socket = tcpSocketOf(line);
      socket?.cork();
      flush();
      socket?.uncork();
    });
  };
}
