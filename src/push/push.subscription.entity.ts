import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A browser that a user wants push messages on. */
@Entity('push_subscriptions')
@Index('push_subscriptions_by_endpoint', ['endpointHash'], { unique: true })
@Index('push_subscriptions_by_user', ['userId', 'subscriptionId'])
export class PushSubscription {
  @PrimaryColumn('varchar', { length: 36 })
  subscriptionId!: string;

  @Column('varchar', { length: 64 })
  userId!: string;

  @Column('varchar', { length: 2_000 })
  endpoint!: string;

  /** What makes it unique: a server has no index for so long a text. */
  @Column('varchar', { length: 64 })
  endpointHash!: string;

  @Column('varchar', { length: 88 })
  p256dh!: string;

  /** In the clear: messages are encrypted with it. */
  @Column('varchar', { length: 24 })
  auth!: string;

  @Column('bigint')
  createdAt!: number;

  /** When it became this user's: it is sent nothing that happened before. */
  @Column('bigint')
  subscribedAt!: number;
}

/** How far a room is read for those who are subscribed. */
@Entity('push_cursors')
export class PushCursor {
  @PrimaryColumn('varchar', { length: 6 })
  role!: string;

  @PrimaryColumn('varchar', { length: 64 })
  userId!: string;

  @Column('bigint')
  position!: number;
}
