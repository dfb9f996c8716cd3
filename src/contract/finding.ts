import { z } from 'zod';
import { filterTime, orderFilters } from './order.filters.js';
import { role } from './order.requests.js';
import type { RouteRow } from './row.js';
import { orderStatuses } from './transitions.js';

export const exportFormats = ['csv', 'ndjson'] as const;
export type ExportFormat = (typeof exportFormats)[number];
const format = z
  .enum(exportFormats)
  .describe('`csv` (RFC 4180, with a header) by default; `ndjson` is one JSON object a line, with the same names.')
  .optional();
const CSV_TYPE = 'text/csv';
const FORMULAS =
  'In CSV, a text that begins with `=`, `+`, `-` or `@` is preceded by an apostrophe, so that no spreadsheet takes it for a formula; numbers are as they are. An export that was cut short ends its connection early.';

export const orderExportRequest = z.strictObject({
  role,
  from: orderFilters.from,
  to: orderFilters.to,
  format,
});
export const walletExportRequest = z.strictObject({
  from: filterTime.describe('Only entries of this time or later.').optional(),
  to: filterTime.describe('Only entries from before this time.').optional(),
  format,
});
/** The columns of an order's line, each as in the order; those of the order are repeated. */
export const orderLineColumns = [
  ...['orderId', 'number', 'storeId', 'buyerId', 'sellerId', 'status'],
  ...['placedAt', 'paidAt', 'shippedAt', 'receivedAt', 'cancelledAt', 'carrier', 'trackingNo', 'cancelReason'],
  ...['total', 'line', 'bookId', 'title', 'count', 'price'],
] as const;
export const walletEntryColumns = ['entryId', 'at', 'kind', 'amount', 'balance', 'orderId'] as const;
export type OrderExportRequest = z.infer<typeof orderExportRequest>;
export type WalletExportRequest = z.infer<typeof walletExportRequest>;

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
  orderExport: {
    summary: 'Exports the caller’s orders, as buyer or as seller, a row for each line of an order, oldest first.',
    description: `The columns are ${orderLineColumns.map((name) => `\`${name}\``).join(', ')}; \`line\` numbers the lines of an order from 1, and \`total\` is the order’s. ${FORMULAS}`,
    method: 'GET',
    path: '/orders/export',
    right: 'read',
    request: orderExportRequest,
    data: z.string(),
    mediaType: CSV_TYPE,
  },
  walletExport: {
    summary: 'Exports the wallet’s ledger, oldest entry first.',
    description: `The columns are ${walletEntryColumns.map((name) => `\`${name}\``).join(', ')}. ${FORMULAS}`,
    method: 'GET',
    path: '/wallet/export',
    right: 'money',
    request: walletExportRequest,
    data: z.string(),
    mediaType: CSV_TYPE,
  },
} as const satisfies Record<string, RouteRow>;
