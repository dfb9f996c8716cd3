import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { KEYS_KEPT_DAYS } from '../contract/fields.js';
import { EVENTS_KEPT_DAYS } from '../contract/rooms.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { deleteInBatches } from '../platform/database/delete.in.batches.js';
import { LeasedWork } from '../platform/database/leased.work.js';
import { Leases } from '../platform/database/leases.js';
import { AvailabilityMetrics } from '../platform/observability/availability.metrics.js';
import { Logger } from '../platform/observability/logger.js';
import { EventRetention } from '../rooms/event.retention.js';

const DAY_MS = 86_400_000;

/** Deletes events and stored answers past their keeping times, in small steps: once an hour, one hub at a time. */
@Injectable()
export class RetentionService implements OnApplicationBootstrap {
  private readonly work: LeasedWork;

  constructor(
    private readonly database: Database,
    private readonly events: EventRetention,
    leases: Leases,
    private readonly clock: Clock,
    private readonly logger: Logger,
    availability: AvailabilityMetrics,
  ) {
    this.work = new LeasedWork(leases, {
      name: 'retention',
      run: (isStopped) => this.purge(this.clock.now(), isStopped),
      onFailure: (error) => logger.warn({ error: String(error) }, 'old events and answers cannot be deleted now'),
    });
    availability.observeRetention('events-and-answers', () => this.work.undoneForMs);
  }

  onApplicationBootstrap(): void {
    this.work.start();
  }

  stop(): Promise<void> {
    return this.work.stop();
  }

  /** Deletes what is past its keeping time at `now` (epoch milliseconds). */
  async purge(now = this.clock.now(), isStopped = () => this.work.isStopped): Promise<void> {
    const eventsBefore = now - EVENTS_KEPT_DAYS * DAY_MS;
    const answersBefore = now - KEYS_KEPT_DAYS * DAY_MS;
    const events = await this.events.purge(eventsBefore, isStopped);
    const answers = await deleteInBatches((rowsMax) => this.purgeAnswers(answersBefore, rowsMax), isStopped);
    if (events + answers > 0) this.logger.info({ events, answers }, 'forgot what was past its keeping time');
  }

  private async purgeAnswers(before: number, rowsMax: number): Promise<number> {
    const { dialect } = this.database;
    const sql = 'SELECT user_id AS userId, idem_key AS idemKey FROM command_answers WHERE at < ? ORDER BY at LIMIT ?';
    return this.database.transaction(async (tx) => {
      // What another client holds is left for the next time.
      const old: { userId: string; idemKey: string }[] = await tx.query(sql + dialect.forUpdateSkipLocked, [
        before,
        rowsMax,
      ]);
      if (old.length === 0) return 0;
      const [where, keys] = dialect.inCondition.pairs(
        ['user_id', 'idem_key'],
        old.map(({ userId, idemKey }) => [userId, idemKey]),
      );
      await tx.query(`DELETE FROM command_answers WHERE ${where}`, keys);
      return old.length;
    });
  }
}
