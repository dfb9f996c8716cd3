import { setTimeout as sleep } from 'node:timers/promises';

/** A failover takes seconds. A hub whose database stays away for longer gives its sockets up, for a healthier hub to take them. */
const RETRY_FOR_MS = 15_000;
const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 1_000;

/**
 * Runs a read, and again with backoff while it fails and is still wanted, for 15 seconds or `forMs`. Then throws its last error. Sockets
 * that wait for the same database retry at different moments.
 */
export async function retryRead<T>(read: () => Promise<T>, isWanted: () => boolean, forMs = RETRY_FOR_MS): Promise<T> {
  const deadline = performance.now() + forMs;
  for (let backoffMs = BACKOFF_MS_MIN; ; backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2)) {
    try {
      return await read();
    } catch (error) {
      const delayMs = backoffMs * (0.5 + Math.random() / 2);
      if (performance.now() + delayMs > deadline) throw error;
      await sleep(delayMs, undefined, { ref: false });
      if (!isWanted()) throw error;
    }
  }
}
