import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import type { ClientInfo } from '../caller.js';
import { Metrics } from '../observability/metrics.js';
import { cachedJson, toCachedJson } from '../sockets/json.cache.js';
import { ConcurrencyLimiter } from './concurrency.limiter.js';
import { rateLimited } from './rate.limiter.js';
import { type Rate, TokenBuckets } from './token.bucket.js';

/**
 * What the reads of a user may cost, in bytes of their answers: in the worst case a twentieth of the hub's time. A panel that
 * loads 5,000 orders stays within the burst; a client that loads more is slowed to the rate before it is rejected.
 */
export const READ_BYTES: Rate = { burst: 8_388_608, perSecond: 2_097_152 };
/** A read that would have to wait longer is rejected. */
const READ_WAIT_MS_MAX = 2_000;
/** Reads that may queue for a user who has used up the burst; the next is rejected. */
const WAITING_READS_MAX = 8;
/** What a read takes besides the bytes of its answer, and each of its rows. */
const BYTES_PER_READ = 1_024;
export const BYTES_PER_ROW = 256;
/** What connecting a socket takes. */
export const BYTES_PER_CONNECTION = 32_768;

/** Leaves two of the reading pool's ten connections to sessions. */
const CONCURRENT_WORK_MAX = 8;
/** Those that hold a connection are bounded by `TRANSACTIONS_FOR_USERS_MAX`. */
const CONCURRENT_WRITES_MAX = 64;
/** One or two seconds of work. */
const QUEUED_WORK_MAX = 1_000;
/** Of one user, or one address without a token: what it asks for at once must not fill the queue of all. */
const CONCURRENT_WORK_PER_USER_MAX = 4;
const QUEUED_WORK_PER_USER_MAX = 250;

type Client = Pick<ClientInfo, 'readKey' | 'isConnected'>;

/**
 * Bounds reads, and writes outside of batches, by the work that they make: the bytes that a user reads are counted, what is too
 * much waits or is rejected, and users take turns. So one user's reads do not slow the commands of others.
 */
@Injectable()
export class ReadLimiter {
  private readonly budgets = new TokenBuckets(READ_BYTES);
  /** Protects the hub itself, so it is always on. */
  private readonly slots = new ConcurrencyLimiter({
    maxConcurrent: CONCURRENT_WORK_MAX,
    maxQueued: QUEUED_WORK_MAX,
    maxConcurrentPerKey: CONCURRENT_WORK_PER_USER_MAX,
    maxQueuedPerKey: QUEUED_WORK_PER_USER_MAX,
  });
  /** What writes outside of batches need may be held, which reads must not wait for. */
  private readonly writes = new ConcurrencyLimiter({
    maxConcurrent: CONCURRENT_WRITES_MAX,
    maxQueued: QUEUED_WORK_MAX,
    maxConcurrentPerKey: CONCURRENT_WORK_PER_USER_MAX,
    maxQueuedPerKey: QUEUED_WORK_PER_USER_MAX,
  });
  private readonly isOn: boolean;

  constructor(
    @Inject(CONFIG) { rateLimits }: Pick<Config, 'rateLimits'>,
    private readonly metrics: Metrics,
  ) {
    this.isOn = rateLimits;
  }

  /** Runs work that is not counted: a write outside of batches. */
  write<T>(client: Client, work: () => Promise<T>): Promise<T> {
    return this.writes.run(work, { key: client.readKey, isConnected: client.isConnected });
  }

  /** Runs a read, and counts its answer. Throws `RATE_LIMITED` if its user has read too much, `OVERLOADED` if too many wait. */
  async read(client: Client, work: () => Promise<unknown>): Promise<unknown> {
    const key = client.readKey;
    this.admit(key);
    const run = async () => {
      await this.spend(key, BYTES_PER_READ);
      const data = await work();
      // Serialized here, and sent as it is. A page that is serialized already was counted as it was read.
      if (isObject(data) && cachedJson(data) === undefined) this.charge(key, Buffer.byteLength(toCachedJson(data)));
      return data;
    };
    return this.slots.run(run, { key, isConnected: client.isConnected });
  }

  /** A read of many, by one client: it is counted and waits as long as it takes, and is not refused for what was read before. */
  async paced<T>({ readKey: key, isConnected }: Client, work: () => Promise<T>): Promise<T> {
    await this.pace(key, BYTES_PER_READ);
    const run = async () => {
      const data = await work();
      if (isObject(data) && cachedJson(data) === undefined) this.charge(key, Buffer.byteLength(toCachedJson(data)));
      return data;
    };
    return this.slots.run(run, { key, isConnected });
  }

  /**
   * Runs a command whose answer may be as large as a page, and counts it as one: first the bytes that are expected, then the others. It
   * is never made to wait, because messages keep their order. Throws `RATE_LIMITED` if its user has read too much.
   */
  async command<T extends object>(key: string, bytesExpected: number, work: () => Promise<T>): Promise<T> {
    this.admit(key);
    this.charge(key, bytesExpected);
    const answer = await work();
    this.charge(key, Math.max(0, Buffer.byteLength(toCachedJson(answer)) - bytesExpected));
    return answer;
  }

  /** Counts bytes that a running `read` is about to read, and waits until those before them are within the rate. */
  async spend(key: string, bytes: number): Promise<void> {
    const waitMs = this.reserve(key, bytes);
    if (waitMs > 0) await this.slots.rest(key, () => sleep(waitMs));
  }

  /** The same for what is read without having been asked for: events that a socket has missed. */
  async pace(key: string, bytes: number): Promise<void> {
    const waitMs = this.reserve(key, bytes);
    if (waitMs > 0) await sleep(waitMs, undefined, { ref: false });
  }

  /** Counts bytes that were read, to be waited for by the next read. */
  charge(key: string, bytes: number): void {
    if (this.isOn) this.budgets.take(key, performance.now(), bytes);
  }

  private reserve(key: string, bytes: number): number {
    if (!this.isOn) return 0;
    const waitMs = this.budgets.waitMs(key);
    this.charge(key, bytes);
    return waitMs;
  }

  private admit(key: string): void {
    const waitMs = this.isOn ? this.budgets.waitMs(key) : 0;
    const mustWait = waitMs > 0 && this.slots.queuedOf(key) >= WAITING_READS_MAX;
    if (waitMs <= READ_WAIT_MS_MAX && !mustWait) return;
    this.metrics.limited('reads');
    throw rateLimited(Math.max(waitMs, READ_WAIT_MS_MAX));
  }
}

/** The key of a user's reads. */
export function readKeyOf(userId: string): string {
  return `user ${userId}`;
}

/** The key of reads without a token. */
export function publicReadKeyOf(address: string): string {
  return `address ${address}`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
