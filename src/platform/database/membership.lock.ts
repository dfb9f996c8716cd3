import { HubError } from '../../contract/errors.js';
import type { Principal } from '../caller.js';
import type { Tx } from './database.js';

/**
 * Locks the membership by which a caller acts for a seller, so that it is not ended before the transaction is. Throws `FORBIDDEN` if it
 * has been. Callers who act for themselves have none.
 */
export async function lockMembership(tx: Tx, { userId, acting }: Pick<Principal, 'userId' | 'acting'>): Promise<void> {
  if (!acting) return;
  const where = 'WHERE owner_id = ? AND user_id = ? AND membership_id = ?';
  const membership = [acting.ownerId, userId, acting.membershipId];
  // Written, as row.lock.ts explains.
  await tx.query(`UPDATE staff_members SET version = version + 1 ${where}`, membership);
  const found: unknown[] = await tx.query(`SELECT user_id FROM staff_members ${where}`, membership);
  if (found.length === 0) throw noLongerActing();
}

export function noLongerActing(): HubError {
  return new HubError('FORBIDDEN', 'You do not act for this seller, or no longer with these rights.');
}
