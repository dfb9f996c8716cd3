import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';

/** Someone who may act for a seller, within some rights. Batches lock the row of each member who acts in them. */
@Entity('staff_members')
@Index('staff_members_by_user', ['userId', 'ownerId'])
export class StaffMember {
  /** The seller. */
  @PrimaryColumn('varchar', { length: 64 })
  ownerId!: string;

  // By table name: a feature does not import another's entity.
  @ManyToOne('users', { onDelete: 'RESTRICT', onUpdate: 'RESTRICT' })
  @JoinColumn({ name: 'owner_id', foreignKeyConstraintName: 'fk_staff_members_owner' })
  owner!: unknown;

  /** The member. */
  @PrimaryColumn('varchar', { length: 64 })
  userId!: string;

  @ManyToOne('users', { onDelete: 'RESTRICT', onUpdate: 'RESTRICT' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_staff_members_user' })
  user!: unknown;

  /** New with every change of the rights: sockets and commands that were admitted with the former ones are recognized by it. */
  @Column('varchar', { length: 36 })
  membershipId!: string;

  /** Separated by spaces. */
  @Column('varchar', { length: 100 })
  rights!: string;

  @Column('bigint')
  createdAt!: number;

  /** Written by every batch in which the member acts, so that it conflicts with a removal on a cluster too. */
  @Column('bigint')
  version!: number;
}
