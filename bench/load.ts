// A process of load: holds the sockets of all buyers and sellers, gives commands, and counts what it is told.
import { setTimeout as sleep } from 'node:timers/promises';
import { answer } from './child.js';
import { Crowd } from './crowd.js';
import type { Line } from './line.js';
import { Meter } from './meter.js';
import type { LoadNotice, Measured, Step, ToLoad, Work } from './wire.js';

const PUSHES_WITHIN_MS = 10_000;
const ANSWERS_WITHIN_MS = 30_000;
/** Of what was prepared, when a system takes it faster than it prepared it. */
const KEPT_TO_MEASURE = 0.75;
/** Of the rate at which commands are due, when they are due at fixed moments. */
const RATE_AT_FIRST = 0.1;
/** Fewer than anybody has, so that a list is as long whatever is in the tables. */
const LISTED = 10;

interface Placed {
  orderId: string;
  buyer: Line;
  seller: Line;
}

class Load {
  readonly crowd: Crowd;
  private readonly meter = new Meter();
  private turn = 0;

  constructor(private readonly work: Work) {
    this.crowd = new Crowd(work.urls, work.market, this.meter);
  }

  async run(notice: (what: LoadNotice) => void): Promise<Measured> {
    const { before, warmUpMs, measureMs } = this.work;
    // A system that loses an answer must not hold everything up: the run ends, and does not count.
    const patience = setTimeout(() => this.crowd.close(), 2 * (warmUpMs + measureMs) + ANSWERS_WITHIN_MS);
    if (before) {
      const end = performance.now() + warmUpMs + measureMs;
      const orders = await this.prepare(before, () => performance.now() < end);
      // Brought where they are by the same system, so that it is warm: only the new step is not.
      await this.measure(notice, warmUpMs / 4, orders);
    } else await this.measure(notice, warmUpMs);
    await this.heardAll();
    clearTimeout(patience);
    this.crowd.close();
    return this.meter.measured();
  }

  /** Brings orders to where the measured steps begin. */
  private async prepare(steps: Step[], goesOn: () => boolean): Promise<Placed[]> {
    const orders: Placed[] = [];
    await this.inTurns(goesOn, async () => {
      const order = await this.carryOut(steps);
      if (order) orders.push(order);
    });
    return orders;
  }

  /**
   * The load goes on until after the end of what is measured, so that neither how it begins nor how it runs out counts.
   * Of prepared orders a quarter is left to the warm-up, and it ends early when there are none left.
   */
  private async measure(notice: (what: LoadNotice) => void, afterMs: number, orders?: Placed[]): Promise<void> {
    const { steps, rate, measureMs } = this.work;
    let isOver = false;
    const kept = (orders?.length ?? 0) * KEPT_TO_MEASURE;
    const [mustBegin, begin] = signal();
    const [ranOut, runOut] = signal();
    const window = async () => {
      await Promise.race([sleep(afterMs), mustBegin]);
      this.meter.begin();
      notice('measuring');
      await Promise.race([sleep(measureMs), ranOut]);
      this.meter.end();
      notice('measured');
      isOver = true;
    };
    const goesOn = () => {
      if (orders && orders.length <= kept) begin();
      if (orders?.length === 0) runOut();
      return !isOver && orders?.length !== 0;
    };
    const one = (dueAt?: number) => this.carryOut(steps, orders?.pop(), dueAt);
    const over = window();
    if (rate) await this.atRate(rate, afterMs / 2, goesOn, one);
    else if (steps.length > 0) await this.inTurns(goesOn, () => one());
    await over;
  }

  /** Keeps so many under way: the next begins when one is answered. */
  private async inTurns(goesOn: () => boolean, one: () => Promise<unknown>): Promise<void> {
    const slot = async () => {
      while (goesOn()) await one();
    };
    await Promise.all(Array.from({ length: this.work.inFlight }, slot));
  }

  /**
   * Begins at fixed moments, whatever is answered, and counts from those moments: so that a slow answer cannot hide the wait
   * of those behind it, nor a timer that is late. The rate rises at first: half of what a warm system can do is more than a
   * cold one can, and a hub would refuse what comes too soon.
   */
  private async atRate(
    rate: number,
    risingMs: number,
    goesOn: () => boolean,
    one: (dueAt: number) => Promise<unknown>,
  ): Promise<void> {
    const underWay = new Set<Promise<unknown>>();
    const from = performance.now();
    const share = (at: number) => Math.min(1, RATE_AT_FIRST + (at - from) / risingMs);
    for (let dueAt = from; goesOn(); dueAt += 1_000 / (rate * share(dueAt))) {
      const wait = dueAt - performance.now();
      if (wait > 0) await sleep(wait);
      this.meter.sentAt(performance.now(), dueAt);
      const sent = one(dueAt).finally(() => underWay.delete(sent));
      underWay.add(sent);
    }
    await Promise.all(underWay);
  }

  private async carryOut(steps: Step[], order?: Placed, dueAt = performance.now()): Promise<Placed | undefined> {
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
    const buyer = this.crowd.buyers[this.turn++ % this.crowd.buyers.length];
    if (buyer) await this.send(buyer, 'order:list', { role: 'buyer', limit: LISTED }, dueAt);
  }

  private async place(dueAt: number): Promise<Placed | undefined> {
    const { market, shelf } = this.work;
    const turn = this.turn++;
    const store = shelf === 'spread' ? turn % market.sellers.length : 0;
    const book = shelf === 'one book' ? 1 : 1 + (Math.floor(turn / market.sellers.length) % market.books);
    const buyer = this.crowd.buyers[turn % this.crowd.buyers.length];
    const seller = this.crowd.sellers[store];
    if (!buyer || !seller) throw new Error('The market is empty');
    const items = [{ bookId: `book-${book}`, count: 1 }];
    const message = { storeId: market.sellers[store]?.storeId, items, key: `place-${RUN}-${turn}` };
    const order = await this.command(buyer, 'order:place', message, dueAt);
    return order && { orderId: order.orderId, buyer, seller };
  }

  private async change(
    step: 'pay' | 'ship' | 'receive',
    { orderId, buyer, seller }: Placed,
    dueAt: number,
  ): Promise<void> {
    const details = step === 'ship' ? { carrier: 'SF', trackingNo: `SF${orderId.slice(-10)}` } : {};
    const message = { orderId, ...details, key: `${step}-${orderId}` };
    await this.command(step === 'ship' ? seller : buyer, `order:${step}`, message, dueAt);
  }

  private async command(
    line: Line,
    name: string,
    message: object,
    dueAt: number,
  ): Promise<{ orderId: string; version: number } | undefined> {
    const order = (await this.send(line, name, message, dueAt)) as { orderId: string; version: number } | undefined;
    if (!order) return undefined;
    this.meter.done[name] = (this.meter.done[name] ?? 0) + 1;
    this.meter.met(`${order.orderId} ${order.version}`, false);
    return order;
  }

  private async send(line: Line, name: string, message: object, dueAt: number): Promise<unknown> {
    const answered = await line.ask(name, message);
    if (!answered.ok) {
      this.meter.faults.push(`${name}: ${JSON.stringify(answered)}`);
      // Refused at once, a slot would ask again at once, and nothing else would have its turn.
      await sleep(1);
      return undefined;
    }
    this.meter.answeredAt(performance.now(), dueAt);
    return answered.data;
  }

  private async heardAll(): Promise<void> {
    const { pushes } = this.meter;
    const end = performance.now() + PUSHES_WITHIN_MS;
    while (Math.min(pushes.buyer, pushes.seller) < this.meter.changes && performance.now() < end) await sleep(20);
  }
}

/** Something to wait for, and what makes it come. */
function signal(): [come: Promise<void>, give: () => void] {
  let give = () => {};
  const come = new Promise<void>((resolve) => {
    give = resolve;
  });
  return [come, give];
}

/** So that no key comes twice where several runs share a database. */
const RUN = Math.random().toString(36).slice(2, 10);

let load: Load | undefined;
answer(async (question: ToLoad, notice) => {
  if (question.say === 'connect') {
    load = new Load(question.work);
    await load.crowd.connect();
  } else if (question.say === 'connect idle') await load?.crowd.connectIdle(question.parties);
  else return load?.run((what) => notice({ what }));
  return undefined;
});
