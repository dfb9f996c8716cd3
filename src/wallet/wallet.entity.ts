import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { EntryKind } from '../contract/wallet.js';

/** What a user has to spend. `balance` is the sum of the wallet's entries, of which there are `entries`. */
@Entity('wallets')
export class Wallet {
  @PrimaryColumn('varchar', { length: 64 })
  userId!: string;

  @Column('bigint')
  balance!: number;

  @Column('bigint')
  entries!: number;
}

/** One movement of money, never changed: entry 1, 2, 3 … of its wallet, and the balance that it left. */
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
