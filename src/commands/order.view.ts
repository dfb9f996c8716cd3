import { isoTime } from '../contract/fields.js';
import { allowedCommands, HUB, type OrderStatus, type Party, roles } from '../contract/lifecycle.js';
import type { Order, OrderWithTimeline } from '../contract/orders.js';
import type { OrderEntity } from './order.entity.js';

export interface OrderItem {
  bookNo: number;
  bookId: string;
  title: string;
  count: number;
  price: number;
}
export interface TimelineEntry {
  version: number;
  status: OrderStatus;
  by: string;
  at: number;
}
/** An order in memory: its row, with the JSON columns read. */
export type OrderRow = Omit<OrderEntity, 'items' | 'timeline'> & { items: OrderItem[]; timeline: TimelineEntry[] };

const ORDER_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether the hub could have given this id. No other text reaches the database: a driver may take it for less than it is. */
export function isOrderId(text: string): boolean {
  return ORDER_ID.test(text);
}

export function orderRow(entity: OrderEntity): OrderRow {
  return { ...entity, items: JSON.parse(entity.items), timeline: JSON.parse(entity.timeline) };
}

/** Who this user is to this order: nobody, for a stranger. The hub itself (null) is a party to all. */
export function partyOf(order: Pick<OrderRow, 'buyerId' | 'sellerId'>, userId: string | null): Party | undefined {
  if (userId === null) return HUB;
  return roles.find((role) => memberOf(order, role) === userId);
}

export function memberOf(order: Pick<OrderRow, 'buyerId' | 'sellerId'>, role: 'buyer' | 'seller'): string {
  return role === 'buyer' ? order.buyerId : order.sellerId;
}

/** From `expiresAt` on an unpaid order cannot be paid, whether the hub has acted already or not. */
export function hasExpired(order: Pick<OrderRow, 'expiresAt'>, now: number): boolean {
  return now >= order.expiresAt;
}

/** The order as it stood after this one of its changes. */
export function orderAt(order: OrderRow, version: number): OrderRow {
  const timeline = order.timeline.slice(0, version);
  const at = (status: OrderStatus) => timeline.find((entry) => entry.status === status)?.at ?? null;
  const [shippedAt, cancelledAt] = [at('shipped'), at('cancelled')];
  return {
    ...order,
    status: timeline.at(-1)?.status ?? order.status,
    version,
    timeline,
    paidAt: at('paid'),
    shippedAt,
    receivedAt: at('received'),
    cancelledAt,
    carrier: shippedAt === null ? null : order.carrier,
    trackingNo: shippedAt === null ? null : order.trackingNo,
    cancelReason: cancelledAt === null ? null : order.cancelReason,
  };
}

/** The order as this party reads it at this moment. */
export function orderView(order: OrderRow, party: Party, now: number): Order {
  return {
    orderId: order.orderId,
    storeId: order.storeId,
    buyerId: order.buyerId,
    sellerId: order.sellerId,
    status: order.status,
    version: order.version,
    items: order.items.map(({ bookId, title, count, price }) => ({ bookId, title, count, price })),
    total: order.total,
    placedAt: isoTime(order.placedAt),
    expiresAt: isoTime(order.expiresAt),
    paidAt: isoTime(order.paidAt),
    shippedAt: isoTime(order.shippedAt),
    receivedAt: isoTime(order.receivedAt),
    cancelledAt: isoTime(order.cancelledAt),
    carrier: order.carrier,
    trackingNo: order.trackingNo,
    cancelReason: order.cancelReason,
    allowed: allowedCommands(order.status, party, hasExpired(order, now)),
  };
}

export function orderWithTimeline(order: OrderRow, party: Party, now: number): OrderWithTimeline {
  const timeline = order.timeline.map((entry) => ({ ...entry, at: isoTime(entry.at) }));
  return { ...orderView(order, party, now), timeline };
}
