import type { Tx } from './database.js';

/** Tables whose rows have a `version`. */
type Lockable = 'users' | 'wallets' | 'rooms' | 'books' | 'staff_members';

/**
 * Locks rows until the transaction ends, by writing their `version`. On a cluster that takes writes at several nodes, a row that was
 * only selected FOR UPDATE is locked at one node: two transactions exclude each other only if both have written a row.
 */
export async function lockRows(tx: Tx, table: Lockable, where: Readonly<Record<string, string>>): Promise<void> {
  const condition = Object.keys(where).map((column) => `${column} = ?`);
  const sql = `UPDATE ${table} SET version = COALESCE(version, 0) + 1 WHERE ${condition.join(' AND ')}`;
  await tx.query(sql, Object.values(where));
}
