import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.js';
import { isoTime } from '../contract/fields.js';
import type { OrderStatusPush, RoomReadyPush } from '../contract/rooms.js';
import { type Role, roles } from '../contract/transitions.js';
import type { Push } from '../contract/wire.js';
import { accountOf } from '../platform/caller.js';
import type { Clock } from '../platform/clock/clock.js';
import { retryRead } from '../platform/database/retry.read.js';
import { BYTES_PER_CONNECTION, BYTES_PER_ROW, type ReadLimiter } from '../platform/limits/read.limiter.js';
import type { Metrics } from '../platform/observability/metrics.js';
import type { HubSocket } from '../platform/sockets/hub.socket.js';
import { toCachedJson } from '../platform/sockets/json.cache.js';
import type { RoomsService } from './rooms.service.js';

/** Read and sent in a millisecond; commands, which take a dozen turns of the event loop, run between two pages. */
const REPLAY_PAGE = 50;
/** Until a database node that is behind is read again. */
const BEHIND_MS = 100;

/** Pushes without a number. */
type UnnumberedPush = 'book:stock' | 'order:claimed' | 'webhook:failing';

interface Cursor {
  /** The number of the last event that the socket was sent. */
  delivered: number;
  /** The highest number known to be committed: there is more to read until `delivered` reaches it. */
  latest: number;
  complete: boolean;
  reading: boolean;
}

/**
 * One socket's position in its two rooms. The event after the cursor is sent from memory, an older one is dropped, and a later
 * one starts a read of the missing range. So a wakeup may be lost, doubled or early, and the socket still receives each event
 * once and in order.
 */
export class EventSubscription {
  private readonly cursors: Record<Role, Cursor> = { buyer: newCursor(), seller: newCursor() };
  /** Whose rooms they are: a member of staff hears the seller's. */
  private readonly account: string;
  /** The rooms that the caller may hear. */
  private readonly roles: readonly Role[];
  private live = false;
  /** The version of the wallet that was pushed to the socket, or will be once it is up to date. */
  private walletVersion = 0;
  private waitingWallet: Push<'wallet:changed'> | undefined;
  /** The same of each store that changed while the socket was here. */
  private readonly storeVersions = new Map<string, number>();
  private readonly waitingStores = new Map<string, Push<'store:status'>>();

  constructor(
    private readonly socket: HubSocket,
    private readonly rooms: RoomsService,
    private readonly reads: ReadLimiter,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
    private readonly config: Pick<Config, 'currency' | 'storesNeedAddress'>,
    private readonly onFailure: (error: unknown) => void,
  ) {
    const { rights, acting } = socket.data.caller;
    this.account = accountOf(socket.data.caller);
    if (!rights.has('read')) this.roles = [];
    else this.roles = acting ? ['seller'] : roles;
  }

  /**
   * Sends what came after the socket's `last`, up to the heads of this moment, and then `room:ready`. What is committed
   * meanwhile follows as live events: a busy room must not delay its sockets for ever. Never rejects.
   */
  async start(): Promise<void> {
    try {
      await this.replay();
    } catch (error) {
      this.onFailure(error);
      return;
    }
    this.socket.emit('room:ready', this.readyPush());
    this.live = true;
    if (this.waitingWallet) this.socket.emit('wallet:changed', this.waitingWallet);
    for (const push of this.waitingStores.values()) this.socket.emit('store:status', push);
    this.waitingStores.clear();
    for (const role of this.roles) this.advanceTo(role, this.cursors[role].latest);
  }

  private async replay(): Promise<void> {
    const { last = {}, caller } = this.socket.data;
    await this.reads.pace(caller.readKey, BYTES_PER_CONNECTION);
    const heads = await this.read(() => this.rooms.heads(this.account));
    for (const role of this.roles) {
      const cursor = this.cursors[role];
      const after = last[role] ?? heads[role];
      cursor.complete = after <= heads[role];
      cursor.delivered = cursor.complete ? after : heads[role];
      await this.catchUp(role, () => heads[role]);
    }
  }

  /** The client reconnects with `last` if this fails for good. */
  private read<T>(work: () => Promise<T>): Promise<T> {
    return retryRead(work, () => this.socket.connected);
  }

  get isUpToDate(): boolean {
    return this.live && this.roles.every((role) => this.cursors[role].delivered >= this.cursors[role].latest);
  }

  /** An event of one of the rooms was committed. */
  deliver(push: OrderStatusPush): void {
    if (!this.roles.includes(push.role)) return;
    const cursor = this.cursors[push.role];
    const isNext = push.seq === cursor.delivered + 1;
    if (this.live && !cursor.reading && isNext) this.send(cursor, push, 'memory');
    else this.advanceTo(push.role, push.seq);
  }

  /** Events up to this number are committed. */
  advanceTo(role: Role, head: number): void {
    const cursor = this.cursors[role];
    cursor.latest = Math.max(cursor.latest, head);
    if (!this.live || !this.roles.includes(role) || cursor.reading || cursor.delivered >= cursor.latest) return;
    this.catchUp(role, () => cursor.latest).catch(this.onFailure);
  }

  /** An event without a number: only for a socket that is up to date. */
  push(...[name, push]: { [Name in UnnumberedPush]: [name: Name, push: Push<Name>] }[UnnumberedPush]): void {
    if (!this.live || !this.roles.includes('seller')) return;
    if (name === 'book:stock') this.socket.emit(name, push);
    else if (name === 'order:claimed') this.socket.emit(name, push);
    else this.socket.emit(name, push);
  }

  /** The latest wins: two hubs’ batches may arrive in any order, and the versions say which is later. */
  pushWallet(version: number, push: Push<'wallet:changed'>): void {
    if (version <= this.walletVersion || !this.socket.data.caller.rights.has('money')) return;
    this.walletVersion = version;
    if (this.live) this.socket.emit('wallet:changed', push);
    else this.waitingWallet = push;
  }

  pushStore(version: number, push: Push<'store:status'>): void {
    const { storeId } = push;
    if (version <= (this.storeVersions.get(storeId) ?? 0) || !this.roles.includes('seller')) return;
    this.storeVersions.set(storeId, version);
    if (this.live) this.socket.emit('store:status', push);
    else this.waitingStores.set(storeId, push);
  }

  /** Reads and sends the missing events up to a number, which may grow meanwhile. */
  private async catchUp(role: Role, upTo: () => number): Promise<void> {
    const cursor = this.cursors[role];
    const { readKey } = this.socket.data.caller;
    cursor.reading = true;
    try {
      while (cursor.delivered < upTo() && this.socket.connected) {
        // A slow client is waited for, not disconnected.
        await this.socket.data.sendBuffer.drained();
        await this.reads.pace(readKey, REPLAY_PAGE * BYTES_PER_ROW);
        const after = cursor.delivered;
        const events = await this.read(() => this.rooms.eventsAfter(role, this.account, after, REPLAY_PAGE));
        if (events[0]?.seq !== after + 1) {
          if (!(await this.isPurged(role, after))) continue;
          // A client hears of a gap in `room:ready` only: a live socket reconnects with `last`.
          if (this.live) throw new Error('The next events are past their keeping time');
          cursor.complete = false;
          cursor.delivered = upTo();
          return;
        }
        // Serialized here, and sent as it is.
        this.reads.charge(
          readKey,
          events.reduce((bytes, push) => bytes + toCachedJson(push).length, 0),
        );
        for (const push of events)
          if (push.seq === cursor.delivered + 1 && push.seq <= upTo()) this.send(cursor, push, 'database');
        // The embedded database never yields: let other sockets be served between two pages.
        if (cursor.delivered < upTo()) await setImmediate();
      }
    } finally {
      cursor.reading = false;
    }
  }

  /** Whether the event after a number was deleted. Otherwise the read came before its commit was visible, and is repeated. */
  private async isPurged(role: Role, after: number): Promise<boolean> {
    const heads = await this.read(() => this.rooms.heads(this.account));
    if (heads[role] <= after) {
      await sleep(BEHIND_MS, undefined, { ref: false });
      return false;
    }
    const [next] = await this.read(() => this.rooms.eventsAfter(role, this.account, after, 1));
    return next?.seq !== after + 1;
  }

  private send(cursor: Cursor, push: OrderStatusPush, from: 'memory' | 'database'): void {
    cursor.delivered = push.seq;
    cursor.latest = Math.max(cursor.latest, push.seq);
    this.socket.emit('order:status', push);
    this.metrics.eventDelivered(from);
  }

  private readyPush(): RoomReadyPush {
    const state = (role: Role) => {
      const { delivered: head, complete } = this.cursors[role];
      return [role, { head, complete }];
    };
    return {
      userId: this.socket.data.caller.userId,
      rooms: Object.fromEntries(this.roles.map(state)),
      currency: this.config.currency,
      serverTime: isoTime(this.clock.now()),
      ...(this.config.storesNeedAddress ? { needsAddress: true } : {}),
    };
  }
}

function newCursor(): Cursor {
  return { delivered: 0, latest: 0, complete: true, reading: false };
}
