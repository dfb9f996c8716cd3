import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { SessionEndedReason } from '../contract/rooms.js';
import type { SessionHolder } from './caller.js';
import { Metrics } from './metrics.js';
import type { HubSocket } from './socket.js';

const EXPIRY_CHECK_MS = 1_000;
/** Sockets are told to come back within this time after a shutdown, each at another moment. */
const RECONNECT_SPREAD_MS = 5_000;
/** For so long messages are heard after a shutdown was told, to be refused with an answer rather than cut off. */
const ON_THEIR_WAY_MS = 250;
/** So long a client has to take what it was told before that. */
const TAKEN_WITHIN_MS = 1_000;

/** The sockets that are connected to this process, and how they are ended when their session is. */
@Injectable()
export class Connections implements OnApplicationShutdown {
  private readonly byUser = new Map<string, Set<HubSocket>>();
  private readonly expiry = setInterval(() => this.endExpired(), EXPIRY_CHECK_MS).unref();
  /** Set when the hub shuts down: no message is taken any more. */
  draining = false;

  constructor(metrics: Metrics) {
    metrics.observeSockets(() => [...this.byUser.values()].reduce((sum, sockets) => sum + sockets.size, 0));
  }

  add(socket: HubSocket): void {
    const { userId } = socket.data.caller;
    const sockets = this.byUser.get(userId) ?? new Set();
    this.byUser.set(userId, sockets.add(socket));
    socket.once('disconnect', () => {
      // A line that has left the hub's one namespace could be held open for ever, without a session.
      socket.conn.close();
      sockets.delete(socket);
      if (sockets.size === 0 && this.byUser.get(userId) === sockets) this.byUser.delete(userId);
    });
  }

  /** Cuts the sockets of a user whose sessions have ended, and says why. */
  endSessions(
    userId: string,
    reason: SessionEndedReason,
    hasEnded: (caller: SessionHolder) => boolean = () => true,
  ): void {
    for (const socket of [...(this.byUser.get(userId) ?? [])]) {
      if (hasEnded(socket.data.caller)) this.end(socket, reason);
    }
  }

  /** Tells every socket that the hub shuts down, and when to come back. */
  drain(): void {
    this.draining = true;
    const sockets = this.all();
    const shareMs = RECONNECT_SPREAD_MS / sockets.length;
    sockets.forEach((socket, index) => {
      socket.emit('hub:draining', { reconnectAfterMs: Math.floor((index + Math.random()) * shareMs) });
    });
  }

  /** Resolves when every message that a socket has sent is answered, those too that were on their way when it was told. */
  async answered(): Promise<void> {
    await sleep(ON_THEIR_WAY_MS);
    for (;;) {
      const pending = this.all().flatMap(({ data }) => data.answered ?? []);
      if (pending.length === 0) return;
      await Promise.all(pending);
    }
  }

  /** Resolves when all that the sockets were told has left, or was not taken in time: Engine.IO drops what waits when it closes. */
  async told(): Promise<void> {
    const taken = Promise.all(this.all().map(({ data }) => data.unsent.drained()));
    await Promise.race([taken, sleep(TAKEN_WITHIN_MS, undefined, { ref: false })]);
  }

  onApplicationShutdown(): void {
    clearInterval(this.expiry);
  }

  private endExpired(): void {
    const now = Date.now();
    for (const socket of this.all()) if (socket.data.caller.expiresAt <= now) this.end(socket, 'expired');
  }

  private end(socket: HubSocket, reason: SessionEndedReason): void {
    socket.emit('session:ended', { reason });
    socket.disconnect(true);
  }

  private all(): HubSocket[] {
    return [...this.byUser.values()].flatMap((sockets) => [...sockets]);
  }
}
