import { z } from 'zod';
import * as field from './fields.js';
import type { RouteRow } from './row.js';
import { store, storeName } from './stores.js';

/* What a store's owner says of it: its name, and whether and how it takes orders. */

export const changeStoreRequest = z.strictObject({
  storeId: field.storeId,
  name: storeName.optional(),
  acceptWithinSeconds: field.acceptWithinSeconds
    .describe(
      'How long a paid order waits to be accepted, in seconds: then it is cancelled and refunded. With 0 orders are accepted by themselves; more needs `SETTLE_AT=received`. Orders keep what was said when they were placed.',
    )
    .optional(),
  open: field.isOpen.describe('Whether it takes orders.').optional(),
  pausedUntil: field.time
    .nullable()
    .describe('Takes no orders until then; null goes on at once.')
    .meta({ examples: ['2026-03-01T13:30:00.000Z'] })
    .optional(),
});
export type ChangeStoreRequest = z.infer<typeof changeStoreRequest>;

export const storePolicyRoutes = {
  changeStore: {
    summary: 'Renames a store, opens or closes it, pauses it, or says within which time it accepts orders.',
    description:
      'Store owner only. Omitted fields stay unchanged. While a store is closed or paused, placing an order is `STORE_PAUSED`; orders under way go on.',
    method: 'PATCH',
    path: '/stores/:storeId',
    right: 'stock',
    request: changeStoreRequest,
    data: store,
    errors: ['STORE_NOT_FOUND', 'FORBIDDEN'],
  },
} as const satisfies Record<string, RouteRow>;
