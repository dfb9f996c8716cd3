// The load process: holds the sockets of all buyers and sellers, sends commands, and counts answers and pushes.
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchSocket } from './bench.socket.js';
import { serveRequests } from './child.js';
import { ClientPool } from './client.pool.js';
import { Meter } from './meter.js';
import type { LoadNotice, LoadRequest, Measured, Step, Work } from './wire.js';

const PUSH_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
/** Share of the prepared orders reserved for the measured window. */
const RESERVED_SHARE = 0.75;
/** Share of the target rate at which an open loop starts. */
const INITIAL_RATE_SHARE = 0.1;
/** Below any party's number of orders, so that a page is equally long at any table size. */
const LIST_LIMIT = 10;
/** Keeps idempotency keys unique where runs share a database. */
const RUN_ID = Math.random().toString(36).slice(2, 10);

interface PlacedOrder {
  orderId: string;
  buyer: BenchSocket;
  seller: BenchSocket;
}
type OrderAnswer = { orderId: string; version: number } | undefined;

class Load {
  readonly clients: ClientPool;
  private readonly meter = new Meter();
  private turn = 0;

  constructor(private readonly work: Work) {
    this.clients = new ClientPool(work.urls, work.market, this.meter);
  }

  async run(notify: (notice: LoadNotice) => void): Promise<Measured> {
    const { before, warmUpMs, measureMs } = this.work;
    // A lost answer must not hang the run: closing the sockets fails pending requests, which invalidates it.
    const timeout = setTimeout(() => this.clients.close(), 2 * (warmUpMs + measureMs) + ANSWER_TIMEOUT_MS);
    if (before) {
      const end = performance.now() + warmUpMs + measureMs;
      const orders = await this.prepare(before, () => performance.now() < end);
      // Preparing warms up everything but the measured step itself, so a short warm-up is enough.
      await this.measure(notify, warmUpMs / 4, orders);
    } else await this.measure(notify, warmUpMs);
    await this.allPushes();
    clearTimeout(timeout);
    this.clients.close();
    return this.meter.measured();
  }

  /** Brings orders to the state in which the measured steps begin. */
  private async prepare(steps: Step[], continues: () => boolean): Promise<PlacedOrder[]> {
    const orders: PlacedOrder[] = [];
    await this.closedLoop(continues, async () => {
      const order = await this.runSteps(steps);
      if (order) orders.push(order);
    });
    return orders;
  }

  /**
   * The load outlasts the measured window on both sides, so that neither ramp-up nor drain is counted. A quarter of the
   * prepared orders serves the warm-up; the window ends early if the rest runs out.
   */
  private async measure(notify: (notice: LoadNotice) => void, warmUpMs: number, orders?: PlacedOrder[]): Promise<void> {
    const { steps, rate, measureMs } = this.work;
    let isOver = false;
    const reserved = (orders?.length ?? 0) * RESERVED_SHARE;
    const [warmUpUsed, endWarmUp] = signal();
    const [ordersUsed, endWindow] = signal();
    const window = async () => {
      await Promise.race([sleep(warmUpMs), warmUpUsed]);
      this.meter.begin();
      notify({ phase: 'measuring' });
      await Promise.race([sleep(measureMs), ordersUsed]);
      this.meter.end();
      notify({ phase: 'measured' });
      isOver = true;
    };
    const continues = () => {
      if (orders && orders.length <= reserved) endWarmUp();
      if (orders?.length === 0) endWindow();
      return !isOver && orders?.length !== 0;
    };
    const runOne = (dueAt?: number) => this.runSteps(steps, orders?.pop(), dueAt);
    const windowOver = window();
    if (rate) await this.openLoop(rate, warmUpMs / 2, continues, runOne);
    else if (steps.length > 0) await this.closedLoop(continues, () => runOne());
    await windowOver;
  }

  /** Keeps `inFlight` commands pending: each answer triggers the next command. */
  private async closedLoop(continues: () => boolean, runOne: () => Promise<unknown>): Promise<void> {
    const slot = async () => {
      while (continues()) await runOne();
    };
    await Promise.all(Array.from({ length: this.work.inFlight }, slot));
  }

  /**
   * Sends at fixed times whatever the answers, and measures from those times, so that a slow answer or a late timer cannot
   * hide the delay of later commands (coordinated omission). The rate ramps up: half of a warm system's peak overloads a
   * cold one, and a hub would shed the excess.
   */
  private async openLoop(
    rate: number,
    rampMs: number,
    continues: () => boolean,
    runOne: (dueAt: number) => Promise<unknown>,
  ): Promise<void> {
    const pending = new Set<Promise<unknown>>();
    const start = performance.now();
    const share = (at: number) => Math.min(1, INITIAL_RATE_SHARE + (at - start) / rampMs);
    for (let dueAt = start; continues(); dueAt += 1_000 / (rate * share(dueAt))) {
      const wait = dueAt - performance.now();
      if (wait > 0) await sleep(wait);
      this.meter.sent(performance.now(), dueAt);
      const command = runOne(dueAt).finally(() => pending.delete(command));
      pending.add(command);
    }
    await Promise.all(pending);
  }

  private async runSteps(
    steps: Step[],
    order?: PlacedOrder,
    dueAt = performance.now(),
  ): Promise<PlacedOrder | undefined> {
    let placed = order;
    let due = dueAt;
    for (const step of steps) {
      if (step === 'list') await this.list(due);
      else if (step === 'place') placed = await this.place(due);
      else if (placed) await this.change(step, placed, due);
      due = performance.now();
    }
    return placed;
  }

  private async list(dueAt: number): Promise<void> {
    const buyer = this.clients.buyers[this.turn++ % this.clients.buyers.length];
    if (buyer) await this.send(buyer, 'order:list', { role: 'buyer', limit: LIST_LIMIT }, dueAt);
  }

  private async place(dueAt: number): Promise<PlacedOrder | undefined> {
    const { market, contention } = this.work;
    const turn = this.turn++;
    const store = contention === 'spread' ? turn % market.sellers.length : 0;
    const book = contention === 'one book' ? 1 : 1 + (Math.floor(turn / market.sellers.length) % market.books);
    const buyer = this.clients.buyers[turn % this.clients.buyers.length];
    const seller = this.clients.sellers[store];
    if (!buyer || !seller) throw new Error('The market has no buyers or no sellers');
    const items = [{ bookId: `book-${book}`, count: 1 }];
    const message = { storeId: market.sellers[store]?.storeId, items, key: `place-${RUN_ID}-${turn}` };
    const order = await this.command(buyer, 'order:place', message, dueAt);
    return order && { orderId: order.orderId, buyer, seller };
  }

  private async change(
    step: 'pay' | 'ship' | 'receive',
    { orderId, buyer, seller }: PlacedOrder,
    dueAt: number,
  ): Promise<void> {
    const details = step === 'ship' ? { carrier: 'SF', trackingNo: `SF${orderId.slice(-10)}` } : {};
    const message = { orderId, ...details, key: `${step}-${orderId}` };
    await this.command(step === 'ship' ? seller : buyer, `order:${step}`, message, dueAt);
  }

  private async command(socket: BenchSocket, name: string, message: object, dueAt: number): Promise<OrderAnswer> {
    const order = (await this.send(socket, name, message, dueAt)) as OrderAnswer;
    if (!order) return undefined;
    this.meter.done[name] = (this.meter.done[name] ?? 0) + 1;
    this.meter.changeSeen(`${order.orderId} ${order.version}`, 'acknowledgement');
    return order;
  }

  private async send(socket: BenchSocket, name: string, message: object, dueAt: number): Promise<unknown> {
    const answer = await socket.request(name, message);
    if (!answer.ok) {
      this.meter.errors.push(`${name}: ${JSON.stringify(answer)}`);
      // After an immediate rejection the slot would retry in the same turn and starve the event loop.
      await sleep(1);
      return undefined;
    }
    this.meter.answered(performance.now(), dueAt);
    return answer.data;
  }

  private async allPushes(): Promise<void> {
    const { pushes } = this.meter;
    const end = performance.now() + PUSH_TIMEOUT_MS;
    while (Math.min(pushes.buyer, pushes.seller) < this.meter.changes && performance.now() < end) await sleep(20);
  }
}

function signal(): [promise: Promise<void>, resolve: () => void] {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return [promise, resolve];
}

let load: Load | undefined;
serveRequests(async (request: LoadRequest, notify) => {
  if (request.type === 'connect') {
    load = new Load(request.work);
    await load.clients.connect();
  } else if (request.type === 'connect idle') await load?.clients.connectIdle(request.parties);
  else return load?.run(notify);
  return undefined;
});
