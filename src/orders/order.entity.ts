import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { StoredOrder } from '../commands/order.columns.js';
import type { OrderStatus } from '../contract/transitions.js';

/** An order. `items` and `timeline` are JSON: always read with the order and never searched. */
@Entity('orders')
@Index('orders_by_buyer', ['buyerId', 'orderId'])
@Index('orders_by_seller', ['sellerId', 'orderId'])
@Index('orders_by_seller_status', ['sellerId', 'status', 'orderId'])
@Index('orders_by_tracking', ['trackingNo'])
@Index('orders_by_due', ['dueAt'])
export class OrderEntity implements StoredOrder {
  @PrimaryColumn('varchar', { length: 36 })
  orderId!: string;

  @Column('varchar', { length: 64 })
  storeId!: string;

  @Column('varchar', { length: 64 })
  buyerId!: string;

  @Column('varchar', { length: 64 })
  sellerId!: string;

  @Column('varchar', { length: 16 })
  status!: OrderStatus;

  @Column('bigint')
  version!: number;

  @Column('bigint')
  total!: number;

  @Column('text')
  items!: string;

  @Column('text')
  timeline!: string;

  @Column('bigint')
  placedAt!: number;

  @Column('bigint')
  expiresAt!: number;

  @Column('bigint', { nullable: true })
  paidAt!: number | null;

  @Column('bigint', { nullable: true })
  shippedAt!: number | null;

  @Column('bigint', { nullable: true })
  receivedAt!: number | null;

  @Column('bigint', { nullable: true })
  cancelledAt!: number | null;

  /** When the hub acts by itself: at `expiresAt`, at `acceptBy` or `shipBy`, or a while after shipping; null when it never will. */
  @Column('bigint', { nullable: true })
  dueAt!: number | null;

  @Column('varchar', { length: 100, nullable: true })
  carrier!: string | null;

  @Column('varchar', { length: 100, nullable: true })
  trackingNo!: string | null;

  @Column('varchar', { length: 500, nullable: true })
  cancelReason!: string | null;

  /** The number of its first event in the seller's room; null for orders of earlier releases. */
  @Column('bigint', { nullable: true })
  number!: number | null;

  /** Who of the seller's side has claimed it last; null if it was freed. */
  @Column('varchar', { length: 64, nullable: true })
  claimedBy!: string | null;

  /** Until when, in epoch milliseconds; a time that is past means nothing. */
  @Column('bigint', { nullable: true })
  claimedUntil!: number | null;

  /** Counts the claims: of two, the one with the higher number is the later. */
  @Column('bigint', { default: 0 })
  claims!: number;
}
