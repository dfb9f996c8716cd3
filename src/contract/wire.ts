import { z } from 'zod';
import { authRoutes } from './auth.js';
import { type ErrorBody, errorBody } from './errors.js';
import { orderMessages, orderRoutes } from './orders.js';
import * as rooms from './rooms.js';
import { roomMessages, roomRoutes } from './rooms.js';
import { serviceRoutes } from './service.js';
import { storeRoutes } from './stores.js';
import { walletRoutes } from './wallet.js';

/** The version of this contract. A change of a shape that an old client would not understand raises it. */
export const CONTRACT_VERSION = 1;
/** The largest frame over a socket, and the largest body over HTTP. */
export const FRAME_BYTES_MAX = 65_536;

/** What a client may say over a socket: each message is answered through its acknowledgement. */
export const messages = { ...orderMessages, ...roomMessages };

/** What the hub says by itself. `order:error` tells the failure of a message that came without an acknowledgement. */
export const pushes = {
  'order:status': rooms.orderStatusPush,
  'book:stock': rooms.bookStockPush,
  'room:ready': rooms.roomReadyPush,
  'session:ended': rooms.sessionEndedPush,
  'hub:draining': rooms.hubDrainingPush,
  'order:error': z
    .strictObject({
      message: z.string().meta({ description: 'The name of the message.', examples: ['order:pay'] }),
      error: errorBody,
    })
    .describe('A message that came without an acknowledgement was refused.'),
} as const;

export type MessageName = keyof typeof messages;
/** The messages that are commands: all but the reads. */
export type CommandMessageName = {
  [Name in MessageName]: 'read' extends keyof (typeof messages)[Name] ? never : Name;
}[MessageName];

export function isMessageName(name: unknown): name is MessageName {
  return typeof name === 'string' && Object.hasOwn(messages, name);
}

export function isCommand(name: unknown): name is CommandMessageName {
  return isMessageName(name) && !('read' in messages[name]);
}

export type Request<Name extends MessageName> = z.infer<(typeof messages)[Name]['request']>;
export type Data<Name extends MessageName> = z.infer<(typeof messages)[Name]['data']>;
export type PushName = keyof typeof pushes;
export type Push<Name extends PushName> = z.infer<(typeof pushes)[Name]>;

/** A yes, and what it carries besides the data: the number of the caller's own event, and whether it is told again. */
export interface Result<T> {
  data: T;
  seq?: number;
  replayed?: true;
}
/** What the acknowledgement of every message holds. */
export type Answer<T> = ({ ok: true } & Result<T>) | { ok: false; error: ErrorBody; replayed?: true };

/** The same as a shape, for one message. */
export function answerTo(data: z.ZodType, error: z.ZodType) {
  return z.union([
    z.strictObject({
      ok: z.literal(true),
      data,
      seq: z
        .int()
        .min(1)
        .meta({ description: 'The number of the caller’s own event about it, by role.', examples: [42] })
        .optional(),
      replayed: z.literal(true).describe('This is the first answer to the key, again.').optional(),
    }),
    z.strictObject({ ok: z.literal(false), error, replayed: z.literal(true).optional() }),
  ]);
}

/** The types that Socket.IO's server and client take, derived from the tables above. */
export type ClientToServer = {
  [Name in MessageName]: (request: Request<Name>, acknowledge?: (answer: Answer<Data<Name>>) => void) => void;
};
export type ServerToClient = { [Name in PushName]: (push: Push<Name>) => void };

/** What a client may say over HTTP. A body, a query parameter or a path parameter that is not in `request` is refused. */
export const routes = {
  ...authRoutes,
  ...walletRoutes,
  ...storeRoutes,
  ...orderRoutes,
  ...roomRoutes,
  ...serviceRoutes,
};

export type RouteName = keyof typeof routes;
export type RouteRequest<Name extends RouteName> = (typeof routes)[Name] extends { request: infer Shape }
  ? z.infer<Shape>
  : Record<string, never>;
export type RouteData<Name extends RouteName> = (typeof routes)[Name] extends { data: infer Shape }
  ? z.infer<Shape>
  : undefined;

/** The header that carries a command's `key` over HTTP, and those that carry `seq` and `replayed` back. */
export const KEY_HEADER = 'Idempotency-Key';
export const SEQ_HEADER = 'Event-Seq';
export const REPLAYED_HEADER = 'Idempotency-Replayed';
