import { z } from 'zod';
import * as field from './fields.js';
import type { RouteRow } from './row.js';

export const topupStatuses = ['pending', 'succeeded', 'failed', 'disputed'] as const;
export type TopupStatus = (typeof topupStatuses)[number];

/** A payout goes to the provider until it answers; a refused one is returned to the wallet. */
export const payoutStatuses = ['pending', 'paid', 'returned'] as const;
export type PayoutStatus = (typeof payoutStatuses)[number];

/** Where the hub's money comes from: anybody's word, or a payment provider's. */
export const fundsModes = ['open', 'provider'] as const;
export type FundsMode = (typeof fundsModes)[number];
export const paymentProviders = ['test', 'stripe'] as const;
export type PaymentProviderName = (typeof paymentProviders)[number];

const topupId = field.example('0192f3a4-7c1d-7e52-9b0a-5d7c1e2b8f36').describe('The top-up’s id.');
const amount = field.amount.describe('The amount in minor units.');
const status = z.enum(topupStatuses).meta({
  description: '`disputed`: the provider reported another amount or currency, and nothing was credited.',
  examples: ['pending'],
});

export const createTopupRequest = z.strictObject({
  amount,
  orderId: field.orderId
    .describe('The order to pay as soon as the money is there. `amount` must cover what the balance lacks.')
    .optional(),
  key: field.key.optional(),
});
/** What the command answers; the provider's page follows. */
export const createdTopup = z.strictObject({ topupId, status: z.literal('pending'), amount });
export const topupPage = createdTopup.extend({
  next: z
    .strictObject({
      url: z.string().meta({ description: 'The provider’s page.', examples: ['https://pay.example/c/9f86d081'] }),
    })
    .describe('Where the user pays.'),
});
export const topup = z.strictObject({
  topupId,
  status,
  amount,
  orderId: field.generatedOrderId.nullable().describe('The order that it is for, if any.'),
  createdAt: field.time.describe('When it was begun.'),
  settledAt: field.time.nullable().meta({ description: 'When the provider reported its outcome.', examples: [null] }),
});
export const topupRequest = z.strictObject({
  topupId: field.text(field.ID_CHARACTERS_MAX).describe('The top-up’s id.'),
});
export const topupsRequest = z.strictObject({ after: field.cursor.optional(), limit: field.limit.optional() });
export const eventReceived = z.strictObject({ received: z.literal(true) });

export type CreateTopupRequest = z.infer<typeof createTopupRequest>;
export type CreatedTopup = z.infer<typeof createdTopup>;
export type TopupPage = z.infer<typeof topupPage>;
export type TopupView = z.infer<typeof topup>;
export type TopupRequest = z.infer<typeof topupRequest>;
export type TopupsRequest = z.infer<typeof topupsRequest>;
export type EventReceived = z.infer<typeof eventReceived>;

export const paymentRoutes = {
  createTopup: {
    summary: 'Begins a top-up of the wallet through the payment provider.',
    description:
      'The user pays at `next.url`. With `orderId`, the order is paid in the transaction that credits the money; if it can no longer be paid, the money stays as balance. If the provider is out of reach, the same key goes on where it stood. `UNKNOWN_MESSAGE` where the hub has no payment provider.',
    method: 'POST',
    path: '/wallet/topups',
    status: 201,
    right: 'money',
    request: createTopupRequest,
    data: topupPage,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'ORDER_STATE', 'UNKNOWN_MESSAGE'],
  },
  topups: {
    summary: 'Lists the caller’s top-ups, newest first.',
    method: 'GET',
    path: '/wallet/topups',
    right: 'money',
    request: topupsRequest,
    numericQuery: ['limit'],
    data: field.page(topup),
  },
  topup: {
    summary: 'Shows one of the caller’s top-ups.',
    method: 'GET',
    path: '/wallet/topups/:topupId',
    right: 'money',
    request: topupRequest,
    data: topup,
    errors: ['NOT_FOUND'],
  },
  paymentEvent: {
    summary: 'Receives the payment provider’s events.',
    description:
      'The provider’s own body and signature, as it sends them. However often and in whatever order its events come, a top-up is credited once.',
    method: 'POST',
    path: '/payments/events',
    isPublic: true,
    hasRawBody: true,
    data: eventReceived,
    errors: ['UNAUTHENTICATED', 'NOT_FOUND', 'UNKNOWN_MESSAGE'],
  },
} as const satisfies Record<string, RouteRow>;
