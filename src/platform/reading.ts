import type { Socket } from 'socket.io';

type Line = Socket['conn'];

interface Stream {
  pause(): void;
  resume(): void;
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
      // A line that began by long-polling may have got a WebSocket of its own since.
      const { socket } = this.line.transport as { socket?: Stream };
      this.stopped = socket ?? this.line.request.socket;
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
