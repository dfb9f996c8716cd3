import type { Socket } from 'socket.io';

type Line = Socket['conn'];

/**
 * A socket whose client does not take what it is told may have so much waiting. Past that it is cut: the hub's memory is for
 * those who listen. The client comes back with `last`, and misses nothing.
 */
export const UNSENT_BYTES_MAX = 1_048_576;
/** What a packet takes in memory besides its text. */
const PACKET_BYTES = 200;

/** What a socket has been told and waits in Engine.IO's buffer, because its client has not taken yet what came before. */
export class Unsent {
  private bytes = 0;

  private constructor(private readonly line: Line) {}

  /** Counts for a connection from its first packet on, and cuts it when there is too much. */
  static watch(line: Line): Unsent {
    const unsent = new Unsent(line);
    line.on('packetCreate', ({ data = '' }: { data?: string | Buffer }) => {
      // What waits already decides: a single answer may be larger, and is fine if it is taken.
      if (unsent.bytes > UNSENT_BYTES_MAX) unsent.cut();
      else unsent.bytes += PACKET_BYTES + Buffer.byteLength(data);
    });
    // All that waits is handed to the transport together, which takes the next when this is written.
    line.on('flush', () => {
      unsent.bytes = 0;
    });
    flushTogether(line);
    return unsent;
  }

  /** Resolves when nothing waits any more, or when nothing will ever be taken. */
  async drained(): Promise<void> {
    while (this.bytes > 0 && this.line.readyState === 'open') {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.line.off('flush', done).off('close', done);
          resolve();
        };
        this.line.on('flush', done).on('close', done);
      });
    }
  }

  private cut(): void {
    this.line.close(true);
    destroy(this.line);
  }
}

/** Destroyed rather than closed: who takes nothing does not take the goodbye either, and the line would stay for half a minute. */
export function destroy({ transport }: Line): void {
  const { socket } = transport as { socket?: { terminate?(): void } };
  socket?.terminate?.();
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
      const { socket } = line.request;
      socket.cork();
      flush();
      socket.uncork();
    });
  };
}
