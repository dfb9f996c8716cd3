import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import type { SessionEndedReason } from '../contract/rooms.js';
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

/** A session that was ended before its time: kept for a while, so that every hub cuts its sockets. */
@Entity('ended_sessions')
@Index('ended_sessions_by_time', ['at'])
export class EndedSession {
  @PrimaryColumn('varchar', { length: 64 })
  tokenHash!: string;

  @Column('varchar', { length: 64 })
  userId!: string;

  @Column('varchar', { length: 16 })
  reason!: SessionEndedReason;

  @Column('bigint')
  at!: number;
}
