import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { isoTime, type Page } from '../contract/fields.js';
import type { PayoutStatus } from '../contract/payments.js';
import type { Tx } from '../platform/database/database.js';
import { toPage } from '../platform/database/pagination.js';
import { Payout } from './payout.entity.js';
import { Topup } from './topup.entity.js';

/** A withdrawal as its user may know it. */
interface PayoutView {
  payoutId: string;
  status: PayoutStatus;
  amount: number;
  currency: string;
  createdAt: string;
  settledAt: string | null;
}

/** A user's payments through the provider, for a user who takes them along, or leaves. */
@Injectable()
export class PaymentsService {
  constructor(
    @InjectRepository(Topup) private readonly topups: Repository<Topup>,
    @InjectRepository(Payout) private readonly payouts: Repository<Payout>,
  ) {}

  /** The user's payouts, newest first. */
  async listPayouts(userId: string, { after, limit }: { after?: string; limit: number }): Promise<Page<PayoutView>> {
    const query = this.payouts
      .createQueryBuilder('payout')
      .where('payout.userId = :userId', { userId })
      .orderBy('payout.payoutId', 'DESC')
      .limit(limit + 1);
    if (after !== undefined) query.andWhere('payout.payoutId < :after', { after });
    return toPage(await query.getMany(), limit, presentPayout, ({ payoutId }) => payoutId);
  }

  /** How many top-ups and payouts of the user have no outcome yet: each may still put money into the wallet. */
  async countPending(tx: Tx, userId: string): Promise<number> {
    const pending = { userId, status: 'pending' as const };
    const topups = await tx.withRepository(this.topups).countBy(pending);
    return topups + (await tx.withRepository(this.payouts).countBy(pending));
  }
}

function presentPayout({ payoutId, status, amount, currency, createdAt, settledAt }: Payout): PayoutView {
  return { payoutId, status, amount, currency, createdAt: isoTime(createdAt), settledAt: isoTime(settledAt) };
}
