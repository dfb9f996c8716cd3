import type { Order, OrderWithTimeline } from '../src/contract/orders.js';
import type { OrderStatusPush } from '../src/contract/rooms.js';
import { allowedCommands, type Condition, type OrderStatus } from '../src/contract/transitions.js';

/** An order in the page's cache; with its timeline and notes once it was loaded alone. */
export type LoadedOrder = Order & Partial<Pick<OrderWithTimeline, 'timeline' | 'deliverTo' | 'notes'>>;

const timestampFields = {
  placed: 'placedAt',
  paid: 'paidAt',
  shipped: 'shippedAt',
  received: 'receivedAt',
  cancelled: 'cancelledAt',
} as const satisfies Record<OrderStatus, keyof Order>;

export function withoutUndefined<T extends object>(value: { [Name in keyof T]: T[Name] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, content]) => content !== undefined)) as T;
}

/** Conditions that a paid order meets with a parcel on its way only. */
const needsParcel: readonly Condition[] = ['onItsWay', 'trackable'];

export function applyEvent(order: LoadedOrder, event: OrderStatusPush): LoadedOrder {
  if (event.version <= order.version) return order;
  const { role, version, status, previous, command, by, at, carrier, trackingNo, cancelReason } = event;
  return {
    ...order,
    version,
    status,
    ...(status === previous ? {} : { [timestampFields[status]]: at }),
    carrier: carrier ?? order.carrier,
    trackingNo: trackingNo ?? order.trackingNo,
    cancelReason: cancelReason ?? order.cancelReason,
    // A change of lines or parcels is loaded instead: only whole orders are told by their status.
    allowed: allowedCommands(status, role, (condition) => status === 'shipped' || !needsParcel.includes(condition)),
    ...(order.timeline ? { timeline: [...order.timeline, { version, status, command, by, at }] } : {}),
  };
}

/** Order ids sort by the time the order was placed. */
export function newestFirst(a: LoadedOrder, b: LoadedOrder): number {
  return a.orderId < b.orderId ? 1 : -1;
}

function isClosed(status: OrderStatus): boolean {
  return status === 'received' || status === 'cancelled';
}

export function isEvictable(status: OrderStatus): boolean {
  return status === 'shipped' || isClosed(status);
}

/** Orders that await neither payment nor shipping: shipped ones first, then closed ones, each newest first. */
export function evictableOf(byId: ReadonlyMap<string, LoadedOrder>): LoadedOrder[] {
  return [...byId.values()]
    .filter(({ status }) => isEvictable(status))
    .sort((a, b) => Number(isClosed(a.status)) - Number(isClosed(b.status)) || newestFirst(a, b));
}
