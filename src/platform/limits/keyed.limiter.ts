import { HubError } from '../../contract/errors.js';

/** Bounds concurrent tasks per key. Those of one key run in order of arrival, and wait for those of no other. */
export class KeyedLimiter {
  private readonly shares = new Map<string, { running: number; queue: (() => void)[] }>();

  constructor(private readonly maxPerKey: number) {}

  /** Runs the task, or rejects with `UNAVAILABLE` if it cannot start within `waitMs`. */
  async run<T>(key: string, waitMs: number, task: () => Promise<T>): Promise<T> {
    const share = this.shares.get(key) ?? { running: 0, queue: [] };
    this.shares.set(key, share);
    if (share.running < this.maxPerKey) share.running++;
    else await this.enqueue(share.queue, waitMs);
    try {
      return await task();
    } finally {
      const next = share.queue.shift();
      if (next) next();
      else if (--share.running === 0) this.shares.delete(key);
    }
  }

  private enqueue(queue: (() => void)[], waitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(start), 1);
        reject(new HubError('UNAVAILABLE'));
      }, waitMs);
      queue.push(start);
    });
  }
}
