import { z } from 'zod';
import { passwordAgain } from './auth.js';
import * as field from './fields.js';
import type { RouteRow } from './row.js';

/** What the hub keeps of a person: to take along, and to erase. */
export const eraseRequest = z.strictObject({
  password: passwordAgain.describe('The current password; a user without one has none to give.').optional(),
  userId: field.userId.describe('Whose words to erase: for the operator’s key only.').optional(),
});
export type EraseRequest = z.infer<typeof eraseRequest>;

export const EXPORT_TYPE = 'application/x-ndjson';
/** Each line of an export names what it holds. The last one is `end`: without it, the export was cut short. */
export const exportTypes = [
  'profile',
  'session',
  'key',
  'member',
  'staffOf',
  'wallet',
  'entry',
  'topup',
  'payout',
  'answer',
  'webhook',
  'subscription',
  'store',
  'book',
  'order',
  'event',
  'end',
] as const;
export type ExportType = (typeof exportTypes)[number];

export const personalRoutes = {
  export: {
    summary: 'Exports all that the hub keeps of the caller, one JSON object a line.',
    description: `Needs the right \`money\` too. The \`type\` of a line is ${exportTypes.map((type) => `\`${type}\``).join(', ')}, in this order; \`end\` is the last line, and without it the export was cut short. Sessions, keys and push subscriptions come without their secrets; the first two are included for a session only. An \`answer\` is what is kept under an idempotency key: the answer, or a \`reference\` to the change of an order that it was about. Orders come with timeline, address and notes, first those that the caller bought.`,
    method: 'GET',
    path: '/me/export',
    right: 'read',
    data: z.string(),
    mediaType: EXPORT_TYPE,
  },
  erase: {
    summary: 'Erases the addresses, phones and notes of the caller’s ended orders.',
    description:
      'Of orders that the caller bought, the address and all notes; of those that the caller sold, the caller’s own notes. What is erased reads as null; sums, items and the ledger stay. Rejected with `ORDER_STATE` while an order of the caller is open. A wrong password, or none where the user has one, is `UNAUTHENTICATED`. The operator’s key names the user instead.',
    method: 'POST',
    path: '/me/erase',
    status: 204,
    right: 'sessions',
    isForSessionsToo: true,
    request: eraseRequest,
    errors: ['ORDER_STATE', 'USER_NOT_FOUND'],
  },
} as const satisfies Record<string, RouteRow>;
