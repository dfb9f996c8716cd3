import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** When a subscribed user last had a socket at a hub. */
@Entity('push_presence')
@Index('push_presence_by_time', ['seenAt'])
export class PushPresence {
  @PrimaryColumn('varchar', { length: 64 })
  userId!: string;

  @PrimaryColumn('varchar', { length: 36 })
  hubId!: string;

  @Column('bigint')
  seenAt!: number;

  /** 1 while the hub renews `seenAt`; a hub that died does no longer. */
  @Column('bigint')
  isLive!: number;
}
