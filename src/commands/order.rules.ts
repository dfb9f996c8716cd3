import { Refusal } from '../contract/errors.js';
import { BALANCE_MAX, TOTAL_MAX } from '../contract/fields.js';
import {
  allowedCommands,
  HUB,
  mayEver,
  type OrderCommand,
  type OrderStatus,
  type Party,
  stepOf,
} from '../contract/lifecycle.js';
import { EXPIRED_REASON } from '../contract/orders.js';
import type { Command, CommandNamed } from './command.js';
import { hasExpired, type OrderItem, type OrderRow, partyOf } from './order.view.js';
import { type Change, pair, type World } from './world.js';

/**
 * The rules of an order's life: pure functions of what the batch has loaded, the command and the time. Each gives the
 * change that the command makes, or the refusal that it gets; doing it is the world's business.
 */
export type Decision = Change | Refusal;

export function place(world: World, { by, request, orderId = '' }: CommandNamed<'order:place'>, now: number): Decision {
  const buyerId = by ?? HUB;
  const sellerId = world.stores.get(request.storeId);
  if (sellerId === undefined) return new Refusal('STORE_NOT_FOUND');
  if (!world.users.has(sellerId)) return new Refusal('USER_NOT_FOUND');
  if (sellerId === buyerId) return new Refusal('FORBIDDEN', 'Nobody can order from their own store.');

  const items: OrderItem[] = [];
  const stock: NonNullable<Change['stock']> = [];
  let total = 0;
  for (const { bookId, count } of request.items) {
    const book = world.books.get(pair(request.storeId, bookId));
    if (!book) return new Refusal('BOOK_NOT_FOUND', undefined, { bookId });
    total += book.price * count;
    if (total > TOTAL_MAX) return Refusal.badMessage([{ path: 'items', problem: 'come to a total beyond 2^53−1' }]);
    items.push({ bookNo: book.bookNo, bookId, title: book.title, count, price: book.price });
    stock.push({ book, by: -count });
  }
  if (request.expectedTotal !== undefined && request.expectedTotal !== total)
    return priceChanged(request.expectedTotal, total);
  for (const { book, by: change } of stock) {
    const wanted = -change;
    if (book.stock < wanted) {
      return new Refusal('OUT_OF_STOCK', undefined, { bookId: book.bookId, wanted, available: book.stock });
    }
  }

  const expiresAt = now + world.rules.unpaidTtlMs;
  const order: OrderRow = {
    orderId,
    storeId: request.storeId,
    buyerId,
    sellerId,
    status: 'placed',
    version: 1,
    total,
    items,
    timeline: [{ version: 1, status: 'placed', by: buyerId, at: now }],
    placedAt: now,
    expiresAt,
    paidAt: null,
    shippedAt: null,
    receivedAt: null,
    cancelledAt: null,
    dueAt: expiresAt,
    carrier: null,
    trackingNo: null,
    cancelReason: null,
  };
  return { order: { after: order, previous: null, by: buyerId }, stock };
}

export function pay(world: World, command: CommandNamed<'order:pay'>, now: number): Decision {
  const found = findOrder(world, command, 'pay', now);
  if (found instanceof Refusal) return found;
  const { order, step } = found;
  const { buyerId, sellerId, total, orderId } = order;
  const { expectedTotal } = command.request;
  if (expectedTotal !== undefined && expectedTotal !== total) return priceChanged(expectedTotal, total);
  const balance = balanceOf(world, buyerId);
  if (balance < total) return insufficientFunds(total, balance);
  if (balanceOf(world, sellerId) > BALANCE_MAX - total) return beyondBalance('orderId');
  return {
    order: advance(order, step.to, command.by, now, { paidAt: now, dueAt: null }),
    money: [
      { userId: buyerId, amount: -total, kind: 'payment', orderId },
      { userId: sellerId, amount: total, kind: 'sale', orderId },
    ],
  };
}

export function ship(world: World, command: CommandNamed<'order:ship'>, now: number): Decision {
  const found = findOrder(world, command, 'ship', now);
  if (found instanceof Refusal) return found;
  const { carrier = null, trackingNo = null } = command.request;
  const { autoReceiveMs } = world.rules;
  const dueAt = autoReceiveMs === 0 ? null : now + autoReceiveMs;
  return {
    order: advance(found.order, found.step.to, command.by, now, { shippedAt: now, dueAt, carrier, trackingNo }),
  };
}

export function receive(world: World, command: CommandNamed<'order:receive'>, now: number): Decision {
  const found = findOrder(world, command, 'receive', now);
  if (found instanceof Refusal) return found;
  return { order: advance(found.order, found.step.to, command.by, now, { receivedAt: now, dueAt: null }) };
}

export function cancel(world: World, command: CommandNamed<'order:cancel'>, now: number): Decision {
  const found = findOrder(world, command, 'cancel', now);
  if (found instanceof Refusal) return found;
  const { order, party } = found;
  const cancelled = cancellation(world, order, command.by, command.request.reason ?? null, now);
  if (order.status !== 'paid') return cancelled;

  const { buyerId, sellerId, total, orderId } = order;
  const sellersBalance = balanceOf(world, sellerId);
  if (sellersBalance < total) {
    return party === 'seller' ? insufficientFunds(total, sellersBalance) : wrongState(order, party, 'cancel', now);
  }
  if (balanceOf(world, buyerId) > BALANCE_MAX - total) return beyondBalance('orderId');
  cancelled.money = [
    { userId: sellerId, amount: -total, kind: 'refunded', orderId },
    { userId: buyerId, amount: total, kind: 'refund', orderId },
  ];
  return cancelled;
}

/** What the hub does by itself when the time of an order has come. */
export function due(world: World, command: CommandNamed<'order:due'>, now: number): Decision {
  const order = world.orders.get(command.request.orderId);
  if (!order) return new Refusal('ORDER_NOT_FOUND');
  if (order.dueAt === null || order.dueAt > now) return wrongState(order, HUB, 'cancel', now);
  if (order.status === 'placed') return cancellation(world, order, null, EXPIRED_REASON, now);
  if (order.status === 'shipped')
    return { order: advance(order, 'received', null, now, { receivedAt: now, dueAt: null }) };
  return wrongState(order, HUB, 'receive', now);
}

/** The order, if this user may give this command to it now. A stranger learns nothing of it. */
function findOrder(world: World, command: Command & { request: { orderId: string } }, name: OrderCommand, now: number) {
  const order = world.orders.get(command.request.orderId);
  if (!order) return new Refusal('ORDER_NOT_FOUND');
  const party = partyOf(order, command.by);
  if (!party || !mayEver(name, party)) return new Refusal('FORBIDDEN');
  const step = stepOf(name, order.status);
  if (!step?.by.includes(party)) return wrongState(order, party, name, now);
  if (name === 'pay' && hasExpired(order, now)) return wrongState(order, party, name, now);
  return { order, party, step };
}

function advance(
  order: OrderRow,
  status: OrderStatus,
  by: string | null,
  now: number,
  fields: Partial<OrderRow>,
): NonNullable<Change['order']> {
  const version = order.version + 1;
  const who = by ?? HUB;
  const timeline = [...order.timeline, { version, status, by: who, at: now }];
  return { after: { ...order, ...fields, status, version, timeline }, previous: order.status, by: who };
}

function cancellation(
  world: World,
  order: OrderRow,
  by: string | null,
  cancelReason: string | null,
  now: number,
): Change {
  const stock = order.items.map(({ bookNo, count }) => {
    const book = world.booksByNo.get(bookNo);
    if (!book) throw new Error('A book that a cancelled order gives back was not loaded');
    return { book, by: count };
  });
  return { order: advance(order, 'cancelled', by, now, { cancelledAt: now, dueAt: null, cancelReason }), stock };
}

function balanceOf(world: World, userId: string): number {
  return world.wallets.get(userId)?.balance ?? 0;
}

function wrongState(order: OrderRow, party: Party, command: OrderCommand, now: number): Refusal {
  const allowed = allowedCommands(order.status, party, hasExpired(order, now)).filter((name) => name !== command);
  return new Refusal('ORDER_STATE', undefined, { status: order.status, allowed });
}

function priceChanged(expected: number, actual: number): Refusal {
  return new Refusal('PRICE_CHANGED', undefined, { expected, actual });
}

export function insufficientFunds(needed: number, balance: number): Refusal {
  return new Refusal('INSUFFICIENT_FUNDS', undefined, { needed, balance });
}

export function beyondBalance(path: string): Refusal {
  return Refusal.badMessage([{ path, problem: 'would take a balance beyond 2^53−1' }]);
}
