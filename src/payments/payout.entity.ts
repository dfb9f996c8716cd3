import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { PayoutStatus } from '../contract/payments.js';
import { ProviderPayment } from './provider.payment.js';

/** A withdrawal on its way out through the payment provider. The wallet was debited in the transaction that wrote it. */
@Entity('payouts')
@Index('payouts_by_user', ['userId', 'payoutId'])
@Index('payouts_by_due', ['dueAt'])
export class Payout extends ProviderPayment {
  @PrimaryColumn('varchar', { length: 36 })
  payoutId!: string;

  @Column('varchar', { length: 16 })
  status!: PayoutStatus;
}
