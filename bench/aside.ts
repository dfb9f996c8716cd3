// A process beside the load, so that what it reads does not hold up those who are measured.
import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderStatusPush, RoomReadyPush } from '../src/contract/rooms.js';
import { answer } from './child.js';
import { Line } from './line.js';
import { percentiles } from './meter.js';
import type { AsideMeasured, AsideWork, ToAside } from './wire.js';

const AT_ONCE = 4;
const BETWEEN_REPLAYS_MS = 200;
const WORDS = ['Book 1', 'Book 2', 'ook 1', 'Book 9'];

class Others {
  private readonly faults: string[] = [];
  private timesUs: number[] = [];
  private since = performance.now();
  private isOver = false;
  private readonly underWay: Promise<unknown>;

  constructor(private readonly work: AsideWork) {
    const going = { replays: () => this.replays(), lists: () => this.lists(), searches: () => this.searches() };
    this.underWay = going[work.aside]().catch((error: unknown) => this.faults.push(String(error)));
  }

  mark(): void {
    this.timesUs = [];
    this.since = performance.now();
  }

  async end(): Promise<AsideMeasured> {
    const ms = performance.now() - this.since;
    const [p50Us] = percentiles(this.timesUs, [50]);
    const measured = { done: this.timesUs.length, ms, p50Us };
    this.isOver = true;
    await this.underWay;
    return { ...measured, faults: this.faults.slice(0, 5) };
  }

  /** Somebody comes back who has seen nothing yet, again and again, with a breath between. */
  private async replays(): Promise<void> {
    while (!this.isOver) {
      await this.timed(() => this.replay());
      await sleep(BETWEEN_REPLAYS_MS);
    }
  }

  private async replay(): Promise<void> {
    const { url, market } = this.work;
    let heard = 0;
    let become: (push: RoomReadyPush) => void = () => {};
    const isReady = new Promise<RoomReadyPush>((resolve) => {
      become = resolve;
    });
    const ears = {
      'order:status': ({ seq }: OrderStatusPush) => {
        if (seq !== ++heard) this.faults.push(`replayed ${seq} instead of ${heard}`);
      },
      'room:ready': (push: RoomReadyPush) => become(push),
    };
    const auth = { token: market.returning?.token, last: { buyer: 0 } };
    const line = await Line.open(url, auth, ears, (why) => this.faults.push(`cut off: ${why}`));
    const ready = await isReady;
    if (heard !== market.missed || !ready.rooms.buyer.complete)
      this.faults.push(`replayed ${heard} of ${market.missed}`);
    line.close();
  }

  /** People who leaf through their orders. */
  private async lists(): Promise<void> {
    const readers = this.work.market.buyers.slice(0, AT_ONCE).map(async ({ token }) => {
      const line = await Line.open(this.work.url, { token }, {}, (why) => this.faults.push(`cut off: ${why}`));
      while (!this.isOver) {
        await this.timed(async () => {
          const { ok, error } = await line.ask('order:list', { role: 'buyer' });
          if (!ok) this.faults.push(JSON.stringify(error));
        });
      }
      line.close();
    });
    await Promise.all(readers);
  }

  /** People who look for a book, in all stores. */
  private async searches(): Promise<void> {
    const readers = WORDS.slice(0, AT_ONCE).map(async (word) => {
      const address = `${this.work.url}/books?q=${encodeURIComponent(word)}`;
      while (!this.isOver) {
        await this.timed(async () => {
          const response = await fetch(address);
          const { items } = (await response.json()) as { items?: object[] };
          if (!items?.length) this.faults.push(`found nothing: ${response.status}`);
        });
      }
    });
    await Promise.all(readers);
  }

  private async timed(work: () => Promise<void>): Promise<void> {
    const from = performance.now();
    await work();
    this.timesUs.push(Math.round((performance.now() - from) * 1_000));
  }
}

let others: Others | undefined;
answer(async (question: ToAside) => {
  if (question.say === 'begin') others = new Others(question.work);
  else if (question.say === 'mark') others?.mark();
  else return others?.end();
  return undefined;
});
