import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LessThan, MoreThan } from 'typeorm';
import { Connections } from '../platform/connections.js';
import { Database } from '../platform/database.js';
import { Logger } from '../platform/logger.js';
import { Watch } from '../platform/watch.js';
import { EndedSession, Session } from './session.entity.js';

const LOOK_EVERY_MS = 1_000;
/** Looks back so far each time: longer than a transaction takes, and than the clocks of two hubs differ. */
const LOOK_BACK_MS = 30_000;
const PRUNE_EVERY_MS = 60_000;
/** Longer than a hub may be cut off from the database: when it is back, it cuts the sockets of all that has ended meanwhile. */
const ENDED_KEPT_MS = 86_400_000;

/** Cuts the sockets of sessions that were ended through another hub, and forgets sessions whose time is over. */
@Injectable()
export class SessionWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly watch: Watch;
  private lookedAt = Date.now();
  private prunedAt = Date.now();

  constructor(
    private readonly database: Database,
    private readonly connections: Connections,
    logger: Logger,
  ) {
    this.watch = new Watch({
      everyMs: LOOK_EVERY_MS,
      look: () => this.look(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'ended sessions cannot be read now'),
    });
  }

  onApplicationBootstrap(): void {
    this.watch.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.watch.stop();
  }

  private async look(): Promise<void> {
    const now = Date.now();
    if (!this.database.dialect.singleWriter) await this.cutEnded();
    this.lookedAt = now;
    if (now - this.prunedAt > PRUNE_EVERY_MS) await this.prune(now);
  }

  private async cutEnded(): Promise<void> {
    const ended = await this.database.read.findBy(EndedSession, { at: MoreThan(this.lookedAt - LOOK_BACK_MS) });
    for (const { userId, tokenHash, reason } of ended) {
      this.connections.endSessions(userId, reason, ({ sessionId }) => sessionId === tokenHash);
    }
  }

  private async prune(now: number): Promise<void> {
    this.prunedAt = now;
    await this.database.transaction(async (tx) => {
      await tx.delete(Session, { expiresAt: LessThan(now) });
      await tx.delete(EndedSession, { at: LessThan(now - ENDED_KEPT_MS) });
    });
  }
}
