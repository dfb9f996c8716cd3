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
      writeTogether(line);
    });
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

/** Each packet is a frame, and each frame would be a system call of its own: most of what answering costs. */
function writeTogether({ request: { socket } }: Line): void {
  socket.cork();
  process.nextTick(() => socket.uncork());
}
