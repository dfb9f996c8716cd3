import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../contract/transitions.js';

/** A numbered stream of events, and how many orders of each status its user has in this role. `head` is the number of the last one. It grows under this row's lock, hence without a gap. */
@Entity('rooms')
export class Room {
  @PrimaryColumn('varchar', { length: 6 })
  role!: Role;

  @PrimaryColumn('varchar', { length: 64 })
  userId!: string;

  @Column('bigint')
  head!: number;

  @Column('bigint', { default: 0 })
  placed!: number;

  @Column('bigint', { default: 0 })
  paid!: number;

  @Column('bigint', { default: 0 })
  shipped!: number;

  @Column('bigint', { default: 0 })
  received!: number;

  @Column('bigint', { default: 0 })
  cancelled!: number;

  /** Written to lock the row: see row.lock.ts. */
  @Column('bigint', { nullable: true, select: false })
  version?: number | null;
}

/** Event `seq` of a room. `body` is encoded by event.codec.ts. */
@Entity('room_events')
export class RoomEvent {
  @PrimaryColumn('varchar', { length: 6 })
  role!: Role;

  @PrimaryColumn('varchar', { length: 64 })
  userId!: string;

  @PrimaryColumn('bigint')
  seq!: number;

  @Column('text')
  body!: string;

  @Column('bigint')
  at!: number;
}

/**
 * A batch that a hub process has committed, with the rooms that it wrote to (JSON). It resolves a COMMIT whose outcome is unknown,
 * and tells the other hubs which rooms have new events. A process commits one batch at a time, so its numbers are read in order.
 */
@Entity('hub_batches')
export class HubBatch {
  @PrimaryColumn('varchar', { length: 36 })
  nodeId!: string;

  @PrimaryColumn('bigint')
  batchNo!: number;

  @Column('text')
  rooms!: string;

  @Column('bigint')
  at!: number;
}
