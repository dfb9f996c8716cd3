import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { PAGE_LIMIT_DEFAULT } from '../contract/fields.js';
import type { StatusCounts } from '../contract/finding.js';
import type { OrderStatusPush, ReadRequest, RoomEvents } from '../contract/rooms.js';
import { type Role, roles } from '../contract/transitions.js';
import { Database, type Tx } from '../platform/database/database.js';
import { lockRows } from '../platform/database/row.lock.js';
import type { RoomHead } from './batch.record.js';
import { decodeEvent } from './event.codec.js';
import { Room } from './room.entity.js';

/** A reader's position: the number of the last event that it has had. */
export interface RoomPosition {
  role: Role;
  userId: string;
  after: number;
}

export function roomKey(role: Role, userId: string): string {
  return `${role}\n${userId}`;
}

/** The stored rooms: two a user, whose events are numbered without a gap. Batches write them. */
@Injectable()
export class RoomsService {
  constructor(
    private readonly database: Database,
    @InjectRepository(Room) private readonly rooms: Repository<Room>,
  ) {}

  /** Adds both rooms of a new user. They begin beyond what a user of that id can have seen before a backup was restored. */
  async open(tx: Tx, userId: string): Promise<void> {
    const [info]: { floor: number }[] = await tx.query('SELECT room_floor AS floor FROM database_info');
    const head = Number(info?.floor ?? 0);
    await tx.withRepository(this.rooms).insert(roles.map((role) => ({ role, userId, head })));
  }

  /** Locks both rooms, so that no order of this user changes until the transaction ends. */
  async lock(tx: Tx, userId: string): Promise<void> {
    for (const role of roles) await lockRows(tx, 'rooms', { role, user_id: userId });
  }

  /** The numbers of the last events of both rooms. */
  async heads(userId: string): Promise<Record<Role, number>> {
    const rooms = await this.rooms.findBy({ userId });
    const head = (role: Role) => rooms.find((room) => room.role === role)?.head ?? 0;
    return { buyer: head('buyer'), seller: head('seller') };
  }

  /** How many orders of each status the user has in this role: batches count them as they change. */
  async counts(role: Role, userId: string): Promise<StatusCounts> {
    const { placed, paid, shipped, received, cancelled } = await this.rooms.findOneByOrFail({ role, userId });
    return { placed, paid, shipped, received, cancelled };
  }

  /** The numbers of the last events of the rooms of several users. */
  async headsOf(userIds: readonly string[]): Promise<RoomHead[]> {
    if (userIds.length === 0) return [];
    const [where, parameters] = this.database.dialect.inCondition.values('user_id', userIds);
    const sql = `SELECT role, user_id AS userId, head FROM rooms WHERE role IN ('buyer', 'seller') AND ${where}`;
    return this.database.read.query(sql, parameters);
  }

  /** The events after a number, oldest first. They begin with `after + 1`, unless that is past its keeping time. */
  async eventsAfter(role: Role, userId: string, after: number, limit: number): Promise<OrderStatusPush[]> {
    const sql = 'SELECT seq, body FROM room_events WHERE role = ? AND user_id = ? AND seq > ? ORDER BY seq LIMIT ?';
    const rows: { seq: number; body: string }[] = await this.database.read.query(sql, [role, userId, after, limit]);
    return rows.map(({ seq, body }) => decodeEvent(role, seq, body));
  }

  /** The events after the positions of several readers, oldest first, in one statement. A reader after a gap gets none. */
  async eventsAfterEach(readers: readonly RoomPosition[], limit: number): Promise<OrderStatusPush[][]> {
    if (readers.length === 0) return [];
    const range = '(role = ? AND user_id = ? AND seq > ? AND seq <= ?)';
    const rows: { role: Role; userId: string; seq: number; body: string }[] = await this.database.read.query(
      `SELECT role, user_id AS userId, seq, body FROM room_events
        WHERE ${readers.map(() => range).join(' OR ')} ORDER BY role, user_id, seq`,
      readers.flatMap(({ role, userId, after }) => [role, userId, after, after + limit]),
    );
    const byRoom = new Map<string, OrderStatusPush[]>();
    for (const { role, userId, seq, body } of rows) {
      const key = roomKey(role, userId);
      const events = byRoom.get(key) ?? [];
      byRoom.set(key, events);
      events.push(decodeEvent(role, seq, body));
    }
    return readers.map(({ role, userId, after }) => {
      const events = byRoom.get(roomKey(role, userId)) ?? [];
      // Two readers of one room have different positions.
      return events.filter(({ seq }) => seq > after && seq <= after + limit);
    });
  }

  /** `room:read`. The head is read first, so that the page has every event up to it. */
  async read(userId: string, { role, after, limit = PAGE_LIMIT_DEFAULT }: ReadRequest): Promise<RoomEvents> {
    const head = (await this.heads(userId))[role];
    if (after > head) return { events: [], head, complete: false };
    const found = await this.eventsAfter(role, userId, after, limit);
    // Up to the head, and to a gap, which the next page reports: `npm run restored` may have been interrupted.
    const events = found.filter(({ seq }, index) => seq <= head && seq === Number(found[0]?.seq) + index);
    return { events, head, complete: after === head || events[0]?.seq === after + 1 };
  }
}
