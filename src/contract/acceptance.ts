import { z } from 'zod';
import { ACCEPTANCES_MAX } from './acceptance.fields.js';
import * as field from './fields.js';
import { order } from './orders.js';
import type { MessageRow, RouteRow } from './row.js';

export const acceptRequest = z.strictObject({
  orderId: field.orderId,
  readyAt: field.time
    .meta({ description: 'When it will be ready, for the buyer.', examples: ['2026-03-01T09:15:00.000Z'] })
    .optional(),
  key: field.key.optional(),
});

export const acceptMessages = {
  'order:accept': {
    summary: 'Accepts a paid order, or moves the time at which it will be ready.',
    description: `Seller only, before \`acceptBy\`; again to move \`readyAt\`, ${ACCEPTANCES_MAX} times an order. To refuse an order, cancel it. \`order:ship\` accepts too.`,
    right: 'sell',
    request: acceptRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'CLAIMED', 'ORDER_STATE'],
  },
} as const satisfies Record<string, MessageRow>;

export const acceptRoutes = {
  accept: {
    ...acceptMessages['order:accept'],
    method: 'POST',
    path: '/orders/:orderId/accept',
    allowPathParamsInBody: true,
  },
} as const satisfies Record<string, RouteRow>;
