import type { AnswerReplay } from '../commands/command.handler.js';
import type { Command } from '../commands/command.js';
import type { UnitOfWork } from '../commands/unit.of.work.js';
import type { Order } from '../contract/orders.js';
import type { Actor } from '../contract/transitions.js';
import { actorOf, presentOrder } from './order.presenter.js';
import { orderAt } from './order.timeline.js';

/** An order as an answer has shown it, and to whom: all that the answer is stored as. */
interface ShownOrder {
  orderId: string;
  version: number;
  /** What the caller was to the order then; missing in answers of earlier releases. */
  role?: Actor;
  /** How many of the `additions` the answer had; missing in answers of earlier releases. */
  form?: number;
  /** Who was working on it. */
  claim?: NonNullable<Order['claim']>;
  /** When it was shown, unless that was when its latest change was made. */
  at?: number;
}

/** A change of an order, with the number of its event: none is not stored. */
interface OrderChange extends ShownOrder {
  seq?: number | undefined;
}

/** Several orders, with the number of the last event. */
interface OrderChanges {
  orders: ShownOrder[];
  seq?: number | undefined;
}

/** What orders have gained, oldest first: a stored answer stays without what came after it. */
const additions: readonly ((order: Order) => Partial<Order>)[] = [
  ({ number: _, ...order }) => order,
  ({ shipBy: _, ...order }) => order,
  withoutLines,
  withoutAcceptance,
  ({ seenAt: _seenAt, claim: _claim, ...order }) => order,
];

/** Items without their counts, as whole orders had them. */
function withoutLines({ refunded: _refunded, parcels: _parcels, ...order }: Order): Partial<Order> {
  const items = order.items.map(({ bookId, title, count, price }) => ({ bookId, title, count, price }));
  const allowed = order.allowed.filter((command) => command !== 'refund' && command !== 'track');
  return { ...order, items: items as Order['items'], allowed };
}

function withoutAcceptance({ acceptBy: _by, acceptedAt: _at, readyAt: _ready, ...order }: Order): Partial<Order> {
  return { ...order, allowed: order.allowed.filter((command) => command !== 'accept') };
}

/** An order's timeline never changes, so an answer is built again from the order as it stood after that change. */
export const orderReplay: AnswerReplay = {
  referenceTo({ data, seq }, command, { orders, now }): OrderChange {
    return { ...referenceTo(data as Order, command, orders, now), seq };
  },
  orderIds: (reference) => [(reference as OrderChange).orderId],
  answer({ orders }, reference, actorId) {
    const { seq, ...shown } = reference as OrderChange;
    const data = showAgain(orders, shown, actorId);
    return { ok: true, data, ...(seq === undefined ? {} : { seq }) };
  },
};

/** The same for an answer about several orders. */
export const ordersReplay: AnswerReplay = {
  referenceTo({ data, seq }, command, { orders, now }): OrderChanges {
    const shown = (data as { orders: Order[] }).orders.map((order) => referenceTo(order, command, orders, now));
    return { orders: shown, seq };
  },
  orderIds: (reference) => (reference as OrderChanges).orders.map(({ orderId }) => orderId),
  answer({ orders }, reference, actorId) {
    const { seq, orders: shown } = reference as OrderChanges;
    const data = { orders: shown.map((each) => showAgain(orders, each, actorId)) };
    return { ok: true, data, ...(seq === undefined ? {} : { seq }) };
  },
};

function referenceTo(
  order: Order,
  { actorId, acting }: Pick<Command, 'actorId' | 'acting'>,
  orders: UnitOfWork['orders'],
  now: number,
): ShownOrder {
  const { orderId, version, claim } = order;
  const role = actorOf(order, actorId, acting);
  const changedAt = orders.get(orderId)?.timeline[version - 1]?.at;
  return {
    ...{ orderId, version },
    ...(role ? { role } : {}),
    form: additions.length,
    ...(claim ? { claim } : {}),
    ...(changedAt === now ? {} : { at: now }),
  };
}

function showAgain(
  orders: UnitOfWork['orders'],
  { orderId, version, role, form = role ? 1 : 0, claim, at }: ShownOrder,
  actorId: string,
): Partial<Order> {
  const order = orders.get(orderId);
  const actor = role ?? (order && actorOf(order, actorId));
  const change = order?.timeline[version - 1];
  if (!order || !actor || !change) throw new Error('The order that a stored answer refers to was not loaded');
  const claimed = { claimedBy: claim?.by ?? null, claimedUntil: claim ? Date.parse(claim.until) : null };
  const full = presentOrder({ ...orderAt(order, version), ...claimed }, actor, at ?? change.at);
  return additions.slice(form).reduce((shown, without) => without(shown as Order), full as Partial<Order>);
}
