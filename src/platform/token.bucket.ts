/** How often something may be done: so many times at once, and so often again as time goes by. */
export interface Rate {
  burst: number;
  perSecond: number;
}

/** The least recently used of more than these are forgotten: what others do must not fill the memory. */
const KEYS_MAX = 100_000;
/** How many are looked at, whether they can be forgotten, each time that one is used: more than can be added. */
const FORGET_AT_ONCE = 2;

/** Holds tokens up to its burst, and gets new ones as time goes by. What is done takes one. */
export class TokenBucket {
  private tokens: number;
  private countedAt: number;

  constructor(
    private readonly rate: Rate,
    now = performance.now(),
  ) {
    this.tokens = rate.burst;
    this.countedAt = now;
  }

  /** In how many milliseconds there is a token: 0 if there is one now. */
  waitMs(now = performance.now()): number {
    this.count(now);
    return this.tokens >= 1 ? 0 : Math.ceil(((1 - this.tokens) / this.rate.perSecond) * 1_000);
  }

  take(): void {
    this.tokens -= 1;
  }

  giveBack(): void {
    this.tokens = Math.min(this.rate.burst, this.tokens + 1);
  }

  isFull(now: number): boolean {
    this.count(now);
    return this.tokens >= this.rate.burst;
  }

  private count(now: number): void {
    const seconds = (now - this.countedAt) / 1_000;
    this.tokens = Math.min(this.rate.burst, this.tokens + seconds * this.rate.perSecond);
    this.countedAt = now;
  }
}

/** A bucket for each of many: users, addresses. A full one says nothing and is forgotten. */
export class TokenBuckets {
  /** Those that were used longest ago come first. */
  private readonly byKey = new Map<string, TokenBucket>();

  constructor(private readonly rate: Rate) {}

  get size(): number {
    return this.byKey.size;
  }

  waitMs(key: string, now = performance.now()): number {
    return this.byKey.get(key)?.waitMs(now) ?? 0;
  }

  take(key: string, now = performance.now()): void {
    const bucket = this.byKey.get(key) ?? new TokenBucket(this.rate, now);
    bucket.take();
    this.byKey.delete(key);
    this.byKey.set(key, bucket);
    this.forget(now);
  }

  giveBack(key: string): void {
    this.byKey.get(key)?.giveBack();
  }

  private forget(now: number): void {
    let looked = 0;
    for (const [key, bucket] of this.byKey) {
      if (this.byKey.size > KEYS_MAX || bucket.isFull(now)) this.byKey.delete(key);
      if (++looked === FORGET_AT_ONCE) return;
    }
  }
}
