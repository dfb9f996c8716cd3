import type { HubSocket } from './socket.js';

/**
 * Who was told "not now" is not read from for so long. What a flood sends meanwhile is read and refused together, at a fraction
 * of what each message would cost by itself; and whoever waits as told does not notice.
 */
const REST_MS = 100;
/** So many refusals a second leave the hub most of its time for what it has taken on. With more, the rests get longer. */
const REFUSALS_PER_SECOND = 8_000;
const REST_TIMES_MAX = 30;

/** Keeps refusing from becoming the hub's main work: the flood waits in its own lines, where it costs nothing. */
export class Rest {
  private refusals = 0;
  private windowBegan = performance.now();
  private times = 1;

  /** Lets a socket rest that was refused. */
  give({ conn }: HubSocket): void {
    this.count();
    const line = conn.request.socket;
    if (line.isPaused()) return;
    line.pause();
    setTimeout(() => line.resume(), REST_MS * this.times);
  }

  private count(): void {
    this.refusals++;
    const ms = performance.now() - this.windowBegan;
    if (ms < REST_MS) return;
    const share = this.refusals / ((REFUSALS_PER_SECOND * ms) / 1_000);
    this.times = Math.min(REST_TIMES_MAX, Math.max(1, this.times * share));
    this.refusals = 0;
    this.windowBegan += ms;
  }
}
