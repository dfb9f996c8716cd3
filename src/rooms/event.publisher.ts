import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { isoTime } from '../contract/fields.js';
import type { OrderStatusPush } from '../contract/rooms.js';
import { type Role, roles } from '../contract/transitions.js';
import type { Push } from '../contract/wire.js';
import { accountOf } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { ReadLimiter } from '../platform/limits/read.limiter.js';
import { Metrics } from '../platform/observability/metrics.js';
import type { HubSocket } from '../platform/sockets/hub.socket.js';
import { toCachedJson } from '../platform/sockets/json.cache.js';
import { SocketRegistry } from '../platform/sockets/socket.registry.js';
import { WakeupChannel } from '../platform/wakeup.channel.js';
import type { OrderClaim, RoomHead, StockAlert, StoreStatus, WalletChanges } from './batch.record.js';
import { EventSubscription } from './event.subscription.js';
import { RoomsService } from './rooms.service.js';

/** Orders whose latest claim a hub remembers: more than are claimed while batches of two hubs can pass each other. */
const CLAIMS_REMEMBERED = 10_000;

/** Delivers committed events to the sockets of this process, and wakes the other hubs up to do the same. */
@Injectable()
export class EventPublisher {
  /** Readers of rooms that are no sockets. */
  private readonly listeners: CommitListener[] = [];
  private readonly subscriptionsByUser = new Map<string, Set<EventSubscription>>();
  /** The version of the latest claim that was pushed, by order. */
  private readonly claimVersions = new Map<string, number>();
  /** Where `nextUsers` stands: a map's iterator skips users who leave, and finds those who come. */
  private round = this.subscriptionsByUser.keys();

  constructor(
    private readonly rooms: RoomsService,
    private readonly wakeups: WakeupChannel,
    private readonly sockets: SocketRegistry,
    private readonly reads: ReadLimiter,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    metrics.observeRooms(() => this.subscriptionsByUser.size * roles.length);
  }

  /** Calls the listener for each room with new events, with the number up to which they are committed. */
  onCommitted(listener: CommitListener): void {
    this.listeners.push(listener);
  }

  /**
   * Subscribes a socket to its user's two rooms, or to the seller's room of the user for whom it acts. No client can name a room: they
   * follow from the session and the membership.
   */
  async join(socket: HubSocket): Promise<void> {
    // A socket that has disconnected already would never be removed again.
    if (!socket.connected) return;
    const userId = accountOf(socket.data.caller);
    const { rooms, reads, metrics, clock, config } = this;
    const onFailure = (error: unknown) => this.sockets.close(socket, 'catch-up', error);
    const subscription = new EventSubscription(socket, rooms, reads, metrics, clock, config, onFailure);
    const subscriptions = this.subscriptionsByUser.get(userId) ?? new Set();
    // Before its first read, so that it misses nothing that is committed from now on.
    this.subscriptionsByUser.set(userId, subscriptions.add(subscription));
    socket.once('disconnect', () => {
      subscriptions.delete(subscription);
      if (subscriptions.size === 0 && this.subscriptionsByUser.get(userId) === subscriptions) {
        this.subscriptionsByUser.delete(userId);
      }
    });
    await subscription.start();
  }

  /** Publishes what a batch has committed: its events, in the order of their numbers, its alerts and claims, and changed stores and wallets. */
  publish({ events, stockAlerts, storeStatuses, claims, walletChanges }: Committed): void {
    for (const { userId, push } of events) {
      for (const listener of this.listeners) listener(push.role, userId, push.seq);
      const subscriptions = this.subscriptionsByUser.get(userId);
      if (!subscriptions) continue;
      // All devices of the user receive the same text.
      if (subscriptions.size > 1) toCachedJson(push);
      for (const subscription of subscriptions) subscription.deliver(push);
    }
    const pushes = stockAlerts.length + storeStatuses.length + claims.length + walletChanges.wallets.length;
    if (events.length + pushes > 0) this.wakeups.notify();
    this.pushStockAlerts(stockAlerts);
    this.pushStoreStatuses(storeStatuses);
    this.pushClaims(claims);
    this.pushWallets(walletChanges);
  }

  pushStockAlerts(alerts: readonly StockAlert[]): void {
    for (const { ownerId, push } of alerts) {
      for (const subscription of this.subscriptionsByUser.get(ownerId) ?? []) subscription.push('book:stock', push);
    }
  }

  pushStoreStatuses(statuses: readonly StoreStatus[]): void {
    for (const { ownerId, version, push } of statuses) {
      for (const subscription of this.subscriptionsByUser.get(ownerId) ?? []) subscription.pushStore(version, push);
    }
  }

  /** The latest wins: two hubs' batches may be read in any order. */
  pushClaims(claims: readonly OrderClaim[]): void {
    for (const { ownerId, version, push } of claims) {
      if (version <= (this.claimVersions.get(push.orderId) ?? 0)) continue;
      this.claimVersions.delete(push.orderId);
      this.claimVersions.set(push.orderId, version);
      const [oldest] = this.claimVersions.keys();
      if (this.claimVersions.size > CLAIMS_REMEMBERED && oldest !== undefined) this.claimVersions.delete(oldest);
      for (const subscription of this.subscriptionsByUser.get(ownerId) ?? []) subscription.push('order:claimed', push);
    }
  }

  /** Pushes something without a number to a user's sockets on this hub. */
  pushTo(userId: string, name: 'webhook:failing', push: Push<'webhook:failing'>): void {
    for (const subscription of this.subscriptionsByUser.get(userId) ?? []) subscription.push(name, push);
  }

  /** The text is made for users with a socket here only. */
  pushWallets({ at, wallets }: WalletChanges): void {
    for (const { userId, balance, held, version } of wallets) {
      const subscriptions = this.subscriptionsByUser.get(userId);
      if (!subscriptions) continue;
      const push = { balance, held, at: isoTime(at) };
      for (const subscription of subscriptions) subscription.pushWallet(version, push);
    }
  }

  /** Another hub has written to these rooms: subscriptions that are behind read what they miss. */
  advance(rooms: readonly RoomHead[]): void {
    for (const { role, userId, head } of rooms) {
      for (const listener of this.listeners) listener(role, userId, head);
      for (const subscription of this.subscriptionsByUser.get(userId) ?? []) subscription.advanceTo(role, head);
    }
  }

  /** Whether every socket here was sent what is known to be committed. */
  get isUpToDate(): boolean {
    const all = [...this.subscriptionsByUser.values()].flatMap((subscriptions) => [...subscriptions]);
    return all.every((subscription) => subscription.isUpToDate);
  }

  /** The next of the users with a socket here, in turn; fewer at the end of a round. */
  nextUsers(usersMax: number): string[] {
    const users: string[] = [];
    while (users.length < usersMax) {
      const next = this.round.next();
      if (next.done) {
        this.round = this.subscriptionsByUser.keys();
        break;
      }
      users.push(next.value);
    }
    return users;
  }
}

type CommitListener = (role: Role, userId: string, head: number) => void;

interface Committed {
  events: readonly { userId: string; push: OrderStatusPush }[];
  stockAlerts: readonly StockAlert[];
  storeStatuses: readonly StoreStatus[];
  claims: readonly OrderClaim[];
  walletChanges: WalletChanges & { wallets: readonly unknown[] };
}
