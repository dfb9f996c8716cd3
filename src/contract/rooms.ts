import { z } from 'zod';
import * as field from './fields.js';
import { orderStatus, role } from './order.requests.js';
import { changeCommand } from './orders.js';
import type { MessageRow, RouteRow, Row } from './row.js';

/** The minimum retention of events. A client that was away longer reloads its lists (`complete: false`). */
export const EVENTS_KEPT_DAYS = 30;

const seq = field.integer(0, Number.MAX_SAFE_INTEGER).meta({ examples: [41] });

/** The handshake of a socket: its token, and the last event received in each room. */
export const handshake = z.strictObject({
  token: field.example('k3XzHc5yQ0yM7b1n2dW9sLr4TfVaPeGu8iOjBqCxZ6E').describe('From `POST /auth/login`.'),
  last: z
    .strictObject({ buyer: seq.optional(), seller: seq.optional() })
    .describe('The number of the last event received in each room; a room without one starts at its head.')
    .optional(),
  for: field.userId
    .meta({ description: 'The seller for whom the caller acts, as a member of the staff.', examples: ['mei'] })
    .optional(),
});
export type Last = NonNullable<z.infer<typeof handshake>['last']>;

export const readRequest = z.strictObject({
  role,
  after: seq.describe('Returns the events after this number.'),
  limit: field.limit.optional(),
});
export type ReadRequest = z.infer<typeof readRequest>;

/** A change of an order, as published to the buyer's or the seller's room: `seq` is its number in that room. */
export const orderStatusPush = z
  .strictObject({
    role,
    seq: z
      .int()
      .min(1)
      .meta({ description: 'The event’s number in the room of this role.', examples: [42] }),
    orderId: field.generatedOrderId,
    version: z
      .int()
      .min(1)
      .meta({ description: 'The order’s version after this change.', examples: [3] }),
    status: orderStatus.meta({ examples: ['shipped'] }),
    previous: orderStatus.nullable().meta({
      description: 'The status before: the same as `status` where it did not change, null for a new order.',
      examples: ['paid'],
    }),
    command: changeCommand,
    storeId: field.storeId,
    buyerId: field.userId.describe('The user who placed the order.'),
    sellerId: field.userId.meta({ description: 'The owner of the store.', examples: ['mei'] }),
    total: field.total,
    by: field.example('mei').describe('Who made the change: a user’s id, or `hub`.'),
    at: field.time.describe('When the change was made.'),
    carrier: field.example('SF Express').optional(),
    trackingNo: field.example('SF1234567890').optional(),
    cancelReason: z.string().optional(),
  })
  .describe(
    'An order changed. Sent to the buyer’s room and the seller’s room, numbered by each room, once the change is durable. Events arrive in order, without gaps or duplicates.',
  );
export type OrderStatusPush = z.infer<typeof orderStatusPush>;

const complete = z.boolean().meta({
  description: `False if events were missed that are no longer kept (at least ${EVENTS_KEPT_DAYS} days), or if the number is beyond the head: reload the lists.`,
  examples: [true],
});
const head = seq.meta({ description: 'The number of the room’s latest event.', examples: [42] });

export const roomEvents = z.strictObject({ events: z.array(orderStatusPush), head, complete });
export type RoomEvents = z.infer<typeof roomEvents>;

const roomState = z.strictObject({ head, complete });
export const roomReadyPush = z
  .strictObject({
    userId: field.userId.describe('The user; where a member of staff acts for a seller, the member.'),
    rooms: z
      .strictObject({ buyer: roomState.optional(), seller: roomState.optional() })
      .describe(
        'The rooms that this socket hears: both, unless its API key may not read; only `seller` where a member of staff acts for a seller.',
      ),
    currency: field.currency,
    serverTime: field.time.describe('The hub’s clock, for countdowns.'),
    needsAddress: z
      .literal(true)
      .describe('An order here must say where it is to be delivered (`STORES_NEED_ADDRESS`).')
      .optional(),
  })
  .describe('Every missed event has been sent; events are live from here on.');
export type RoomReadyPush = z.infer<typeof roomReadyPush>;

export const bookStockPush = z
  .strictObject({
    storeId: field.storeId,
    bookId: field.bookId,
    stock: z
      .int()
      .min(0)
      .meta({ description: 'The copies in stock.', examples: [4] }),
    at: field.time.describe('When the stock changed.'),
  })
  .describe(
    'A book’s stock has fallen to its low mark, or to 0. Sent to the store’s owner without a number: only the latest matters.',
  );
export type BookStockPush = z.infer<typeof bookStockPush>;

export const storeStatusPush = z
  .strictObject({
    storeId: field.storeId,
    open: z.boolean().meta({ description: 'False while it takes no orders until it is opened.', examples: [true] }),
    pausedUntil: field.time.nullable().describe('Until when it takes no orders; null where it is not paused.'),
    at: field.time.describe('When this was decided.'),
  })
  .describe(
    'A store opened, closed, paused or went on. Sent to its owner without a number: only the latest matters. A pause ends by itself.',
  );
export type StoreStatusPush = z.infer<typeof storeStatusPush>;

export const sessionEndedReasons = ['logout', 'password', 'unregistered', 'expired', 'revoked', 'staff'] as const;
export const sessionEndedPush = z
  .strictObject({ reason: z.enum(sessionEndedReasons) })
  .describe('The session has ended; the hub now disconnects the socket.');
export type SessionEndedReason = (typeof sessionEndedReasons)[number];

export const hubDrainingPush = z
  .strictObject({
    reconnectAfterMs: z
      .int()
      .min(0)
      .meta({ description: 'How long to wait before reconnecting, in milliseconds.', examples: [1_500] }),
  })
  .describe('The hub is shutting down. Each socket gets its own delay, which spreads the reconnections.');

/** Connecting. A rejection is a `connect_error`: its message is the code, its `data` the error. */
export const connecting = {
  summary: 'Connects, joins the caller’s two rooms, `buyer` and `seller`, and receives the missed events.',
  description:
    'The hub first sends every event after the numbers in `last`, in order, then `room:ready`; events are live from there on. A rejected connection gets a `connect_error`, whose message is the code and whose `data` is the error.',
  request: handshake,
} as const satisfies Row;

export const roomMessages = {
  'room:read': {
    summary: 'Reads past events of one of the caller’s rooms.',
    right: 'read',
    request: readRequest,
    data: roomEvents,
    isRead: true,
  },
} as const satisfies Record<string, MessageRow>;

export const roomRoutes = {
  roomEvents: {
    ...roomMessages['room:read'],
    method: 'GET',
    path: '/rooms/:role/events',
    numericQuery: ['after', 'limit'],
  },
} as const satisfies Record<string, RouteRow>;
