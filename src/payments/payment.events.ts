import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { CommandQueue } from '../commands/command.queue.js';
import { CONFIG, type Config } from '../config.js';
import { HubError } from '../contract/errors.js';
import type { TopupStatus } from '../contract/payments.js';
import type { Answer } from '../contract/wire.js';
import { SecurityLog } from '../platform/observability/security.log.js';
import { PAYMENT_PROVIDER, type PaymentEvent, type PaymentProvider } from './payment.provider.js';
import { Payout } from './payout.entity.js';
import { Topup } from './topup.entity.js';

type TopupEvent = Extract<PaymentEvent, { kind: 'topup' }>;
type PayoutEvent = Extract<PaymentEvent, { kind: 'payout' }>;

/** Turns the provider's word, from its events or asked for, into the hub's own commands. */
@Injectable()
export class PaymentEvents {
  constructor(
    private readonly commands: CommandQueue,
    private readonly security: SecurityLog,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(PAYMENT_PROVIDER) private readonly provider: PaymentProvider | undefined,
    @InjectRepository(Topup) private readonly topups: Repository<Topup>,
    @InjectRepository(Payout) private readonly payouts: Repository<Payout>,
  ) {}

  /**
   * Takes in one event as the provider has sent it. Resolves once its effect is durable, or it has none. Throws `UNAUTHENTICATED` for
   * one that the provider has not signed, `NOT_FOUND` for an unknown top-up: the provider then sends it again.
   */
  async receive(body: Buffer, headers: IncomingHttpHeaders): Promise<void> {
    const event = this.read(body, headers);
    if (event?.kind === 'topup') await this.settle(await this.topupOf(event), event);
    if (event?.kind === 'payout') await this.settlePayout(await this.payoutOf(event), event.isPaid);
  }

  /** Settles a top-up with the outcome that the provider reported. Returns its status afterwards. */
  async settle(topup: Topup, { eventId, paid }: Pick<TopupEvent, 'eventId' | 'paid'>): Promise<TopupStatus> {
    const { topupId, userId, orderId } = topup;
    const request = { topupId, userId, orderId, eventId, paid };
    const { status, isDisputed } = dataOf(await this.commands.submit('topup:settle', null, request));
    if (isDisputed) this.security.record('payment-disputed', { user: userId, id: topupId });
    return status;
  }

  /** Settles a payout with the outcome that the provider reported. */
  async settlePayout({ payoutId, userId }: Payout, isPaid: boolean): Promise<void> {
    dataOf(await this.commands.submit('payout:settle', null, { payoutId, userId, isPaid }));
  }

  private read(body: Buffer, headers: IncomingHttpHeaders): PaymentEvent | undefined {
    // Without a provider, no signature is valid.
    if (!this.provider) throw new HubError('UNAUTHENTICATED');
    try {
      return this.provider.readEvent(body, headers);
    } catch (error) {
      if (error instanceof HubError) throw error;
      throw HubError.badMessage([{ path: '', problem: 'is not an event of the payment provider' }]);
    }
  }

  /** By the hub's name for it, or by the provider's. */
  private async topupOf({ topupId, reference }: TopupEvent): Promise<Topup> {
    const provider = this.config.payments?.provider;
    const topup =
      (topupId === null ? null : await this.topups.findOneBy({ topupId })) ??
      (reference === null ? null : await this.topups.findOneBy({ reference }));
    if (!topup || topup.provider !== provider) throw new HubError('NOT_FOUND', undefined, { what: 'topup' });
    return topup;
  }

  private async payoutOf({ payoutId }: PayoutEvent): Promise<Payout> {
    const payout = await this.payouts.findOneBy({ payoutId });
    if (!payout) throw new HubError('NOT_FOUND', undefined, { what: 'payout' });
    return payout;
  }
}

function dataOf<T>(answer: Answer<T>): T {
  if (!answer.ok) throw HubError.fromBody(answer.error);
  return answer.data;
}
