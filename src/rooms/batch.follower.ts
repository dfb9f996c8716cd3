import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { AvailabilityMetrics } from '../platform/observability/availability.metrics.js';
import { Logger } from '../platform/observability/logger.js';
import { Poller } from '../platform/poller.js';
import { WakeupChannel } from '../platform/wakeup.channel.js';
import { BatchLog } from './batch.log.js';
import { EventPublisher } from './event.publisher.js';

const POLL_INTERVAL_MS = 250;
const PRUNE_INTERVAL_MS = 60_000;

/**
 * Follows what other hubs commit, and has it delivered here. It polls four times a second, and at once after a wakeup. Where
 * only one process can write, it polls just to prune.
 */
@Injectable()
export class BatchFollower implements OnApplicationBootstrap {
  private readonly poller: Poller;
  private prunedAt: number;
  private pruning: Promise<void> | undefined;
  /** All that was committed before this moment is read. */
  private readAt = performance.now();

  constructor(
    database: Database,
    private readonly batchLog: BatchLog,
    private readonly publisher: EventPublisher,
    private readonly wakeups: WakeupChannel,
    private readonly clock: Clock,
    private readonly logger: Logger,
    availability: AvailabilityMetrics,
  ) {
    this.prunedAt = clock.realNow();
    availability.observeBatchLog(() => (database.dialect.singleWriter ? 0 : performance.now() - this.readAt));
    this.poller = new Poller({
      intervalMs: database.dialect.singleWriter ? PRUNE_INTERVAL_MS : POLL_INTERVAL_MS,
      poll: () => this.poll(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'what other hubs have committed cannot be read now'),
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    // If the database is down again by now, the first poll reads more than it needs.
    await this.batchLog.catchUp().catch(() => {});
    this.wakeups.onWakeup(() => this.poller.wake());
    this.poller.start();
  }

  async stop(): Promise<void> {
    await this.poller.stop();
    await this.pruning;
  }

  private async poll(): Promise<void> {
    const from = performance.now();
    const { rooms, stockAlerts, storeStatuses, claims, walletChanges } = await this.batchLog.readNew();
    this.readAt = from;
    this.publisher.advance(rooms);
    this.publisher.pushStockAlerts(stockAlerts);
    this.publisher.pushStoreStatuses(storeStatuses);
    this.publisher.pushClaims(claims);
    for (const changes of walletChanges) this.publisher.pushWallets(changes);
    const now = this.clock.realNow();
    if (now - this.prunedAt < PRUNE_INTERVAL_MS) return;
    this.prunedAt = now;
    // Not awaited: another client may hold what is to be deleted, and the rooms must not wait for that.
    this.pruning = this.batchLog
      .prune(now)
      .catch((error) => this.logger.warn({ error: String(error) }, 'old batches cannot be deleted now'));
  }
}
