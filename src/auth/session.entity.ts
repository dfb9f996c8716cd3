import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { User } from './user.entity.js';

/** One login at one terminal. The token itself is never stored, only its hash: a stolen database opens no session. */
@Entity('sessions')
@Index('sessions_by_user', ['userId'])
@Index('sessions_by_end', ['expiresAt'])
export class Session {
  @PrimaryColumn('varchar', { length: 64 })
  tokenHash!: string;

  @Column('varchar', { length: 64 })
  userId!: string;

  @ManyToOne(() => User, { onDelete: 'RESTRICT', onUpdate: 'RESTRICT' })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'fk_sessions_user' })
  user!: Relation<User>;

  @Column('varchar', { length: 100, nullable: true })
  terminal!: string | null;

  @Column('bigint')
  createdAt!: number;

  @Column('bigint')
  expiresAt!: number;
}
