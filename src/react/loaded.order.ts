import type { Order, OrderWithTimeline } from '../contract/orders.js';
import type { OrderStatusPush } from '../contract/rooms.js';
import { allowedCommands, type Condition, type OrderStatus } from '../contract/transitions.js';

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
    ...linesAfter(order, event),
    seenAt: order.seenAt ?? (command === 'seen' ? at : null),
    // A change of some lines or parcels is loaded instead: a status says all of whole orders only.
    ...(command === 'seen' || command === 'note'
      ? {}
      : {
          allowed: allowedCommands(
            status,
            role,
            (condition) => status === 'shipped' || !needsParcel.includes(condition),
          ),
        }),
    ...(order.timeline ? { timeline: [...order.timeline, { version, status, command, by, at }] } : {}),
  };
}

/** What a change of the whole order's status says of its lines and parcels. */
function linesAfter(order: LoadedOrder, event: OrderStatusPush): Partial<Order> {
  const { command, status, previous, at, carrier = null, trackingNo = null } = event;
  const { items, parcels } = order;
  if (status === previous) return {};
  if (status === 'cancelled') {
    const refunded = order.paidAt === null ? 0 : order.total;
    return { items: items.map((line) => ({ ...line, cancelled: line.count })), refunded };
  }
  if (status === 'received') {
    return { parcels: parcels.map((parcel) => ({ ...parcel, receivedAt: parcel.receivedAt ?? at })) };
  }
  if (command !== 'ship') return {};
  const left = items.flatMap(({ bookId, count, shipped, cancelled }) =>
    count > shipped + cancelled ? [{ bookId, count: count - shipped - cancelled }] : [],
  );
  const parcel = { parcel: parcels.length + 1, items: left, carrier, trackingNo, shippedAt: at, receivedAt: null };
  return {
    items: items.map((line) => ({ ...line, shipped: line.count - line.cancelled })),
    parcels: [...parcels, parcel],
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
