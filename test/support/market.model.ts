import type { Command, CommandNamed } from '../../src/commands/command.js';
import type { RefusalCode } from '../../src/contract/errors.js';

const MONEY_MAX = 2n ** 53n - 1n;
const STOCK_MAX = 1_000_000;

type Status = 'placed' | 'paid' | 'shipped' | 'received' | 'cancelled';
type Verb = 'pay' | 'ship' | 'receive' | 'cancel';
type Party = 'buyer' | 'seller';

/** The contract's table of an order's life, line by line. */
export const life: readonly { from: Status; verb: Verb; by: readonly Party[]; to: Status }[] = [
  { from: 'placed', verb: 'pay', by: ['buyer'], to: 'paid' },
  { from: 'placed', verb: 'cancel', by: ['buyer', 'seller'], to: 'cancelled' },
  { from: 'paid', verb: 'ship', by: ['seller'], to: 'shipped' },
  { from: 'paid', verb: 'cancel', by: ['buyer', 'seller'], to: 'cancelled' },
  { from: 'shipped', verb: 'receive', by: ['buyer'], to: 'received' },
];

export interface ModelBook {
  storeId: string;
  bookId: string;
  price: bigint;
  lowMark: number;
  stock: number;
}
export interface ModelOrder {
  orderId: string;
  buyerId: string;
  sellerId: string;
  lines: { book: ModelBook; count: number }[];
  total: bigint;
  status: Status;
  version: number;
  expiresAt: number;
  dueAt: number | null;
}

/** A reason for which the contract lets a command be refused; of several, the hub may tell any. */
export interface Fault {
  code: RefusalCode;
  details?: unknown;
}

/**
 * The marketplace as the contract's page tells of it, in the plainest way that it can be written: nothing of it is shared
 * with the hub's rules, and money is counted in integers without a limit. What the rules do is compared with it.
 */
export class Market {
  readonly users = new Set<string>();
  readonly stores = new Map<string, string>();
  readonly books: ModelBook[] = [];
  readonly balances = new Map<string, bigint>();
  readonly orders: ModelOrder[] = [];
  /** The books that their owners are told of, as `storeId/bookId`. */
  alerts: string[] = [];

  constructor(readonly rules: { unpaidTtlMs: number; autoReceiveMs: number }) {}

  /** Carries the command out, or says for what reasons it may be refused. */
  judge(command: Command, now: number): Fault[] {
    if (command.by !== null && !this.users.has(command.by)) return [{ code: 'UNAUTHENTICATED' }];
    switch (command.name) {
      case 'order:place':
        return this.place(command, now);
      case 'order:due':
        return this.due(command.request.orderId, now);
      case 'wallet:deposit':
        return this.deposit(command.by ?? '', BigInt(command.request.amount));
      case 'wallet:withdraw':
        return this.withdraw(command.by ?? '', BigInt(command.request.amount));
      case 'stock:add':
        return this.add(command);
      default:
        return this.advance(command, now);
    }
  }

  order(orderId: string): ModelOrder | undefined {
    return this.orders.find((order) => order.orderId === orderId);
  }

  balance(userId: string): bigint {
    return this.balances.get(userId) ?? 0n;
  }

  partyOf(order: ModelOrder, userId: string | null): Party | undefined {
    if (userId === order.buyerId) return 'buyer';
    return userId === order.sellerId ? 'seller' : undefined;
  }

  allowed(order: ModelOrder, party: Party, now: number): Verb[] {
    const steps = life.filter(({ from, by }) => from === order.status && by.includes(party));
    const verbs = steps.map(({ verb }) => verb).filter((verb) => verb !== 'pay' || now < order.expiresAt);
    return (['pay', 'ship', 'receive', 'cancel'] as const).filter((verb) => verbs.includes(verb));
  }

  private place({ by, request, orderId = '' }: CommandNamed<'order:place'>, now: number): Fault[] {
    const buyerId = by ?? '';
    const sellerId = this.stores.get(request.storeId);
    if (sellerId === undefined) return [{ code: 'STORE_NOT_FOUND' }];
    const faults: Fault[] = [];
    if (!this.users.has(sellerId)) faults.push({ code: 'USER_NOT_FOUND' });
    if (sellerId === buyerId) faults.push({ code: 'FORBIDDEN' });
    const lines: ModelOrder['lines'] = [];
    for (const { bookId, count } of request.items) {
      const book = this.book(request.storeId, bookId);
      if (!book) faults.push({ code: 'BOOK_NOT_FOUND', details: { bookId } });
      else {
        lines.push({ book, count });
        const available = book.stock;
        if (available < count) faults.push({ code: 'OUT_OF_STOCK', details: { bookId, wanted: count, available } });
      }
    }
    const total = lines.reduce((sum, { book, count }) => sum + book.price * BigInt(count), 0n);
    if (total > MONEY_MAX) faults.push({ code: 'BAD_MESSAGE' });
    else faults.push(...unexpected(request.expectedTotal, total));
    if (faults.length > 0) return faults;

    for (const { book, count } of lines) this.take(book, count);
    const expiresAt = now + this.rules.unpaidTtlMs;
    const order = { orderId, buyerId, sellerId, lines, total, expiresAt, dueAt: expiresAt };
    this.orders.push({ ...order, status: 'placed', version: 1 });
    return [];
  }

  private advance(command: CommandNamed<`order:${Verb}`>, now: number): Fault[] {
    const verb = command.name.slice('order:'.length) as Verb;
    const order = this.order(command.request.orderId);
    if (!order) return [{ code: 'ORDER_NOT_FOUND' }];
    const party = this.partyOf(order, command.by);
    if (!party || !life.some((step) => step.verb === verb && step.by.includes(party))) return [{ code: 'FORBIDDEN' }];
    const allowed = this.allowed(order, party, now);
    const wrongTime: Fault = {
      code: 'ORDER_STATE',
      details: { status: order.status, allowed: allowed.filter((other) => other !== verb) },
    };
    if (!allowed.includes(verb)) return [wrongTime];
    const expected = command.name === 'order:pay' ? command.request.expectedTotal : undefined;
    const faults = [...unexpected(expected, order.total), ...this.unpayable(order, verb, party, wrongTime)];
    if (faults.length > 0) return faults;

    if (verb === 'pay') this.move(order.buyerId, order.sellerId, order.total);
    if (verb === 'cancel') {
      if (order.status === 'paid') this.move(order.sellerId, order.buyerId, order.total);
      this.giveBack(order);
    }
    const to = life.find((step) => step.from === order.status && step.verb === verb)?.to ?? order.status;
    const { autoReceiveMs } = this.rules;
    this.step(order, to, verb === 'ship' && autoReceiveMs > 0 ? now + autoReceiveMs : null);
    return [];
  }

  /** Why the money that a step needs cannot be moved: whose it is says what is told. */
  private unpayable(order: ModelOrder, verb: Verb, party: Party, wrongTime: Fault): Fault[] {
    const pays = verb === 'pay';
    if (!pays && !(verb === 'cancel' && order.status === 'paid')) return [];
    const { total } = order;
    const [from, to] = pays ? [order.buyerId, order.sellerId] : [order.sellerId, order.buyerId];
    const faults: Fault[] = [];
    const balance = this.balance(from);
    if (balance < total) faults.push(!pays && party === 'buyer' ? wrongTime : short(total, balance));
    if (this.balance(to) + total > MONEY_MAX) faults.push({ code: 'BAD_MESSAGE' });
    return faults;
  }

  private due(orderId: string, now: number): Fault[] {
    const order = this.order(orderId);
    if (!order) return [{ code: 'ORDER_NOT_FOUND' }];
    if (order.dueAt === null || now < order.dueAt) return [{ code: 'ORDER_STATE' }];
    if (order.status === 'placed') this.giveBack(order);
    this.step(order, order.status === 'placed' ? 'cancelled' : 'received', null);
    return [];
  }

  private deposit(userId: string, amount: bigint): Fault[] {
    if (this.balance(userId) + amount > MONEY_MAX) return [{ code: 'BAD_MESSAGE' }];
    this.balances.set(userId, this.balance(userId) + amount);
    return [];
  }

  private withdraw(userId: string, amount: bigint): Fault[] {
    if (this.balance(userId) < amount) return [short(amount, this.balance(userId))];
    this.balances.set(userId, this.balance(userId) - amount);
    return [];
  }

  private add({ by, request: { storeId, bookId, add } }: CommandNamed<'stock:add'>): Fault[] {
    const ownerId = this.stores.get(storeId);
    if (ownerId === undefined) return [{ code: 'STORE_NOT_FOUND' }];
    if (ownerId !== by) return [{ code: 'FORBIDDEN' }];
    const book = this.book(storeId, bookId);
    if (!book) return [{ code: 'BOOK_NOT_FOUND', details: { bookId } }];
    const { stock } = book;
    if (stock + add < 0) return [{ code: 'OUT_OF_STOCK', details: { bookId, wanted: -add, available: stock } }];
    if (add > 0 && stock + add > STOCK_MAX) return [{ code: 'BAD_MESSAGE' }];
    this.take(book, -add);
    return [];
  }

  private book(storeId: string, bookId: string): ModelBook | undefined {
    return this.books.find((book) => book.storeId === storeId && book.bookId === bookId);
  }

  private take(book: ModelBook, count: number): void {
    const before = book.stock;
    book.stock -= count;
    const passedLowMark = before > book.lowMark && book.stock <= book.lowMark;
    const soldOut = before > 0 && book.stock === 0;
    if (passedLowMark || soldOut) this.alerts.push(`${book.storeId}/${book.bookId}`);
  }

  private giveBack(order: ModelOrder): void {
    for (const { book, count } of order.lines) book.stock += count;
  }

  private move(from: string, to: string, amount: bigint): void {
    this.balances.set(from, this.balance(from) - amount);
    this.balances.set(to, this.balance(to) + amount);
  }

  private step(order: ModelOrder, status: Status, dueAt: number | null): void {
    Object.assign(order, { status, version: order.version + 1, dueAt });
  }
}

function unexpected(expected: number | undefined, total: bigint): Fault[] {
  if (expected === undefined || BigInt(expected) === total) return [];
  return [{ code: 'PRICE_CHANGED', details: { expected, actual: Number(total) } }];
}

function short(needed: bigint, balance: bigint): Fault {
  return { code: 'INSUFFICIENT_FUNDS', details: { needed: Number(needed), balance: Number(balance) } };
}
