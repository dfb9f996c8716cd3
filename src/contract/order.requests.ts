import { z } from 'zod';
import { unavailableBooks } from './acceptance.fields.js';
import * as field from './fields.js';
import { orderFilters } from './order.filters.js';
import { orderStatuses, roles } from './transitions.js';
import { deliverTo, placeNote } from './words.js';

/* What a client sends about orders. */

export const ORDER_ITEMS_MAX = 100;
export const CARRIER_CHARACTERS_MAX = 100;
export const REASON_CHARACTERS_MAX = 500;
export const PARCELS_MAX = 20;
/** Part cancels, refunds and changes of tracking that an order may have, of each. */
export const LINE_CHANGES_MAX = 100;

export const role = z.enum(roles).describe('The side of the order: buyer or seller.');
export const orderStatus = z.enum(orderStatuses);
const key = field.key.optional();

export const orderItem = z.strictObject({ bookId: field.bookId, count: field.count });

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
            context.addIssue({ code: 'custom', path: [index, 'bookId'], message: 'is in the order more than once' });
          }
          seen.add(bookId);
        });
      },
      // Reported together with the other field errors; by default zod would run it only once those are fixed.
      { when: ({ value }) => Array.isArray(value) },
    ),
  )
  .describe('Each book at most once.');
const expectedTotal = field.total
  .describe('Rejected with `PRICE_CHANGED` if the total differs. In minor units.')
  .optional();

const carrier = field
  .text(CARRIER_CHARACTERS_MAX)
  .meta({ description: 'The company that delivers the parcel.', examples: ['SF Express'] });
const trackingNo = field
  .text(CARRIER_CHARACTERS_MAX)
  .meta({ description: 'The carrier’s tracking number.', examples: ['SF1234567890'] });

export const placeRequest = z.strictObject({
  storeId: field.storeId,
  items: orderItems,
  expectedTotal,
  deliverTo: deliverTo.optional(),
  note: placeNote.optional(),
  key,
});
export const payRequest = z.strictObject({ orderId: field.orderId, expectedTotal, key });
export const parcel = field
  .integer(1, PARCELS_MAX)
  .meta({ description: 'The parcel’s number in the order.', examples: [1] });
const someItems = orderItems.describe('Copies of books of the order, each book at most once.').optional();

export const shipRequest = z.strictObject({
  orderId: field.orderId,
  items: someItems,
  carrier: carrier.optional(),
  trackingNo: trackingNo.optional(),
  key,
});
export const receiveRequest = z.strictObject({ orderId: field.orderId, parcel: parcel.optional(), key });
export const cancelRequest = z.strictObject({
  orderId: field.orderId,
  items: someItems,
  reason: field
    .text(REASON_CHARACTERS_MAX)
    .meta({ description: 'The order’s `cancelReason`.', examples: ['I ordered the wrong one.'] })
    .optional(),
  unavailable: unavailableBooks(ORDER_ITEMS_MAX).optional(),
  key,
});
const NEEDS_ONE = 'either `items` or `amount` is required, and not both';
export const refundRequest = z
  .strictObject({
    orderId: field.orderId,
    items: someItems,
    // Without an example, so that the request's own example is of copies only.
    amount: field
      .integer(1, field.AMOUNT_MAX)
      .describe('Money that is for no copies in particular. In minor units.')
      .optional(),
    restock: z
      .boolean()
      .meta({ description: 'Whether shipped copies among `items` go back into stock.', examples: [true] })
      .optional(),
    reason: field
      .text(REASON_CHARACTERS_MAX)
      .meta({ description: 'Kept with the change, and not shown.', examples: ['A corner was bent.'] })
      .optional(),
    key,
  })
  .check(
    z.superRefine<unknown>(
      (request, context) => {
        const { items, amount, restock } = request as Record<string, unknown>;
        if ((items === undefined) === (amount === undefined)) {
          context.addIssue({ code: 'custom', path: ['items'], message: NEEDS_ONE });
        } else if (items === undefined && restock === true) {
          context.addIssue({ code: 'custom', path: ['restock'], message: 'needs `items`' });
        }
      },
      { when: ({ value }) => typeof value === 'object' && value !== null },
    ),
  );
export const trackRequest = z
  .strictObject({
    orderId: field.orderId,
    parcel: parcel.describe('The parcel; required where the order has several.').optional(),
    carrier: carrier.optional(),
    trackingNo: trackingNo.optional(),
    key,
  })
  .check(
    z.superRefine<unknown>(
      (request, context) => {
        const { carrier, trackingNo } = request as Record<string, unknown>;
        if (carrier !== undefined || trackingNo !== undefined) return;
        context.addIssue({ code: 'custom', path: ['carrier'], message: 'is required without `trackingNo`' });
      },
      { when: ({ value }) => typeof value === 'object' && value !== null },
    ),
  );
export const getRequest = z.strictObject({ orderId: field.orderId });
export const listRequest = z.strictObject({
  role,
  status: orderStatus.describe('Only orders with this status.').optional(),
  storeId: field.storeId.describe('Only orders of this store.').optional(),
  ...orderFilters,
  after: field.cursor.optional(),
  limit: field.limit.optional(),
});

export type PlaceRequest = z.infer<typeof placeRequest>;
export type ListRequest = z.infer<typeof listRequest>;
export type OrderFilters = Omit<ListRequest, 'q' | 'limit'>;
