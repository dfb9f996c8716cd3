import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import type { Principal } from '../platform/caller.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { Logger } from '../platform/observability/logger.js';
import { Poller } from '../platform/poller.js';
import { SocketRegistry } from '../platform/sockets/socket.registry.js';
import { KnownAddresses } from './known.addresses.js';
import { EndedSession, Session } from './session.entity.js';

/** A socket whose session was ended at another hub is dead within a second. */
const POLL_INTERVAL_MS = 500;
/** Numbers that are looked up on every poll, the newest: more than endings can be uncommitted at a time. */
const MISSING_MAX = 1_000;
const PRUNE_INTERVAL_MS = 60_000;
/** A session that is over is deleted late, so that a clock that was wrong for a while has refused sessions, but lost none. */
const EXPIRED_KEPT_MS = 7 * 86_400_000;
/** Longer than a hub may be cut off from the database: afterwards it still finds all that has ended meanwhile. */
const ENDED_KEPT_MS = 86_400_000;

type Ended = Pick<EndedSession, 'endedNo' | 'userId' | 'tokenHash' | 'reason'>;

/**
 * Disconnects the sockets of sessions that were ended through another hub, and deletes what is over or old. Endings are followed by their
 * numbers: by their times, a hub whose clock is behind would end sessions that no other hub takes note of.
 */
@Injectable()
export class SessionRevocation implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly poller: Poller;
  private latest: number | undefined;
  /**
   * Numbers up to the latest that were not there. One is given when its row is inserted and seen when that is committed, which a
   * server can hold for as long as it likes; one that was rolled back never comes.
   */
  private missing: number[] = [];
  private prunedAt: number;
  private pruning: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly sockets: SocketRegistry,
    private readonly clock: Clock,
    private readonly addresses: KnownAddresses,
    @InjectRepository(Session) private readonly sessions: Repository<Session>,
    @InjectRepository(EndedSession) private readonly endedSessions: Repository<EndedSession>,
    private readonly logger: Logger,
  ) {
    this.prunedAt = clock.realNow();
    this.poller = new Poller({
      intervalMs: POLL_INTERVAL_MS,
      poll: () => this.poll(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'ended sessions cannot be read now'),
    });
  }

  onApplicationBootstrap(): void {
    this.poller.start();
  }

  /** Before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.poller.stop();
    await this.pruning;
  }

  private async poll(): Promise<void> {
    if (!this.database.dialect.singleWriter) await this.disconnectEnded();
    const now = this.clock.realNow();
    if (Math.abs(now - this.prunedAt) <= PRUNE_INTERVAL_MS) return;
    this.prunedAt = now;
    // Not awaited: another client may hold what is to be deleted, and sockets must be disconnected meanwhile.
    this.pruning = this.prune(now).catch((error) =>
      this.logger.warn({ error: String(error) }, 'expired sessions cannot be deleted now'),
    );
  }

  private async disconnectEnded(): Promise<void> {
    const after = this.latest ?? (await this.lastEnded()) - MISSING_MAX;
    const { inCondition } = this.database.dialect;
    const [isMissing, numbers] = this.missing.length > 0 ? inCondition.values('ended_no', this.missing) : ['FALSE', []];
    const ended: Ended[] = await this.database.read.query(
      `SELECT ended_no AS endedNo, user_id AS userId, token_hash AS tokenHash, reason FROM ended_sessions
        WHERE ended_no > ? OR ${isMissing} ORDER BY ended_no`,
      [after, ...numbers],
    );
    for (const { userId, tokenHash, reason } of ended) {
      // A membership that has ended stands among the sessions, by its id.
      const hasEnded = ({ sessionId, acting }: Principal) =>
        sessionId === tokenHash || acting?.membershipId === tokenHash;
      this.sockets.endSessions(userId, reason, hasEnded);
    }
    this.advance(after, new Set(ended.map(({ endedNo }) => Number(endedNo))));
  }

  private advance(after: number, found: ReadonlySet<number>): void {
    this.latest = Math.max(after, ...found);
    const missing = this.missing.filter((endedNo) => !found.has(endedNo));
    for (let endedNo = Math.max(after, this.latest - MISSING_MAX) + 1; endedNo < this.latest; endedNo++)
      if (!found.has(endedNo)) missing.push(endedNo);
    this.missing = missing.slice(-MISSING_MAX);
  }

  private async lastEnded(): Promise<number> {
    return (await this.endedSessions.maximum('endedNo')) ?? 0;
  }

  private async prune(now: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      await tx.withRepository(this.sessions).delete({ expiresAt: LessThan(now - EXPIRED_KEPT_MS) });
      await tx.withRepository(this.endedSessions).delete({ at: LessThan(now - ENDED_KEPT_MS) });
      await this.addresses.prune(tx, this.clock.now());
    });
  }
}
