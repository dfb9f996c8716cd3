import process from 'node:process';
import { BenchSocket } from './bench.socket.js';
import type { Measured } from './wire.js';

interface Sighting {
  at: number;
  by: 'acknowledgement' | 'push';
}

/** Counters and latency samples of a load process. Latencies are in whole microseconds, recorded only within the measured window. */
export class Meter {
  /** Acknowledged commands of the whole run, warm-up included, by message name. */
  readonly done: Record<string, number> = {};
  readonly pushes = { buyer: 0, seller: 0 };
  readonly errors: string[] = [];
  private readonly latenciesUs: number[] = [];
  private readonly pushLagsUs: number[] = [];
  private readonly sendDelaysUs: number[] = [];
  private messages = 0;
  private isMeasuring = false;
  private startedAt = 0;
  private ms = 0;
  private bytes = 0;
  private cpu = process.cpuUsage();
  /** Changes of which only the acknowledgement or only the push has arrived. */
  private readonly firstSightings = new Map<string, Sighting>();

  /** Acknowledged changes of the whole run. */
  get changes(): number {
    return Object.values(this.done).reduce((sum, n) => sum + n, 0);
  }

  begin(): void {
    this.isMeasuring = true;
    this.startedAt = performance.now();
    this.bytes = BenchSocket.bytesReceived;
    this.cpu = process.cpuUsage();
  }

  end(): void {
    this.isMeasuring = false;
    this.ms = performance.now() - this.startedAt;
    this.bytes = BenchSocket.bytesReceived - this.bytes;
    this.cpu = process.cpuUsage(this.cpu);
  }

  answered(now: number, dueAt: number): void {
    if (!this.isMeasuring) return;
    this.messages++;
    this.latenciesUs.push(Math.round((now - dueAt) * 1_000));
  }

  sent(now: number, dueAt: number): void {
    if (this.isMeasuring) this.sendDelaysUs.push(Math.round((now - dueAt) * 1_000));
  }

  /** Records the push lag of a change once both its acknowledgement and its push have arrived, in either order. */
  changeSeen(change: string, by: Sighting['by']): void {
    const at = performance.now();
    const first = this.firstSightings.get(change);
    if (!first) {
      this.firstSightings.set(change, { at, by });
      return;
    }
    this.firstSightings.delete(change);
    if (this.isMeasuring) this.pushLagsUs.push(Math.round((by === 'push' ? at - first.at : first.at - at) * 1_000));
  }

  measured(): Measured {
    const [p50Us, p99Us, slowestUs] = percentiles(this.latenciesUs, [50, 99, 100]);
    const [pushLagUs] = percentiles(this.pushLagsUs, [50]);
    const [lateUs] = percentiles(this.sendDelaysUs, [50]);
    return {
      ...{ messages: this.messages, ms: this.ms, bytes: this.bytes, p50Us, p99Us, slowestUs, pushLagUs, lateUs },
      loadShare: (this.cpu.user + this.cpu.system) / 1_000 / this.ms,
      observed: { done: this.done, pushes: this.pushes },
      errors: this.errors.slice(0, 5),
    };
  }
}

/** Nearest-rank percentiles; 0 if there are no values. */
export function percentiles<Percents extends number[]>(
  values: number[],
  percents: readonly [...Percents],
): { [index in keyof Percents]: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (percent: number) => sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
  return percents.map(at) as { [index in keyof Percents]: number };
}
