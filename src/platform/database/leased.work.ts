import { Poller } from '../poller.js';
import { LEASE_MAX_MS, type Leases } from './leases.js';

/** Soon after the start: a hub that is restarted every day or every hour must do it too. */
const POLL_INTERVAL_MS = 10_000;
/** A hub that dies at work is replaced after this time. */
const LEASE_MS = 60_000;
const RENEW_INTERVAL_MS = 20_000;
/** From the end of the work to the next time, of any hub. */
const PAUSE_MS = LEASE_MAX_MS;

interface Work {
  /** The lease's name. */
  name: string;
  /** Ends early once `isStopped`. */
  run(isStopped: () => boolean): Promise<void>;
  onFailure(error: unknown): void;
}

/** Work that one hub at a time does, once an hour. */
export class LeasedWork {
  private readonly poller: Poller;
  private stopped = false;
  private startedAt = 0;

  constructor(
    private readonly leases: Leases,
    private readonly work: Work,
  ) {
    const { onFailure } = work;
    this.poller = new Poller({ intervalMs: POLL_INTERVAL_MS, poll: () => this.runInTurn(), onFailure });
  }

  get isStopped(): boolean {
    return this.stopped;
  }

  /** Milliseconds since any hub has done the work, or since the start while this hub has seen none do it. */
  get undoneForMs(): number {
    const dueForMs = this.leases.dueForMs(this.work.name);
    return dueForMs === undefined ? performance.now() - this.startedAt : Math.max(0, dueForMs + PAUSE_MS);
  }

  start(): void {
    this.startedAt = performance.now();
    this.poller.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.poller.stop();
  }

  /** Runs unless another hub does, or has done so within the hour. */
  private async runInTurn(): Promise<void> {
    const { name, run } = this.work;
    if (!(await this.leases.acquire(name, LEASE_MS))) return;
    let isLost = false;
    const renew = async () => {
      isLost = !(await this.leases.acquire(name, LEASE_MS));
    };
    // A failed renewal is repeated by the next.
    const renewal = setInterval(() => renew().catch(() => {}), RENEW_INTERVAL_MS).unref();
    let pauseMs = 0;
    try {
      await run(() => isLost || this.stopped);
      if (!this.stopped) pauseMs = PAUSE_MS;
    } finally {
      clearInterval(renewal);
      await this.leases.release(name, pauseMs);
    }
  }
}
