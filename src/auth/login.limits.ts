import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { Refusal } from '../contract/errors.js';
import { rateLimited } from '../platform/limits.js';
import { Metrics } from '../platform/metrics.js';
import { type Rate, TokenBuckets } from '../platform/token.bucket.js';

/** Wrong passwords for one account from one address: a person who tries all that one ever had. */
export const WRONG_PASSWORDS_PER_ACCOUNT_AND_ADDRESS: Rate = { burst: 20, perSecond: 0.1 };
/** For one account from all addresses that its user was never seen at. */
export const WRONG_PASSWORDS_PER_ACCOUNT: Rate = { burst: 20, perSecond: 0.1 };
/** From one address for all accounts that were never seen there: the morning of a company that has changed its keyboards. */
export const WRONG_PASSWORDS_PER_ADDRESS: Rate = { burst: 100, perSecond: 1 };
/** So many accounts are known by the addresses that they have logged in from; those who came first are forgotten first. */
const KNOWN_MAX = 100_000;

/**
 * How often a password may be guessed. An attempt that succeeds costs nothing, so only guessing is limited. Guessing for an
 * account from everywhere must be limited too, but must not lock its user out: an address that the user has logged in from
 * counts alone. Sessions go on whatever happens here. Users who are not there are limited like those who are.
 */
@Injectable()
export class LoginLimits {
  private readonly ofPair = new TokenBuckets(WRONG_PASSWORDS_PER_ACCOUNT_AND_ADDRESS);
  private readonly ofAccount = new TokenBuckets(WRONG_PASSWORDS_PER_ACCOUNT);
  private readonly ofAddress = new TokenBuckets(WRONG_PASSWORDS_PER_ADDRESS);
  private readonly known = new Set<string>();
  private readonly areOn: boolean;

  constructor(
    @Inject(CONFIG) { rateLimits }: Config,
    private readonly metrics?: Metrics,
  ) {
    this.areOn = rateLimits;
  }

  /** Checks a password, unless there were too many wrong ones. */
  async attempt<T>(userId: string, address: string, check: () => Promise<T>): Promise<T> {
    if (!this.areOn) return check();
    const pair = JSON.stringify([userId, address]);
    const counts: [TokenBuckets, string][] = [[this.ofPair, pair]];
    if (!this.known.has(pair)) counts.push([this.ofAccount, userId], [this.ofAddress, address]);
    const waitMs = Math.max(...counts.map(([buckets, key]) => buckets.waitMs(key)));
    if (waitMs > 0) {
      this.metrics?.refused('passwords');
      throw rateLimited(waitMs);
    }
    // Taken before it is known how it ends: otherwise many guesses at once would pass together.
    for (const [buckets, key] of counts) buckets.take(key);
    try {
      const result = await check();
      this.remember(pair);
      for (const [buckets, key] of counts) buckets.giveBack(key);
      return result;
    } catch (error) {
      const wasWrong = error instanceof Refusal && error.code === 'UNAUTHENTICATED';
      if (!wasWrong) for (const [buckets, key] of counts) buckets.giveBack(key);
      throw error;
    }
  }

  private remember(pair: string): void {
    this.known.delete(pair);
    this.known.add(pair);
    const [first] = this.known;
    if (this.known.size > KNOWN_MAX && first !== undefined) this.known.delete(first);
  }
}
