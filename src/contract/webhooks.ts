import { z } from 'zod';
import * as field from './fields.js';
import { role } from './order.requests.js';
import { EVENTS_KEPT_DAYS, orderStatusPush } from './rooms.js';
import type { RouteRow } from './row.js';

export const WEBHOOKS_PER_USER_MAX = 20;
export const WEBHOOK_URL_CHARACTERS_MAX = 2_000;
export const WEBHOOK_EVENTS_MAX = 100;
export const SECRET_BYTES_MIN = 24;
export const SECRET_BYTES_MAX = 64;
export const SECRET_PREFIX = 'whsec_';
/** How long requests must have failed before the owner is notified. */
export const FAILING_MINUTES = 5;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Whether Standard Webhooks would take it: the prefix, and padded base64 of enough bytes. */
function isSecret(text: string): boolean {
  const base64 = text.slice(SECRET_PREFIX.length);
  if (!text.startsWith(SECRET_PREFIX) || !BASE64.test(base64)) return false;
  const padding = base64.endsWith('==') ? 2 : Number(base64.endsWith('='));
  const bytes = (base64.length / 4) * 3 - padding;
  return bytes >= SECRET_BYTES_MIN && bytes <= SECRET_BYTES_MAX;
}

/** Without a name and password, which would be listed and logged by proxies, and a fragment, which is never sent. */
function isReceiverUrl(text: string): boolean {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text) || text.includes('#')) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '' && !/^\w+:[/\\]*[^/\\?]*@/.test(text);
}

const SECRET_EXAMPLE = `${SECRET_PREFIX}MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`;
const seq = field.integer(0, Number.MAX_SAFE_INTEGER).meta({ examples: [41] });
const anyWebhookId = field.example('0192f3a4-7c1d-7e52-9b0a-5d7c1e2b8f36').describe('The webhook’s id.');
const webhookId = field.text(field.ID_CHARACTERS_MAX).describe('The webhook’s id.');
export const receiverUrl = field
  .text(WEBHOOK_URL_CHARACTERS_MAX, { trimmed: true })
  .refine(isReceiverUrl, 'must be an https address without a name, a password and a fragment')
  .meta({
    description: 'An https address of a public host.',
    examples: ['https://shop.example/order-events'],
  });
export const webhookSecret = z
  .string()
  .refine(isSecret, `must be ${SECRET_PREFIX} and base64 of ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} bytes`)
  .meta({ examples: [SECRET_EXAMPLE] });
const userId = field.userId.describe('Whose webhooks, with the right `sessions`; the caller’s by default.').optional();

export const createWebhookRequest = z.strictObject({
  url: receiverUrl,
  role,
  secret: webhookSecret.describe('The secret that signs the requests; the hub makes one by default.').optional(),
  after: seq.describe('The first event is the one after this number; by default the next to come.').optional(),
  userId,
});
export const webhooksRequest = z.strictObject({
  after: field.cursor.optional(),
  limit: field.limit.optional(),
  userId,
});
export const webhookRequest = z.strictObject({ webhookId, userId });
export const changeWebhookRequest = z.strictObject({
  webhookId,
  url: receiverUrl.optional(),
  paused: z
    .boolean()
    .meta({ description: 'Whether nothing is sent for now.', examples: [true] })
    .optional(),
  userId,
});
export const rewindRequest = z.strictObject({
  webhookId,
  after: seq.describe('The next event to be sent is the one after this number.'),
  userId,
});

const webhookFields = {
  webhookId: anyWebhookId,
  url: field.example('https://shop.example/order-events').describe('Where events are sent.'),
  role,
  paused: z.boolean().describe('Whether nothing is sent: by choice, or because the receiver answered 410.'),
  createdAt: field.time.describe('When it was created.'),
  delivered: seq.describe('The number of the last event that the receiver has accepted.'),
  head: seq.describe('The number of the room’s latest event.'),
  failingSince: field.time.nullable().describe('When its requests began to fail; null while they succeed.'),
  lastStatus: z
    .int()
    .nullable()
    .meta({ description: 'The HTTP status of the latest answer; null if none came.', examples: [204] }),
};
export const webhook = z.strictObject(webhookFields);
export const createdWebhook = z.strictObject({
  ...webhookFields,
  secret: z.string().meta({ description: 'Signs the requests. Shown only once.', examples: [SECRET_EXAMPLE] }),
});
export const tested = z.strictObject({
  status: z
    .int()
    .nullable()
    .meta({
      description: 'The HTTP status that the receiver answered; null if no answer came in time.',
      examples: [204],
    }),
});

/** The body of a request to a receiver. */
export const webhookBody = z.strictObject({
  role,
  userId: field.userId,
  events: z.array(orderStatusPush).max(WEBHOOK_EVENTS_MAX),
  head: seq.describe('The number of the room’s latest event.'),
  complete: z.boolean().describe('False if events before the first are no longer kept.'),
});

export const webhookFailingPush = z
  .strictObject({ webhookId: anyWebhookId, since: field.time.describe('When its requests began to fail.') })
  .describe(
    `The requests of one of the user’s webhooks have failed for ${FAILING_MINUTES} minutes. They are still retried. Sent to the user’s sockets without a number.`,
  );

export type CreateWebhookRequest = z.infer<typeof createWebhookRequest>;
export type WebhooksRequest = z.infer<typeof webhooksRequest>;
export type WebhookRequest = z.infer<typeof webhookRequest>;
export type ChangeWebhookRequest = z.infer<typeof changeWebhookRequest>;
export type RewindRequest = z.infer<typeof rewindRequest>;
export type WebhookView = z.infer<typeof webhook>;
export type CreatedWebhook = z.infer<typeof createdWebhook>;
export type Tested = z.infer<typeof tested>;
export type WebhookBody = z.infer<typeof webhookBody>;
export type WebhookFailingPush = z.infer<typeof webhookFailingPush>;

/** A webhook hears what `read` hears; the operator's key may act for any user. */
const right = ['read', 'sessions'] as const;

export const webhookRoutes = {
  createWebhook: {
    summary: 'Creates a webhook: a receiver that is sent every event of one of the user’s rooms, in order.',
    description: `Signed as Standard Webhooks says. Each request has up to ${WEBHOOK_EVENTS_MAX} events and is repeated until it is answered with 2xx, for the ${EVENTS_KEPT_DAYS} days that events are kept: a receiver that drops numbers it has had gets each event once. 410 pauses it. At most ${WEBHOOKS_PER_USER_MAX} a user.`,
    method: 'POST',
    path: '/webhooks',
    status: 201,
    right,
    request: createWebhookRequest,
    data: createdWebhook,
    errors: ['USER_NOT_FOUND'],
  },
  webhooks: {
    summary: 'Lists the user’s webhooks, newest first.',
    method: 'GET',
    path: '/webhooks',
    right,
    request: webhooksRequest,
    numericQuery: ['limit'],
    data: field.page(webhook),
  },
  changeWebhook: {
    summary: 'Moves a webhook to another address, pauses it, or lets it go on.',
    method: 'PATCH',
    path: '/webhooks/:webhookId',
    right,
    request: changeWebhookRequest,
    data: webhook,
    errors: ['NOT_FOUND'],
  },
  rewindWebhook: {
    summary: 'Sends the events after a number again.',
    method: 'POST',
    path: '/webhooks/:webhookId/rewind',
    right,
    request: rewindRequest,
    data: webhook,
    errors: ['NOT_FOUND'],
  },
  testWebhook: {
    summary: 'Sends a request without events, and returns what the receiver answered.',
    method: 'POST',
    path: '/webhooks/:webhookId/test',
    right,
    request: webhookRequest,
    data: tested,
    errors: ['NOT_FOUND'],
  },
  deleteWebhook: {
    summary: 'Deletes a webhook.',
    method: 'DELETE',
    path: '/webhooks/:webhookId',
    status: 204,
    right,
    request: webhookRequest,
    errors: ['NOT_FOUND'],
  },
} as const satisfies Record<string, RouteRow>;
