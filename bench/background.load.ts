// Background load: replays, lists or searches alongside the measured commands, in a process of its own so that parsing its
// responses does not delay the load process.
import { setTimeout as sleep } from 'node:timers/promises';
import type { OrderStatusPush, RoomReadyPush } from '../src/contract/rooms.js';
import { BenchSocket } from './bench.socket.js';
import { serveRequests } from './child.js';
import { percentiles } from './meter.js';
import type { BackgroundMeasured, BackgroundRequest, BackgroundWork } from './wire.js';

const CLIENTS = 4;
const REPLAY_INTERVAL_MS = 200;
const SEARCH_TERMS = ['Book 1', 'Book 2', 'ook 1', 'Book 9'];

class BackgroundLoad {
  private readonly errors: string[] = [];
  private timesUs: number[] = [];
  private startedAt = performance.now();
  private isStopped = false;
  private readonly running: Promise<unknown>;

  constructor(private readonly work: BackgroundWork) {
    const loops = { replays: () => this.replays(), lists: () => this.lists(), searches: () => this.searches() };
    this.running = loops[work.kind]().catch((error: unknown) => this.errors.push(String(error)));
  }

  /** Discards the samples of the warm-up. */
  mark(): void {
    this.timesUs = [];
    this.startedAt = performance.now();
  }

  async end(): Promise<BackgroundMeasured> {
    const ms = performance.now() - this.startedAt;
    const [p50Us] = percentiles(this.timesUs, [50]);
    const measured = { done: this.timesUs.length, ms, p50Us };
    this.isStopped = true;
    await this.running;
    return { ...measured, errors: this.errors.slice(0, 5) };
  }

  private async replays(): Promise<void> {
    while (!this.isStopped) {
      await this.timed(() => this.replay());
      await sleep(REPLAY_INTERVAL_MS);
    }
  }

  /** Connects with cursor 0 and waits until the room is ready. */
  private async replay(): Promise<void> {
    const { url, market } = this.work;
    let received = 0;
    let onReady: (push: RoomReadyPush) => void = () => {};
    const roomReady = new Promise<RoomReadyPush>((resolve) => {
      onReady = resolve;
    });
    const handlers = {
      'order:status': ({ seq }: OrderStatusPush) => {
        if (seq !== ++received) this.errors.push(`replayed ${seq} instead of ${received}`);
      },
      'room:ready': (push: RoomReadyPush) => onReady(push),
    };
    const auth = { token: market.returning?.token, last: { buyer: 0 } };
    const socket = await BenchSocket.open(url, auth, handlers, (reason) => this.socketClosed(reason));
    const ready = await roomReady;
    if (received !== market.missed || !ready.rooms.buyer?.complete)
      this.errors.push(`replayed ${received} of ${market.missed}`);
    socket.close();
  }

  private async lists(): Promise<void> {
    const clients = this.work.market.buyers.slice(0, CLIENTS).map(async ({ token }) => {
      const socket = await BenchSocket.open(this.work.url, { token }, {}, (reason) => this.socketClosed(reason));
      while (!this.isStopped) {
        await this.timed(async () => {
          const { ok, error } = await socket.request('order:list', { role: 'buyer' });
          if (!ok) this.errors.push(JSON.stringify(error));
        });
      }
      socket.close();
    });
    await Promise.all(clients);
  }

  /** Searches all stores over HTTP. */
  private async searches(): Promise<void> {
    const clients = SEARCH_TERMS.slice(0, CLIENTS).map(async (term) => {
      const url = `${this.work.url}/books?q=${encodeURIComponent(term)}`;
      while (!this.isStopped) {
        await this.timed(async () => {
          const response = await fetch(url);
          const { items } = (await response.json()) as { items?: object[] };
          if (!items?.length) this.errors.push(`no search results: ${response.status}`);
        });
      }
    });
    await Promise.all(clients);
  }

  private async timed(work: () => Promise<void>): Promise<void> {
    const start = performance.now();
    await work();
    this.timesUs.push(Math.round((performance.now() - start) * 1_000));
  }

  private socketClosed(reason: string): void {
    this.errors.push(`socket closed: ${reason}`);
  }
}

let load: BackgroundLoad | undefined;
serveRequests(async (request: BackgroundRequest) => {
  if (request.type === 'begin') load = new BackgroundLoad(request.work);
  else if (request.type === 'mark') load?.mark();
  else return load?.end();
  return undefined;
});
