import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../contract/lifecycle.js';

/** A numbered stream of events. `head` is the number of its latest; it grows under this row's lock, so without a gap. */
@Entity('rooms')
export class Room {
  @PrimaryColumn('varchar', { length: 6 })
  role!: Role;

  @PrimaryColumn('varchar', { length: 64 })
  userId!: string;

  @Column('bigint')
  head!: number;
}

/** Event `seq` of a room. `body` is what its sockets are told of it, as event.body.ts writes it. */
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
 * A batch that a hub process has committed, and the rooms that it wrote to (JSON: role, user and new head of each). Tells the
 * truth about a COMMIT whose answer was lost, and tells the other hubs which rooms to look into. A process commits one batch
 * at a time, so its numbers are seen in their order.
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
