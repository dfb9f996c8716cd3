import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import type { Answer } from '../../src/contract/wire.js';
import type { ClientCommand, ClientData, ClientRequest, History } from './history.js';
import { type TestHub, until } from './hub.js';
import { Roamer } from './roamer.js';

const CONNECTED_WITHIN_MS = 30_000;
const FINISHED_WITHIN_MS = 60_000;
const BALANCE = 1_000_000;
/** Copies of most books: enough for any run. */
const MANY = 1_000_000;
/** Copies of the book that everybody wants. */
const FEW = 20;
const BOOKS_A_STORE = 4;

/** Numbers from 0 to 1, the same ones for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Who comes to the market: with a store, a seller; without one, a buyer. */
export interface Member {
  userId: string;
  token: string;
  storeId: string;
}

/** Registers sellers with furnished stores, and buyers with money. Any hub of the same database may do it, beforehand. */
export async function furnish(hub: TestHub, sellers: number, buyers: number): Promise<Member[]> {
  const members: Member[] = [];
  for (let index = 0; index < sellers; index++) {
    const stocks = Array.from({ length: BOOKS_A_STORE }, (_, book) => (book === 0 ? FEW : MANY));
    members.push(await hub.seller(stocks.map((stock, book) => ({ stock, price: 100 + 50 * book }))));
  }
  for (let index = 0; index < buyers; index++) members.push(await hub.buyer(BALANCE));
  return members.map(({ userId, token, storeId }) => ({ userId, token, storeId }));
}

interface CrowdOptions {
  members: readonly Member[];
  /** The hubs that there are now. */
  urls: () => readonly string[];
  history: History;
  seed: number;
  /** Right after this share of the commands the line is cut. */
  cuts?: number;
  /** How long a buyer thinks between two orders, at most. */
  pauseMs?: number;
}

/**
 * Buyers and sellers at work: buyers order, pay, think better of it, and receive what they hear is shipped; sellers ship what
 * they hear is paid. All of it follows from the seed, but for what the hubs and the network make of it.
 */
export class Crowd {
  readonly roamers: readonly Roamer[];
  private readonly storeIds: readonly string[];
  private readonly busy = new Set<Promise<unknown>>();
  private readonly failures: unknown[] = [];
  private closing = false;
  private finished = 0;

  constructor(private readonly options: CrowdOptions) {
    const { members, urls, history, seed, cuts } = options;
    this.storeIds = members.flatMap(({ storeId }) => (storeId === '' ? [] : [storeId]));
    this.roamers = members.map(
      ({ userId, token }, index) =>
        new Roamer({
          userId,
          token,
          clientId: `desk-of-${userId}`,
          urls,
          history,
          random: seeded(seed * 1_000 + index),
          ...(cuts === undefined ? {} : { cuts }),
        }),
    );
  }

  /** So many commands were answered for good. */
  get answered(): number {
    return this.finished;
  }

  /** Lets everybody in, and the market begin. */
  async start(): Promise<this> {
    this.roamers.forEach((roamer, index) => {
      const isSeller = this.options.members[index]?.storeId !== '';
      roamer.onEvent = (push) => this.hear(roamer, push);
      roamer.start();
      if (!isSeller) this.track(this.buy(roamer, seeded(this.options.seed * 2_000 + index)));
    });
    await this.everybodyCameIn();
    return this;
  }

  /** Closes the market: nobody begins anything new, and what was begun is answered. Everybody stays connected. */
  async close(): Promise<Record<string, Record<string, number>>> {
    this.closing = true;
    await until('every command is answered', () => this.busy.size === 0, FINISHED_WITHIN_MS);
    if (this.failures.length > 0) throw this.failures[0];
    await this.everybodyCameIn();
    return this.options.history.counts();
  }

  /** Sends everybody home. */
  async stop(): Promise<void> {
    this.closing = true;
    await Promise.all(this.roamers.map((roamer) => roamer.stop()));
  }

  /** That all are in at the same moment is too much to ask while some are cut off. */
  private async everybodyCameIn(): Promise<void> {
    const seen = new Set<Roamer>();
    await until(
      'everybody has come in',
      () => {
        for (const roamer of this.roamers) {
          if (roamer.failure) throw roamer.failure;
          if (roamer.connected) seen.add(roamer);
        }
        return seen.size === this.roamers.length;
      },
      CONNECTED_WITHIN_MS,
    );
  }

  private async buy(buyer: Roamer, random: () => number): Promise<void> {
    const { pauseMs = 0 } = this.options;
    while (!this.closing) {
      if (random() < 0.03) await this.give(buyer, random, 'wallet:deposit', { amount: 1 + Math.floor(random() * 500) });
      if (random() < 0.02)
        await this.give(buyer, random, 'wallet:withdraw', { amount: 1 + Math.floor(random() * 100) });
      const placed = await this.give(buyer, random, 'order:place', this.basket(random));
      if (placed.ok) await this.settle(buyer, random, placed.data);
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, random() * pauseMs));
    }
  }

  private async settle(buyer: Roamer, random: () => number, { orderId, total }: Order): Promise<void> {
    if (random() < 0.1) {
      await this.give(buyer, random, 'order:cancel', { orderId, reason: 'changed my mind' });
      return;
    }
    const paid = await this.give(buyer, random, 'order:pay', { orderId });
    if (!paid.ok && paid.error.code === 'INSUFFICIENT_FUNDS') {
      await this.give(buyer, random, 'wallet:deposit', { amount: total * 10 });
      await this.give(buyer, random, 'order:pay', { orderId });
    }
    // Too late, perhaps: the seller hears of it at the same time.
    if (random() < 0.1) await this.give(buyer, random, 'order:cancel', { orderId });
  }

  /** What a member does because of what it hears. */
  private hear(roamer: Roamer, { role, status, orderId, by }: OrderStatusPush): void {
    if (this.closing || by === 'hub') return;
    if (role === 'seller' && status === 'paid') {
      this.track(this.give(roamer, () => 1, 'order:ship', { orderId, carrier: 'Owl' }));
    }
    if (role === 'buyer' && status === 'shipped') this.track(this.give(roamer, () => 1, 'order:receive', { orderId }));
  }

  /** One of few baskets; now and then one of the book of which there are few, or of more copies than there are. */
  private basket(random: () => number): ClientRequest<'order:place'> {
    const storeId = this.storeIds[Math.floor(random() * this.storeIds.length)] ?? '';
    const kind = random();
    if (kind < 0.02) return { storeId, items: [{ bookId: 'book-1', count: FEW + 1 }] };
    if (kind < 0.2) return { storeId, items: [{ bookId: 'book-1', count: 1 }] };
    const books = 1 + Math.floor(random() * (BOOKS_A_STORE - 1));
    const items = Array.from({ length: books }, (_, index) => ({ bookId: `book-${index + 2}`, count: 1 + index }));
    return { storeId, items };
  }

  /** Gives a command; once in a while twice at once, with one key. */
  private async give<Name extends ClientCommand>(
    roamer: Roamer,
    random: () => number,
    message: Name,
    request: ClientRequest<Name>,
  ): Promise<Answer<ClientData<Name>>> {
    if (random() >= 0.03) return this.count(roamer.do(message, request));
    const key = `twice-${roamer.events}-${Math.floor(random() * 2 ** 32).toString(36)}`;
    const [answer] = await Promise.all(
      [request, request].map((same) => this.count(roamer.do(message, { ...same, key }))),
    );
    if (!answer) throw new Error('A command that was given twice has no answer');
    return answer;
  }

  private async count<T>(answer: Promise<T>): Promise<T> {
    const given = await answer;
    this.finished += 1;
    return given;
  }

  private track(work: Promise<unknown>): void {
    const tracked = work.catch((error: unknown) => this.failures.push(error)).finally(() => this.busy.delete(tracked));
    this.busy.add(tracked);
  }
}
