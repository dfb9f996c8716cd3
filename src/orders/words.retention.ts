import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { Clock } from '../platform/clock/clock.js';
import { LeasedWork } from '../platform/database/leased.work.js';
import { Leases } from '../platform/database/leases.js';
import { AvailabilityMetrics } from '../platform/observability/availability.metrics.js';
import { Logger } from '../platform/observability/logger.js';
import { WordsErasure } from './words.erasure.js';

const DAY_MS = 86_400_000;

/** With `KEEP_PERSONAL_DAYS`, erases the addresses and notes of orders that long after their end: once an hour, one hub at a time. */
@Injectable()
export class WordsRetention implements OnApplicationBootstrap {
  private readonly work: LeasedWork;

  constructor(
    private readonly erasure: WordsErasure,
    private readonly clock: Clock,
    private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
    leases: Leases,
    availability: AvailabilityMetrics,
  ) {
    this.work = new LeasedWork(leases, {
      name: 'personal-data',
      run: (isStopped) => this.purge(this.clock.now(), isStopped),
      onFailure: (error) => logger.warn({ error: String(error) }, 'old addresses and notes cannot be erased now'),
    });
    if (config.keepPersonalDays !== undefined)
      availability.observeRetention('addresses-and-notes', () => this.work.undoneForMs);
  }

  onApplicationBootstrap(): void {
    if (this.config.keepPersonalDays !== undefined) this.work.start();
  }

  stop(): Promise<void> {
    return this.work.stop();
  }

  /** Erases what is past its keeping time at `now` (epoch milliseconds). */
  async purge(now = this.clock.now(), isStopped = () => this.work.isStopped): Promise<void> {
    const { keepPersonalDays } = this.config;
    if (keepPersonalDays === undefined) return;
    const orders = await this.erasure.eraseEndedBefore(now - keepPersonalDays * DAY_MS, isStopped);
    if (orders > 0) this.logger.info({ orders }, 'erased addresses and notes past their keeping time');
  }
}
