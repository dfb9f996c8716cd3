import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { TopupStatus } from '../contract/payments.js';
import { ProviderPayment } from './provider.payment.js';

/** Money that a user pays in through the payment provider. Commands write its status, and credit the wallet with it. */
@Entity('topups')
@Index('topups_by_event', ['eventId'], { unique: true })
@Index('topups_by_user', ['userId', 'topupId'])
@Index('topups_by_due', ['dueAt'])
export class Topup extends ProviderPayment {
  @PrimaryColumn('varchar', { length: 36 })
  topupId!: string;

  @Column('varchar', { length: 36, nullable: true })
  orderId!: string | null;

  @Column('varchar', { length: 16 })
  status!: TopupStatus;

  /** The provider's event that settled it. */
  @Column('varchar', { length: 191, nullable: true })
  eventId!: string | null;

  /** The provider's name for it, and its page: null until the provider has answered. */
  @Column('varchar', { length: 255, nullable: true })
  reference!: string | null;

  @Column('text', { nullable: true })
  url!: string | null;
}
