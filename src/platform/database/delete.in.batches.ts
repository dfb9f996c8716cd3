import { setTimeout as sleep } from 'node:timers/promises';

/** Small enough that other transactions do not notice its locks, nor wait long for the embedded database's only writer. */
const BATCH_ROWS = 500;
export const DELETE_PAUSE_MS = 20;

/**
 * Deletes expired rows in small batches, with pauses. `deleteBatch` deletes up to `rowsMax` rows and returns how many it deleted.
 * Returns the total.
 */
export async function deleteInBatches(
  deleteBatch: (rowsMax: number) => Promise<number>,
  isStopped = () => false,
): Promise<number> {
  for (let total = 0; ; ) {
    const deleted = await deleteBatch(BATCH_ROWS);
    total += deleted;
    if (deleted < BATCH_ROWS || isStopped()) return total;
    await sleep(DELETE_PAUSE_MS);
  }
}
