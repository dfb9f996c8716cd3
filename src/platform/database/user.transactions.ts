import { KeyedLimiter } from '../limits/keyed.limiter.js';

/**
 * Transactions for one user at a time, and for all users, each of which holds a connection: when what they need is held for long,
 * other users and batches must still find one of the pool's ten.
 */
const TRANSACTIONS_PER_USER_MAX = 2;
const TRANSACTIONS_FOR_USERS_MAX = 6;
const ALL_USERS = '';
/** By then its client has nearly given up. */
const WAIT_MS = 4_000;

/** Bounds the transactions that users cause outside of batches, which have their own queue. */
export class UserTransactions {
  private readonly perUser = new KeyedLimiter(TRANSACTIONS_PER_USER_MAX);
  private readonly all = new KeyedLimiter(TRANSACTIONS_FOR_USERS_MAX);

  /** Runs one in its turn, or rejects with `UNAVAILABLE` when that does not come. */
  run<T>(userId: string, transaction: () => Promise<T>): Promise<T> {
    return this.perUser.run(userId, WAIT_MS, () => this.all.run(ALL_USERS, WAIT_MS, transaction));
  }
}
