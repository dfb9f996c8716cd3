import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { EntryKind } from '../contract/wallet.js';

/** A user's money. `balance` is the sum of the wallet's entries, `entries` their number; `held` is what buyers have paid for orders that are not received yet. */
@Entity('wallets')
export class Wallet {
  @PrimaryColumn('varchar', { length: 64 })
  userId!: string;

  @Column('bigint')
  balance!: number;

  @Column('bigint')
  entries!: number;

  @Column('bigint', { default: 0 })
  held!: number;

  /** Grows with every change of the row, and to lock it: see row.lock.ts. */
  @Column('bigint', { nullable: true, select: false })
  version?: number | null;
}

/** An immutable movement of money, numbered from 1 in its wallet, and the balance after it. */
@Entity('wallet_entries')
export class WalletEntry {
  @PrimaryColumn('varchar', { length: 64 })
  userId!: string;

  @PrimaryColumn('bigint')
  entryNo!: number;

  @Column('bigint')
  amount!: number;

  @Column('bigint')
  balance!: number;

  @Column('varchar', { length: 16 })
  kind!: EntryKind;

  @Column('varchar', { length: 36, nullable: true })
  orderId!: string | null;

  @Column('bigint')
  at!: number;
}
