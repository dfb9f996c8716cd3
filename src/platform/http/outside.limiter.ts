import { ConcurrencyLimiter } from '../limits/concurrency.limiter.js';

/** Requests of users that wait for a name server or a receiver: far fewer than may write at once. */
const WAITING_MAX = 32;
const WAITING_PER_USER_MAX = 8;
/** All webhooks of a user, and more, may be made at once. */
const QUEUED_MAX = 256;
const QUEUED_PER_USER_MAX = 64;

/** Limits the requests of users that wait for what is outside the hub, so that a slow one does not hold up the others. */
export function createOutsideLimiter(): ConcurrencyLimiter {
  return new ConcurrencyLimiter({
    maxConcurrent: WAITING_MAX,
    maxQueued: QUEUED_MAX,
    maxConcurrentPerKey: WAITING_PER_USER_MAX,
    maxQueuedPerKey: QUEUED_PER_USER_MAX,
  });
}
