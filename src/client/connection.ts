import { io, type Socket } from 'socket.io-client';
import { type ErrorBody, readErrorBody } from '../contract/errors.js';
import type { Last } from '../contract/rooms.js';
import type { ServerToClient } from '../contract/wire.js';
import type { ConnectOptions, EndedReason } from './hub.client.js';
import type { Post } from './outbox.js';
import { ANSWER_TIMEOUT_MS, retryDelayMs } from './retry.js';

const CONNECT_TIMEOUT_MS = 10_000;

interface ConnectionHandlers {
  /** The current cursors, read for the handshake of every attempt. */
  last(): Last;
  connected(): void;
  disconnected(): void;
  ended(reason: EndedReason): void;
}

/**
 * The socket to the hub, reconnected whenever it is lost. Socket.IO's own reconnection is off: it gives up when the server
 * disconnects or rejects the client, and does not know the delay that a draining hub requests.
 */
export class Connection {
  readonly socket: Socket<ServerToClient>;
  private isClosed = false;
  /** Consecutive attempts that did not reach `room:ready`. */
  private failures = 0;
  /** The earliest reconnection that a draining hub has asked for, in epoch milliseconds. */
  private reconnectNotBefore = 0;
  private reconnectTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    { url, token, for: ownerId, path }: ConnectOptions,
    private readonly handlers: ConnectionHandlers,
  ) {
    const { origin, pathname } = new URL(url);
    this.socket = io(origin, {
      path: path ?? `${pathname.replace(/\/$/, '')}/socket.io`,
      auth: (callback) =>
        callback({ token, last: handlers.last(), ...(ownerId === undefined ? {} : { for: ownerId }) }),
      // WebSocket first: without sticky sessions, a load balancer may spread one polling connection over several hubs.
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      timeout: CONNECT_TIMEOUT_MS,
      reconnection: false,
      autoConnect: false,
      // Never shared: another client on the same page may belong to another user.
      forceNew: true,
    });
    this.subscribe();
  }

  open(): void {
    this.socket.connect();
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.reconnectTimer);
    this.socket.disconnect();
  }

  /** Sends a message. Without an acknowledgement in time, the connection counts as dead and is replaced. */
  readonly post: Post = (name, request, respond) => {
    const { id } = this.socket;
    const socket: Socket = this.socket;
    socket
      .timeout(ANSWER_TIMEOUT_MS)
      .emit(name, request, (timeout: Error | null, answer: Parameters<typeof respond>[0]) => {
        if (!timeout) respond(answer);
        else if (this.socket.id === id) this.socket.disconnect();
      });
  };

  private subscribe(): void {
    const { socket, handlers } = this;
    socket.on('connect', () => handlers.connected());
    socket.on('disconnect', () => {
      // The outbox resends unanswered calls in their own order.
      socket.sendBuffer = [];
      handlers.disconnected();
      this.reconnect();
    });
    socket.on('connect_error', (error) => {
      const rejection = readErrorBody((error as { data?: unknown }).data);
      if (rejection && !rejection.retryable) this.end(rejection.code);
      else this.reconnect(rejection);
    });
    socket.on('room:ready', () => {
      this.failures = 0;
    });
    socket.on('hub:draining', ({ reconnectAfterMs }) => {
      this.reconnectNotBefore = performance.now() + reconnectAfterMs;
    });
    socket.on('session:ended', ({ reason }) => this.end(reason));
  }

  private reconnect(error?: ErrorBody): void {
    if (this.isClosed) return;
    this.failures++;
    clearTimeout(this.reconnectTimer);
    const delayMs = Math.max(retryDelayMs(this.failures, error), this.reconnectNotBefore - performance.now());
    this.reconnectTimer = setTimeout(() => this.socket.connect(), delayMs);
  }

  private end(reason: EndedReason): void {
    if (this.isClosed) return;
    this.close();
    this.handlers.ended(reason);
  }
}
