import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from './user.entity.js';

/** A user's key for programs. Only the secret's hash is stored. */
@Entity('api_keys')
@Index('api_keys_by_secret', ['secretHash'], { unique: true })
@Index('api_keys_by_user', ['userId', 'keyId'])
export class ApiKey {
  @PrimaryColumn('varchar', { length: 36 })
  keyId!: string;

  @Column('varchar', { length: 64 })
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'RESTRICT', onUpdate: 'RESTRICT' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_api_keys_user' })
  user!: Relation<User>;

  @Column('varchar', { length: 500 })
  name!: string;

  @Column('varchar', { length: 64 })
  secretHash!: string;

  /** Separated by spaces. */
  @Column('varchar', { length: 100 })
  rights!: string;

  @Column('bigint')
  createdAt!: number;

  /** Real time, like a session's. */
  @Column('bigint', { nullable: true })
  expiresAt!: number | null;

  @Column('bigint', { nullable: true })
  lastUsedAt!: number | null;
}
