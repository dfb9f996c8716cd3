import { Injectable } from '@nestjs/common';
import { PAGE_LIMIT_DEFAULT } from '../contract/fields.js';
import { type Role, roles } from '../contract/lifecycle.js';
import type { OrderStatusPush, ReadRequest, RoomEvents } from '../contract/rooms.js';
import { Database, type Tx } from '../platform/database.js';
import { readPush } from './event.body.js';
import { Room } from './room.entity.js';

/** The numbered rooms as they are kept: two a user, with events 1, 2, 3 … without a gap. Batches write them. */
@Injectable()
export class RoomsService {
  constructor(private readonly database: Database) {}

  /** Opens both rooms of a new user. */
  async open(tx: Tx, userId: string): Promise<void> {
    await tx.insert(
      Room,
      roles.map((role) => ({ role, userId, head: 0 })),
    );
  }

  /** Locks both rooms: until the transaction ends, no order of this user can change. */
  async lock(tx: Tx, userId: string): Promise<void> {
    const sql = `SELECT head FROM rooms WHERE role IN ('buyer', 'seller') AND user_id = ?${this.database.dialect.forUpdate}`;
    await tx.query(sql, [userId]);
  }

  async heads(userId: string): Promise<Record<Role, number>> {
    const rooms = await this.database.read.findBy(Room, { userId });
    const head = (role: Role) => rooms.find((room) => room.role === role)?.head ?? 0;
    return { buyer: head('buyer'), seller: head('seller') };
  }

  /** The events that follow number `after`, oldest first. They begin with `after + 1`, unless those are no longer kept. */
  async eventsAfter(role: Role, userId: string, after: number, limit: number): Promise<OrderStatusPush[]> {
    const sql = 'SELECT seq, body FROM room_events WHERE role = ? AND user_id = ? AND seq > ? ORDER BY seq LIMIT ?';
    const rows: { seq: number; body: string }[] = await this.database.read.query(sql, [role, userId, after, limit]);
    return rows.map(({ seq, body }) => readPush(role, seq, body));
  }

  /** What `room:read` gives. The head is read first, so that no event up to it can be missing from the page for being late. */
  async read(userId: string, { role, after, limit = PAGE_LIMIT_DEFAULT }: ReadRequest): Promise<RoomEvents> {
    const head = (await this.heads(userId))[role];
    if (after > head) return { events: [], head, complete: false };
    const events = (await this.eventsAfter(role, userId, after, limit)).filter(({ seq }) => seq <= head);
    return { events, head, complete: after === head || events[0]?.seq === after + 1 };
  }
}
