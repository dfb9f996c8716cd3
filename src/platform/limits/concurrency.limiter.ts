import { HubError } from '../../contract/errors.js';
import { ANSWER_TIMEOUT_MS } from './timeouts.js';

interface Bounds {
  maxConcurrent: number;
  maxQueued: number;
  /** Of one key, such as a user; unbounded if not given. */
  maxConcurrentPerKey?: number;
  maxQueuedPerKey?: number;
}

interface TaskOptions {
  /** Whose task it is. */
  key?: string | undefined;
  isConnected?: (() => boolean) | undefined;
}

interface QueuedTask {
  queuedAt: number;
  isConnected(): boolean;
  start(): void;
  reject(error: HubError): void;
}

/** The tasks of one key. */
interface Share {
  running: number;
  /** Tasks that have started and do not hold a slot while they rest. */
  resting: number;
  queue: QueuedTask[];
}

const RETRY_AFTER_MIN_MS = 100;
/** Weight of the latest task in the moving average of their duration. */
const AVERAGE_WEIGHT = 0.1;

/**
 * Bounds the number of concurrent tasks and of those queued; beyond that, tasks are rejected at once with `OVERLOADED`. Keys take
 * turns, so that one with many tasks does not delay those of another.
 */
export class ConcurrencyLimiter {
  private running = 0;
  private queued = 0;
  private averageMs = 10;
  /** Keys with tasks; the one whose turn is next comes first. */
  private readonly shares = new Map<string, Share>();

  constructor(private readonly bounds: Bounds) {}

  /** Runs a task, those of a key in order of arrival. Rejects with `UNAVAILABLE` when its client has disconnected or timed out meanwhile. */
  async run<T>(task: () => Promise<T>, { key = '', isConnected = () => true }: TaskOptions = {}): Promise<T> {
    const share = this.shareOf(key);
    if (this.running < this.bounds.maxConcurrent && this.hasRoom(share)) this.occupy(share);
    else await this.enqueue(key, share, isConnected);
    const startedAt = performance.now();
    try {
      return await task();
    } finally {
      this.averageMs += AVERAGE_WEIGHT * (performance.now() - startedAt - this.averageMs);
      this.release(share);
      this.forgetIdle(key, share);
    }
  }

  queuedOf(key: string): number {
    return this.shares.get(key)?.queue.length ?? 0;
  }

  /** Lets other keys' tasks run while the calling task waits. It goes on in any case, so that it holds its memory no longer. */
  async rest(key: string, wait: () => Promise<void>): Promise<void> {
    const share = this.shareOf(key);
    share.resting++;
    this.release(share);
    try {
      await wait();
    } finally {
      share.resting--;
      this.occupy(share);
    }
  }

  private shareOf(key: string): Share {
    const share = this.shares.get(key) ?? { running: 0, resting: 0, queue: [] };
    this.shares.set(key, share);
    return share;
  }

  private forgetIdle(key: string, { running, resting, queue }: Share): void {
    if (running + resting + queue.length === 0) this.shares.delete(key);
  }

  private hasRoom({ running, resting }: Share): boolean {
    return running + resting < (this.bounds.maxConcurrentPerKey ?? this.bounds.maxConcurrent);
  }

  private occupy(share: Share): void {
    share.running++;
    this.running++;
  }

  private release(share: Share): void {
    share.running--;
    this.running--;
    this.startNext();
  }

  private enqueue(key: string, share: Share, isConnected: () => boolean): Promise<void> {
    const { maxConcurrent, maxQueued, maxQueuedPerKey = maxQueued } = this.bounds;
    if (this.queued >= maxQueued || share.queue.length >= maxQueuedPerKey) {
      this.forgetIdle(key, share);
      const jitter = 1 + Math.random();
      const queueMs = (this.queued / maxConcurrent) * this.averageMs;
      throw new HubError('OVERLOADED', undefined, {
        retryAfterMs: Math.round(Math.max(RETRY_AFTER_MIN_MS, queueMs) * jitter),
      });
    }
    this.queued++;
    return new Promise((resolve, reject) => {
      const start = () => {
        this.occupy(share);
        resolve();
      };
      const giveUp = (error: HubError) => {
        this.forgetIdle(key, share);
        reject(error);
      };
      share.queue.push({ queuedAt: performance.now(), isConnected, start, reject: giveUp });
    });
  }

  /** Hands a free slot to the first task of the next key that may run one more. */
  private startNext(): void {
    if (this.queued === 0 || this.running >= this.bounds.maxConcurrent) return;
    for (const [key, share] of this.shares) {
      const next = this.hasRoom(share) ? this.firstWanted(share) : undefined;
      if (!next) continue;
      // To the end: its next task waits until the other keys had their turn.
      this.shares.delete(key);
      this.shares.set(key, share);
      next.start();
      return;
    }
  }

  /** Takes the first queued task whose client still waits. */
  private firstWanted({ queue }: Share): QueuedTask | undefined {
    const expiredBefore = performance.now() - ANSWER_TIMEOUT_MS;
    for (let next = queue.shift(); next; next = queue.shift()) {
      this.queued--;
      if (next.queuedAt >= expiredBefore && next.isConnected()) return next;
      next.reject(new HubError('UNAVAILABLE'));
    }
    return undefined;
  }
}
