import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { NoticeKind } from '../contract/push.js';
import type { Role } from '../contract/transitions.js';

/** What a subscription is to be sent about an order, until it is seen. */
@Entity('push_notices')
@Index('push_notices_by_time', ['nextAt'])
export class PushNotice {
  @PrimaryColumn('varchar', { length: 36 })
  subscriptionId!: string;

  @PrimaryColumn('varchar', { length: 36 })
  orderId!: string;

  @PrimaryColumn('varchar', { length: 16 })
  kind!: NoticeKind;

  @Column('varchar', { length: 6 })
  role!: Role;

  /** When the order changed. */
  @Column('bigint')
  at!: number;

  /** Pushes that the push service has accepted. */
  @Column('bigint')
  sent!: number;

  /** Failures since the last success. */
  @Column('bigint')
  failures!: number;

  @Column('bigint')
  nextAt!: number;

  /** Counts the changes of this row: the outcome of a request from before one changes nothing. */
  @Column('bigint')
  epoch!: number;
}
