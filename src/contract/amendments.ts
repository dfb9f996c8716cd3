import { z } from 'zod';
import * as field from './fields.js';
import { order } from './orders.js';
import type { MessageRow, RouteRow } from './row.js';
import { deliverTo, NOTES_MAX, NOTES_OPEN_DAYS, noteText } from './words.js';

/* What changes an order and leaves its status as it is. */

export const noteRequest = z.strictObject({ orderId: field.orderId, text: noteText, key: field.key.optional() });
export const readdressRequest = z.strictObject({ orderId: field.orderId, deliverTo, key: field.key.optional() });

export const amendMessages = {
  'order:note': {
    summary: 'Writes a note on an order.',
    description: `Buyer or seller, until ${NOTES_OPEN_DAYS} days after the order’s end; ${NOTES_MAX} notes an order, then \`ORDER_STATE\`. \`order:get\` shows them, to the parties only.`,
    right: ['buy', 'sell'],
    request: noteRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE'],
  },
  'order:readdress': {
    summary: 'Changes the delivery address of an order.',
    description: 'The buyer while it is placed, the seller while it is paid.',
    right: ['buy', 'sell'],
    request: readdressRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE'],
  },
} as const satisfies Record<string, MessageRow>;

export const amendRoutes = {
  note: { ...amendMessages['order:note'], method: 'POST', path: '/orders/:orderId/note', allowPathParamsInBody: true },
  readdress: {
    ...amendMessages['order:readdress'],
    method: 'POST',
    path: '/orders/:orderId/readdress',
    allowPathParamsInBody: true,
  },
} as const satisfies Record<string, RouteRow>;
