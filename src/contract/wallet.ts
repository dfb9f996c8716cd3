import { z } from 'zod';
import * as field from './fields.js';
import type { RouteRow } from './row.js';

export const entryKinds = ['deposit', 'withdrawal', 'payment', 'sale', 'refund', 'refunded', 'returned'] as const;
export type EntryKind = (typeof entryKinds)[number];

const balance = z
  .int()
  .min(0)
  .meta({ description: 'The balance in minor units.', examples: [20_000] });

const held = z
  .int()
  .min(0)
  .meta({
    description:
      'What is on its way to this seller: paid by buyers of orders that are not received yet. Always 0 unless `SETTLE_AT=received`. In minor units.',
    examples: [0],
  });

export const wallet = z.strictObject({ balance, held });
/** The wallet after a movement of its owner's. */
export const walletBalance = z.strictObject({ balance });
export const walletChangedPush = z
  .strictObject({ balance, held, at: field.time.describe('When it changed.') })
  .describe(
    'The balance, or what is held, has changed. Sent to the wallet’s owner without a number: only the latest matters. An API key needs the right `money`.',
  );
export const movementRequest = z.strictObject({
  amount: field.amount.describe('The amount in minor units.'),
  key: field.key.optional(),
});
export const depositRequest = movementRequest.extend({
  userId: field.userId
    .describe('Whose money it is: from the operator’s key only, which has to name a user.')
    .optional(),
});
/** One entry of a wallet's ledger. `amount` is signed; `balance` is the balance after it. */
export const entry = z.strictObject({
  entryId: field.example('128'),
  amount: z.int().meta({ description: 'In minor units; negative for money that left the wallet.', examples: [-9_200] }),
  balance: balance.meta({ description: 'The balance after this entry, in minor units.', examples: [10_800] }),
  kind: z.enum(entryKinds).meta({
    description:
      'A cancelled order is a `refund` in the buyer’s wallet and `refunded` in the seller’s. A withdrawal that the payment provider refuses is `returned`.',
    examples: ['payment'],
  }),
  orderId: field.generatedOrderId.nullable().describe('The order that caused it, if any.'),
  at: field.time.describe('When the money moved.'),
});
export const entriesRequest = z.strictObject({ after: field.cursor.optional(), limit: field.limit.optional() });

/** Periods of one `GET /wallet/totals`: as many as a chart has days of a month, and one for what came before. */
export const PERIODS_MAX = 32;
export const periodTimes = z
  .string()
  .refine(areTimes, `must be 2 to ${PERIODS_MAX + 1} times, each later than the one before`)
  .meta({
    description: `Where the periods begin and end: 2 to ${PERIODS_MAX + 1} times, each later than the one before, with commas between them. A period ends where the next begins, so that days, weeks and months are those of the caller’s time zone.`,
    examples: ['2026-07-01T00:00:00.000Z,2026-08-01T00:00:00.000Z'],
  });
export const totalsRequest = z.strictObject({ times: periodTimes });
const periodTotal = z.strictObject({
  kind: z.enum(entryKinds).meta({ examples: ['sale'] }),
  count: z
    .int()
    .min(1)
    .meta({ description: 'Entries of this kind.', examples: [3] }),
  amount: z.int().meta({ description: 'Their sum, signed as they are, in minor units.', examples: [27_600] }),
});
export const walletTotals = z.strictObject({
  periods: z.array(
    z.strictObject({
      from: field.time.describe('The period’s first moment.'),
      to: field.time.describe('Where the next period begins.'),
      totals: z.array(periodTotal).describe('Only kinds that occurred.'),
    }),
  ),
});

export type TotalsRequest = z.infer<typeof totalsRequest>;
export type WalletTotals = z.infer<typeof walletTotals>;
export type Wallet = z.infer<typeof wallet>;
export type WalletBalance = z.infer<typeof walletBalance>;
export type WalletChangedPush = z.infer<typeof walletChangedPush>;
export type Entry = z.infer<typeof entry>;
export type EntriesRequest = z.infer<typeof entriesRequest>;
export type DepositRequest = z.infer<typeof depositRequest>;
export type MovementRequest = z.infer<typeof movementRequest>;

export const walletRoutes = {
  wallet: {
    summary: 'Shows the balance, and what is on its way to the seller.',
    method: 'GET',
    path: '/wallet',
    right: 'money',
    data: wallet,
  },
  deposit: {
    summary: 'Deposits money.',
    description:
      'To the caller’s own wallet, or with the operator’s key to that of any user. Where the hub’s money comes from a payment provider, with the operator’s key only.',
    method: 'POST',
    path: '/wallet/deposits',
    right: ['money', 'funds'],
    rightWithProvider: 'funds',
    request: depositRequest,
    data: walletBalance,
    errors: ['USER_NOT_FOUND'],
  },
  withdraw: {
    summary: 'Withdraws money.',
    method: 'POST',
    path: '/wallet/withdrawals',
    right: 'money',
    request: movementRequest,
    data: walletBalance,
    errors: ['INSUFFICIENT_FUNDS'],
  },
  entries: {
    summary: 'Lists the wallet’s ledger entries, newest first.',
    method: 'GET',
    path: '/wallet/entries',
    right: 'money',
    request: entriesRequest,
    numericQuery: ['limit'],
    data: field.page(entry),
  },
  walletTotals: {
    summary: 'Sums the wallet’s ledger by kind, in each of several periods.',
    description:
      'A sale counts when its money reaches the seller, and money given back when it is given back: also that of orders from earlier periods.',
    method: 'GET',
    path: '/wallet/totals',
    right: 'money',
    request: totalsRequest,
    data: walletTotals,
  },
} as const satisfies Record<string, RouteRow>;

function areTimes(text: string): boolean {
  const times = text.split(',', PERIODS_MAX + 2);
  const isNext = (time: string, index: number) =>
    field.time.safeParse(time).success && (index === 0 || time > (times[index - 1] ?? ''));
  return times.length >= 2 && times.length <= PERIODS_MAX + 1 && times.every(isNext);
}
