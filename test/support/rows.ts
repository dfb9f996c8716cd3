import type { RoomRow } from '../../src/commands/rows.js';
import { orderStatuses, type Role } from '../../src/contract/transitions.js';

/** The room of a user who has no orders yet. */
export function newRoom(role: Role, userId: string): RoomRow {
  const counts = Object.fromEntries(orderStatuses.map((status) => [status, 0]));
  return { role, userId, head: 0, ...(counts as Record<(typeof orderStatuses)[number], number>) };
}
