import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.js';
import { type ErrorBody, Refusal } from '../contract/errors.js';
import { Gate } from './gate.js';
import { type LimitName, Metrics } from './metrics.js';
import { Tally } from './tally.js';
import { type Rate, TokenBucket, TokenBuckets } from './token.bucket.js';

/**
 * What counts by time, by user and by address: `RATE_LIMITS=off` switches it off. Generous to a busy shop, where a seller ships
 * hundreds of orders with one click and everybody stands behind one address; and far below what would be felt by others.
 * Each hub counts for itself: with three hubs, somebody who spreads over them gets three times as much.
 */
export const MESSAGES_PER_SOCKET: Rate = { burst: 5_000, perSecond: 500 };
/** Over all sockets and requests of a user: two devices at their highest. */
export const MESSAGES_PER_USER: Rate = { burst: 10_000, perSecond: 1_000 };
/** Requests without a token, and handshakes and requests whose token turns out to be no good. */
export const REQUESTS_PER_ADDRESS: Rate = { burst: 2_000, perSecond: 200 };
/** Tabs and devices of one user; a shop that serves all its terminals with one account included. */
export const SOCKETS_PER_USER_MAX = 200;
/** A whole company or campus behind one address. At some 20 KB a socket, an address can take 40 MB. */
export const SOCKETS_PER_ADDRESS_MAX = 2_000;
/** So many more connections of an address are let in as far as they must be to be told why they are refused. */
export const KNOCKING_PER_ADDRESS_MAX = 200;
/** Who has too many sockets must close one first, which takes a while. */
const SOCKETS_RETRY_AFTER_MS = 5_000;

/**
 * Reads, and what is written outside of batches (stores, books): so many at once, which leaves two of the ten connections of
 * the database to batches and to sessions, and so many that wait, which are done in a second or two.
 */
const WORK_AT_ONCE = 8;
const WORK_WAITING_MAX = 1_000;

/** How much anybody may ask for. */
@Injectable()
export class Limits {
  private readonly users = new TokenBuckets(MESSAGES_PER_USER);
  private readonly strangers = new TokenBuckets(REQUESTS_PER_ADDRESS);
  private readonly socketsOf = new Tally();
  private readonly connectionsFrom = new Tally();
  /** Protects the hub itself, and is always on: all work but commands, which have their queue. */
  readonly work = new Gate({ atOnce: WORK_AT_ONCE, waitingMax: WORK_WAITING_MAX });
  private readonly areOn: boolean;

  constructor(
    @Inject(CONFIG) { rateLimits }: Pick<Config, 'rateLimits'>,
    private readonly metrics?: Metrics,
  ) {
    this.areOn = rateLimits;
  }

  /** A message over a socket, which has a bucket of its own besides its user's. Gives the refusal, if it has to be refused. */
  message(userId: string, ofSocket: TokenBucket): ErrorBody | undefined {
    const waitMs = this.waitMs(userId, ofSocket);
    if (waitMs > 0) return this.refuse(waitMs);
    this.take(userId, ofSocket);
    return undefined;
  }

  /** In how long a message over a socket is taken again: 0 if now. */
  waitMs(userId: string, ofSocket: TokenBucket): number {
    if (!this.areOn) return 0;
    const now = performance.now();
    return Math.max(ofSocket.waitMs(now), this.users.waitMs(userId, now));
  }

  /** Counts a message that is not refused for its number. */
  take(userId: string, ofSocket: TokenBucket): void {
    if (!this.areOn) return;
    ofSocket.take();
    this.users.take(userId);
  }

  /** Counts so many messages as refused, and gives what they are told. */
  refuse(waitMs: number, count = 1): ErrorBody {
    this.metrics?.refused('messages', count);
    return Refusal.body('RATE_LIMITED', { retryAfterMs: waitMs });
  }

  /** A request of a user over HTTP. */
  request(userId: string): void {
    this.spend('messages', this.users, userId);
  }

  /** Somebody who is not known, or not yet. Counted before it costs anything to find out. */
  stranger(address: string): void {
    this.spend('strangers', this.strangers, address);
  }

  /** The stranger was somebody after all: users behind one address must not count against each other. */
  known(address: string): void {
    this.strangers.giveBack(address);
  }

  /** Counts a connection of an address until it is closed. */
  connected(address: string, untilClosed: (closed: () => void) => void): void {
    this.connectionsFrom.add(address);
    untilClosed(() => this.connectionsFrom.remove(address));
  }

  /** Whether a connection is not even let in to be told. */
  isCrowded(address: string): boolean {
    return this.areOn && this.connectionsFrom.of(address) >= SOCKETS_PER_ADDRESS_MAX + KNOCKING_PER_ADDRESS_MAX;
  }

  /** A handshake from an address whose connection has been counted. */
  handshake(address: string): void {
    if (this.areOn && this.connectionsFrom.of(address) > SOCKETS_PER_ADDRESS_MAX) {
      throw this.refusal('sockets-per-address', SOCKETS_RETRY_AFTER_MS);
    }
    this.stranger(address);
  }

  /** One more socket of a user, counted until it is closed. */
  admitted(userId: string, untilClosed: (closed: () => void) => void): void {
    if (this.areOn && this.socketsOf.of(userId) >= SOCKETS_PER_USER_MAX) {
      throw this.refusal('sockets-per-user', SOCKETS_RETRY_AFTER_MS);
    }
    this.socketsOf.add(userId);
    untilClosed(() => this.socketsOf.remove(userId));
  }

  private spend(limit: LimitName, buckets: TokenBuckets, key: string): void {
    if (!this.areOn) return;
    const waitMs = buckets.waitMs(key);
    if (waitMs > 0) throw this.refusal(limit, waitMs);
    buckets.take(key);
  }

  private refusal(limit: LimitName, retryAfterMs: number): Refusal {
    this.metrics?.refused(limit);
    return rateLimited(retryAfterMs);
  }
}

export function rateLimited(retryAfterMs: number): Refusal {
  return new Refusal('RATE_LIMITED', undefined, { retryAfterMs });
}
