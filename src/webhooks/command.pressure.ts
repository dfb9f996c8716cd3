import { performance } from 'node:perf_hooks';

const WINDOW_MS = 250;
/** Of the time in which the process has anything to do. */
const BUSY = 0.6;
const EVENTS_PER_SECOND = 100;

/** A request costs a third of an order, which has two events: a twentieth of the commands' time. */
const REQUESTS_PER_EVENT = 0.08;
const REQUESTS_MIN = 8;

/**
 * Whether commands take most of this process's time. A request to a webhook costs a third of an order: while the hub is at its limit,
 * fewer are sent, each with more events.
 */
export class CommandPressure {
  isHigh = false;
  /** How many requests may begin, until it is measured again, while the pressure is high. */
  requestsMax = REQUESTS_MIN;
  private events = 0;
  private since = performance.now();
  private utilization = performance.eventLoopUtilization();

  /** An event of a command was committed. */
  count(): void {
    this.events++;
  }

  measure(): void {
    const ms = performance.now() - this.since;
    if (ms < WINDOW_MS) return;
    const { utilization } = performance.eventLoopUtilization(this.utilization);
    this.isHigh = utilization > BUSY && this.events > (EVENTS_PER_SECOND * ms) / 1_000;
    this.requestsMax = Math.max(REQUESTS_MIN, Math.floor(this.events * REQUESTS_PER_EVENT));
    this.events = 0;
    this.since = performance.now();
    this.utilization = performance.eventLoopUtilization();
  }
}
