import { randomFillSync } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

const RANDOM_BYTES = 16;
/** Random bytes are fetched for many ids at once: the system call costs more than the rest of an id. */
const IDS_AT_ONCE = 256;

const pool = Buffer.alloc(RANDOM_BYTES * IDS_AT_ONCE);
let used = pool.length;
let latestMs = 0;
let seq = 0;

/**
 * A new order's id (UUIDv7, RFC 9562) at this time (epoch milliseconds). Ids sort by time, and those of one hub in the order of
 * creation.
 */
export function newOrderId(now: number): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + RANDOM_BYTES);
  used += RANDOM_BYTES;
  if (now > latestMs) {
    latestMs = now;
    // Half of the counter's range remains for this millisecond's ids.
    seq = random.readUInt32BE() >>> 1;
  } else {
    seq++;
  }
  return uuidv7({ random, msecs: latestMs, seq });
}
