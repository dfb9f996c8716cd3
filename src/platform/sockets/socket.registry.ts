import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { SessionEndedReason } from '../../contract/rooms.js';
import type { Principal } from '../caller.js';
import { Clock } from '../clock/clock.js';
import { Logger } from '../observability/logger.js';
import { Metrics, type SocketCloseCause } from '../observability/metrics.js';
import type { HubSocket } from './hub.socket.js';

const EXPIRY_CHECK_MS = 1_000;
/** Clients reconnect at different moments within this time after a shutdown, rather than all at once. */
const RECONNECT_SPREAD_MS = 5_000;
/** How long messages are still received after `hub:draining`, to be rejected with an answer rather than lost. */
const IN_FLIGHT_MS = 250;
/** How long clients have to receive what is queued for them before they are disconnected. */
const FLUSH_TIMEOUT_MS = 1_000;

/** Socket.IO's own reasons for which it closes a socket, and what they are counted as. They are the client's, and not logged. */
const OWN_CAUSES = new Map<string, SocketCloseCause>([
  ['ping timeout', 'ping-timeout'],
  ['parse error', 'bad-packet'],
  ['transport error', 'bad-packet'],
]);

const SOCKET_CLOSED = 'socket closed';
const NOT_UP_TO_DATE = 'a socket could not be brought up to date and is cut; it comes back with last';

/** The sockets connected to this process. Disconnects them when their session ends, and drains them at shutdown. */
@Injectable()
export class SocketRegistry implements BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly byUser = new Map<string, Set<HubSocket>>();
  private readonly presenceListeners: ((userId: string) => void)[] = [];
  private readonly expiryTimer = setInterval(() => this.endExpired(), EXPIRY_CHECK_MS).unref();
  /** Set at shutdown: messages are rejected with `UNAVAILABLE`. */
  draining = false;

  constructor(
    private readonly metrics: Metrics,
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {
    metrics.observeSockets(() => [...this.byUser.values()].reduce((sum, sockets) => sum + sockets.size, 0));
  }

  /** Calls the listener when a user's first socket has come, or its last one has gone. */
  onPresence(listener: (userId: string) => void): void {
    this.presenceListeners.push(listener);
  }

  /** Whether the user has a socket here. */
  has(userId: string): boolean {
    return this.byUser.has(userId);
  }

  add(socket: HubSocket): void {
    const { userId } = socket.data.caller;
    const isFirst = !this.byUser.has(userId);
    const sockets = this.byUser.get(userId) ?? new Set();
    this.byUser.set(userId, sockets.add(socket));
    // Socket.IO then closes the connection.
    socket.once('error', () => this.metrics.socketClosed('bad-packet'));
    socket.once('disconnect', (reason) => {
      const cause = OWN_CAUSES.get(reason);
      if (cause) this.metrics.socketClosed(cause);
      // A connection that has left the hub's only namespace could stay open for ever, without a session.
      socket.conn.close();
      sockets.delete(socket);
      if (sockets.size > 0 || this.byUser.get(userId) !== sockets) return;
      this.byUser.delete(userId);
      this.reportPresence(userId);
    });
    if (isFirst) this.reportPresence(userId);
  }

  /**
   * Closes a socket for a reason that will pass. Every Socket.IO client reconnects after its transport has closed, but stays
   * away after a disconnect packet.
   */
  close(socket: HubSocket, cause: SocketCloseCause, error: unknown): void {
    if (socket.conn.readyState !== 'open') return;
    this.recordClosed(socket, cause, error);
    socket.conn.close();
  }

  /** Counts and logs a socket that the hub closes. */
  recordClosed({ data }: HubSocket, cause: SocketCloseCause, error?: unknown): void {
    this.metrics.socketClosed(cause);
    const { caller } = data as Partial<HubSocket['data']>;
    const client = { user: caller?.userId, address: caller?.address };
    const line = { cause, ...client, ...(error === undefined ? {} : { error: String(error) }) };
    if (cause === 'session-ended') this.logger.info(line, SOCKET_CLOSED);
    else this.logger.warn(line, cause === 'catch-up' ? NOT_UP_TO_DATE : SOCKET_CLOSED);
  }

  /** Disconnects the sockets of a user whose session has ended, with the reason. */
  endSessions(userId: string, reason: SessionEndedReason, hasEnded: (caller: Principal) => boolean = () => true): void {
    for (const socket of [...(this.byUser.get(userId) ?? [])]) {
      if (hasEnded(socket.data.caller)) this.end(socket, reason);
    }
  }

  /** Disconnects all sockets. */
  endAll(reason: SessionEndedReason): void {
    for (const socket of this.all()) this.end(socket, reason);
  }

  /** Resolves once the clients have received all that was sent to them so far, or after this time. */
  async received(withinMs: number): Promise<void> {
    const received = Promise.all(this.all().map(({ conn }) => roundTrip(conn)));
    await Promise.race([received, sleep(withinMs, undefined, { ref: false })]);
  }

  /** Announces the shutdown to every socket, with the time after which to reconnect. */
  drain(): void {
    this.draining = true;
    const sockets = this.all();
    const slotMs = RECONNECT_SPREAD_MS / sockets.length;
    sockets.forEach((socket, index) => {
      socket.emit('hub:draining', { reconnectAfterMs: Math.floor((index + Math.random()) * slotMs) });
    });
  }

  /** Resolves when every message is answered, including those that were in flight when the shutdown was announced. */
  async settled(): Promise<void> {
    await sleep(IN_FLIGHT_MS);
    for (;;) {
      const pending = this.all().flatMap(({ data }) => data.lastAnswered ?? []);
      if (pending.length === 0) return;
      await Promise.all(pending);
    }
  }

  /** Resolves when all send buffers are drained, or after a timeout: Engine.IO drops what is queued when it closes. */
  async flushed(): Promise<void> {
    const drained = Promise.all(this.all().map(({ data }) => data.sendBuffer.drained()));
    await Promise.race([drained, sleep(FLUSH_TIMEOUT_MS, undefined, { ref: false })]);
  }

  /** Nest closes them next. One line for all: they have one cause. */
  beforeApplicationShutdown(): void {
    const count = this.all().length;
    if (count === 0) return;
    this.metrics.socketClosed('shutdown', count);
    this.logger.info({ cause: 'shutdown', count }, 'sockets closed');
  }

  onApplicationShutdown(): void {
    clearInterval(this.expiryTimer);
  }

  private reportPresence(userId: string): void {
    for (const listener of this.presenceListeners) listener(userId);
  }

  private endExpired(): void {
    const now = this.clock.realNow();
    for (const socket of this.all()) if (socket.data.caller.expiresAt <= now) this.end(socket, 'expired');
  }

  private end(socket: HubSocket, reason: SessionEndedReason): void {
    socket.emit('session:ended', { reason });
    this.recordClosed(socket, 'session-ended');
    socket.disconnect(true);
  }

  private all(): HubSocket[] {
    return [...this.byUser.values()].flatMap((sockets) => [...sockets]);
  }
}

/** Engine.IO's private means of sending. */
interface PingableConnection {
  sendPacket(type: 'ping'): void;
}

/** A ping comes after what was sent before it: its pong shows that all of that has arrived. */
function roundTrip(connection: HubSocket['conn']): Promise<void> {
  return new Promise((resolve) => {
    if (connection.readyState !== 'open') return resolve();
    const done = () => {
      connection.off('heartbeat', done).off('close', done);
      resolve();
    };
    connection.on('heartbeat', done).on('close', done);
    (connection as unknown as PingableConnection).sendPacket('ping');
  });
}
