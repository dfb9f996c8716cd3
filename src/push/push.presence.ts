import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { v4 as uuid } from 'uuid';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { Logger } from '../platform/observability/logger.js';
import { Poller } from '../platform/poller.js';
import { SocketRegistry } from '../platform/sockets/socket.registry.js';

/** Often enough that one lost renewal is none too few for `PRESENCE_LASTS_MS`. */
const RENEWED_EVERY_MS = 5_000;
/** Rows that no notice asks for any more. */
const FORGOTTEN_AFTER_MS = 7_200_000;

/**
 * Records which subscribed users have a socket here, for the hub that sends push messages. Users without a subscription cost nothing
 * but a look into a set when they connect.
 */
@Injectable()
export class PushPresenceRecorder implements OnApplicationBootstrap {
  private readonly hubId: string;
  private readonly poller: Poller;
  /** Users with a subscription, as the walk finds them. */
  private subscribed = new Set<string>();
  /** Users whose row says that they are here. */
  private readonly recorded = new Set<string>();
  private renewAt = 0;

  constructor(
    private readonly database: Database,
    private readonly sockets: SocketRegistry,
    private readonly clock: Clock,
    logger: Logger,
  ) {
    this.hubId = database.dialect.singleWriter ? '' : uuid();
    this.poller = new Poller({
      intervalMs: RENEWED_EVERY_MS,
      poll: () => this.record(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'who is connected cannot be recorded now'),
    });
  }

  onApplicationBootstrap(): void {
    this.sockets.onPresence((userId) => {
      if (this.subscribed.has(userId)) this.poller.wake();
    });
    this.poller.start();
  }

  get hasSubscribers(): boolean {
    return this.subscribed.size > 0;
  }

  /** A user has subscribed, at this hub or as the walk has found. */
  add(userId: string): void {
    if (this.subscribed.has(userId)) return;
    this.subscribed.add(userId);
    if (this.sockets.has(userId)) this.poller.wake();
  }

  /** A walk through all subscriptions has ended: these are their users. */
  keep(userIds: ReadonlySet<string>): void {
    for (const userId of this.subscribed) if (!userIds.has(userId)) this.subscribed.delete(userId);
  }

  /** Records now who is here. */
  renew(): Promise<void> {
    this.renewAt = 0;
    return this.poller.pollNext();
  }

  /** Records that nobody is here any more. */
  async stop(): Promise<void> {
    await this.poller.stop();
    await this.write([], [...this.recorded]).catch(() => {});
  }

  /** Deletes what is too old to matter, of hubs that died too. */
  async purge(): Promise<void> {
    const before = this.clock.now() - FORGOTTEN_AFTER_MS;
    await this.database.transaction((tx) => tx.query('DELETE FROM push_presence WHERE seen_at < ?', [before]));
  }

  private async record(): Promise<void> {
    const isRenewal = performance.now() >= this.renewAt;
    const here = [...this.subscribed].filter((userId) => this.sockets.has(userId));
    const present = new Set(here);
    const gone = [...this.recorded].filter((userId) => !present.has(userId));
    const written = isRenewal ? here : here.filter((userId) => !this.recorded.has(userId));
    await this.write(written, gone);
    if (isRenewal) this.renewAt = performance.now() + RENEWED_EVERY_MS;
  }

  private async write(here: readonly string[], gone: readonly string[]): Promise<void> {
    if (here.length + gone.length === 0) return;
    const seenAt = this.clock.now();
    const rows = [...here.map((userId) => ({ userId, isLive: 1 })), ...gone.map((userId) => ({ userId, isLive: 0 }))];
    const write = {
      table: 'push_presence',
      columns: ['user_id', 'hub_id', 'seen_at', 'is_live'],
      rows: rows.map(({ userId, isLive }) => [userId, this.hubId, seenAt, isLive]),
      change: { key: ['user_id', 'hub_id'], columns: ['seen_at', 'is_live'], orInsert: true as const },
    };
    await this.database.transaction((tx) => tx.query(...this.database.dialect.write(write)));
    for (const userId of here) this.recorded.add(userId);
    for (const userId of gone) this.recorded.delete(userId);
  }
}
