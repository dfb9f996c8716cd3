import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Database } from '../database/database.js';
import type { Logger } from '../observability/logger.js';
import { Poller } from '../poller.js';

const POLL_INTERVAL_MS = 1_000;
/** The first reading is the worst: it may have opened the connection. */
const READINGS_AT_START = 3;
/** A clock that differs by more is off, and a step of more is a jump: no network delay and no adjusted clock explains it. */
export const CLOCK_TOLERANCE_MS = 5_000;

const IS_OFF = "this machine's clock is off: the hub goes by the database's clock and is not ready";
const IS_RIGHT = "this machine's clock is right again";
const JUMPED = "the time has jumped: the database's clock and this machine's agree on it";
const NOT_FOLLOWED = "the database's clock has jumped and this machine's has not: the hub does not follow";
const AGREES = "the database's clock agrees with the hub's time again";

/** Where the hub's time, minus `performance.now()`, lies according to one reading of the database's clock. */
interface Bounds {
  min: number;
  max: number;
}

/**
 * The time by which every hub decides: the database's clock, which hubs share, counted on by this process's monotonic clock. The
 * embedded database has this machine's clock. Nothing but logs, traces and pauses goes by the machine's own time.
 */
@Injectable()
export class Clock implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly poller: Poller;
  private latest = 0;
  /**
   * How far this machine's clock was ahead of the hub's time when the database last confirmed that, and the time before: while the last
   * reading was under way, the machine may have been suspended.
   */
  private machineAheadMs: readonly number[];
  private offByMs = 0;
  /** How far a sandbox has moved the time on. */
  private aheadMs = 0;
  private isDoubted = false;

  private constructor(
    private readonly database: Database,
    private readonly logger: Logger,
    /** The hub's time minus `performance.now()`. */
    private offsetMs: number,
  ) {
    this.machineAheadMs = [this.machineAheadOf(offsetMs)];
    this.poller = new Poller({
      intervalMs: POLL_INTERVAL_MS,
      poll: () => this.poll(),
      onFailure: (error) => logger.warn({ error: String(error) }, "the database's clock cannot be read now"),
    });
  }

  /** A clock that is right from its first `now()` on. Throws if the database cannot be reached. */
  static async start(database: Database, logger: Logger): Promise<Clock> {
    const { min, max } = await read(database);
    const clock = new Clock(database, logger, (min + max) / 2);
    for (let reading = 1; reading < READINGS_AT_START; reading++) clock.adjust(await read(database));
    return clock;
  }

  onApplicationBootstrap(): void {
    this.reportMachine();
    this.poller.start();
  }

  /** Before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.poller.stop();
  }

  /** Epoch milliseconds. It stands still, rather than going back, where the database's clock is set back by a little. */
  now(): number {
    return this.realNow() + this.aheadMs;
  }

  /** The time that no sandbox moves. Sessions and API keys expire by it, leases lapse by it, and other servers know it. */
  realNow(): number {
    this.latest = Math.max(this.latest, Math.floor(performance.now() + this.offsetMs));
    return this.latest;
  }

  /** The time of the hub at a real time, to show one. */
  fromReal(epochMs: number): number {
    return epochMs + this.aheadMs;
  }

  /** The real time at a time of the hub, to keep one. */
  toReal(epochMs: number): number {
    return epochMs - this.aheadMs;
  }

  /** Puts the hub's time this far ahead of the real one: for a sandbox only. */
  setAhead(ms: number): void {
    this.aheadMs = ms;
  }

  /** How far this machine's clock is from the hub's time, in milliseconds, if that is too far: positive when it is ahead. */
  get machineOffByMs(): number | undefined {
    return Math.abs(this.offByMs) > CLOCK_TOLERANCE_MS ? this.offByMs : undefined;
  }

  private async poll(): Promise<void> {
    this.adjust(await read(this.database));
    this.reportMachine();
  }

  /** Moves the time only as far as the reading proves it wrong, so that slow answers do not make it tremble. */
  private adjust({ min, max }: Bounds): void {
    const offsetMs = Math.min(max, Math.max(min, this.offsetMs));
    const stepMs = offsetMs - this.offsetMs;
    const isJump = Math.abs(stepMs) > CLOCK_TOLERANCE_MS;
    if (isJump && !this.isConfirmed(offsetMs)) {
      // A failover to a server whose clock is wrong must not end every session: this hub has no reason to doubt its own time.
      if (!this.isDoubted) this.logger.warn({ byMs: Math.round(stepMs) }, NOT_FOLLOWED);
      this.isDoubted = true;
      return;
    }
    if (isJump) {
      this.logger.warn({ byMs: Math.round(stepMs) }, JUMPED);
      this.latest = 0;
    }
    if (this.isDoubted) this.logger.info({}, AGREES);
    this.isDoubted = false;
    this.offsetMs = offsetMs;
    this.machineAheadMs = [this.machineAheadOf(offsetMs), ...this.machineAheadMs.slice(0, 1)];
  }

  /** Whether this machine's clock shows the jumped time, or has made the same jump: after a suspension both have. */
  private isConfirmed(offsetMs: number): boolean {
    const aheadMs = this.machineAheadOf(offsetMs);
    const jumps = this.machineAheadMs.map((before) => aheadMs - before);
    return [aheadMs, ...jumps].some((ms) => Math.abs(ms) <= CLOCK_TOLERANCE_MS);
  }

  private machineAheadOf(offsetMs: number): number {
    return Date.now() - (performance.now() + offsetMs);
  }

  private reportMachine(): void {
    const wasOff = this.machineOffByMs !== undefined;
    this.offByMs = Math.round(this.machineAheadOf(this.offsetMs));
    const isOff = this.machineOffByMs !== undefined;
    if (isOff && !wasOff) this.logger.warn({ offByMs: this.offByMs }, IS_OFF);
    if (wasOff && !isOff) this.logger.info({}, IS_RIGHT);
  }
}

async function read(database: Database): Promise<Bounds> {
  const sentAt = performance.now();
  const time = await database.time();
  // The database read its clock, in whole milliseconds, at some moment between the two.
  return { min: time - performance.now(), max: time + 1 - sentAt };
}
