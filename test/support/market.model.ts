import type { Command } from '../../src/commands/command.js';
import type { ErrorCode } from '../../src/contract/errors.js';

const MONEY_MAX = 2n ** 53n - 1n;
const STOCK_MAX = 1_000_000;

type Status = 'placed' | 'paid' | 'shipped' | 'received' | 'cancelled';
type Verb = 'pay' | 'ship' | 'receive' | 'cancel';
type Role = 'buyer' | 'seller';

/** The contract's table of order transitions. */
export const orderTransitions: readonly { from: Status; verb: Verb; by: readonly Role[]; to: Status }[] = [
  { from: 'placed', verb: 'pay', by: ['buyer'], to: 'paid' },
  { from: 'placed', verb: 'cancel', by: ['buyer', 'seller'], to: 'cancelled' },
  { from: 'paid', verb: 'ship', by: ['seller'], to: 'shipped' },
  { from: 'paid', verb: 'cancel', by: ['buyer', 'seller'], to: 'cancelled' },
  { from: 'shipped', verb: 'receive', by: ['buyer'], to: 'received' },
];
/** Who may readdress an order; both parties may write notes. */
const readdresser: Partial<Record<Status, Role>> = { placed: 'buyer', paid: 'seller' };

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
  /** The terms of the order, whatever the hub's settings are later. */
  settleAt: Rules['settleAt'];
  shipWithinMs: number;
  shipBy: number | null;
}

/** The hub's settings, which a restart changes. */
export interface Rules {
  unpaidTtlMs: number;
  autoReceiveMs: number;
  settleAt: 'paid' | 'received';
  shipWithinMs: number;
}

/** An error with which the contract allows a command to be rejected; of several, the hub may return any. */
export interface Rejection {
  code: ErrorCode;
  details?: unknown;
}

/**
 * A reference model of the marketplace, written from the contract's page as plainly as possible. It shares no code with the
 * hub's rules and counts money in bigints; the rules are compared with it.
 */
export class Market {
  readonly users = new Set<string>();
  readonly stores = new Map<string, string>();
  readonly books: ModelBook[] = [];
  readonly balances = new Map<string, bigint>();
  /** What is on its way to each seller. */
  readonly helds = new Map<string, bigint>();
  readonly orders: ModelOrder[] = [];
  /** Books with a stock alert for their owners, as `storeId/bookId`. */
  alerts: string[] = [];

  constructor(readonly rules: Rules) {}

  /** Executes the command, or returns the errors with which it may be rejected. */
  execute(command: Command, now: number): Rejection[] {
    if (command.actorId !== null && !this.users.has(command.actorId)) return [{ code: 'UNAUTHENTICATED' }];
    switch (command.name) {
      case 'order:place':
        return this.place(command, now);
      case 'order:timeout':
        return this.timeout(command.request.orderId, now);
      case 'wallet:deposit':
        return this.deposit(command.actorId ?? '', BigInt(command.request.amount));
      case 'wallet:withdraw':
        return this.withdraw(command.actorId ?? '', BigInt(command.request.amount));
      case 'stock:add':
        return this.addStock(command);
      case 'topup:create':
      case 'topup:settle':
      case 'payout:settle':
        throw new Error('The market has no payment provider');
      case 'order:note':
      case 'order:readdress':
        return this.amend(command, now);
      default:
        return this.transitionOrder(command, now);
    }
  }

  order(orderId: string): ModelOrder | undefined {
    return this.orders.find((order) => order.orderId === orderId);
  }

  balance(userId: string): bigint {
    return this.balances.get(userId) ?? 0n;
  }

  held(userId: string): bigint {
    return this.helds.get(userId) ?? 0n;
  }

  roleOf(order: ModelOrder, userId: string | null): Role | undefined {
    if (userId === order.buyerId) return 'buyer';
    return userId === order.sellerId ? 'seller' : undefined;
  }

  allowed(order: ModelOrder, role: Role, now: number): Verb[] {
    const transitions = orderTransitions.filter(({ from, by }) => from === order.status && by.includes(role));
    const verbs = transitions
      .map(({ verb }) => verb)
      .filter((verb) => verb !== 'pay' || now < order.expiresAt)
      .filter((verb) => verb !== 'ship' || order.shipBy === null || now < order.shipBy);
    return (['pay', 'ship', 'receive', 'cancel'] as const).filter((verb) => verbs.includes(verb));
  }

  private place({ actorId, request, newId: orderId = '' }: Command<'order:place'>, now: number): Rejection[] {
    const buyerId = actorId ?? '';
    const sellerId = this.stores.get(request.storeId);
    if (sellerId === undefined) return [{ code: 'STORE_NOT_FOUND' }];
    const rejections: Rejection[] = [];
    if (!this.users.has(sellerId)) rejections.push({ code: 'USER_NOT_FOUND' });
    if (sellerId === buyerId) rejections.push({ code: 'FORBIDDEN' });
    const lines: ModelOrder['lines'] = [];
    for (const { bookId, count } of request.items) {
      const book = this.book(request.storeId, bookId);
      if (!book) rejections.push({ code: 'BOOK_NOT_FOUND', details: { bookId } });
      else {
        lines.push({ book, count });
        const available = book.stock;
        if (available < count) rejections.push({ code: 'OUT_OF_STOCK', details: { bookId, wanted: count, available } });
      }
    }
    const total = lines.reduce((sum, { book, count }) => sum + book.price * BigInt(count), 0n);
    if (total > MONEY_MAX) rejections.push({ code: 'BAD_MESSAGE' });
    else rejections.push(...priceChanged(request.expectedTotal, total));
    if (rejections.length > 0) return rejections;

    for (const { book, count } of lines) this.removeStock(book, count);
    const expiresAt = now + this.rules.unpaidTtlMs;
    const { settleAt, shipWithinMs } = this.rules;
    const order = { orderId, buyerId, sellerId, lines, total, expiresAt, dueAt: expiresAt, settleAt, shipWithinMs };
    this.orders.push({ ...order, status: 'placed', version: 1, shipBy: null });
    return [];
  }

  private transitionOrder(command: Command<`order:${Verb}`>, now: number): Rejection[] {
    const verb = command.name.slice('order:'.length) as Verb;
    const order = this.order(command.request.orderId);
    if (!order) return [{ code: 'ORDER_NOT_FOUND' }];
    const role = this.roleOf(order, command.actorId);
    if (!role || !orderTransitions.some((transition) => transition.verb === verb && transition.by.includes(role)))
      return [{ code: 'FORBIDDEN' }];
    const allowed = this.allowed(order, role, now);
    const orderState: Rejection = {
      code: 'ORDER_STATE',
      details: { status: order.status, allowed: allowed.filter((other) => other !== verb) },
    };
    if (!allowed.includes(verb)) return [orderState];
    const expected = command.name === 'order:pay' ? command.request.expectedTotal : undefined;
    const rejections = [...priceChanged(expected, order.total), ...this.unpayable(order, verb, role, orderState)];
    if (rejections.length > 0) return rejections;

    const { autoReceiveMs } = this.rules;
    let dueAt = verb === 'ship' && autoReceiveMs > 0 ? now + autoReceiveMs : null;
    if (verb === 'pay') {
      this.take(order);
      dueAt = order.shipBy = order.shipWithinMs > 0 ? now + order.shipWithinMs : null;
    }
    if (verb === 'receive') this.release(order);
    if (verb === 'cancel') {
      if (order.status === 'paid') this.giveBack(order);
      this.restock(order);
    }
    const to =
      orderTransitions.find((transition) => transition.from === order.status && transition.verb === verb)?.to ??
      order.status;
    this.transition(order, to, dueAt);
    return [];
  }

  /** Changes nothing but the version. Histories are too short for the limits. */
  private amend({ name, actorId, request }: Command<'order:note' | 'order:readdress'>, now: number): Rejection[] {
    const order = this.order(request.orderId);
    if (!order) return [{ code: 'ORDER_NOT_FOUND' }];
    const role = this.roleOf(order, actorId);
    if (!role) return [{ code: 'FORBIDDEN' }];
    if (name === 'order:readdress' && readdresser[order.status] !== role) {
      return [{ code: 'ORDER_STATE', details: { status: order.status, allowed: this.allowed(order, role, now) } }];
    }
    this.transition(order, order.status, order.dueAt);
    return [];
  }

  /** Why a transition's transfer is impossible. The error depends on whose money is missing. */
  private unpayable(order: ModelOrder, verb: Verb, role: Role, orderState: Rejection): Rejection[] {
    const pays = verb === 'pay';
    if (!pays && !(verb === 'cancel' && order.status === 'paid')) return [];
    const { total } = order;
    const [from, to] = pays ? [order.buyerId, order.sellerId] : [order.sellerId, order.buyerId];
    const rejections: Rejection[] = [];
    const balance = this.balance(from);
    const isHeld = !pays && order.settleAt === 'received';
    if (balance < total && !isHeld)
      rejections.push(!pays && role === 'buyer' ? orderState : insufficientFunds(total, balance));
    if (this.isBeyondLimit(to, total)) rejections.push({ code: 'BAD_MESSAGE' });
    return rejections;
  }

  private timeout(orderId: string, now: number): Rejection[] {
    const order = this.order(orderId);
    if (!order) return [{ code: 'ORDER_NOT_FOUND' }];
    if (order.dueAt === null || now < order.dueAt) return [{ code: 'ORDER_STATE' }];
    if (order.status === 'shipped') {
      this.release(order);
      this.transition(order, 'received', null);
      return [];
    }
    if (order.status === 'paid') {
      if (this.isBeyondLimit(order.buyerId, order.total)) return [{ code: 'BAD_MESSAGE' }];
      this.giveBack(order);
    }
    this.restock(order);
    this.transition(order, 'cancelled', null);
    return [];
  }

  private deposit(userId: string, amount: bigint): Rejection[] {
    if (this.isBeyondLimit(userId, amount)) return [{ code: 'BAD_MESSAGE' }];
    this.balances.set(userId, this.balance(userId) + amount);
    return [];
  }

  private withdraw(userId: string, amount: bigint): Rejection[] {
    if (this.balance(userId) < amount) return [insufficientFunds(amount, this.balance(userId))];
    this.balances.set(userId, this.balance(userId) - amount);
    return [];
  }

  private addStock({ actorId, request: { storeId, bookId, add } }: Command<'stock:add'>): Rejection[] {
    const ownerId = this.stores.get(storeId);
    if (ownerId === undefined) return [{ code: 'STORE_NOT_FOUND' }];
    if (ownerId !== actorId) return [{ code: 'FORBIDDEN' }];
    const book = this.book(storeId, bookId);
    if (!book) return [{ code: 'BOOK_NOT_FOUND', details: { bookId } }];
    const { stock } = book;
    if (stock + add < 0) return [{ code: 'OUT_OF_STOCK', details: { bookId, wanted: -add, available: stock } }];
    if (add > 0 && stock + add > STOCK_MAX) return [{ code: 'BAD_MESSAGE' }];
    this.removeStock(book, -add);
    return [];
  }

  private book(storeId: string, bookId: string): ModelBook | undefined {
    return this.books.find((book) => book.storeId === storeId && book.bookId === bookId);
  }

  private removeStock(book: ModelBook, count: number): void {
    const before = book.stock;
    book.stock -= count;
    const passedLowMark = before > book.lowMark && book.stock <= book.lowMark;
    const soldOut = before > 0 && book.stock === 0;
    if (passedLowMark || soldOut) this.alerts.push(`${book.storeId}/${book.bookId}`);
  }

  private restock(order: ModelOrder): void {
    for (const { book, count } of order.lines) book.stock += count;
  }

  /** What is held for a user will be in the balance. */
  private isBeyondLimit(userId: string, amount: bigint): boolean {
    return this.balance(userId) + this.held(userId) + amount > MONEY_MAX;
  }

  private take({ buyerId, sellerId, total, settleAt }: ModelOrder): void {
    this.balances.set(buyerId, this.balance(buyerId) - total);
    if (settleAt === 'received') this.helds.set(sellerId, this.held(sellerId) + total);
    else this.balances.set(sellerId, this.balance(sellerId) + total);
  }

  private release({ sellerId, total, settleAt }: ModelOrder): void {
    if (settleAt === 'paid') return;
    this.helds.set(sellerId, this.held(sellerId) - total);
    this.balances.set(sellerId, this.balance(sellerId) + total);
  }

  private giveBack({ buyerId, sellerId, total, settleAt }: ModelOrder): void {
    if (settleAt === 'received') this.helds.set(sellerId, this.held(sellerId) - total);
    else this.balances.set(sellerId, this.balance(sellerId) - total);
    this.balances.set(buyerId, this.balance(buyerId) + total);
  }

  private transition(order: ModelOrder, status: Status, dueAt: number | null): void {
    Object.assign(order, { status, version: order.version + 1, dueAt });
  }
}

function priceChanged(expected: number | undefined, total: bigint): Rejection[] {
  if (expected === undefined || BigInt(expected) === total) return [];
  return [{ code: 'PRICE_CHANGED', details: { expected, actual: Number(total) } }];
}

function insufficientFunds(needed: bigint, balance: bigint): Rejection {
  return { code: 'INSUFFICIENT_FUNDS', details: { needed: Number(needed), balance: Number(balance) } };
}
