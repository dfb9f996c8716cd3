import { z } from 'zod';
import * as field from './fields.js';

export const entryKinds = ['deposit', 'withdrawal', 'payment', 'sale', 'refund', 'refunded'] as const;
export type EntryKind = (typeof entryKinds)[number];

export const wallet = z.strictObject({ balance: z.int().min(0) });
export const movementRequest = z.strictObject({ amount: field.amount, key: field.key.optional() });
/** One movement of money. `amount` is signed, `balance` is what the wallet held after it. */
export const entry = z.strictObject({
  entryId: z.string(),
  amount: z.int(),
  balance: z.int().min(0),
  kind: z.enum(entryKinds),
  orderId: z.string().nullable(),
  at: field.time,
});
export const entriesRequest = z.strictObject({ after: field.cursor.optional(), limit: field.limit.optional() });

export type Wallet = z.infer<typeof wallet>;
export type Entry = z.infer<typeof entry>;
export type EntriesRequest = z.infer<typeof entriesRequest>;
