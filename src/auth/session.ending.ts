import type { Database } from '../platform/database/database.js';
import { deleteInBatches } from '../platform/database/delete.in.batches.js';

/**
 * Ends every session of every user, and returns their number. After a restore nobody knows which of them were ended since the
 * backup, by a logout or a new password. A hub that runs all the same disconnects their sockets.
 */
export async function endEverySession(database: Database): Promise<number> {
  const endedAt = await database.time();
  return deleteInBatches(async (rowsMax) => {
    const live: { tokenHash: string }[] = await database.read.query(
      'SELECT token_hash AS tokenHash FROM sessions ORDER BY token_hash LIMIT ?',
      [rowsMax],
    );
    if (live.length === 0) return 0;
    const tokenHashes = live.map(({ tokenHash }) => tokenHash);
    const [where, parameters] = database.dialect.inCondition.values('token_hash', tokenHashes);
    await database.transaction(async (tx) => {
      await tx.query(
        `INSERT INTO ended_sessions (token_hash, user_id, reason, at) SELECT token_hash, user_id, 'expired', ? FROM sessions WHERE ${where}`,
        [endedAt, ...parameters],
      );
      await tx.query(`DELETE FROM sessions WHERE ${where}`, parameters);
    });
    return live.length;
  });
}
