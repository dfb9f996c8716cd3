import { io, type Socket } from 'socket.io-client';
import { type ErrorBody, errorBody } from '../contract/errors.js';
import type { Last } from '../contract/rooms.js';
import type { ServerToClient } from '../contract/wire.js';
import { ANSWER_WITHIN_MS, pauseMs } from './again.js';
import type { ConnectOptions, EndedReason } from './hub.client.js';
import type { Post } from './outbox.js';

const CONNECT_WITHIN_MS = 10_000;

interface Ears {
  /** Who connects says what it has heard last: asked anew each time. */
  last(): Last;
  up(): void;
  down(): void;
  ended(reason: EndedReason): void;
}

/**
 * The line to the hub: comes back when it is lost, whoever has cut it. Socket.IO's own reconnecting is off, because it
 * gives up when the hub itself cuts or refuses for the moment, and knows nothing of when the hub wants to see its clients again.
 */
export class Line {
  readonly socket: Socket<ServerToClient>;
  private isOver = false;
  /** Attempts in a row after which the client was not brought up to date. */
  private failures = 0;
  /** When the hub that shuts down wants to see this client again, in epoch milliseconds. */
  private returnAt = 0;
  private returning: ReturnType<typeof setTimeout> | undefined;

  constructor(
    { url, token, path }: ConnectOptions,
    private readonly ears: Ears,
  ) {
    const { origin, pathname } = new URL(url);
    this.socket = io(origin, {
      path: path ?? `${pathname.replace(/\/$/, '')}/socket.io`,
      auth: (tell) => tell({ token, last: ears.last() }),
      // A hub among several need not be the same one for each request of a connection by polling.
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      timeout: CONNECT_WITHIN_MS,
      reconnection: false,
      autoConnect: false,
      // With a connection of its own: another client of this page may be another user's.
      forceNew: true,
    });
    this.listen();
  }

  open(): void {
    this.socket.connect();
  }

  close(): void {
    this.isOver = true;
    clearTimeout(this.returning);
    this.socket.disconnect();
  }

  /** Hears nothing for too long, it takes the line for dead although nobody has said so, and has it made anew. */
  readonly post: Post = (name, request, tell) => {
    const { id } = this.socket;
    const socket: Socket = this.socket;
    socket
      .timeout(ANSWER_WITHIN_MS)
      .emit(name, request, (silence: Error | null, answer: Parameters<typeof tell>[0]) => {
        if (!silence) tell(answer);
        else if (this.socket.id === id) this.socket.disconnect();
      });
  };

  private listen(): void {
    const { socket, ears } = this;
    socket.on('connect', () => ears.up());
    socket.on('disconnect', () => {
      // What was not sent is sent again by whom it matters to, in its order.
      socket.sendBuffer = [];
      ears.down();
      this.comeBack();
    });
    socket.on('connect_error', (error) => {
      const refusal = errorBody.safeParse((error as { data?: unknown }).data).data;
      if (refusal && !refusal.retryable) this.end(refusal.code);
      else this.comeBack(refusal);
    });
    socket.on('room:ready', () => {
      this.failures = 0;
    });
    socket.on('hub:draining', ({ reconnectAfterMs }) => {
      this.returnAt = Date.now() + reconnectAfterMs;
    });
    socket.on('session:ended', ({ reason }) => this.end(reason));
  }

  private comeBack(error?: ErrorBody): void {
    if (this.isOver) return;
    this.failures++;
    clearTimeout(this.returning);
    const waitMs = Math.max(pauseMs(this.failures, error), this.returnAt - Date.now());
    this.returning = setTimeout(() => this.socket.connect(), waitMs);
  }

  private end(reason: EndedReason): void {
    if (this.isOver) return;
    this.close();
    this.ears.ended(reason);
  }
}
