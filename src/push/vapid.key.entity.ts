import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The pair of keys that signs push messages, made by the first hub that needs one. */
@Entity('vapid_keys')
export class VapidKey {
  @PrimaryColumn('varchar', { length: 16 })
  name!: string;

  @Column('varchar', { length: 88 })
  publicKey!: string;

  @Column('varchar', { length: 44 })
  privateKey!: string;

  @Column('bigint')
  createdAt!: number;
}
