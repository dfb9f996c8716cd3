import { z } from 'zod';
import * as field from './fields.js';
import { order } from './orders.js';
import { rights } from './rights.js';
import type { MessageRow, RouteRow } from './row.js';
import { CLAIM_SECONDS_MAX } from './staff.fields.js';

/* People who act for a seller, and what they tell each other about an order. */

export const STAFF_PER_SELLER_MAX = 100;
export const SEEN_ORDERS_MAX = 100;
/** Over HTTP, for whom the caller acts; a socket says `for` in its handshake. */
export const ACTING_FOR_HEADER = 'Acting-For';

const memberId = field.userId.meta({ description: 'The member of staff.', examples: ['ying'] });
const staffRights = z
  .array(z.enum(rights))
  .min(1)
  .refine((list) => new Set(list).size === list.length, 'must not name a right twice')
  .meta({ description: 'What the member may do for the seller.', examples: [['read', 'sell']] });
const createdAt = field.time.describe('Since when.');

export const addMemberRequest = z.strictObject({ userId: memberId, rights: staffRights });
export const memberRequest = z.strictObject({ userId: memberId });
export const staffRequest = z.strictObject({ after: field.cursor.optional(), limit: field.limit.optional() });
export const member = z.strictObject({ userId: memberId, rights: z.array(z.enum(rights)), createdAt });
export const memberOf = z.strictObject({
  ownerId: field.userId.meta({ description: 'The seller for whom the caller may act.', examples: ['mei'] }),
  rights: z.array(z.enum(rights)),
  createdAt,
});
export type AddMemberRequest = z.infer<typeof addMemberRequest>;
export type StaffRequest = z.infer<typeof staffRequest>;
export type MemberView = z.infer<typeof member>;
export type MemberOfView = z.infer<typeof memberOf>;

export const seenRequest = z.strictObject({
  orderIds: z.array(field.orderId).min(1).max(SEEN_ORDERS_MAX).describe('The orders that somebody has looked at.'),
  key: field.key.optional(),
});
export const seenOrders = z.strictObject({ orders: z.array(order).describe('Each of them once, in that order.') });
export const claimRequest = z.strictObject({
  orderId: field.orderId,
  seconds: field
    .integer(0, CLAIM_SECONDS_MAX)
    .meta({ description: 'For how long; 0 frees the order.', examples: [300] }),
  key: field.key.optional(),
});

export const orderClaimedPush = z
  .strictObject({
    orderId: field.generatedOrderId,
    by: field.userId.nullable().describe('Who is working on the order; null when it was freed.'),
    until: field.time.nullable().describe('Until when; null when it was freed.'),
  })
  .describe(
    'Somebody of the shop has claimed an order or freed it. Sent to the seller’s room without a number: only the latest matters. A claim ends by itself.',
  );
export type OrderClaimedPush = z.infer<typeof orderClaimedPush>;

export const staffMessages = {
  'order:seen': {
    summary: 'Says that somebody of the shop has seen orders.',
    description:
      'Seller only. The first to see an order counts: it sets `seenAt`, and both parties hear of it; an order that was seen before stays as it is. All of them or none.',
    right: 'sell',
    request: seenRequest,
    data: seenOrders,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN'],
  },
  'order:claim': {
    summary: 'Claims an order for a while, so that two people do not work on it at once.',
    description: `Seller only, for at most ${CLAIM_SECONDS_MAX} seconds; 0 frees it. Until then, other members of the staff cannot ship, accept, cancel, refund or claim it: \`CLAIMED\`. The owner may do all of that. A claim is no change of the order: it has no version and no event.`,
    right: 'sell',
    request: claimRequest,
    data: order,
    errors: ['ORDER_NOT_FOUND', 'FORBIDDEN', 'CLAIMED'],
  },
} as const satisfies Record<string, MessageRow>;

export const staffRoutes = {
  addMember: {
    summary: 'Lets a user act for the caller, or replaces the rights of one who does.',
    description: `A right that the caller lacks is never given. At most ${STAFF_PER_SELLER_MAX} members a seller. A member whose rights change is disconnected, and connects again with the new ones. Buying, passwords, keys, sessions and leaving stay the seller’s own, whatever the rights.`,
    method: 'POST',
    path: '/staff',
    status: 201,
    right: 'staff',
    request: addMemberRequest,
    data: member,
    errors: ['USER_NOT_FOUND'],
  },
  staff: {
    summary: 'Lists the members of the staff, by id.',
    method: 'GET',
    path: '/staff',
    right: ['staff', 'read'],
    request: staffRequest,
    numericQuery: ['limit'],
    data: field.page(member),
  },
  staffOf: {
    summary: 'Lists the sellers for whom the caller may act, by id.',
    description: `To act for one, a socket sends \`for\` in its handshake, and a request the header \`${ACTING_FOR_HEADER}\`.`,
    method: 'GET',
    path: '/staff/of',
    right: 'read',
    request: staffRequest,
    numericQuery: ['limit'],
    data: field.page(memberOf),
  },
  removeMember: {
    summary: 'Removes a member of the staff. Its sockets end within a second, and its commands under way are refused.',
    method: 'DELETE',
    path: '/staff/:userId',
    status: 204,
    right: 'staff',
    request: memberRequest,
    errors: ['NOT_FOUND'],
  },
} as const satisfies Record<string, RouteRow>;

export const workRoutes = {
  seen: {
    ...staffMessages['order:seen'],
    summary: 'Says that somebody of the shop has seen an order.',
    method: 'POST',
    path: '/orders/:orderId/seen',
    request: z.strictObject({ orderId: field.orderId, key: field.key.optional() }),
    allowPathParamsInBody: true,
  },
  claim: {
    ...staffMessages['order:claim'],
    method: 'POST',
    path: '/orders/:orderId/claim',
    allowPathParamsInBody: true,
  },
} as const satisfies Record<string, RouteRow>;
