import { z } from 'zod';
import * as field from './fields.js';
import type { RouteRow } from './row.js';

export const entryKinds = ['deposit', 'withdrawal', 'payment', 'sale', 'refund', 'refunded'] as const;
export type EntryKind = (typeof entryKinds)[number];

const balance = z
  .int()
  .min(0)
  .meta({ description: 'What the wallet holds, in minor units.', examples: [20_000] });

export const wallet = z.strictObject({ balance });
export const movementRequest = z.strictObject({
  amount: field.amount.describe('How much, in minor units.'),
  key: field.key.optional(),
});
/** One movement of money. `amount` is signed, `balance` is what the wallet held after it. */
export const entry = z.strictObject({
  entryId: field.example('128'),
  amount: z.int().meta({ description: 'In minor units; below 0 where money left the wallet.', examples: [-9_200] }),
  balance: balance.meta({ description: 'What the wallet held after it.', examples: [10_800] }),
  kind: z.enum(entryKinds).meta({
    description: 'A `refund` is what the buyer got back, `refunded` what the seller gave back.',
    examples: ['payment'],
  }),
  orderId: field.givenOrderId.nullable().describe('The order that moved it, if one did.'),
  at: field.time.describe('When it happened.'),
});
export const entriesRequest = z.strictObject({ after: field.cursor.optional(), limit: field.limit.optional() });

export type Wallet = z.infer<typeof wallet>;
export type Entry = z.infer<typeof entry>;
export type EntriesRequest = z.infer<typeof entriesRequest>;

export const walletRoutes = {
  wallet: { says: 'Tells the balance.', method: 'GET', path: '/wallet', data: wallet },
  deposit: {
    says: 'Puts money into the wallet.',
    method: 'POST',
    path: '/wallet/deposits',
    request: movementRequest,
    data: wallet,
  },
  withdraw: {
    says: 'Takes money out of the wallet.',
    method: 'POST',
    path: '/wallet/withdrawals',
    request: movementRequest,
    data: wallet,
    refuses: ['INSUFFICIENT_FUNDS'],
  },
  entries: {
    says: 'Lists every movement of money, newest first.',
    method: 'GET',
    path: '/wallet/entries',
    request: entriesRequest,
    numbers: ['limit'],
    data: field.page(entry),
  },
} as const satisfies Record<string, RouteRow>;
