import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Someone who can buy and sell. The id of an unregistered user stays taken for ever. */
@Entity('users')
export class User {
  @PrimaryColumn('varchar', { length: 64 })
  userId!: string;

  @Column('varchar', { length: 200 })
  passwordHash!: string;

  @Column('bigint')
  createdAt!: number;

  @Column('bigint', { nullable: true })
  unregisteredAt!: number | null;

  /** Written to lock the row: see row.lock.ts. */
  @Column('bigint', { nullable: true, select: false })
  version?: number | null;
}
