import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '../platform/database.js';
import { HintChannel } from '../platform/hint.channel.js';
import { Logger } from '../platform/logger.js';
import { Watch } from '../platform/watch.js';
import { BATCHES_KEPT_MS, HubNodes } from './hub.nodes.js';
import { RoomFeeds } from './room.feeds.js';

const LOOK_EVERY_MS = 250;
const PRUNE_EVERY_MS = 60_000;

/**
 * Finds what other hubs have committed, and offers it to the feeds here. A hint makes it look at once; without one it looks
 * four times a second. Where only one process can write there is no news: it looks when old batches are to be forgotten.
 */
@Injectable()
export class HubWatch implements OnApplicationBootstrap {
  private readonly watch: Watch;
  private lookedAt = Date.now();
  private prunedAt = Date.now();

  constructor(
    database: Database,
    private readonly nodes: HubNodes,
    private readonly feeds: RoomFeeds,
    private readonly hints: HintChannel,
    logger: Logger,
  ) {
    this.watch = new Watch({
      everyMs: database.dialect.singleWriter ? PRUNE_EVERY_MS : LOOK_EVERY_MS,
      look: () => this.look(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'what other hubs have committed cannot be read now'),
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    // If the database has gone away again meanwhile, the first look reads more than it needs.
    await this.nodes.catchUp().catch(() => {});
    this.hints.onHint(() => this.watch.hint());
    this.watch.start();
  }

  async stop(): Promise<void> {
    await this.watch.stop();
  }

  private async look(): Promise<void> {
    const now = Date.now();
    const sleptTooLong = now - this.lookedAt > BATCHES_KEPT_MS / 2;
    const { rooms, stockAlerts } = await this.nodes.news();
    this.feeds.hint(rooms);
    for (const { ownerId, push } of stockAlerts) this.feeds.tell(ownerId, 'book:stock', push);
    if (sleptTooLong) await this.feeds.hintAll();
    this.lookedAt = now;
    if (now - this.prunedAt < PRUNE_EVERY_MS) return;
    this.prunedAt = now;
    await this.nodes.prune(now);
  }
}
