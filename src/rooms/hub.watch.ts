import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '../platform/database.js';
import { HintChannel } from '../platform/hint.channel.js';
import { Logger } from '../platform/logger.js';
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
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private hinted = false;
  private stopped = false;
  private failing = false;
  private lookedAt = Date.now();
  private prunedAt = Date.now();

  constructor(
    private readonly database: Database,
    private readonly nodes: HubNodes,
    private readonly feeds: RoomFeeds,
    private readonly hints: HintChannel,
    private readonly logger: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.nodes.catchUp();
    this.hints.onHint(() => this.lookNow());
    this.lookLater();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  /** Looks once more if a look is under way: it may have passed what this hint is about. */
  private lookNow(): void {
    if (this.stopped) return;
    if (this.looking) {
      this.hinted = true;
      return;
    }
    clearTimeout(this.timer);
    this.looking = this.look().finally(() => {
      this.looking = undefined;
      if (!this.hinted) return this.lookLater();
      this.hinted = false;
      this.lookNow();
    });
  }

  private lookLater(): void {
    if (this.stopped) return;
    const pauseMs = this.database.dialect.singleWriter ? PRUNE_EVERY_MS : LOOK_EVERY_MS;
    this.timer = setTimeout(() => this.lookNow(), pauseMs);
    this.timer.unref();
  }

  private async look(): Promise<void> {
    const now = Date.now();
    try {
      const sleptTooLong = now - this.lookedAt > BATCHES_KEPT_MS / 2;
      this.feeds.hint(await this.nodes.roomsWritten());
      if (sleptTooLong) await this.feeds.hintAll();
      if (now - this.prunedAt >= PRUNE_EVERY_MS) {
        this.prunedAt = now;
        await this.nodes.prune(now);
      }
      this.lookedAt = now;
      this.failing = false;
    } catch (error) {
      if (!this.failing)
        this.logger.warn({ error: String(error) }, 'what other hubs have committed cannot be read now');
      this.failing = true;
    }
  }
}
