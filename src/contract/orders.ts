import { z } from 'zod';
import * as field from './fields.js';
import { orderCommands, orderStatuses, roles } from './lifecycle.js';

export const ORDER_ITEMS_MAX = 100;
export const CARRIER_CHARACTERS_MAX = 100;
export const REASON_CHARACTERS_MAX = 500;
/** What `cancelReason` says of an order that was not paid in time. */
export const EXPIRED_REASON = 'expired';

export const role = z.enum(roles);
export const orderStatus = z.enum(orderStatuses);
const key = field.key.optional();

const orderItem = z.strictObject({ bookId: field.id, count: field.count });

const orderItems = z
  .array(orderItem)
  .min(1)
  .max(ORDER_ITEMS_MAX)
  .check(
    z.superRefine<unknown[]>(
      (items, context) => {
        const seen = new Set<unknown>();
        items.forEach((item, index) => {
          const bookId = item !== null && typeof item === 'object' && 'bookId' in item ? item.bookId : undefined;
          if (typeof bookId !== 'string') return;
          if (seen.has(bookId)) {
            context.addIssue({ code: 'custom', path: [index, 'bookId'], message: 'is in the order twice' });
          }
          seen.add(bookId);
        });
      },
      // Told beside the other faults, not only after they are mended.
      { when: ({ value }) => Array.isArray(value) },
    ),
  );

export const placeRequest = z.strictObject({
  storeId: field.id,
  items: orderItems,
  expectedTotal: field.total.optional(),
  key,
});
export const payRequest = z.strictObject({ orderId: field.orderId, expectedTotal: field.total.optional(), key });
export const shipRequest = z.strictObject({
  orderId: field.orderId,
  carrier: field.text(CARRIER_CHARACTERS_MAX).optional(),
  trackingNo: field.text(CARRIER_CHARACTERS_MAX).optional(),
  key,
});
export const receiveRequest = z.strictObject({ orderId: field.orderId, key });
export const cancelRequest = z.strictObject({
  orderId: field.orderId,
  reason: field.text(REASON_CHARACTERS_MAX).optional(),
  key,
});
export const getRequest = z.strictObject({ orderId: field.orderId });
export const listRequest = z.strictObject({
  role,
  status: orderStatus.optional(),
  storeId: field.id.optional(),
  after: field.cursor.optional(),
  limit: field.limit.optional(),
});

export type PlaceRequest = z.infer<typeof placeRequest>;
export type ListRequest = z.infer<typeof listRequest>;

const timeOrNull = field.time.nullable();
const textOrNull = z.string().nullable();

/** An order as one of its parties reads it: `allowed` names the commands that this reader may give now. */
export const order = z.strictObject({
  orderId: z.string(),
  storeId: field.id,
  buyerId: field.id,
  sellerId: field.id,
  status: orderStatus,
  version: z.int(),
  items: z.array(z.strictObject({ bookId: field.id, title: z.string(), count: field.count, price: field.price })),
  total: field.total,
  placedAt: field.time,
  expiresAt: field.time,
  paidAt: timeOrNull,
  shippedAt: timeOrNull,
  receivedAt: timeOrNull,
  cancelledAt: timeOrNull,
  carrier: textOrNull,
  trackingNo: textOrNull,
  cancelReason: textOrNull,
  allowed: z.array(z.enum(orderCommands)),
});
export type Order = z.infer<typeof order>;

export const timelineEntry = z.strictObject({
  version: z.int(),
  status: orderStatus,
  by: z.string(),
  at: field.time,
});
export const orderWithTimeline = order.extend({ timeline: z.array(timelineEntry) });
export type OrderWithTimeline = z.infer<typeof orderWithTimeline>;
