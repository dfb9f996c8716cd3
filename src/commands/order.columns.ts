import { selectList } from '../platform/database/select.list.js';
import { defaultTerms, type OrderRow, type OrderTerms } from './rows.js';
import { decodeTimeline, rowChanges } from './timeline.codec.js';

/** An order as its table has it: `items` and `timeline` are JSON, and the terms are in its first timeline entry. */
export type StoredOrder = Omit<OrderRow, 'items' | 'timeline' | keyof OrderTerms> & { items: string; timeline: string };
export type OrderField = Exclude<keyof OrderRow, keyof OrderTerms>;

/** The columns of an order's row, by field, for statements that are not TypeORM's. */
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
  number: 'number',
  claimedBy: 'claimed_by',
  claimedUntil: 'claimed_until',
  claims: 'claims',
} as const satisfies Record<OrderField, string>;

/** What a new order has. The other columns are null until something happens. */
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
  'number',
] as const satisfies OrderField[];

/** What a command can change after the order was placed. */
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
] as const satisfies OrderField[];

/** What a claim changes, and nothing else does. */
export const claimFields = ['claimedBy', 'claimedUntil', 'claims'] as const satisfies OrderField[];

export const orderColumns = selectList(orderFields);

/** The size of an order's texts, in bytes. */
export const orderBytes = 'OCTET_LENGTH(items) + OCTET_LENGTH(timeline)';

export function parseOrder(stored: StoredOrder): OrderRow {
  const timeline = decodeTimeline(stored);
  return { ...stored, ...defaultTerms, ...rowChanges(timeline[0]?.changes), items: JSON.parse(stored.items), timeline };
}
