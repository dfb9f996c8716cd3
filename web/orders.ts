import type { Order } from '../src/contract/orders.js';
import type { LoadedOrder } from '../src/react/loaded.order.js';
import { source } from './hub.js';

export const ordersOf = source.orders;

/** Orders that wait to be paid or shipped, longest wait first. */
export function longestWaitFirst(orders: readonly LoadedOrder[]): LoadedOrder[] {
  const since = ({ status, paidAt, placedAt }: LoadedOrder) => (status === 'paid' && paidAt) || placedAt;
  return [...orders].sort((a, b) => compare(since(a), since(b)) || compare(a.orderId, b.orderId));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** What people call an order: `#1042`, or the end of its id where it has no number. */
export function orderName({ number, orderId }: Pick<Order, 'number' | 'orderId'>): string {
  return number === null ? shortId(orderId) : `#${number}`;
}

/** The end of an order id: it begins with a timestamp, which orders placed at about the same time share. */
export function shortId(orderId: string): string {
  return orderId.slice(-6);
}
