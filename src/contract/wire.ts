import { z } from 'zod';
import { acceptMessages, acceptRoutes } from './acceptance.js';
import { amendMessages, amendRoutes } from './amendments.js';
import { authRoutes } from './auth.js';
import { type ErrorBody, errorBody } from './errors.js';
import { findingRoutes } from './finding.js';
import { orderMessages, orderRoutes } from './orders.js';
import { paymentRoutes } from './payments.js';
import { personalRoutes } from './personal.js';
import { pushRoutes } from './push.js';
import * as rooms from './rooms.js';
import { roomMessages, roomRoutes } from './rooms.js';
import { serviceRoutes } from './service.js';
import { orderClaimedPush, staffMessages, staffRoutes, workRoutes } from './staff.js';
import { storePolicyRoutes } from './store.policy.js';
import { storeRoutes } from './stores.js';
import { walletChangedPush, walletRoutes } from './wallet.js';
import { webhookFailingPush, webhookRoutes } from './webhooks.js';

/** The version of this contract. Any change of shape that breaks an existing client raises it. */
export const CONTRACT_VERSION = 1;
/** The largest frame of a socket and the largest HTTP body, in bytes. */
export const FRAME_BYTES_MAX = 65_536;

/** The messages that a client may send over a socket. Each is answered in its acknowledgement. */
export const messages = { ...orderMessages, ...acceptMessages, ...amendMessages, ...staffMessages, ...roomMessages };

/** The messages that the hub pushes. `order:error` reports the failure of a message sent without an acknowledgement. */
export const pushes = {
  'order:status': rooms.orderStatusPush,
  'order:claimed': orderClaimedPush,
  'book:stock': rooms.bookStockPush,
  'store:status': rooms.storeStatusPush,
  'wallet:changed': walletChangedPush,
  'room:ready': rooms.roomReadyPush,
  'session:ended': rooms.sessionEndedPush,
  'hub:draining': rooms.hubDrainingPush,
  'webhook:failing': webhookFailingPush,
  'order:error': z
    .strictObject({
      message: z.string().meta({ description: 'The name of the message.', examples: ['order:pay'] }),
      error: errorBody,
    })
    .describe('A message sent without an acknowledgement failed.'),
} as const;

export type MessageName = keyof typeof messages;
/** The messages that change something: all except reads. */
export type CommandMessageName = {
  [Name in MessageName]: 'isRead' extends keyof (typeof messages)[Name] ? never : Name;
}[MessageName];

export function isMessageName(name: unknown): name is MessageName {
  return typeof name === 'string' && Object.hasOwn(messages, name);
}

export function isCommand(name: unknown): name is CommandMessageName {
  return isMessageName(name) && !('isRead' in messages[name]);
}

export type Request<Name extends MessageName> = z.infer<(typeof messages)[Name]['request']>;
export type Data<Name extends MessageName> = z.infer<(typeof messages)[Name]['data']>;
export type PushName = keyof typeof pushes;
export type Push<Name extends PushName> = z.infer<(typeof pushes)[Name]>;

/** A success: its data, the number of the caller's own event, and whether this is a replay of an earlier answer. */
export interface Result<T> {
  data: T;
  seq?: number;
  replayed?: true;
}
/** The content of every acknowledgement. */
export type Answer<T> = ({ ok: true } & Result<T>) | { ok: false; error: ErrorBody; replayed?: true };

/** The schema of one message's `Answer`. */
export function answerTo(data: z.ZodType, error: z.ZodType) {
  return z.union([
    z.strictObject({
      ok: z.literal(true),
      data,
      seq: z
        .int()
        .min(1)
        .meta({ description: 'The number of the resulting event in the caller’s own room.', examples: [42] })
        .optional(),
      replayed: z.literal(true).describe('This is the stored first answer to the key.').optional(),
    }),
    z.strictObject({ ok: z.literal(false), error, replayed: z.literal(true).optional() }),
  ]);
}

/** The type parameters of Socket.IO's server and client, derived from the tables above. */
export type ClientToServer = {
  [Name in MessageName]: (request: Request<Name>, acknowledge?: (answer: Answer<Data<Name>>) => void) => void;
};
export type ServerToClient = { [Name in PushName]: (push: Push<Name>) => void };

/** The HTTP routes. Any body field, query parameter or path parameter that is not in `request` is rejected. */
export const routes = {
  ...authRoutes,
  ...walletRoutes,
  ...paymentRoutes,
  ...storeRoutes,
  ...storePolicyRoutes,
  ...findingRoutes,
  ...orderRoutes,
  ...acceptRoutes,
  ...amendRoutes,
  ...workRoutes,
  ...staffRoutes,
  ...roomRoutes,
  ...webhookRoutes,
  ...pushRoutes,
  ...personalRoutes,
  ...serviceRoutes,
};

export type RouteName = keyof typeof routes;
export type RouteRequest<Name extends RouteName> = (typeof routes)[Name] extends { request: infer Shape }
  ? z.infer<Shape>
  : Record<string, never>;
export type RouteData<Name extends RouteName> = (typeof routes)[Name] extends { data: infer Shape }
  ? z.infer<Shape>
  : undefined;

/** The HTTP headers for a command's `key`, and for `seq` and `replayed` in its answer. */
export const KEY_HEADER = 'Idempotency-Key';
export const SEQ_HEADER = 'Event-Seq';
export const REPLAYED_HEADER = 'Idempotency-Replayed';
