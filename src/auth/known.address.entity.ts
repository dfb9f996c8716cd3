import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An address from which a user has logged in, by a fingerprint that does not reveal it. */
@Entity('known_addresses')
@Index('known_addresses_by_time', ['seenAt'])
export class KnownAddress {
  @PrimaryColumn('varchar', { length: 64 })
  userId!: string;

  @PrimaryColumn('varchar', { length: 8 })
  fingerprint!: string;

  @Column('bigint')
  seenAt!: number;
}
