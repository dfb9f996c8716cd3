/** A token bucket's capacity and its refill rate. */
export interface Rate {
  burst: number;
  perSecond: number;
}

/** Bounds memory: beyond this, the least recently used buckets are evicted. */
const KEYS_MAX = 100_000;
/** Buckets checked for eviction per `take`, which adds at most one. */
const EVICTION_CHECKS = 2;

/** Starts full, and refills continuously up to its burst. `now` is a `performance.now()`. */
export class TokenBucket {
  private tokens: number;
  private refilledAt: number;

  constructor(
    private readonly rate: Rate,
    now = performance.now(),
  ) {
    this.tokens = rate.burst;
    this.refilledAt = now;
  }

  /** Milliseconds until a token is available, or 0. */
  waitMs(now = performance.now()): number {
    this.refill(now);
    return this.tokens >= 1 ? 0 : Math.ceil(((1 - this.tokens) / this.rate.perSecond) * 1_000);
  }

  /** Takes tokens, into debt if they are not available: check `waitMs` first. */
  take(tokens = 1): void {
    this.tokens -= tokens;
  }

  refund(): void {
    this.tokens = Math.min(this.rate.burst, this.tokens + 1);
  }

  isFull(now: number): boolean {
    this.refill(now);
    return this.tokens >= this.rate.burst;
  }

  private refill(now: number): void {
    const seconds = (now - this.refilledAt) / 1_000;
    this.tokens = Math.min(this.rate.burst, this.tokens + seconds * this.rate.perSecond);
    this.refilledAt = now;
  }
}

/** A token bucket per key, such as a user or an address. Full buckets hold no information and are evicted. */
export class TokenBuckets {
  /** Least recently used first. */
  private readonly byKey = new Map<string, TokenBucket>();

  constructor(private readonly rate: Rate) {}

  get size(): number {
    return this.byKey.size;
  }

  waitMs(key: string, now = performance.now()): number {
    return this.byKey.get(key)?.waitMs(now) ?? 0;
  }

  take(key: string, now = performance.now(), tokens = 1): void {
    const bucket = this.byKey.get(key) ?? new TokenBucket(this.rate, now);
    bucket.take(tokens);
    this.byKey.delete(key);
    this.byKey.set(key, bucket);
    this.evict(now);
  }

  refund(key: string): void {
    this.byKey.get(key)?.refund();
  }

  private evict(now: number): void {
    let checked = 0;
    for (const [key, bucket] of this.byKey) {
      if (this.byKey.size > KEYS_MAX || bucket.isFull(now)) this.byKey.delete(key);
      if (++checked === EVICTION_CHECKS) return;
    }
  }
}
