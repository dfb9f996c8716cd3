import {
  Column,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm';
import type { SessionEndedReason } from '../contract/rooms.js';
import { User } from './user.entity.js';

/** One login on one device. Only the token's hash is stored: a stolen database opens no session. */
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

  /** Real time, by which no sandbox ages a session. */
  @Column('bigint')
  expiresAt!: number;
}

/** A session that was ended before it expired, numbered and kept so that every hub disconnects its sockets. */
@Entity('ended_sessions')
@Index('ended_sessions_by_token', ['tokenHash'], { unique: true })
@Index('ended_sessions_by_time', ['at'])
export class EndedSession {
  @PrimaryGeneratedColumn({ type: 'bigint' })
  endedNo!: number;

  @Column('varchar', { length: 64 })
  tokenHash!: string;

  @Column('varchar', { length: 64 })
  userId!: string;

  @Column('varchar', { length: 16 })
  reason!: SessionEndedReason;

  @Column('bigint')
  at!: number;
}
