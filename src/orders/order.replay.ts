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
  /** How many of `laterFields` the answer had; missing in answers of earlier releases. */
  form?: number;
}

/** The fields that orders have gained, oldest first: a stored answer stays without those that came after it. */
const laterFields = ['number', 'shipBy'] as const satisfies (keyof Order)[];

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
      form: laterFields.length,
    };
  },
  orderIds: (reference) => [(reference as OrderChange).orderId],
  answer({ orders }, reference, actorId) {
    const { orderId, version, seq, role, form = role ? 1 : 0 } = reference as OrderChange;
    const order = orders.get(orderId);
    const actor = role ?? (order && actorOf(order, actorId));
    const change = order?.timeline[version - 1];
    if (!order || !actor || !change) throw new Error('The order that a stored answer refers to was not loaded');
    const data: Partial<Order> = presentOrder(orderAt(order, version), actor, change.at);
    for (const field of laterFields.slice(form)) delete data[field];
    return { ok: true, data, ...(seq === undefined ? {} : { seq }) };
  },
};
