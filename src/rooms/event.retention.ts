import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type Role, roles } from '../contract/transitions.js';
import { Database } from '../platform/database/database.js';
import { DELETE_PAUSE_MS, deleteInBatches } from '../platform/database/delete.in.batches.js';

/** Rooms, or events of a room, read at a time: a few milliseconds of work. */
const PAGE = 500;
/** The time of the oldest event of each room. Ordered by `seq` alone, MySQL would read and sort all events of a room. */
export const OLDEST_OF_ROOMS = `SELECT user_id AS userId, (SELECT at FROM room_events
    WHERE room_events.role = rooms.role AND room_events.user_id = rooms.user_id ORDER BY role, user_id, seq LIMIT 1) AS oldest
  FROM rooms WHERE role = ? AND user_id > ? ORDER BY user_id LIMIT ${PAGE}`;

/** A room's oldest events up to a number, and their count. */
interface Oldest {
  role: Role;
  userId: string;
  upTo: number;
  count: number;
}

/**
 * Deletes events past their keeping time. It walks through the rooms, each of which has its events in order: an index by time
 * would add two entries to every command, for a query that runs once an hour.
 */
@Injectable()
export class EventRetention {
  constructor(private readonly database: Database) {}

  /** Deletes events older than this time (epoch milliseconds), and returns their number. */
  async purge(before: number, isStopped = () => false): Promise<number> {
    const old = this.before(before, isStopped);
    return deleteInBatches((rowsWanted) => this.deleteNext(old, rowsWanted, isStopped), isStopped);
  }

  private async deleteNext(old: AsyncGenerator<Oldest>, rowsWanted: number, isStopped: () => boolean): Promise<number> {
    const found: Oldest[] = [];
    let count = 0;
    while (count < rowsWanted) {
      const next = await old.next();
      if (next.done) break;
      found.push(next.value);
      count += next.value.count;
      if (isStopped()) break;
    }
    if (count > 0) await this.delete(found);
    return count;
  }

  private async *before(time: number, isStopped: () => boolean): AsyncGenerator<Oldest> {
    for (const role of roles) {
      for (let after: string | undefined = ''; after !== undefined && !isStopped(); ) {
        const rooms: { userId: string; oldest: number | null }[] = await this.database.read.query(OLDEST_OF_ROOMS, [
          role,
          after,
        ]);
        for (const { userId, oldest } of rooms)
          if (oldest !== null && oldest < time) yield* this.beforeInRoom(time, role, userId);
        after = rooms.at(-1)?.userId;
        await sleep(DELETE_PAUSE_MS);
      }
    }
  }

  /** From a room's oldest event on, so that no gap is left even if the clocks of two hubs differ. */
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

  /** Another client may hold events of one room, which must not keep those of the others. */
  private async delete(found: readonly Oldest[]): Promise<void> {
    const together = await this.tryToDelete(found);
    if (together === undefined) return;
    const alone: unknown[] = [];
    if (found.length > 1) for (const one of found) alone.push(await this.tryToDelete([one]));
    if (!alone.includes(undefined)) throw together;
  }

  /** Returns the error, if there is one. */
  private async tryToDelete(found: readonly Oldest[]): Promise<unknown> {
    const where = found.map(() => '(role = ? AND user_id = ? AND seq <= ?)').join(' OR ');
    const upTo = found.flatMap((oldest) => [oldest.role, oldest.userId, oldest.upTo]);
    const sql = `DELETE FROM room_events WHERE ${where}`;
    return this.database
      .transaction((tx) => tx.query(sql, upTo))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
  }
}
