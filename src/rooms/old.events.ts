import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type Role, roles } from '../contract/lifecycle.js';
import { Database } from '../platform/database.js';
import { FORGET_PAUSE_MS, forgetInSteps } from '../platform/forget.js';

/** So many rooms, or events of a room, are looked into at a time: a few milliseconds' work. */
const PAGE = 500;
/** The time of the oldest event of rooms. By `seq` alone, MySQL would read and sort all events of each. */
export const OLDEST_OF_ROOMS = `SELECT user_id AS userId, (SELECT at FROM room_events
    WHERE room_events.role = rooms.role AND room_events.user_id = rooms.user_id ORDER BY role, user_id, seq LIMIT 1) AS oldest
  FROM rooms WHERE role = ? AND user_id > ? ORDER BY user_id LIMIT ${PAGE}`;

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

  /** Deletes the events from before a time. Gives how many there were. */
  async forget(before: number, isOver = () => false): Promise<number> {
    const old = this.before(before, isOver);
    return forgetInSteps((rowsWanted) => this.forgetNext(old, rowsWanted, isOver), isOver);
  }

  private async forgetNext(old: AsyncGenerator<Oldest>, rowsWanted: number, isOver: () => boolean): Promise<number> {
    const found: Oldest[] = [];
    let count = 0;
    while (count < rowsWanted) {
      const next = await old.next();
      if (next.done) break;
      found.push(next.value);
      count += next.value.count;
      if (isOver()) break;
    }
    if (count > 0) await this.delete(found);
    return count;
  }

  private async *before(time: number, isOver: () => boolean): AsyncGenerator<Oldest> {
    for (const role of roles) {
      for (let after: string | undefined = ''; after !== undefined && !isOver(); ) {
        const rooms: { userId: string; oldest: number | null }[] = await this.database.read.query(OLDEST_OF_ROOMS, [
          role,
          after,
        ]);
        for (const { userId, oldest } of rooms)
          if (oldest !== null && oldest < time) yield* this.beforeInRoom(time, role, userId);
        after = rooms.at(-1)?.userId;
        await sleep(FORGET_PAUSE_MS);
      }
    }
  }

  /** From the room's oldest on, so that what is left has no gap, even where the clocks of two hubs differ. */
  private async *beforeInRoom(time: number, role: Role, userId: string): AsyncGenerator<Oldest> {
    const sql = `SELECT seq, at FROM room_events WHERE role = ? AND user_id = ? AND seq > ? ORDER BY seq LIMIT ${PAGE}`;
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
