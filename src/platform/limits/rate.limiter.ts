import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { type ErrorBody, HubError } from '../../contract/errors.js';
import { type LimitName, Metrics } from '../observability/metrics.js';
import { KeyedCounter } from './keyed.counter.js';
import { type Rate, TokenBucket, TokenBuckets } from './token.bucket.js';

/*
 * Limits by user and by address, switched off by `RATE_LIMITS=off`. They leave room for a busy shop, whose seller ships hundreds
 * of orders with one click and whose staff share one address, and stay far below what other users would notice. Each hub counts
 * alone: a client that spreads over three hubs gets three times the limit.
 */
export const MESSAGES_PER_SOCKET: Rate = { burst: 5_000, perSecond: 500 };
/** Over all sockets and HTTP requests of a user: two devices at their limit. */
export const MESSAGES_PER_USER: Rate = { burst: 10_000, perSecond: 1_000 };
/** Requests without a token, and handshakes and requests with an invalid one. */
export const REQUESTS_PER_ADDRESS: Rate = { burst: 2_000, perSecond: 200 };
/** Tabs and devices of one user, or all terminals of a shop that share an account. */
export const SOCKETS_PER_USER_MAX = 200;
/** A whole company or campus behind one address. At some 20 KB a socket, an address can use 40 MB. */
export const SOCKETS_PER_ADDRESS_MAX = 2_000;
/** Connections accepted beyond that limit, only to be rejected with an error instead of a closed connection. */
export const EXTRA_CONNECTIONS_PER_ADDRESS_MAX = 200;
/** Time for a client with too many sockets to close one. */
const SOCKETS_RETRY_AFTER_MS = 5_000;

/** Per-user and per-address rate limits. */
@Injectable()
export class RateLimiter {
  private readonly users = new TokenBuckets(MESSAGES_PER_USER);
  private readonly unauthenticated = new TokenBuckets(REQUESTS_PER_ADDRESS);
  private readonly socketsByUser = new KeyedCounter();
  private readonly connectionsByAddress = new KeyedCounter();
  private readonly enabled: boolean;

  constructor(
    @Inject(CONFIG) { rateLimits }: Pick<Config, 'rateLimits'>,
    private readonly metrics?: Metrics,
  ) {
    this.enabled = rateLimits;
  }

  /** Milliseconds until a message on this socket is within the limits, or 0. */
  waitMs(userId: string, socketBucket: TokenBucket): number {
    if (!this.enabled) return 0;
    const now = performance.now();
    return Math.max(socketBucket.waitMs(now), this.users.waitMs(userId, now));
  }

  /** Counts a message that is within the limits. */
  take(userId: string, socketBucket: TokenBucket): void {
    if (!this.enabled) return;
    socketBucket.take();
    this.users.take(userId);
  }

  /** Counts messages as rejected, and returns their error. */
  rejectMessages(waitMs: number, count = 1): ErrorBody {
    this.metrics?.limited('messages', count);
    return HubError.body('RATE_LIMITED', { retryAfterMs: waitMs });
  }

  /** Counts an authenticated HTTP request. Throws `RATE_LIMITED`, as do all methods below that admit something. */
  request(userId: string): void {
    this.takeOrThrow('messages', this.users, userId);
  }

  /** Counts a request before its token is verified, which is the expensive part. */
  unauthenticatedRequest(address: string): void {
    this.takeOrThrow('strangers', this.unauthenticated, address);
  }

  /** Takes back the count of a request whose token was valid: users behind one address must not limit each other. */
  refundUnauthenticated(address: string): void {
    this.unauthenticated.refund(address);
  }

  /** Counts an address's connection until `onClose` calls back. */
  connected(address: string, onClose: (closed: () => void) => void): void {
    this.connectionsByAddress.increment(address);
    onClose(() => this.connectionsByAddress.decrement(address));
  }

  /** Whether to close an address's new connection without an error. */
  isCrowded(address: string): boolean {
    return (
      this.enabled &&
      this.connectionsByAddress.count(address) >= SOCKETS_PER_ADDRESS_MAX + EXTRA_CONNECTIONS_PER_ADDRESS_MAX
    );
  }

  /** Counts a handshake on a connection that is counted already. */
  handshake(address: string): void {
    if (this.enabled && this.connectionsByAddress.count(address) > SOCKETS_PER_ADDRESS_MAX) {
      throw this.reject('sockets-per-address', SOCKETS_RETRY_AFTER_MS);
    }
    this.unauthenticatedRequest(address);
  }

  /** Counts a user's socket until `onClose` calls back. */
  admitted(userId: string, onClose: (closed: () => void) => void): void {
    if (this.enabled && this.socketsByUser.count(userId) >= SOCKETS_PER_USER_MAX) {
      throw this.reject('sockets-per-user', SOCKETS_RETRY_AFTER_MS);
    }
    this.socketsByUser.increment(userId);
    onClose(() => this.socketsByUser.decrement(userId));
  }

  private takeOrThrow(limit: LimitName, buckets: TokenBuckets, key: string): void {
    if (!this.enabled) return;
    const waitMs = buckets.waitMs(key);
    if (waitMs > 0) throw this.reject(limit, waitMs);
    buckets.take(key);
  }

  /** Counts a rejection, and returns the error to throw. */
  private reject(limit: LimitName, retryAfterMs: number): HubError {
    this.metrics?.limited(limit);
    return rateLimited(retryAfterMs);
  }
}

export function rateLimited(retryAfterMs: number): HubError {
  return new HubError('RATE_LIMITED', undefined, { retryAfterMs });
}
