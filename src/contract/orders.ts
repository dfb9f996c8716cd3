import { z } from 'zod';
import * as field from './fields.js';
import type { MessageRow, RouteRow } from './row.js';
import { changeCommands, orderCommands, orderStatuses, roles } from './transitions.js';
import { deliverTo, note, placeNote, shownDeliverTo } from './words.js';

export const ORDER_ITEMS_MAX = 100;
export const CARRIER_CHARACTERS_MAX = 100;
export const REASON_CHARACTERS_MAX = 500;
/** The `cancelReason` of an order that was not paid in time. */
export const EXPIRED_REASON = 'expired';
/** The `cancelReason` of an order that was not shipped in time. */
export const NOT_SHIPPED_REASON = 'not shipped';

export const role = z.enum(roles).describe('The side of the order: buyer or seller.');
export const orderStatus = z.enum(orderStatuses);
export const changeCommand = z.enum(changeCommands).meta({
  description: 'What caused the change: the command without its `order:`, or `timeout` where the hub acted by itself.',
  examples: ['ship'],
});
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
    .meta({ description: 'The order’s `cancelReason`.', examples: ['I ordered the wrong one.'] })
    .optional(),
  key,
});
export const getRequest = z.strictObject({ orderId: field.orderId });
export const listRequest = z.strictObject({
  role,
  status: orderStatus.describe('Only orders with this status.').optional(),
  storeId: field.storeId.describe('Only orders of this store.').optional(),
  after: field.cursor.optional(),
  limit: field.limit.optional(),
});

export type PlaceRequest = z.infer<typeof placeRequest>;
export type ListRequest = z.infer<typeof listRequest>;

const buyerId = field.userId.describe('The user who placed the order.');
const sellerId = field.userId.meta({ description: 'The owner of the store.', examples: ['mei'] });
const notYet = field.time.nullable().meta({ description: 'Null until it happens.', examples: [null] });
const noText = z
  .string()
  .nullable()
  .meta({ examples: [null] });

/** An order as the buyer or the seller sees it: `allowed` depends on the reader. */
export const order = z.strictObject({
  orderId: field.generatedOrderId,
  number: z
    .int()
    .min(1)
    .nullable()
    .meta({
      description: 'For people to say: short, and unique for the seller. Null for orders from before 1.1.',
      examples: [42],
    }),
  storeId: field.storeId,
  buyerId,
  sellerId,
  status: orderStatus,
  version: z
    .int()
    .min(1)
    .meta({ description: 'The number of changes so far: 1, 2, 3 …', examples: [1] }),
  items: z
    .array(
      z.strictObject({
        bookId: field.bookId,
        title: field.example('The Three-Body Problem 三体'),
        count: field.count,
        price: field.price,
      }),
    )
    .describe('Titles and prices as they were when the order was placed.'),
  total: field.total,
  placedAt: field.time.describe('When the order was placed.'),
  expiresAt: field.time.meta({
    description: 'When an unpaid order is cancelled; it cannot be paid from then on.',
    examples: ['2026-03-01T08:45:00.000Z'],
  }),
  paidAt: notYet,
  shippedAt: notYet,
  receivedAt: notYet,
  cancelledAt: notYet,
  shipBy: field.time.nullable().meta({
    description:
      'When a paid order that is not shipped is cancelled and refunded. Null until it is paid, and where orders have no such time.',
    examples: [null],
  }),
  carrier: noText,
  trackingNo: noText,
  cancelReason: noText.describe(
    `\`${EXPIRED_REASON}\` if the order was not paid in time, \`${NOT_SHIPPED_REASON}\` if it was not shipped in time.`,
  ),
  allowed: z
    .array(z.enum(orderCommands))
    .meta({ description: 'The commands that the reader may send now.', examples: [['pay', 'cancel']] }),
});
export type Order = z.infer<typeof order>;

export const timelineEntry = z.strictObject({
  version: z
    .int()
    .min(1)
    .meta({ description: 'The order’s version after this change.', examples: [1] }),
  status: orderStatus.describe('The status after it: the same as before where it did not change.'),
  command: changeCommand.meta({ examples: ['place'] }),
  by: field.example('lin').describe('Who made the change: a user’s id, or `hub`.'),
  at: field.time.describe('When the change was made.'),
});
export const orderWithTimeline = order.extend({
  timeline: z.array(timelineEntry),
  deliverTo: shownDeliverTo,
  notes: z.array(note).describe('What the parties wrote, oldest first.'),
});
export type OrderWithTimeline = z.infer<typeof orderWithTimeline>;
export const listedOrder = order.extend({ deliverTo: shownDeliverTo });
export type ListedOrder = z.infer<typeof listedOrder>;

/** The order messages. The HTTP routes below reuse these rows, so both transports take and return the same. */
export const orderMessages = {
  'order:place': {
    summary: 'Places an order for books of one store.',
    description: `Any user except the store’s owner. 1 to ${ORDER_ITEMS_MAX} books; their copies leave the stock and return to it if the order is cancelled. The address and the note are shown by \`order:get\`, never by events or by the answers of commands.`,
    right: 'buy',
    request: placeRequest,
    data: order,
    errors: ['STORE_NOT_FOUND', 'USER_NOT_FOUND', 'FORBIDDEN', 'BOOK_NOT_FOUND', 'PRICE_CHANGED', 'OUT_OF_STOCK'],
  },
  'order:pay': {
    summary: 'Pays an order from the wallet.',
    description: 'Buyer only, before `expiresAt`.',
    right: 'buy',
    request: payRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE', 'PRICE_CHANGED', 'INSUFFICIENT_FUNDS'],
  },
  'order:ship': {
    summary: 'Marks an order as shipped.',
    description: 'Seller only.',
    right: 'sell',
    request: shipRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE'],
  },
  'order:receive': {
    summary: 'Confirms that an order has arrived.',
    description: 'Buyer only.',
    right: 'buy',
    request: receiveRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE'],
  },
  'order:cancel': {
    summary: 'Cancels an order that has not been shipped, and refunds what was paid.',
    description:
      'Buyer or seller. If the seller’s balance does not cover the refund, the seller gets `INSUFFICIENT_FUNDS` and the buyer `ORDER_STATE`; never under `SETTLE_AT=received`, where the hub holds the money.',
    right: ['buy', 'sell'],
    request: cancelRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE', 'INSUFFICIENT_FUNDS'],
  },
  'order:get': {
    summary: 'Shows an order with its timeline, its address and its notes.',
    description: 'Buyer or seller.',
    right: 'read',
    request: getRequest,
    data: orderWithTimeline,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN'],
    isRead: true,
  },
  'order:list': {
    summary: 'Lists the caller’s orders, as buyer or as seller, newest first.',
    right: 'read',
    request: listRequest,
    data: field.page(listedOrder),
    isRead: true,
  },
} as const satisfies Record<string, MessageRow>;

export const orderRoutes = {
  orders: { ...orderMessages['order:list'], method: 'GET', path: '/orders', numericQuery: ['limit'] },
  order: { ...orderMessages['order:get'], method: 'GET', path: '/orders/:orderId' },
  place: { ...orderMessages['order:place'], method: 'POST', path: '/orders', status: 201 },
  pay: { ...orderMessages['order:pay'], method: 'POST', path: '/orders/:orderId/pay', allowPathParamsInBody: true },
  ship: { ...orderMessages['order:ship'], method: 'POST', path: '/orders/:orderId/ship', allowPathParamsInBody: true },
  receive: {
    ...orderMessages['order:receive'],
    method: 'POST',
    path: '/orders/:orderId/receive',
    allowPathParamsInBody: true,
  },
  cancel: {
    ...orderMessages['order:cancel'],
    method: 'POST',
    path: '/orders/:orderId/cancel',
    allowPathParamsInBody: true,
  },
} as const satisfies Record<string, RouteRow>;
