import { z } from 'zod';
import { acceptanceFields, NOT_ACCEPTED_REASON } from './acceptance.fields.js';
import * as field from './fields.js';
import * as request from './order.requests.js';
import { orderItem, orderStatus, parcel } from './order.requests.js';
import type { MessageRow, RouteRow } from './row.js';
import { staffFields } from './staff.fields.js';
import { changeCommands, orderCommands } from './transitions.js';
import { note, shownDeliverTo } from './words.js';

/** The `cancelReason` of an order that was not paid in time. */
export const EXPIRED_REASON = 'expired';
/** The `cancelReason` of an order that was not shipped in time. */
export const NOT_SHIPPED_REASON = 'not shipped';

export const changeCommand = z.enum(changeCommands).meta({
  description: 'What caused the change: the command without its `order:`, or `timeout` where the hub acted by itself.',
  examples: ['ship'],
});
const buyerId = field.userId.describe('The user who placed the order.');
const sellerId = field.userId.meta({ description: 'The owner of the store.', examples: ['mei'] });
const notYet = field.time.nullable().meta({ description: 'Null until it happens.', examples: [null] });
const noText = z
  .string()
  .nullable()
  .meta({ examples: [null] });

const copies = (meta: { description: string; examples: [number] }) => z.int().min(0).meta(meta);

const shownParcel = z.strictObject({
  parcel,
  items: z.array(orderItem),
  carrier: z
    .string()
    .nullable()
    .meta({ examples: ['SF Express'] }),
  trackingNo: z
    .string()
    .nullable()
    .meta({ examples: ['SF1234567890'] }),
  shippedAt: field.time,
  receivedAt: notYet,
});

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
        shipped: copies({ description: 'Copies in parcels.', examples: [0] }),
        cancelled: copies({ description: 'Copies that will not be shipped.', examples: [0] }),
        refunded: copies({ description: 'Copies paid back by `refund`.', examples: [0] }),
      }),
    )
    .describe('Titles and prices as they were when the order was placed.'),
  total: field.total.describe('As placed, whatever is cancelled or refunded later. In minor units.'),
  refunded: field.total.meta({
    description: 'All money given back so far, by `cancel` too. In minor units.',
    examples: [0],
  }),
  parcels: z.array(shownParcel).describe('What was shipped, in that order.'),
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
  ...acceptanceFields,
  ...staffFields,
  carrier: noText.describe('As shipping or tracking has set it last.'),
  trackingNo: noText.describe('As shipping or tracking has set it last.'),
  cancelReason: noText.describe(
    `\`${EXPIRED_REASON}\` if the order was not paid in time, \`${NOT_ACCEPTED_REASON}\` or \`${NOT_SHIPPED_REASON}\` if it was not accepted or shipped in time.`,
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
export type TimelineEntry = z.infer<typeof timelineEntry>;
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
    description: `Any user except the store’s owner. 1 to ${request.ORDER_ITEMS_MAX} books; their copies leave the stock and return to it if the order is cancelled. The address and the note are shown by \`order:get\`, never by events or by the answers of commands.`,
    right: 'buy',
    request: request.placeRequest,
    data: order,
    errors: [
      ...(['STORE_NOT_FOUND', 'USER_NOT_FOUND', 'FORBIDDEN', 'STORE_PAUSED'] as const),
      ...(['BOOK_NOT_FOUND', 'PRICE_CHANGED', 'OUT_OF_STOCK'] as const),
    ],
  },
  'order:pay': {
    summary: 'Pays an order from the wallet.',
    description: 'Buyer only, before `expiresAt`.',
    right: 'buy',
    request: request.payRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE', 'PRICE_CHANGED', 'INSUFFICIENT_FUNDS'],
  },
  'order:ship': {
    summary: 'Ships an order, or a parcel of it.',
    description: `Seller only. One parcel of these \`items\`; without them, of all that is left. \`shipped\` once nothing is left to ship; at most ${request.PARCELS_MAX} parcels. More copies than are left: \`ORDER_STATE\` with \`bookId\` and \`left\`.`,
    right: 'sell',
    request: request.shipRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'CLAIMED', 'ORDER_STATE', 'BOOK_NOT_FOUND'],
  },
  'order:receive': {
    summary: 'Confirms that an order, or a parcel of it, has arrived.',
    description: 'Buyer only. Without `parcel`, all that are on their way. `received` once all is.',
    right: 'buy',
    request: request.receiveRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE'],
  },
  'order:cancel': {
    summary: 'Cancels an order, or what of it has not been shipped, and refunds what was paid for it.',
    description:
      'Buyer or seller. With `items`, only these copies of a paid order; without them, all that is not shipped. If the seller’s balance does not cover the refund, the seller gets `INSUFFICIENT_FUNDS` and the buyer `ORDER_STATE`; never under `SETTLE_AT=received`, where the hub holds the money.',
    right: ['buy', 'sell'],
    request: request.cancelRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'CLAIMED', 'ORDER_STATE', 'BOOK_NOT_FOUND', 'INSUFFICIENT_FUNDS'],
  },
  'order:refund': {
    summary: 'Gives money back to the buyer, for copies or as an amount.',
    description:
      'Seller only, of an order that is paid, shipped or received. No copy is paid back twice, and never more than the order’s `total` in all (`BAD_MESSAGE`); a buyer who has unregistered gets nothing back (`USER_NOT_FOUND`). From the hub while it holds the order’s money, else from the seller’s balance.',
    right: 'sell',
    request: request.refundRequest,
    data: order,
    errors: [
      ...(['ORDER_NOT_FOUND', 'FORBIDDEN', 'CLAIMED', 'ORDER_STATE'] as const),
      ...(['USER_NOT_FOUND', 'BOOK_NOT_FOUND', 'INSUFFICIENT_FUNDS'] as const),
    ],
  },
  'order:track': {
    summary: 'Corrects the carrier or the tracking number of a parcel on its way.',
    description: 'Seller only. What is left out stays as it is.',
    right: 'sell',
    request: request.trackRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE'],
  },
  'order:get': {
    summary: 'Shows an order with its timeline, its address and its notes.',
    description: 'Buyer or seller.',
    right: 'read',
    request: request.getRequest,
    data: orderWithTimeline,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN'],
    isRead: true,
  },
  'order:list': {
    summary: 'Lists the caller’s orders, as buyer or as seller, newest first.',
    right: 'read',
    request: request.listRequest,
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
  refund: {
    ...orderMessages['order:refund'],
    method: 'POST',
    path: '/orders/:orderId/refund',
    allowPathParamsInBody: true,
  },
  track: {
    ...orderMessages['order:track'],
    method: 'POST',
    path: '/orders/:orderId/track',
    allowPathParamsInBody: true,
  },
} as const satisfies Record<string, RouteRow>;
