import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Role } from '../contract/transitions.js';

/** A receiver of the events of one room, and its position there. */
@Entity('webhooks')
@Index('webhooks_by_user', ['userId', 'webhookId'])
@Index('webhooks_by_failure', ['failingSince'])
export class Webhook {
  @PrimaryColumn('varchar', { length: 36 })
  webhookId!: string;

  @Column('varchar', { length: 64 })
  userId!: string;

  @Column('varchar', { length: 6 })
  role!: Role;

  @Column('varchar', { length: 2_000 })
  url!: string;

  /** In the clear: a signature needs it. */
  @Column('varchar', { length: 100 })
  secret!: string;

  /** 1 while nothing is sent. */
  @Column('bigint')
  paused!: number;

  @Column('bigint')
  createdAt!: number;

  /** The number of the last event that the receiver has accepted. */
  @Column('bigint')
  delivered!: number;

  /** 0 if the receiver must still hear that events before the next one are lost to it. */
  @Column('bigint')
  complete!: number;

  /** Counts the changes by the user: a request from before a change moves nothing. */
  @Column('bigint')
  epoch!: number;

  /** Failures since the last success. */
  @Column('bigint')
  attempts!: number;

  /** When the next request may begin. */
  @Column('bigint')
  nextAt!: number;

  @Column('bigint', { nullable: true })
  failingSince!: number | null;

  @Column('bigint', { nullable: true })
  lastStatus!: number | null;

  /** The hub that delivers, until `leasedUntil`. Empty for none, and where only one hub can use the database. */
  @Column('varchar', { length: 36 })
  holder!: string;

  @Column('bigint')
  leasedUntil!: number;
}
