import process from 'node:process';
import { Line } from './line.js';
import type { Measured } from './wire.js';

/** What a process of load has seen. Times in whole microseconds, counted only while measuring. */
export class Meter {
  /** Acknowledged commands, by message, from the first to the last: while measuring or not. */
  readonly done: Record<string, number> = {};
  readonly pushes = { buyer: 0, seller: 0 };
  readonly faults: string[] = [];
  private readonly latenciesUs: number[] = [];
  private readonly pushLagsUs: number[] = [];
  private readonly latesUs: number[] = [];
  /** Messages answered while measuring. */
  private messages = 0;
  private isOn = false;
  private since = 0;
  private ms = 0;
  private bytes = 0;
  private cpu = process.cpuUsage();
  /** When the sender of a change was answered, or the other party heard of it, whichever came first. */
  private readonly firstAt = new Map<string, { at: number; isPush: boolean }>();

  /** Changes that were acknowledged. */
  get changes(): number {
    return Object.values(this.done).reduce((sum, n) => sum + n, 0);
  }

  begin(): void {
    this.isOn = true;
    this.since = performance.now();
    this.bytes = Line.heard;
    this.cpu = process.cpuUsage();
  }

  end(): void {
    this.isOn = false;
    this.ms = performance.now() - this.since;
    this.bytes = Line.heard - this.bytes;
    this.cpu = process.cpuUsage(this.cpu);
  }

  answeredAt(now: number, dueAt: number): void {
    if (!this.isOn) return;
    this.messages++;
    this.latenciesUs.push(Math.round((now - dueAt) * 1_000));
  }

  sentAt(now: number, dueAt: number): void {
    if (this.isOn) this.latesUs.push(Math.round((now - dueAt) * 1_000));
  }

  /** How much later the other party heard of a change than its sender was answered; below zero when it was sooner. */
  met(change: string, isPush: boolean): void {
    const at = performance.now();
    const first = this.firstAt.get(change);
    if (!first) {
      this.firstAt.set(change, { at, isPush });
      return;
    }
    this.firstAt.delete(change);
    if (this.isOn) this.pushLagsUs.push(Math.round((isPush ? at - first.at : first.at - at) * 1_000));
  }

  measured(): Measured {
    const [p50Us, p99Us, slowestUs] = percentiles(this.latenciesUs, [50, 99, 100]);
    const [pushLagUs] = percentiles(this.pushLagsUs, [50]);
    const [lateUs] = percentiles(this.latesUs, [50]);
    return {
      ...{ messages: this.messages, ms: this.ms, bytes: this.bytes, p50Us, p99Us, slowestUs, pushLagUs, lateUs },
      loadShare: (this.cpu.user + this.cpu.system) / 1_000 / this.ms,
      told: { done: this.done, pushes: this.pushes },
      faults: this.faults.slice(0, 5),
    };
  }
}

/** Zero where there are no values. */
export function percentiles<Percents extends number[]>(
  values: number[],
  percents: readonly [...Percents],
): { [index in keyof Percents]: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (percent: number) => sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
  return percents.map(at) as { [index in keyof Percents]: number };
}
