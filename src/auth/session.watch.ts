import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LessThan, MoreThan } from 'typeorm';
import { Connections } from '../platform/connections.js';
import { Database } from '../platform/database.js';
import { Logger } from '../platform/logger.js';
import { EndedSession, Session } from './session.entity.js';

const LOOK_EVERY_MS = 1_000;
/** Looks back so far each time: longer than a transaction takes, and than the clocks of two hubs differ. */
const LOOK_BACK_MS = 30_000;
const PRUNE_EVERY_MS = 60_000;

/** Cuts the sockets of sessions that were ended through another hub, and forgets sessions whose time is over. */
@Injectable()
export class SessionWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private lookedAt = Date.now();
  private prunedAt = Date.now();
  private failing = false;

  constructor(
    private readonly database: Database,
    private readonly connections: Connections,
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setTimeout(() => this.look().finally(() => this.timer?.refresh()), LOOK_EVERY_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private async look(): Promise<void> {
    const now = Date.now();
    try {
      if (!this.database.dialect.singleWriter) await this.cutEnded();
      if (now - this.prunedAt > PRUNE_EVERY_MS) await this.prune(now);
      this.lookedAt = now;
      this.failing = false;
    } catch (error) {
      if (!this.failing) this.logger.warn({ error: String(error) }, 'ended sessions cannot be read now');
      this.failing = true;
    }
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
      await tx.delete(EndedSession, { at: LessThan(now - PRUNE_EVERY_MS) });
    });
  }
}
