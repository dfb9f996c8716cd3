import { z } from 'zod';
import * as field from './fields.js';
import { orderStatus, role } from './order.requests.js';
import type { RouteRow } from './row.js';
import { receiverUrl } from './webhooks.js';

export const SUBSCRIPTIONS_PER_USER_MAX = 20;
/** Pushes of one notice to one subscription. */
export const PUSHES_PER_NOTICE_MAX = 5;
/** How long a paid order may stay unseen while its seller is connected. */
export const UNSEEN_SECONDS = 20;
/** An uncompressed point of P-256, and the secret of RFC 8291, in base64url. */
const P256DH = /^[A-Za-z0-9_-]{87}=?$/;
const AUTH = /^[A-Za-z0-9_-]{22}(?:==)?$/;

/** What a user is sent a push for. */
export const noticeKinds = ['paid', 'shipped', 'cancelled', 'note'] as const;
export type NoticeKind = (typeof noticeKinds)[number];

const ENDPOINT_EXAMPLE = 'https://push.example/send/f1LsxkKphfQ';
const P256DH_EXAMPLE = 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4';
const AUTH_EXAMPLE = 'BTBZMqHH6r4Tts7J_aSIgg';

export const pushEndpoint = receiverUrl.meta({
  description: 'The address of the browser’s push service.',
  examples: [ENDPOINT_EXAMPLE],
});
export const p256dh = z
  .string()
  .regex(P256DH, 'must be the base64url of a point of P-256, 65 bytes')
  .meta({ description: 'The browser’s public key.', examples: [P256DH_EXAMPLE] });
export const pushAuth = z
  .string()
  .regex(AUTH, 'must be the base64url of 16 bytes')
  .meta({ description: 'The secret that the browser shares with its server.', examples: [AUTH_EXAMPLE] });

/** As `PushSubscription.toJSON()` of a browser gives it. */
export const pushSubscription = z
  .strictObject({
    endpoint: pushEndpoint,
    expirationTime: field
      .integer(0, Number.MAX_SAFE_INTEGER)
      .nullable()
      .meta({ description: 'When it ends, in epoch milliseconds, if the browser knows.', examples: [null] })
      .optional(),
    keys: z.strictObject({ p256dh, auth: pushAuth }),
  })
  .describe('What `PushManager.subscribe()` gives, as JSON.');

const anySubscriptionId = field.example('0192f3a4-7c1d-7e52-9b0a-5d7c1e2b8f36').describe('The subscription’s id.');
export const subscribeRequest = z.strictObject({ subscription: pushSubscription });
export const subscribed = z.strictObject({ subscriptionId: anySubscriptionId });
export const subscriptionRequest = z.strictObject({
  subscriptionId: field.text(field.ID_CHARACTERS_MAX).describe('The subscription’s id.'),
});
export const pushKey = z.strictObject({
  key: z.string().meta({
    description: 'The hub’s VAPID key in base64url: the `applicationServerKey` of `PushManager.subscribe()`.',
    examples: [P256DH_EXAMPLE],
  }),
});

/** What a push message says, as JSON: nothing that the order's parties wrote. */
export const pushMessage = z.strictObject({
  kind: z.enum(noticeKinds),
  role: role.describe('The user’s role in the order.'),
  orderId: field.generatedOrderId,
  number: z.int().nullable().describe('The order’s number at its store.'),
  status: orderStatus,
  storeId: field.storeId,
  storeName: field.example('Corner Books').nullable(),
});

export type PushSubscriptionJson = z.infer<typeof pushSubscription>;
export type SubscribeRequest = z.infer<typeof subscribeRequest>;
export type Subscribed = z.infer<typeof subscribed>;
export type SubscriptionRequest = z.infer<typeof subscriptionRequest>;
export type PushKey = z.infer<typeof pushKey>;
export type PushMessage = z.infer<typeof pushMessage>;

export const pushRoutes = {
  pushKey: {
    summary: 'Returns the key with which a browser subscribes to push messages.',
    method: 'GET',
    path: '/push/key',
    right: 'read',
    data: pushKey,
  },
  subscribe: {
    summary: 'Subscribes a browser to push messages, for when no page of the hub is open.',
    description: `Sent for \`paid\` to the seller, for \`shipped\` and \`cancelled\` to the buyer, and for the other party’s notes, when the user has no socket, and for an order that stays paid and unseen for ${UNSEEN_SECONDS} seconds. Repeated each minute until seen, ${PUSHES_PER_NOTICE_MAX} times in all, each in place of the one before. A browser that is subscribed already keeps its id, and is its last user’s. The subscription is deleted when its push service answers 404 or 410. At most ${SUBSCRIPTIONS_PER_USER_MAX} a user.`,
    method: 'POST',
    path: '/push/subscriptions',
    status: 201,
    right: 'read',
    request: subscribeRequest,
    data: subscribed,
  },
  unsubscribe: {
    summary: 'Ends a subscription to push messages.',
    method: 'DELETE',
    path: '/push/subscriptions/:subscriptionId',
    status: 204,
    right: 'read',
    request: subscriptionRequest,
    errors: ['NOT_FOUND'],
  },
} as const satisfies Record<string, RouteRow>;
