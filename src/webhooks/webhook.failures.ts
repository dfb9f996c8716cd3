import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { isoTime } from '../contract/fields.js';
import { FAILING_MINUTES } from '../contract/webhooks.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { Logger } from '../platform/observability/logger.js';
import { Poller } from '../platform/poller.js';
import { EventPublisher } from '../rooms/event.publisher.js';

const POLL_INTERVAL_MS = 5_000;
const FAILING_MS = FAILING_MINUTES * 60_000;

interface Failing {
  webhookId: string;
  userId: string;
  since: number;
}

/**
 * Tells owners, once, of webhooks that have been failing for some minutes. Each hub reads them from the table and tells the
 * sockets that it has: so no hub needs to tell another.
 */
@Injectable()
export class WebhookFailures implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly poller: Poller;
  /** Since when the webhooks that were reported have been failing. */
  private reported = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly publisher: EventPublisher,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    this.poller = new Poller({
      intervalMs: POLL_INTERVAL_MS,
      poll: () => this.poll(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'failing webhooks cannot be read now'),
    });
  }

  onApplicationBootstrap(): void {
    this.poller.start();
  }

  /** Tells at once whom there is something to tell. */
  check(): Promise<void> {
    return this.poller.pollNext();
  }

  /** Before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.poller.stop();
  }

  private async poll(): Promise<void> {
    const failing: Failing[] = await this.database.read.query(
      `SELECT webhook_id AS webhookId, user_id AS userId, failing_since AS since FROM webhooks
        WHERE failing_since <= ? AND paused = 0`,
      [this.clock.now() - FAILING_MS],
    );
    const before = this.reported;
    this.reported = new Map(failing.map(({ webhookId, since }) => [webhookId, since]));
    for (const { webhookId, userId, since } of failing) {
      if (before.get(webhookId) === since) continue;
      this.logger.warn({ webhook: webhookId, user: userId }, 'a webhook is failing');
      this.publisher.pushTo(userId, 'webhook:failing', { webhookId, since: isoTime(since) });
    }
  }
}
