import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { HubError } from '../contract/errors.js';
import { rateLimited } from '../platform/limits/rate.limiter.js';
import { type Rate, TokenBuckets } from '../platform/limits/token.bucket.js';
import { Metrics } from '../platform/observability/metrics.js';
import { KnownAddresses } from './known.addresses.js';

/** Wrong passwords for one account from one address: a person who tries every old password. */
export const WRONG_PASSWORDS_PER_ACCOUNT_AND_ADDRESS: Rate = { burst: 20, perSecond: 0.1 };
/** For one account, from all addresses at which its user has never logged in. It takes five of them, each at its own limit, to use it up. */
export const WRONG_PASSWORDS_PER_ACCOUNT: Rate = { burst: 100, perSecond: 0.5 };
/** From one address, for all accounts that have never logged in there: an office with new keyboards. */
export const WRONG_PASSWORDS_PER_ADDRESS: Rate = { burst: 100, perSecond: 1 };
/** In one session, to change the password or to unregister. */
export const WRONG_PASSWORDS_PER_SESSION: Rate = { burst: 20, perSecond: 0.1 };

/**
 * Limits password guessing, so that nobody locks another out. A successful attempt costs nothing. At an address from which a user has
 * logged in, only wrong passwords from that address count. A session's guesses count for that session alone: they delay no
 * login. Accounts that do not exist are limited like those that do.
 */
@Injectable()
export class LoginThrottle {
  private readonly byAccountAndAddress = new TokenBuckets(WRONG_PASSWORDS_PER_ACCOUNT_AND_ADDRESS);
  private readonly byAccount = new TokenBuckets(WRONG_PASSWORDS_PER_ACCOUNT);
  private readonly byAddress = new TokenBuckets(WRONG_PASSWORDS_PER_ADDRESS);
  private readonly bySession = new TokenBuckets(WRONG_PASSWORDS_PER_SESSION);
  private readonly isEnabled: boolean;

  constructor(
    @Inject(CONFIG) { rateLimits }: Config,
    private readonly addresses: KnownAddresses,
    private readonly metrics: Metrics,
  ) {
    this.isEnabled = rateLimits;
  }

  /** Runs the check of a login's password, or throws `RATE_LIMITED` after too many wrong ones. */
  async login<T>(userId: string, address: string, check: () => Promise<T>): Promise<T> {
    if (!this.isEnabled) return check();
    const own: Limit = [this.byAccountAndAddress, JSON.stringify([userId, address])];
    // First what is in memory: a flood must not become a flood of queries.
    this.admit([own]);
    if (await this.addresses.includes(userId, address)) return this.guard([own], check);
    return this.guard([own, [this.byAccount, userId], [this.byAddress, address]], check);
  }

  /** Runs the check of a password that a session gives again, or throws `RATE_LIMITED`. */
  async confirm<T>(sessionId: string, check: () => Promise<T>): Promise<T> {
    return this.isEnabled ? this.guard([[this.bySession, sessionId]], check) : check();
  }

  private async guard<T>(limits: readonly Limit[], check: () => Promise<T>): Promise<T> {
    this.admit(limits);
    // Taken before the outcome is known: otherwise parallel guesses would all pass.
    for (const [buckets, key] of limits) buckets.take(key);
    try {
      const result = await check();
      for (const [buckets, key] of limits) buckets.refund(key);
      return result;
    } catch (error) {
      const wasWrong = error instanceof HubError && error.code === 'UNAUTHENTICATED';
      if (!wasWrong) for (const [buckets, key] of limits) buckets.refund(key);
      throw error;
    }
  }

  private admit(limits: readonly Limit[]): void {
    const waitMs = Math.max(...limits.map(([buckets, key]) => buckets.waitMs(key)));
    if (waitMs === 0) return;
    this.metrics.limited('passwords');
    throw rateLimited(waitMs);
  }
}

type Limit = [buckets: TokenBuckets, key: string];
