import { Column } from 'typeorm';
import type { PaymentProviderName } from '../contract/payments.js';

/** The columns of money on its way through a payment provider, in either direction. */
export abstract class ProviderPayment {
  @Column('varchar', { length: 64 })
  userId!: string;

  @Column('bigint')
  amount!: number;

  @Column('varchar', { length: 3 })
  currency!: string;

  @Column('varchar', { length: 16 })
  provider!: PaymentProviderName;

  @Column('bigint')
  createdAt!: number;

  @Column('bigint', { nullable: true })
  settledAt!: number | null;

  /** When to ask the provider, again; null once the outcome is known. */
  @Column('bigint', { nullable: true })
  dueAt!: number | null;

  /** How often the provider has been asked. */
  @Column('bigint', { default: 0 })
  attempts!: number;
}
