import { z } from 'zod';
import * as field from './fields.js';
import { orderStatus, role } from './orders.js';
import type { MessageRow, RouteRow, Row } from './row.js';

/** Events are kept so long at least. Who comes back later than that reads the lists anew (`complete: false`). */
export const EVENTS_KEPT_DAYS = 30;

const seq = field.integer(0, Number.MAX_SAFE_INTEGER).meta({ examples: [41] });

/** What a socket says when it connects: who it is, and the last event that it has seen of each of its rooms. */
export const handshake = z.strictObject({
  token: field.example('k3XzHc5yQ0yM7b1n2dW9sLr4TfVaPeGu8iOjBqCxZ6E').describe('From `POST /auth/login`.'),
  last: z
    .strictObject({ buyer: seq.optional(), seller: seq.optional() })
    .describe('The last event seen of each room; a room that is not named starts at its head.')
    .optional(),
});
export type Last = NonNullable<z.infer<typeof handshake>['last']>;

export const readRequest = z.strictObject({
  role,
  after: seq.describe('Events after this number.'),
  limit: field.limit.optional(),
});
export type ReadRequest = z.infer<typeof readRequest>;

/** A change of an order, as one of its two parties is told: `seq` is the number of the event in that party's room. */
export const orderStatusPush = z
  .strictObject({
    role,
    seq: z
      .int()
      .min(1)
      .meta({ description: 'The number of the event in the room of this role.', examples: [42] }),
    orderId: field.givenOrderId,
    version: z
      .int()
      .min(1)
      .meta({ description: 'Counts the changes of the order.', examples: [3] }),
    status: orderStatus.meta({ examples: ['shipped'] }),
    previous: orderStatus.nullable().meta({ description: 'Null for the first change.', examples: ['paid'] }),
    storeId: field.storeId,
    buyerId: field.userId,
    sellerId: field.userId.meta({ examples: ['mei'] }),
    total: field.total,
    by: field.example('mei').describe('Who did it: a user, or `hub`.'),
    at: field.time.describe('When it happened.'),
    carrier: field.example('SF Express').optional(),
    trackingNo: field.example('SF1234567890').optional(),
    cancelReason: z.string().optional(),
  })
  .describe(
    'An order changed. To the buyer’s room and to the seller’s, each with that room’s own number, once the change is durable. Every event comes once, in order, without a gap.',
  );
export type OrderStatusPush = z.infer<typeof orderStatusPush>;

const complete = z.boolean().meta({
  description: `False if events are past the keeping time (${EVENTS_KEPT_DAYS} days), or the number is beyond the head: read the lists anew.`,
  examples: [true],
});
const head = seq.meta({ description: 'The number of the room’s last event.', examples: [42] });

export const roomEvents = z.strictObject({ events: z.array(orderStatusPush), head, complete });
export type RoomEvents = z.infer<typeof roomEvents>;

const roomState = z.strictObject({ head, complete });
export const roomReadyPush = z
  .strictObject({
    userId: field.userId,
    rooms: z.strictObject({ buyer: roomState, seller: roomState }),
    serverTime: field.time.describe('The hub’s clock, for countdowns.'),
  })
  .describe('All that was missed has been sent; what follows is live.');
export type RoomReadyPush = z.infer<typeof roomReadyPush>;

export const bookStockPush = z
  .strictObject({
    storeId: field.storeId,
    bookId: field.bookId,
    stock: z
      .int()
      .min(0)
      .meta({ description: 'How many copies are left.', examples: [4] }),
    at: field.time.describe('When it happened.'),
  })
  .describe('A book’s stock came down to its low mark, or to 0. To its store’s owner; not numbered, the latest wins.');
export type BookStockPush = z.infer<typeof bookStockPush>;

export const sessionEndedReasons = ['logout', 'password', 'unregistered', 'expired'] as const;
export const sessionEndedPush = z
  .strictObject({ reason: z.enum(sessionEndedReasons) })
  .describe('The session has ended; the hub cuts the socket now.');
export type SessionEndedReason = (typeof sessionEndedReasons)[number];

export const hubDrainingPush = z
  .strictObject({
    reconnectAfterMs: z
      .int()
      .min(0)
      .meta({ examples: [1_500] }),
  })
  .describe('The hub shuts down. Each socket is given another moment to come back.');

/** The first that a socket says. A refusal is its `connect_error`: the code as the message, the error as the data. */
export const connecting = {
  says: 'Opens the caller’s two rooms, `buyer` and `seller`, and gives what was missed.',
  notes:
    'First come all events after the numbers in `last`, in order, and then `room:ready`; what follows is live. A refused connection is a `connect_error`, whose message is the code and whose `data` is the error.',
  request: handshake,
} as const satisfies Row;

export const roomMessages = {
  'room:read': {
    says: 'Reads events of one of the caller’s rooms again, by number.',
    request: readRequest,
    data: roomEvents,
    read: true,
  },
} as const satisfies Record<string, MessageRow>;

export const roomRoutes = {
  roomEvents: {
    ...roomMessages['room:read'],
    method: 'GET',
    path: '/rooms/:role/events',
    numbers: ['after', 'limit'],
  },
} as const satisfies Record<string, RouteRow>;
