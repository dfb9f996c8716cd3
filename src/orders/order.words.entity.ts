import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Where an order is to be delivered: JSON, in the only row that holds it. */
@Entity('order_addresses')
export class OrderAddress {
  @PrimaryColumn('varchar', { length: 36 })
  orderId!: string;

  @Column('text')
  deliverTo!: string;
}

/** A note on an order, in the only row that holds its text. That it was written, the order's timeline says too. */
@Entity('order_notes')
@Index('order_notes_by_user', ['userId', 'orderId'])
export class OrderNote {
  @PrimaryColumn('varchar', { length: 36 })
  orderId!: string;

  /** Counts the order's notes: 1, 2, 3 … */
  @PrimaryColumn('bigint')
  noteNo!: number;

  @Column('varchar', { length: 64 })
  userId!: string;

  @Column('text')
  text!: string;

  @Column('bigint')
  at!: number;
}
