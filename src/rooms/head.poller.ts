import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { Logger } from '../platform/observability/logger.js';
import { Poller } from '../platform/poller.js';
import { EventPublisher } from './event.publisher.js';
import { RoomsService } from './rooms.service.js';

const POLL_INTERVAL_MS = 1_000;
/** Users whose heads are read at a time: two or three milliseconds of work. With more users here, a round takes several polls. */
const USERS_PER_POLL = 500;

/**
 * Compares the sockets' positions with the heads of their rooms, round after round. The batch log is faster, and may miss what
 * commits out of order or long after its hub gave up on it; a head misses nothing, so that whatever commits is delivered. Where
 * only one process can write, the outcome of each commit is known at once.
 */
@Injectable()
export class HeadPoller implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly poller: Poller;

  constructor(
    private readonly database: Database,
    rooms: RoomsService,
    publisher: EventPublisher,
    logger: Logger,
  ) {
    this.poller = new Poller({
      intervalMs: POLL_INTERVAL_MS,
      poll: async () => publisher.advance(await rooms.headsOf(publisher.nextUsers(USERS_PER_POLL))),
      onFailure: (error) => logger.warn({ error: String(error) }, 'the heads of rooms cannot be read now'),
    });
  }

  onApplicationBootstrap(): void {
    if (!this.database.dialect.singleWriter) this.poller.start();
  }

  /** Before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.poller.stop();
  }
}
