import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type Role, roles } from '../contract/lifecycle.js';
import { Database } from '../platform/database.js';
import { FORGET_PAUSE_MS, FORGET_ROWS } from '../platform/forget.js';

/** So many rooms are looked into at a time: a few milliseconds' work. */
const ROOMS_PAGE = 500;

/** Some of a room's oldest events: all up to a number, and how many that are. */
interface Oldest {
  role: Role;
  userId: string;
  upTo: number;
  count: number;
}

/**
 * The events whose time is over. They are found by going through the rooms, of which each has its events in order. An index of
 * all events by time would find them too, and cost each command two entries for what is asked for once an hour.
 */
@Injectable()
export class OldEvents {
  constructor(private readonly database: Database) {}

  /** Deletes the events from before a time, a few at a time with pauses. Gives how many there were. */
  async forget(before: number, isOver = () => false): Promise<number> {
    let total = 0;
    let found: Oldest[] = [];
    const forgetFound = async () => {
      await this.delete(found);
      total += countOf(found);
      found = [];
      await sleep(FORGET_PAUSE_MS);
    };
    for await (const oldest of this.before(before, isOver)) {
      found.push(oldest);
      if (countOf(found) >= FORGET_ROWS) await forgetFound();
      if (isOver()) break;
    }
    if (found.length > 0) await forgetFound();
    return total;
  }

  private async *before(time: number, isOver: () => boolean): AsyncGenerator<Oldest> {
    const sql = `SELECT user_id AS userId, (SELECT at FROM room_events
        WHERE room_events.role = rooms.role AND room_events.user_id = rooms.user_id ORDER BY seq LIMIT 1) AS oldest
      FROM rooms WHERE role = ? AND user_id > ? ORDER BY user_id LIMIT ${ROOMS_PAGE}`;
    for (const role of roles) {
      for (let after: string | undefined = ''; after !== undefined && !isOver(); ) {
        const rooms: { userId: string; oldest: number | null }[] = await this.database.read.query(sql, [role, after]);
        for (const { userId, oldest } of rooms)
          if (oldest !== null && oldest < time) yield* this.beforeInRoom(time, role, userId);
        after = rooms.length < ROOMS_PAGE ? undefined : rooms.at(-1)?.userId;
        await sleep(FORGET_PAUSE_MS);
      }
    }
  }

  /** From the room's oldest on, so that what is left has no gap, even where the clocks of two hubs differ. */
  private async *beforeInRoom(time: number, role: Role, userId: string): AsyncGenerator<Oldest> {
    const sql = `SELECT seq, at FROM room_events WHERE role = ? AND user_id = ? AND seq > ? ORDER BY seq LIMIT ${FORGET_ROWS}`;
    for (let after = 0; ; ) {
      const events: { seq: number; at: number }[] = await this.database.read.query(sql, [role, userId, after]);
      const last = events.findLastIndex(({ at }) => at < time);
      const upTo = events[last]?.seq;
      if (upTo === undefined) return;
      yield { role, userId, upTo, count: last + 1 };
      after = upTo;
    }
  }

  private async delete(found: readonly Oldest[]): Promise<void> {
    const where = found.map(() => '(role = ? AND user_id = ? AND seq <= ?)').join(' OR ');
    const upTo = found.flatMap((oldest) => [oldest.role, oldest.userId, oldest.upTo]);
    await this.database.transaction((tx) => tx.query(`DELETE FROM room_events WHERE ${where}`, upTo));
  }
}

function countOf(found: readonly Oldest[]): number {
  return found.reduce((sum, { count }) => sum + count, 0);
}
