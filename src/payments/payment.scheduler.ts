import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThanOrEqual, MoreThan, type Repository } from 'typeorm';
import { CONFIG, type Config } from '../config.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import { Leases } from '../platform/database/leases.js';
import { Logger } from '../platform/observability/logger.js';
import { Poller } from '../platform/poller.js';
import { PaymentEvents } from './payment.events.js';
import { PAYMENT_PROVIDER, type PaymentProvider } from './payment.provider.js';
import { Payout } from './payout.entity.js';
import { ProviderCalls } from './provider.calls.js';
import { Topup } from './topup.entity.js';

const POLL_INTERVAL_MS = 500;
const LEASE = 'payments';
/** Longer than a round: every call has its timeout. */
const LEASE_MS = 20_000;
/** What is due beyond that waits for the next round. */
const ROUND_MAX = 32;
/** The pause after the nth question: twice as long as the one before, up to an hour. */
const TOPUP_PAUSE_MS = 30_000;
const PAYOUT_PAUSE_MS = 1_000;
const PAUSE_MAX_MS = 3_600_000;
/** Without the provider's page the user cannot have paid, and may start over. Stripe keeps a page open for a day. */
const PAGELESS_FOR_MS = 90_000_000;
/** Of `actOnDue`: another hub may be asking. */
const ROUNDS_MAX = 100;
const STOP_WITHIN_MS = 2_000;

/**
 * Asks the provider for payouts, and for top-ups whose event has not come: a lost event loses no money. One hub at a time does it;
 * should two, the provider's idempotency keys and the rules still let each happen once.
 */
@Injectable()
export class PaymentScheduler implements OnApplicationBootstrap {
  private readonly poller: Poller;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly leases: Leases,
    private readonly calls: ProviderCalls,
    private readonly events: PaymentEvents,
    private readonly logger: Logger,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider | undefined,
    @InjectRepository(Topup) private readonly topups: Repository<Topup>,
    @InjectRepository(Payout) private readonly payouts: Repository<Payout>,
  ) {
    this.poller = new Poller({
      intervalMs: POLL_INTERVAL_MS,
      poll: () => this.poll(),
      onFailure: (error) => logger.warn({ error: String(error) }, 'payments that are due could not be read'),
    });
  }

  onApplicationBootstrap(): void {
    if (this.provider) this.poller.start();
  }

  /** Stops polling. What the provider is being asked is asked again later. */
  async stop(): Promise<void> {
    await Promise.race([this.poller.stop(), sleep(STOP_WITHIN_MS, undefined, { ref: false })]);
  }

  /** When the provider is to be asked next, in epoch milliseconds. */
  async nextDueAt(): Promise<number | undefined> {
    if (!this.provider) return undefined;
    const next = await Promise.all([this.nextOf(this.topups), this.nextOf(this.payouts)]);
    return next.flat().sort((one, other) => one - other)[0];
  }

  /** Asks the provider for what is due. */
  async actOnDue(): Promise<void> {
    if (!this.provider) return;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      await this.poller.pollNext();
      const due = await Promise.all([this.dueOf(this.topups), this.dueOf(this.payouts)]);
      if (due.flat().length === 0) return;
    }
  }

  private async nextOf<Row extends Topup | Payout>(rows: Repository<Row>): Promise<number[]> {
    const due = { dueAt: MoreThan(this.clock.now()), provider: this.config.payments?.provider };
    const [next] = await rows.find({ where: due as object, order: { dueAt: 'ASC' } as object, take: 1 });
    return next?.dueAt == null ? [] : [next.dueAt];
  }

  private async poll(): Promise<void> {
    const { provider } = this;
    if (!provider) return;
    const [topups, payouts] = await Promise.all([this.dueOf(this.topups), this.dueOf(this.payouts)]);
    if (topups.length + payouts.length === 0 || !(await this.leases.acquire(LEASE, LEASE_MS))) return;
    // Before the provider is asked, so that what it does not answer delays nothing else.
    await this.postpone(this.topups, 'topupId', topups, TOPUP_PAUSE_MS);
    await this.postpone(this.payouts, 'payoutId', payouts, PAYOUT_PAUSE_MS);
    await Promise.all([
      ...topups.map((topup) => this.attempt(() => this.askAbout(topup, provider))),
      ...payouts.map((payout) => this.attempt(() => this.payOut(payout, provider))),
    ]);
  }

  private dueOf<Row extends Topup | Payout>(rows: Repository<Row>): Promise<Row[]> {
    const due = { dueAt: LessThanOrEqual(this.clock.now()), provider: this.config.payments?.provider };
    return rows.find({ where: due as object, order: { dueAt: 'ASC' } as object, take: ROUND_MAX });
  }

  private async postpone<Row extends Topup | Payout>(
    rows: Repository<Row>,
    key: keyof Row,
    due: readonly Row[],
    pauseMs: number,
  ): Promise<void> {
    if (due.length === 0) return;
    const now = this.clock.now();
    await this.database.transaction(async (tx) => {
      for (const row of due) {
        const next = { attempts: row.attempts + 1, dueAt: now + Math.min(PAUSE_MAX_MS, pauseMs * 2 ** row.attempts) };
        // What was settled meanwhile has no next time.
        await tx.withRepository(rows).update({ [key]: row[key], status: 'pending' } as object, next as object);
      }
    });
  }

  private async askAbout(topup: Topup, provider: PaymentProvider): Promise<void> {
    const isPageless = topup.reference === null;
    if (isPageless && this.clock.now() - topup.createdAt < PAGELESS_FOR_MS) return;
    const outcome = isPageless ? { paid: null } : await this.calls.run(topup.userId, () => provider.outcomeOf(topup));
    if (outcome) await this.events.settle(topup, { eventId: `state:${topup.topupId}`, ...outcome });
  }

  private async payOut(payout: Payout, provider: PaymentProvider): Promise<void> {
    const isPaid = await this.calls.run(payout.userId, () => provider.payOut(payout));
    await this.events.settlePayout(payout, isPaid);
  }

  /** Never rejects: its turn comes again. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      this.logger.warn({ error: String(error) }, 'a payment is not settled yet');
    });
  }
}
