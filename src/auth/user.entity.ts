import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Somebody who may buy and sell. The id of a user who has unregistered stays taken for ever. */
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
}
