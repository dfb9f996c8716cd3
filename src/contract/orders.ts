import { z } from 'zod';
import * as field from './fields.js';
import { orderCommands, orderStatuses, roles } from './lifecycle.js';
import type { MessageRow, RouteRow } from './row.js';

export const ORDER_ITEMS_MAX = 100;
export const CARRIER_CHARACTERS_MAX = 100;
export const REASON_CHARACTERS_MAX = 500;
/** What `cancelReason` says of an order that was not paid in time. */
export const EXPIRED_REASON = 'expired';

export const role = z.enum(roles).describe('Which side of the order: who buys, or who sells.');
export const orderStatus = z.enum(orderStatuses);
const key = field.key.optional();

const orderItem = z.strictObject({ bookId: field.bookId, count: field.count });

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
  )
  .describe('A book at most once.');
const expectedTotal = field.total.describe('Refused with `PRICE_CHANGED` if the total is another.').optional();

const carrier = field.text(CARRIER_CHARACTERS_MAX).meta({ examples: ['SF Express'] });
const trackingNo = field.text(CARRIER_CHARACTERS_MAX).meta({ examples: ['SF1234567890'] });

export const placeRequest = z.strictObject({ storeId: field.storeId, items: orderItems, expectedTotal, key });
export const payRequest = z.strictObject({ orderId: field.orderId, expectedTotal, key });
export const shipRequest = z.strictObject({
  orderId: field.orderId,
  carrier: carrier.optional(),
  trackingNo: trackingNo.optional(),
  key,
});
export const receiveRequest = z.strictObject({ orderId: field.orderId, key });
export const cancelRequest = z.strictObject({
  orderId: field.orderId,
  reason: field
    .text(REASON_CHARACTERS_MAX)
    .meta({ examples: ['I ordered the wrong one.'] })
    .optional(),
  key,
});
export const getRequest = z.strictObject({ orderId: field.orderId });
export const listRequest = z.strictObject({
  role,
  status: orderStatus.describe('Only orders that have it now.').optional(),
  storeId: field.storeId.describe('Only orders of this store.').optional(),
  after: field.cursor.optional(),
  limit: field.limit.optional(),
});

export type PlaceRequest = z.infer<typeof placeRequest>;
export type ListRequest = z.infer<typeof listRequest>;

const buyerId = field.userId.describe('Who placed it.');
const sellerId = field.userId.meta({ description: 'The owner of the store.', examples: ['mei'] });
const notYet = field.time.nullable().meta({ description: 'Null until it happens.', examples: [null] });
const noText = z
  .string()
  .nullable()
  .meta({ examples: [null] });

/** An order as one of its parties reads it: `allowed` names the commands that this reader may give now. */
export const order = z.strictObject({
  orderId: field.givenOrderId,
  storeId: field.storeId,
  buyerId,
  sellerId,
  status: orderStatus,
  version: z
    .int()
    .min(1)
    .meta({ description: 'Counts the changes of the order: 1, 2, 3 …', examples: [1] }),
  items: z
    .array(
      z.strictObject({
        bookId: field.bookId,
        title: field.example('The Three-Body Problem 三体'),
        count: field.count,
        price: field.price,
      }),
    )
    .describe('Titles and prices are those of the moment of placing.'),
  total: field.total,
  placedAt: field.time.describe('When it was placed.'),
  expiresAt: field.time.meta({
    description: 'Until when it can be paid.',
    examples: ['2026-03-01T08:45:00.000Z'],
  }),
  paidAt: notYet,
  shippedAt: notYet,
  receivedAt: notYet,
  cancelledAt: notYet,
  carrier: noText,
  trackingNo: noText,
  cancelReason: noText.describe(`\`${EXPIRED_REASON}\` if it was not paid in time.`),
  allowed: z
    .array(z.enum(orderCommands))
    .meta({ description: 'The commands that the reader may give now.', examples: [['pay', 'cancel']] }),
});
export type Order = z.infer<typeof order>;

export const timelineEntry = z.strictObject({
  version: z
    .int()
    .min(1)
    .meta({ examples: [1] }),
  status: orderStatus,
  by: field.example('lin').describe('Who did it: a user, or `hub`.'),
  at: field.time.describe('When it happened.'),
});
export const orderWithTimeline = order.extend({ timeline: z.array(timelineEntry) });
export type OrderWithTimeline = z.infer<typeof orderWithTimeline>;

/** What may be said of orders. Over HTTP the same, word for word: these rows are the rows of the routes as well. */
export const orderMessages = {
  'order:place': {
    says: 'Orders books of one store.',
    notes: `Anybody but the store’s owner. 1 to ${ORDER_ITEMS_MAX} books; the stock is held until the order is paid or cancelled.`,
    request: placeRequest,
    data: order,
    refuses: ['STORE_NOT_FOUND', 'USER_NOT_FOUND', 'FORBIDDEN', 'BOOK_NOT_FOUND', 'PRICE_CHANGED', 'OUT_OF_STOCK'],
  },
  'order:pay': {
    says: 'Pays an order from the wallet.',
    notes: 'Its buyer only, before `expiresAt`.',
    request: payRequest,
    data: order,
    refuses: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE', 'PRICE_CHANGED', 'INSUFFICIENT_FUNDS'],
  },
  'order:ship': {
    says: 'Tells that the books are on their way.',
    notes: 'Its seller only.',
    request: shipRequest,
    data: order,
    refuses: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE'],
  },
  'order:receive': {
    says: 'Tells that the books have come.',
    notes: 'Its buyer only.',
    request: receiveRequest,
    data: order,
    refuses: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE'],
  },
  'order:cancel': {
    says: 'Cancels an order that is not shipped. What was paid is paid back.',
    notes:
      'Both parties. Paying back needs the seller to have the money: otherwise the seller gets `INSUFFICIENT_FUNDS`, and the buyer `ORDER_STATE`.',
    request: cancelRequest,
    data: order,
    refuses: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE', 'INSUFFICIENT_FUNDS'],
  },
  'order:get': {
    says: 'Shows an order with its timeline.',
    notes: 'Both parties.',
    request: getRequest,
    data: orderWithTimeline,
    refuses: ['ORDER_NOT_FOUND', 'FORBIDDEN'],
    read: true,
  },
  'order:list': {
    says: 'Lists the caller’s orders, as buyer or as seller, newest first.',
    request: listRequest,
    data: field.page(order),
    read: true,
  },
} as const satisfies Record<string, MessageRow>;

export const orderRoutes = {
  orders: { ...orderMessages['order:list'], method: 'GET', path: '/orders', numbers: ['limit'] },
  order: { ...orderMessages['order:get'], method: 'GET', path: '/orders/:orderId' },
  place: { ...orderMessages['order:place'], method: 'POST', path: '/orders', status: 201 },
  pay: { ...orderMessages['order:pay'], method: 'POST', path: '/orders/:orderId/pay', wordForWord: true },
  ship: { ...orderMessages['order:ship'], method: 'POST', path: '/orders/:orderId/ship', wordForWord: true },
  receive: { ...orderMessages['order:receive'], method: 'POST', path: '/orders/:orderId/receive', wordForWord: true },
  cancel: { ...orderMessages['order:cancel'], method: 'POST', path: '/orders/:orderId/cancel', wordForWord: true },
} as const satisfies Record<string, RouteRow>;
