import type { Socket as TcpSocket } from 'node:net';
import type { Socket } from 'socket.io';

type EngineConnection = Socket['conn'];

interface Stream {
  pause(): void;
  resume(): void;
}
interface WebSocketTransport extends Stream {
  /** A private field of `ws`. */
  _socket?: TcpSocket | null;
  terminate(): void;
}

/** The connection's current WebSocket: none while it long-polls, but it may upgrade later. */
export function webSocketOf({ transport }: EngineConnection): WebSocketTransport | undefined {
  return (transport as { socket?: WebSocketTransport }).socket;
}

/** Why reading is paused: the client has fallen behind in receiving, or one of its messages was just rejected. */
type PauseReason = 'behind' | 'refused';

/** Pauses reading from a connection while there is at least one reason to. */
export class ReadControl {
  private readonly reasons = new Set<PauseReason>();
  private paused: Stream | undefined;

  constructor(private readonly connection: EngineConnection) {}

  /** Returns whether the reason is new. */
  pause(reason: PauseReason): boolean {
    if (this.reasons.has(reason)) return false;
    this.reasons.add(reason);
    if (!this.paused) {
      this.paused = webSocketOf(this.connection) ?? this.connection.request.socket;
      this.paused.pause();
    }
    return true;
  }

  resume(reason: PauseReason): void {
    if (!this.reasons.delete(reason) || this.reasons.size > 0) return;
    this.paused?.resume();
    this.paused = undefined;
  }
}
