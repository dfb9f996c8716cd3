import type { AnswerReplay } from '../commands/command.handler.js';
import type { Order } from '../contract/orders.js';
import type { Actor } from '../contract/transitions.js';
import { actorOf, presentOrder } from './order.presenter.js';
import { orderAt } from './order.timeline.js';

/** A change of an order, who was answered, and the number of its event: all that an answer about it is stored as. */
interface OrderChange {
  orderId: string;
  version: number;
  seq?: number;
  /** What the caller was to the order then; missing in answers of earlier releases. */
  role?: Actor;
  /** How many of the `additions` the answer had; missing in answers of earlier releases. */
  form?: number;
}

/** What orders have gained, oldest first: a stored answer stays without what came after it. */
const additions: readonly ((order: Order) => Partial<Order>)[] = [
  ({ number: _, ...order }) => order,
  ({ shipBy: _, ...order }) => order,
  withoutLines,
  withoutAcceptance,
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
  referenceTo({ data, seq }, actorId): OrderChange {
    const order = data as Order;
    const { orderId, version } = order;
    const role = actorOf(order, actorId);
    return {
      orderId,
      version,
      ...(seq === undefined ? {} : { seq }),
      ...(role ? { role } : {}),
      form: additions.length,
    };
  },
  orderIds: (reference) => [(reference as OrderChange).orderId],
  answer({ orders }, reference, actorId) {
    const { orderId, version, seq, role, form = role ? 1 : 0 } = reference as OrderChange;
    const order = orders.get(orderId);
    const actor = role ?? (order && actorOf(order, actorId));
    const change = order?.timeline[version - 1];
    if (!order || !actor || !change) throw new Error('The order that a stored answer refers to was not loaded');
    const full = presentOrder(orderAt(order, version), actor, change.at);
    const data = additions.slice(form).reduce((shown, without) => without(shown as Order), full as Partial<Order>);
    return { ok: true, data, ...(seq === undefined ? {} : { seq }) };
  },
};
