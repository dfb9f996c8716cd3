import type { OrderEntity } from './order.entity.js';

/** The columns of an order's row and the fields that they fill, for the statements that are written by hand. */
export const orderFields = {
  orderId: 'order_id',
  storeId: 'store_id',
  buyerId: 'buyer_id',
  sellerId: 'seller_id',
  status: 'status',
  version: 'version',
  total: 'total',
  items: 'items',
  timeline: 'timeline',
  placedAt: 'placed_at',
  expiresAt: 'expires_at',
  paidAt: 'paid_at',
  shippedAt: 'shipped_at',
  receivedAt: 'received_at',
  cancelledAt: 'cancelled_at',
  dueAt: 'due_at',
  carrier: 'carrier',
  trackingNo: 'tracking_no',
  cancelReason: 'cancel_reason',
} as const satisfies Record<keyof OrderEntity, string>;

/** Those that an order has from its placing on. The others are null until something happens. */
export const fieldsWhenPlaced = [
  'orderId',
  'storeId',
  'buyerId',
  'sellerId',
  'status',
  'version',
  'total',
  'items',
  'timeline',
  'placedAt',
  'expiresAt',
  'dueAt',
] as const satisfies (keyof OrderEntity)[];

/** Those that a command can change after the order was placed. */
export const orderFieldsThatChange = [
  'status',
  'version',
  'timeline',
  'paidAt',
  'shippedAt',
  'receivedAt',
  'cancelledAt',
  'dueAt',
  'carrier',
  'trackingNo',
  'cancelReason',
] as const satisfies (keyof OrderEntity)[];

export const orderColumns = Object.entries(orderFields)
  .map(([field, column]) => `${column} AS ${field}`)
  .join(', ');
