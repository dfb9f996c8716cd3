import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Work that one hub at a time does: who, and until when. With nobody as its holder it is done until then. */
@Entity('leases')
export class Lease {
  @PrimaryColumn('varchar', { length: 64 })
  name!: string;

  @Column('varchar', { length: 64 })
  holder!: string;

  @Column('bigint')
  expiresAt!: number;
}
