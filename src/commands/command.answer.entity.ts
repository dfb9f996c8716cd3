import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The first answer to a user's idempotency key, encoded by idempotency.record.ts, and the hash of the message it answered. */
@Entity('command_answers')
@Index('command_answers_by_time', ['at'])
export class CommandAnswer {
  @PrimaryColumn('varchar', { length: 64 })
  userId!: string;

  @PrimaryColumn('varchar', { length: 64 })
  idemKey!: string;

  @Column('varchar', { length: 64 })
  messageHash!: string;

  @Column('text')
  answer!: string;

  @Column('bigint')
  at!: number;
}
