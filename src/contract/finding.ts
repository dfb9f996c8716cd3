import { z } from 'zod';
import { role } from './order.requests.js';
import type { RouteRow } from './row.js';
import { orderStatuses } from './transitions.js';

export const countsRequest = z.strictObject({ role });
export const orderCounts = z.strictObject(
  Object.fromEntries(
    orderStatuses.map((status) => [
      status,
      z
        .int()
        .min(0)
        .meta({ description: 'Orders.', examples: [3] }),
    ]),
  ) as Record<(typeof orderStatuses)[number], z.ZodInt>,
);
export type CountsRequest = z.infer<typeof countsRequest>;
export type StatusCounts = z.infer<typeof orderCounts>;

/** What finds orders again, and takes them along. */
export const findingRoutes = {
  orderCounts: {
    summary: 'Counts the caller’s orders by status, as buyer or as seller.',
    method: 'GET',
    path: '/orders/counts',
    right: 'read',
    request: countsRequest,
    data: orderCounts,
  },
} as const satisfies Record<string, RouteRow>;
