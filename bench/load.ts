// A process of load: holds the sockets of all buyers and sellers, gives commands, and counts what it is told.
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { OrderStatusPush } from '../src/contract/rooms.js';
import type { Party } from './market.js';
import type { FromLoad, Step, ToLoad, Work } from './wire.js';

const PUSHES_WITHIN_MS = 10_000;
const ANSWER_WITHIN_MS = 30_000;

interface Placed {
  orderId: string;
  buyer: Socket;
  seller: Socket;
}

interface Sent {
  name: string;
  /** When it was to be sent: what waits in this process has waited all the same. */
  dueAt: number;
}

class Load {
  private readonly buyers: Socket[] = [];
  private readonly sellers: Socket[] = [];
  private readonly done: Record<string, number> = {};
  private readonly pushes = { buyer: 0, seller: 0 };
  private readonly latenciesUs: number[] = [];
  private readonly pushLagsUs: number[] = [];
  private readonly faults: string[] = [];
  /** When the other party of a change heard of it or its sender was answered, whichever came first. */
  private readonly firstAt = new Map<string, { at: number; isPush: boolean }>();
  private commands = 0;
  private isMeasuring = false;
  private turn = 0;

  constructor(private readonly work: Work) {}

  async connect(): Promise<void> {
    const { buyers, sellers } = this.work.market;
    const open = (party: Party) => this.open(party);
    this.buyers.push(...(await Promise.all(buyers.map(open))));
    this.sellers.push(...(await Promise.all(sellers.map(open))));
  }

  async run(): Promise<void> {
    const { before, steps, warmUpMs, measureMs, rate } = this.work;
    const orders: Placed[] = [];
    if (before) {
      const end = performance.now() + warmUpMs + measureMs;
      await this.inTurns(
        () => performance.now() < end,
        async () => {
          const order = await this.carryOut(before);
          if (order) orders.push(order);
        },
      );
    }
    const started = performance.now();
    const isOver = () => (before ? orders.length === 0 : performance.now() - started > warmUpMs + measureMs);
    const measuring = sleep(before ? warmUpMs / 4 : warmUpMs).then(() => this.measure(true));
    const one = (dueAt?: number) => this.carryOut(steps, before ? orders.pop() : undefined, dueAt);
    if (rate) await this.atRate(rate, () => !isOver(), one);
    else
      await this.inTurns(
        () => !isOver(),
        async () => void (await one()),
      );
    await measuring;
    this.measure(false);
    await this.heardAll();
    tell({
      say: 'done',
      told: { done: this.done, pushes: this.pushes },
      faults: this.faults.slice(0, 5),
      latenciesUs: this.latenciesUs,
      pushLagsUs: this.pushLagsUs,
    });
    for (const socket of [...this.buyers, ...this.sellers]) socket.close();
  }

  private async open({ token }: Party): Promise<Socket> {
    const socket = io(this.work.url, {
      auth: { token },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    socket.on('order:status', (push: OrderStatusPush) => this.hear(push));
    socket.on('disconnect', (reason) => reason !== 'io client disconnect' && this.faults.push(`cut off: ${reason}`));
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
    return socket;
  }

  /** Keeps so many under way: the next begins when one is answered. */
  private async inTurns(goesOn: () => boolean, one: () => Promise<void>): Promise<void> {
    const slot = async () => {
      while (goesOn()) await one();
    };
    await Promise.all(Array.from({ length: this.work.inFlight }, slot));
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

  private async carryOut(steps: Step[], order?: Placed, dueAt = performance.now()): Promise<Placed | undefined> {
    let placed = order;
    let due = dueAt;
    for (const step of steps) {
      if (step === 'place') placed = await this.place(due);
      else if (placed) await this.change(step, placed, due);
      due = performance.now();
    }
    return placed;
  }

  private async place(dueAt: number): Promise<Placed | undefined> {
    const { market, shelf } = this.work;
    const turn = this.turn++;
    const buyer = this.buyers[turn % this.buyers.length];
    const store = shelf === 'spread' ? turn % market.sellers.length : 0;
    const book = shelf === 'one book' ? 1 : 1 + (Math.floor(turn / market.sellers.length) % market.books);
    const seller = this.sellers[store];
    const storeId = market.sellers[store]?.storeId;
    if (!buyer || !seller) throw new Error('The market is empty');
    const message = { storeId, items: [{ bookId: `book-${book}`, count: 1 }], key: `place-${turn}` };
    const data = await this.send(buyer, { name: 'order:place', dueAt }, message);
    return data && { orderId: data.orderId, buyer, seller };
  }

  private async change(step: Step, { orderId, buyer, seller }: Placed, dueAt: number): Promise<void> {
    const name = `order:${step}`;
    const details = step === 'ship' ? { carrier: 'SF', trackingNo: `SF${orderId.slice(-10)}` } : {};
    await this.send(
      step === 'ship' ? seller : buyer,
      { name, dueAt },
      { orderId, ...details, key: `${step}-${orderId}` },
    );
  }

  private async send(socket: Socket, { name, dueAt }: Sent, message: object): Promise<{ orderId: string } | undefined> {
    const answer = await socket
      .timeout(ANSWER_WITHIN_MS)
      .emitWithAck(name, message)
      .catch((error: unknown) => ({ ok: false, error: String(error) }));
    const now = performance.now();
    if (!answer.ok) {
      this.faults.push(`${name}: ${JSON.stringify(answer)}`);
      return undefined;
    }
    this.done[name] = (this.done[name] ?? 0) + 1;
    if (this.isMeasuring) {
      this.commands++;
      this.latenciesUs.push(Math.round((now - dueAt) * 1_000));
    }
    this.meet(`${answer.data.orderId} ${answer.data.version}`, now, false);
    return answer.data;
  }

  private hear({ role, orderId, version, by }: OrderStatusPush): void {
    this.pushes[role]++;
    const isOther = (role === 'seller') !== (version === 3);
    if (isOther && by) this.meet(`${orderId} ${version}`, performance.now(), true);
  }

  /** How much later the other party heard of a change than its sender; below zero when it was sooner. */
  private meet(change: string, at: number, isPush: boolean): void {
    const first = this.firstAt.get(change);
    if (!first) {
      this.firstAt.set(change, { at, isPush });
      return;
    }
    this.firstAt.delete(change);
    if (this.isMeasuring) this.pushLagsUs.push(Math.round((isPush ? at - first.at : first.at - at) * 1_000));
  }

  private measure(isOn: boolean): void {
    if (isOn) {
      this.startedAt = performance.now();
      tell({ say: 'measuring' });
    } else tell({ say: 'measured', commands: this.commands, ms: performance.now() - this.startedAt });
    this.isMeasuring = isOn;
  }
  private startedAt = 0;

  private async heardAll(): Promise<void> {
    const commands = Object.values(this.done).reduce((sum, n) => sum + n, 0);
    const end = performance.now() + PUSHES_WITHIN_MS;
    while (Math.min(this.pushes.buyer, this.pushes.seller) < commands && performance.now() < end) await sleep(20);
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
