import type { Database } from '../platform/database/database.js';
import { EventRetention } from './event.retention.js';

/**
 * More events than a room can have lost since a backup: 300 a second for a year. Numbers stay below 2^53 for 900,000 restores.
 */
export const RENUMBERING_STEP = 10_000_000_000;
/** Rooms of a transaction. All at once would exceed the time and size limits of servers and clusters. */
const PAGE = 1_000;

/**
 * Moves every room, and those that are yet to be opened, beyond any number that a client can have seen, and deletes the older
 * events: their numbers are past their keeping time from now on. Returns the new head of all rooms, and their count.
 */
export async function renumberRooms(database: Database): Promise<{ head: number; rooms: number }> {
  const startedAt = await database.time();
  const head = await database.transaction(async (tx) => {
    const [info]: { floor: number }[] = await tx.query(
      `SELECT room_floor AS floor FROM database_info${database.dialect.forUpdate}`,
    );
    const [room]: { head: number | null }[] = await tx.query('SELECT MAX(head) AS head FROM rooms');
    const next = Math.max(Number(info?.floor), Number(room?.head)) + RENUMBERING_STEP;
    // First, for the rooms of users who have registered since the backup, and register again.
    await tx.query('UPDATE database_info SET room_floor = ?', [next]);
    return next;
  });
  const rooms = (await moveHeads(database, 'buyer', head)) + (await moveHeads(database, 'seller', head));
  await new EventRetention(database).purge(startedAt);
  return { head, rooms };
}

async function moveHeads(database: Database, role: string, head: number): Promise<number> {
  let count = 0;
  for (let after = ''; ; ) {
    const page: { userId: string }[] = await database.read.query(
      `SELECT user_id AS userId FROM rooms WHERE role = ? AND user_id > ? ORDER BY user_id LIMIT ${PAGE}`,
      [role, after],
    );
    const last = page.at(-1)?.userId;
    if (last === undefined) return count;
    await database.transaction((tx) =>
      tx.query('UPDATE rooms SET head = ? WHERE role = ? AND user_id > ? AND user_id <= ?', [head, role, after, last]),
    );
    count += page.length;
    after = last;
  }
}
