import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';

type Line = Socket['conn'];

interface Stream {
  pause(): void;
  resume(): void;
}
interface WebSocketLine extends Stream {
  /** What it speaks over: `ws` keeps it to itself. */
  _socket?: TcpSocket | null;
  terminate(): void;
}

/** That which a line has now: one that began by long-polling may have got one of its own since. Who polls has none. */
export function webSocketOf({ transport }: Line): WebSocketLine | undefined {
  return (transport as { socket?: WebSocketLine }).socket;
}

/** Why a line is not read from: its client has not taken what it was told, or was refused a moment ago. */
type Reason = 'behind' | 'refused';

/** Whether a line is read from. It is not while there is a reason, and each reason is ended by whoever gave it. */
export class Reading {
  private readonly reasons = new Set<Reason>();
  private stopped: Stream | undefined;

  constructor(private readonly line: Line) {}

  /** Gives whether this reason is a new one. */
  stop(reason: Reason): boolean {
    if (this.reasons.has(reason)) return false;
    this.reasons.add(reason);
    if (!this.stopped) {
      this.stopped = webSocketOf(this.line) ?? this.line.request.socket;
      this.stopped.pause();
    }
    return true;
  }

  goOn(reason: Reason): void {
    if (!this.reasons.delete(reason) || this.reasons.size > 0) return;
    this.stopped?.resume();
    this.stopped = undefined;
  }
}
