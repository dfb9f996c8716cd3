import type { Command } from '../../src/commands/command.js';
import type { ErrorCode } from '../../src/contract/errors.js';
import {
  cancelCopies,
  type ModelLine,
  type ModelParcel,
  newLine,
  notPaidBack,
  onTheirWay,
  payBackCopies,
  priceOf,
  rest,
  shipCopies,
  unavailable,
  unshipped,
} from './lines.model.js';

const MONEY_MAX = 2n ** 53n - 1n;
const STOCK_MAX = 1_000_000;
const PARCELS_MAX = 20;

type Status = 'placed' | 'paid' | 'shipped' | 'received' | 'cancelled';
const verbs = ['pay', 'ship', 'receive', 'cancel', 'accept', 'refund', 'track'] as const;
type Verb = (typeof verbs)[number];
type Role = 'buyer' | 'seller';

/** The contract's table of order transitions, for whole orders. */
export const orderTransitions: readonly { from: Status; verb: Verb; by: readonly Role[]; to: Status }[] = [
  { from: 'placed', verb: 'pay', by: ['buyer'], to: 'paid' },
  { from: 'placed', verb: 'cancel', by: ['buyer', 'seller'], to: 'cancelled' },
  { from: 'paid', verb: 'ship', by: ['seller'], to: 'shipped' },
  { from: 'paid', verb: 'cancel', by: ['buyer', 'seller'], to: 'cancelled' },
  { from: 'shipped', verb: 'receive', by: ['buyer'], to: 'received' },
];
/** What a seller may correct, and when. Tracking also of a `paid` order, once a parcel is on its way. */
export const orderCorrections: readonly { from: readonly Status[]; verb: Verb; by: readonly Role[] }[] = [
  { from: ['paid'], verb: 'accept', by: ['seller'] },
  { from: ['paid', 'shipped', 'received'], verb: 'refund', by: ['seller'] },
  { from: ['shipped'], verb: 'track', by: ['seller'] },
];
const ownCommands: Record<Role, readonly Verb[]> = {
  buyer: ['pay', 'receive', 'cancel'],
  seller: ['ship', 'cancel', 'accept', 'refund', 'track'],
};
/** What a claim keeps others from. */
const claimable: readonly Verb[] = ['ship', 'accept', 'cancel', 'refund'];
/** Who may readdress an order; both parties may write notes. */
const readdresser: Partial<Record<Status, Role>> = { placed: 'buyer', paid: 'seller' };

export interface ModelStore {
  ownerId: string;
  name: string | null;
  isOpen: boolean;
  pausedUntil: number | null;
  acceptWithinSeconds: number;
}
export interface ModelBook {
  storeId: string;
  bookId: string;
  listed: boolean;
  price: bigint;
  lowMark: number;
  stock: number;
}
export interface ModelOrder {
  orderId: string;
  buyerId: string;
  sellerId: string;
  lines: ModelLine[];
  parcels: ModelParcel[];
  /** Money given back. */
  refunded: bigint;
  carrier: string | null;
  trackingNo: string | null;
  cancelReason: string | null;
  total: bigint;
  status: Status;
  version: number;
  expiresAt: number;
  dueAt: number | null;
  /** The terms of the order, whatever the hub's settings are later. */
  settleAt: Rules['settleAt'];
  shipWithinMs: number;
  shipBy: number | null;
  /** Of the store when the order was placed; 0 where orders are accepted by themselves. */
  acceptWithinMs: number;
  acceptBy: number | null;
  acceptedAt: number | null;
  readyAt: string | null;
  seenAt: number | null;
  /** Who of the seller's side works on it. */
  claim: { by: string; until: number } | null;
}

/** The hub's settings, which a restart changes. */
export interface Rules {
  unpaidTtlMs: number;
  autoReceiveMs: number;
  settleAt: 'paid' | 'received';
  shipWithinMs: number;
  needsAddress: boolean;
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
  readonly stores = new Map<string, ModelStore>();
  readonly books: ModelBook[] = [];
  readonly balances = new Map<string, bigint>();
  /** What is on its way to each seller. */
  readonly helds = new Map<string, bigint>();
  readonly orders: ModelOrder[] = [];
  /** The ids of memberships, as `ownerId memberId`. */
  readonly staff = new Map<string, string>();
  /** Books with a stock alert for their owners, as `storeId/bookId`. */
  alerts: string[] = [];

  constructor(readonly rules: Rules) {}

  /** Executes the command, or returns the errors with which it may be rejected. */
  execute(command: Command, now: number): Rejection[] {
    if (command.actorId !== null && !this.users.has(command.actorId)) return [{ code: 'UNAUTHENTICATED' }];
    const { actorId, acting } = command;
    if (acting && this.staff.get(`${acting.ownerId} ${actorId}`) !== acting.membershipId)
      return [{ code: 'FORBIDDEN' }];
    switch (command.name) {
      case 'order:place':
        return this.place(command, now);
      case 'order:timeout':
        return this.timeout(command.request.orderId, now);
      case 'wallet:deposit':
        return this.deposit(acting?.ownerId ?? actorId ?? '', BigInt(command.request.amount));
      case 'wallet:withdraw':
        return this.withdraw(acting?.ownerId ?? actorId ?? '', BigInt(command.request.amount));
      case 'stock:add':
        return this.addStock(command);
      case 'store:change':
        return this.changeStore(command);
      case 'topup:create':
      case 'topup:settle':
      case 'payout:settle':
        throw new Error('The market has no payment provider');
      case 'order:note':
      case 'order:readdress':
        return this.amend(command, now);
      case 'order:seen':
        return this.see(command, now);
      case 'order:claim':
        return this.claim(command, now);
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

  roleOf(order: ModelOrder, { actorId: userId, acting }: Pick<Command, 'actorId' | 'acting'>): Role | undefined {
    if (acting) return acting.ownerId === order.sellerId ? 'seller' : undefined;
    if (userId === order.buyerId) return 'buyer';
    return userId === order.sellerId ? 'seller' : undefined;
  }

  allowed(order: ModelOrder, role: Role, now: number): Verb[] {
    return verbs.filter((verb) => ownCommands[role].includes(verb) && this.isPossible(order, verb, now));
  }

  private isPossible(order: ModelOrder, verb: Verb, now: number): boolean {
    const { status } = order;
    const isOnItsWay = onTheirWay(order).length > 0;
    switch (verb) {
      case 'pay':
        return status === 'placed' && now < order.expiresAt;
      case 'ship':
        return status === 'paid' && this.isInTime(order, now) && order.parcels.length < PARCELS_MAX;
      case 'accept':
        return status === 'paid' && this.isInTime(order, now);
      case 'receive':
      case 'track':
        return isOnItsWay;
      case 'cancel':
        return status === 'placed' || status === 'paid';
      case 'refund': {
        const hasFreeCopies = order.lines.some((line) => line.book.price === 0n && notPaidBack(line) > 0);
        const isPaid = status !== 'placed' && status !== 'cancelled';
        return isPaid && (order.refunded < order.total || hasFreeCopies);
      }
    }
  }

  private place({ actorId, request, newId: orderId = '' }: Command<'order:place'>, now: number): Rejection[] {
    const buyerId = actorId ?? '';
    const details = [{ path: 'deliverTo', problem: 'is required' }];
    if (this.rules.needsAddress && !request.deliverTo) return [{ code: 'BAD_MESSAGE', details }];
    const store = this.stores.get(request.storeId);
    if (!store) return [{ code: 'STORE_NOT_FOUND' }];
    const { ownerId: sellerId } = store;
    const rejections: Rejection[] = [];
    if (!this.users.has(sellerId)) rejections.push({ code: 'USER_NOT_FOUND' });
    if (sellerId === buyerId || this.staff.has(`${sellerId} ${buyerId}`)) rejections.push({ code: 'FORBIDDEN' });
    rejections.push(...this.paused(store, now));
    const lines: ModelOrder['lines'] = [];
    for (const { bookId, count } of request.items) {
      const book = this.book(request.storeId, bookId);
      if (!book?.listed) rejections.push({ code: 'BOOK_NOT_FOUND', details: { bookId } });
      else {
        lines.push(newLine(book, count));
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
    const acceptWithinMs = settleAt === 'received' ? store.acceptWithinSeconds * 1_000 : 0;
    const times = { acceptBy: null, acceptedAt: null, readyAt: null, seenAt: null, claim: null };
    const terms = { settleAt, shipWithinMs, acceptWithinMs, ...times };
    const order = { orderId, buyerId, sellerId, lines, total, expiresAt, dueAt: expiresAt, ...terms };
    const later = { shipBy: null, parcels: [], refunded: 0n, carrier: null, trackingNo: null, cancelReason: null };
    this.orders.push({ ...order, ...later, status: 'placed', version: 1 });
    return [];
  }

  private transitionOrder(command: Command<`order:${Verb}`>, now: number): Rejection[] {
    const verb = command.name.slice('order:'.length) as Verb;
    const order = this.order(command.request.orderId);
    if (!order) return [{ code: 'ORDER_NOT_FOUND' }];
    const role = this.roleOf(order, command);
    if (!role || !ownCommands[role].includes(verb)) return [{ code: 'FORBIDDEN' }];
    if (claimable.includes(verb) && this.isClaimed(order, command, now)) return [claimed(order)];
    if (command.name === 'order:cancel' && command.request.unavailable && role === 'buyer')
      return [{ code: 'FORBIDDEN' }];
    const allowed = this.allowed(order, role, now);
    const orderState: Rejection = {
      code: 'ORDER_STATE',
      details: { status: order.status, allowed: allowed.filter((other) => other !== verb) },
    };
    if (!allowed.includes(verb)) return [orderState];
    const rejections = this.transition(command, order, role, orderState, now);
    // What the seller has is not the business of the staff.
    const hides = ({ code }: Rejection) => command.acting !== undefined && code === 'INSUFFICIENT_FUNDS';
    return rejections.map((each) => (hides(each) ? { code: each.code } : each));
  }

  private transition(
    command: Command<`order:${Verb}`>,
    order: ModelOrder,
    role: Role,
    orderState: Rejection,
    now: number,
  ): Rejection[] {
    switch (command.name) {
      case 'order:pay':
        return this.pay(order, command.request, now);
      case 'order:accept':
        return this.accept(order, command.request, now);
      case 'order:ship':
        return this.ship(order, command.request, now);
      case 'order:receive':
        return this.receive(order, command.request.parcel, orderState);
      case 'order:cancel':
        return this.cancel(order, command.request, role, orderState);
      case 'order:refund':
        return this.refund(order, command.request);
      case 'order:track':
        return this.track(order, command.request, orderState);
    }
  }

  private pay(order: ModelOrder, { expectedTotal }: Command<'order:pay'>['request'], now: number): Rejection[] {
    const { buyerId, sellerId, total, settleAt } = order;
    const rejections = priceChanged(expectedTotal, total);
    const balance = this.balance(buyerId);
    if (balance < total) rejections.push(insufficientFunds(total, balance));
    if (this.isBeyondLimit(sellerId, total)) rejections.push({ code: 'BAD_MESSAGE' });
    if (rejections.length > 0) return rejections;
    this.balances.set(buyerId, balance - total);
    if (settleAt === 'received') this.helds.set(sellerId, this.held(sellerId) + total);
    else this.balances.set(sellerId, this.balance(sellerId) + total);
    order.shipBy = order.shipWithinMs > 0 ? now + order.shipWithinMs : null;
    order.acceptBy = order.acceptWithinMs > 0 ? now + order.acceptWithinMs : null;
    // In such a store orders are accepted by themselves.
    if (order.acceptBy === null) order.acceptedAt = now;
    this.change(order, 'paid');
    return [];
  }

  private ship(order: ModelOrder, request: Command<'order:ship'>['request'], now: number): Rejection[] {
    const { items = rest(order), carrier = null, trackingNo = null } = request;
    const rejections = unavailable(order, items, unshipped);
    if (rejections.length > 0) return rejections;
    shipCopies(order, items);
    order.acceptedAt ??= now;
    const dueAt = this.rules.autoReceiveMs > 0 ? now + this.rules.autoReceiveMs : null;
    order.parcels.push({ items: [...items], carrier, trackingNo, isReceived: false, dueAt });
    Object.assign(order, { carrier, trackingNo });
    this.change(order, this.statusNow(order));
    return [];
  }

  private accept(order: ModelOrder, { readyAt }: Command<'order:accept'>['request'], now: number): Rejection[] {
    order.acceptedAt ??= now;
    order.readyAt = readyAt ?? order.readyAt;
    this.change(order, order.status);
    return [];
  }

  /** When what is left of a paid order is cancelled. */
  private deadline({ acceptedAt, acceptBy, shipBy }: ModelOrder): number | null {
    const times = [acceptedAt === null ? acceptBy : null, shipBy].filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  private isInTime(order: ModelOrder, now: number): boolean {
    return now < (this.deadline(order) ?? Number.POSITIVE_INFINITY);
  }

  private receive(order: ModelOrder, number: number | undefined, orderState: Rejection): Rejection[] {
    const parcels = onTheirWay(order).filter((parcel) => number === undefined || parcel === order.parcels[number - 1]);
    if (parcels.length === 0) return [orderState];
    this.complete(order, parcels);
    return [];
  }

  private cancel(
    order: ModelOrder,
    request: Command<'order:cancel'>['request'],
    role: Role,
    orderState: Rejection,
  ): Rejection[] {
    const { items, unavailable: gone = [] } = request;
    const reason = request.reason ?? null;
    const strange = gone.find((id) => !order.lines.some(({ book }) => book.bookId === id));
    const unknown: Rejection[] =
      strange === undefined ? [] : [{ code: 'BOOK_NOT_FOUND', details: { bookId: strange } }];
    if (order.status === 'placed') {
      if (items) return [orderState, ...unknown];
      if (unknown.length > 0) return unknown;
      this.putBack(order, rest(order), gone);
      order.cancelReason = reason;
      this.change(order, 'cancelled');
      return [];
    }
    const copies = items ?? rest(order);
    const rejections = [...unavailable(order, copies, unshipped), ...unknown];
    if (rejections.length > 0) return rejections;
    const unfunded = this.unfunded(order, this.worthOf(order, copies));
    if (unfunded.length > 0) return unfunded.map((each) => (each.details && role === 'buyer' ? orderState : each));
    this.cancelPaid(order, copies, reason, gone);
    return [];
  }

  private refund(order: ModelOrder, request: Command<'order:refund'>['request']): Rejection[] {
    const { items = [], amount = 0, restock = false } = request;
    const rejections = unavailable(order, items, notPaidBack);
    if (rejections.length > 0) return rejections;
    const money = request.items ? priceOf(order, items) : BigInt(amount);
    if (money > order.total - order.refunded) return [{ code: 'BAD_MESSAGE' }];
    const unfunded = this.unfunded(order, money);
    if (unfunded.length > 0) return unfunded;
    payBackCopies(order, items, restock);
    this.giveBack(order, money);
    order.version += 1;
    return [];
  }

  private track(order: ModelOrder, request: Command<'order:track'>['request'], orderState: Rejection): Rejection[] {
    if (request.parcel === undefined && order.parcels.length > 1) return [{ code: 'BAD_MESSAGE' }];
    const parcel = order.parcels[(request.parcel ?? 1) - 1];
    if (!parcel || parcel.isReceived) return [orderState];
    const { carrier = parcel.carrier, trackingNo = parcel.trackingNo } = request;
    Object.assign(parcel, { carrier, trackingNo });
    Object.assign(order, { carrier, trackingNo });
    order.version += 1;
    return [];
  }

  /** All of the orders, or none. The first to see one counts. */
  private see(command: Command<'order:seen'>, now: number): Rejection[] {
    const orders = command.request.orderIds.map((orderId) => this.order(orderId));
    const rejections = orders.flatMap((order): Rejection[] => {
      if (!order) return [{ code: 'ORDER_NOT_FOUND' }];
      return this.roleOf(order, command) === 'seller' ? [] : [{ code: 'FORBIDDEN' }];
    });
    if (rejections.length > 0) return rejections;
    for (const order of orders) {
      if (!order || order.seenAt !== null) continue;
      order.seenAt = now;
      order.version += 1;
    }
    return [];
  }

  private claim(command: Command<'order:claim'>, now: number): Rejection[] {
    const { orderId, seconds } = command.request;
    const order = this.order(orderId);
    if (!order) return [{ code: 'ORDER_NOT_FOUND' }];
    if (this.roleOf(order, command) !== 'seller') return [{ code: 'FORBIDDEN' }];
    if (this.isClaimed(order, command, now)) return [claimed(order)];
    order.claim = seconds === 0 ? null : { by: command.actorId ?? '', until: now + seconds * 1_000 };
    return [];
  }

  /** The current claim, as the seller's side sees it. */
  claimOf({ claim }: ModelOrder, now: number): { by: string; until: string } | null {
    return claim && now < claim.until ? { by: claim.by, until: new Date(claim.until).toISOString() } : null;
  }

  /** By another member of the staff than this one. The owner may do what it will. */
  private isClaimed({ claim }: ModelOrder, { actorId, acting }: Command, now: number): boolean {
    return acting !== undefined && claim !== null && now < claim.until && claim.by !== actorId;
  }

  /** Changes nothing but the version. Histories are too short for the limits. */
  private amend(command: Command<'order:note' | 'order:readdress'>, now: number): Rejection[] {
    const { name, request } = command;
    const order = this.order(request.orderId);
    if (!order) return [{ code: 'ORDER_NOT_FOUND' }];
    const role = this.roleOf(order, command);
    if (!role) return [{ code: 'FORBIDDEN' }];
    if (name === 'order:readdress' && readdresser[order.status] !== role) {
      return [{ code: 'ORDER_STATE', details: { status: order.status, allowed: this.allowed(order, role, now) } }];
    }
    order.version += 1;
    return [];
  }

  /** Why the buyer cannot get this money back. */
  private unfunded({ buyerId, sellerId, settleAt, status }: ModelOrder, money: bigint): Rejection[] {
    const rejections: Rejection[] = [];
    const balance = this.balance(sellerId);
    const isHeld = settleAt === 'received' && status !== 'received';
    if (balance < money && !isHeld) rejections.push(insufficientFunds(money, balance));
    if (this.isBeyondLimit(buyerId, money)) rejections.push({ code: 'BAD_MESSAGE' });
    return rejections;
  }

  private timeout(orderId: string, now: number): Rejection[] {
    const order = this.order(orderId);
    if (!order) return [{ code: 'ORDER_NOT_FOUND' }];
    if (order.dueAt === null || now < order.dueAt) return [{ code: 'ORDER_STATE' }];
    const parcels = onTheirWay(order).filter(({ dueAt }) => dueAt !== null && dueAt <= now);
    if (parcels.length > 0) {
      this.complete(order, parcels);
      return [];
    }
    if (order.status === 'paid') {
      if (this.unfunded(order, this.worthOf(order, rest(order))).length > 0) return [{ code: 'BAD_MESSAGE' }];
      const isUnaccepted = order.acceptedAt === null && order.dueAt === order.acceptBy;
      this.cancelPaid(order, rest(order), isUnaccepted ? 'not accepted' : 'not shipped');
      return [];
    }
    cancelCopies(order, rest(order));
    order.cancelReason = 'expired';
    this.change(order, 'cancelled');
    return [];
  }

  private complete(order: ModelOrder, parcels: ModelParcel[]): void {
    for (const parcel of parcels) parcel.isReceived = true;
    const status = this.statusNow(order);
    if (status === 'received') this.release(order);
    this.change(order, status);
  }

  /** Of what the store has run out, nothing is left. */
  private putBack(
    order: ModelOrder,
    items: readonly { bookId: string; count: number }[],
    gone: readonly string[],
  ): void {
    const stocks = new Map(order.lines.map(({ book }) => [book, book.stock]));
    cancelCopies(order, items);
    for (const { book } of order.lines.filter(({ book: { bookId } }) => gone.includes(bookId))) {
      book.stock = stocks.get(book) ?? 0;
      this.removeStock(book, book.stock);
    }
  }

  private cancelPaid(
    order: ModelOrder,
    items: readonly { bookId: string; count: number }[],
    reason: string | null,
    gone: readonly string[] = [],
  ): void {
    const money = this.worthOf(order, items);
    this.putBack(order, items, gone);
    order.cancelReason = reason;
    this.giveBack(order, money);
    const status = this.statusNow(order);
    if (status === 'received') this.release(order);
    this.change(order, status);
  }

  /** What cancelling these copies gives back: their price, unless it was paid back, and never more than is left of the total. */
  private worthOf(order: ModelOrder, items: readonly { bookId: string; count: number }[]): bigint {
    const price = items.reduce((sum, { bookId, count }) => {
      const line = order.lines.find(({ book }) => book.bookId === bookId);
      return line ? sum + line.book.price * BigInt(Math.min(count, line.left)) : sum;
    }, 0n);
    const left = order.total - order.refunded;
    return price < left ? price : left;
  }

  /** The status of an order that was paid. */
  private statusNow(order: ModelOrder): Status {
    if (rest(order).length > 0) return 'paid';
    if (order.parcels.length === 0) return 'cancelled';
    return onTheirWay(order).length > 0 ? 'shipped' : 'received';
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

  private addStock({ actorId, acting, request: { storeId, bookId, add } }: Command<'stock:add'>): Rejection[] {
    const store = this.stores.get(storeId);
    if (!store) return [{ code: 'STORE_NOT_FOUND' }];
    if (store.ownerId !== (acting?.ownerId ?? actorId)) return [{ code: 'FORBIDDEN' }];
    const book = this.book(storeId, bookId);
    if (!book) return [{ code: 'BOOK_NOT_FOUND', details: { bookId } }];
    const { stock } = book;
    if (stock + add < 0) return [{ code: 'OUT_OF_STOCK', details: { bookId, wanted: -add, available: stock } }];
    if (add > 0 && stock + add > STOCK_MAX) return [{ code: 'BAD_MESSAGE' }];
    this.removeStock(book, -add);
    return [];
  }

  private changeStore({ actorId, acting, request }: Command<'store:change'>): Rejection[] {
    const store = this.stores.get(request.storeId);
    if (!store) return [{ code: 'STORE_NOT_FOUND' }];
    if (store.ownerId !== (acting?.ownerId ?? actorId)) return [{ code: 'FORBIDDEN' }];
    const { name, open, pausedUntil, acceptWithinSeconds } = request;
    if (acceptWithinSeconds && this.rules.settleAt === 'paid') return [{ code: 'BAD_MESSAGE' }];
    if (acceptWithinSeconds !== undefined) store.acceptWithinSeconds = acceptWithinSeconds;
    if (name !== undefined) store.name = name;
    if (open !== undefined) store.isOpen = open;
    if (pausedUntil !== undefined) store.pausedUntil = pausedUntil === null ? null : Date.parse(pausedUntil);
    return [];
  }

  /** A pause that is over is none. */
  pauseOf({ pausedUntil }: ModelStore, now: number): string | null {
    return pausedUntil !== null && now < pausedUntil ? new Date(pausedUntil).toISOString() : null;
  }

  private paused(store: ModelStore, now: number): Rejection[] {
    if (!store.isOpen) return [{ code: 'STORE_PAUSED', details: { until: null } }];
    const until = this.pauseOf(store, now);
    return until === null ? [] : [{ code: 'STORE_PAUSED', details: { until } }];
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

  /** What is held for a user will be in the balance. */
  private isBeyondLimit(userId: string, amount: bigint): boolean {
    return this.balance(userId) + this.held(userId) + amount > MONEY_MAX;
  }

  /** What is left of the held money, once the order is complete. */
  private release({ sellerId, total, refunded, settleAt }: ModelOrder): void {
    if (settleAt === 'paid') return;
    this.helds.set(sellerId, this.held(sellerId) - (total - refunded));
    this.balances.set(sellerId, this.balance(sellerId) + (total - refunded));
  }

  private giveBack(order: ModelOrder, money: bigint): void {
    const { buyerId, sellerId, settleAt, status } = order;
    if (settleAt === 'received' && status !== 'received') this.helds.set(sellerId, this.held(sellerId) - money);
    else this.balances.set(sellerId, this.balance(sellerId) - money);
    this.balances.set(buyerId, this.balance(buyerId) + money);
    order.refunded += money;
  }

  /** The hub acts next when it would cancel the order, or receive the first of its parcels. */
  private change(order: ModelOrder, status: Status): void {
    Object.assign(order, { status, version: order.version + 1 });
    const times = onTheirWay(order).map(({ dueAt }) => dueAt);
    if (status === 'paid') times.push(this.deadline(order));
    const due = times.filter((time) => time !== null);
    order.dueAt = due.length > 0 ? Math.min(...due) : null;
  }
}

function priceChanged(expected: number | undefined, total: bigint): Rejection[] {
  if (expected === undefined || BigInt(expected) === total) return [];
  return [{ code: 'PRICE_CHANGED', details: { expected, actual: Number(total) } }];
}

function insufficientFunds(needed: bigint, balance: bigint): Rejection {
  return { code: 'INSUFFICIENT_FUNDS', details: { needed: Number(needed), balance: Number(balance) } };
}

function claimed({ claim }: ModelOrder): Rejection {
  return { code: 'CLAIMED', details: claim && { by: claim.by, until: new Date(claim.until).toISOString() } };
}
