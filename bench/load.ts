// A process of load: holds the sockets of all buyers and sellers, gives commands, and counts what it is told.
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import { Crowd } from './crowd.js';
import { Meter } from './meter.js';
import type { FromLoad, Step, ToLoad, Work } from './wire.js';

const PUSHES_WITHIN_MS = 10_000;
const ANSWER_WITHIN_MS = 30_000;
const READERS = 4;

interface Placed {
  orderId: string;
  buyer: Socket;
  seller: Socket;
}

class Load {
  private readonly meter = new Meter();
  private readonly crowd: Crowd;
  private turn = 0;

  constructor(private readonly work: Work) {
    this.crowd = new Crowd(work.urls, work.market, this.meter);
  }

  connect(): Promise<void> {
    return this.crowd.connect();
  }

  async run(): Promise<void> {
    const { before, warmUpMs, measureMs } = this.work;
    const end = performance.now() + warmUpMs + measureMs;
    if (before) {
      const orders = await this.prepare(before, end);
      await this.measure(
        warmUpMs / 4,
        () => orders.length > 0,
        () => orders.pop(),
      );
    } else await this.measure(warmUpMs, () => performance.now() < end);
    await this.heardAll();
    const { done, pushes, faults, latenciesUs, pushLagsUs, replaysUs } = this.meter;
    const told = { done, pushes };
    tell({ say: 'done', told, faults: faults.slice(0, 5), latenciesUs, pushLagsUs, replaysUs });
    this.crowd.close();
  }

  /** Brings orders to where the measured steps begin. */
  private async prepare(steps: Step[], end: number): Promise<Placed[]> {
    const orders: Placed[] = [];
    await this.inTurns(
      () => performance.now() < end,
      async () => {
        const order = await this.carryOut(steps);
        if (order) orders.push(order);
      },
    );
    return orders;
  }

  private async measure(afterMs: number, goesOn: () => boolean, next?: () => Placed | undefined): Promise<void> {
    const { steps, rate, besides } = this.work;
    const one = (dueAt?: number) => this.carryOut(steps, next?.(), dueAt);
    let isOver = false;
    const aside = besides === 'reads' ? this.read(() => !isOver) : besides && this.replay(() => !isOver);
    const begun = sleep(afterMs).then(() => {
      tell({ say: 'measuring' });
      this.meter.begin();
    });
    await (rate ? this.atRate(rate, goesOn, one) : this.inTurns(goesOn, () => one()));
    isOver = true;
    await begun;
    const { answered } = this.meter;
    tell({ say: 'measured', messages: answered, ms: this.meter.end() });
    await aside;
  }

  /** Keeps so many under way: the next begins when one is answered. */
  private async inTurns(goesOn: () => boolean, one: () => Promise<unknown>, slots = this.work.inFlight): Promise<void> {
    const slot = async () => {
      while (goesOn()) await one();
    };
    await Promise.all(Array.from({ length: slots }, slot));
  }

  /** Begins at fixed moments, whatever is answered: so that a slow answer cannot hide the wait of those behind it. */
  private async atRate(rate: number, goesOn: () => boolean, one: (dueAt: number) => Promise<unknown>): Promise<void> {
    const underWay = new Set<Promise<unknown>>();
    for (let dueAt = performance.now(); goesOn(); dueAt += 1_000 / rate) {
      const wait = dueAt - performance.now();
      if (wait > 1) await sleep(wait);
      const sent = one(dueAt).finally(() => underWay.delete(sent));
      underWay.add(sent);
    }
    await Promise.all(underWay);
  }

  /** People who leaf through their orders, besides what is measured. */
  private read(goesOn: () => boolean): Promise<void> {
    return this.inTurns(
      goesOn,
      async () => {
        const reader = this.crowd.buyers[this.turn % this.crowd.buyers.length];
        await reader?.timeout(ANSWER_WITHIN_MS).emitWithAck('order:list', { role: 'buyer' });
      },
      READERS,
    );
  }

  private async replay(goesOn: () => boolean): Promise<void> {
    const { returning, missed } = this.work.market;
    while (returning && goesOn()) this.meter.replayed(await this.crowd.replay(returning, missed));
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
    if (buyer) await this.send(buyer, 'order:list', { role: 'buyer' }, dueAt);
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
    const message = { storeId: market.sellers[store]?.storeId, items, key: `place-${turn}` };
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
    socket: Socket,
    name: string,
    message: object,
    dueAt: number,
  ): Promise<{ orderId: string; version: number } | undefined> {
    const order = await this.send<{ orderId: string; version: number }>(socket, name, message, dueAt);
    if (!order) return undefined;
    this.meter.done[name] = (this.meter.done[name] ?? 0) + 1;
    this.meter.met(`${order.orderId} ${order.version}`, false);
    return order;
  }

  private async send<Data>(socket: Socket, name: string, message: object, dueAt: number): Promise<Data | undefined> {
    const answer = await socket
      .timeout(ANSWER_WITHIN_MS)
      .emitWithAck(name, message)
      .catch((error: unknown) => ({ ok: false, error: String(error) }));
    if (!answer.ok) {
      this.meter.faults.push(`${name}: ${JSON.stringify(answer)}`);
      return undefined;
    }
    this.meter.answeredAt(performance.now(), dueAt);
    return answer.data;
  }

  private async heardAll(): Promise<void> {
    const { pushes } = this.meter;
    const end = performance.now() + PUSHES_WITHIN_MS;
    while (Math.min(pushes.buyer, pushes.seller) < this.meter.changes && performance.now() < end) await sleep(20);
  }
}

function tell(message: FromLoad): void {
  process.send?.(message);
}

let load: Load | undefined;
process.on('message', async (message: ToLoad) => {
  if (message.say === 'connect') {
    load = new Load(message.work);
    await load.connect();
    tell({ say: 'connected' });
  } else {
    await load?.run();
    process.disconnect();
  }
});
