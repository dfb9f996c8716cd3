import { z } from 'zod';
import * as field from './fields.js';
import { orderStatus, role } from './orders.js';

/** Events are kept so long at least. Who comes back later than that reads the lists anew (`complete: false`). */
export const EVENTS_KEPT_DAYS = 30;

const seq = field.integer(0, Number.MAX_SAFE_INTEGER);

/** What a socket says when it connects: who it is, and the last event that it has seen of each of its rooms. */
export const handshake = z.strictObject({
  token: z.string(),
  last: z.strictObject({ buyer: seq.optional(), seller: seq.optional() }).optional(),
});
export type Last = NonNullable<z.infer<typeof handshake>['last']>;

export const readRequest = z.strictObject({ role, after: seq, limit: field.limit.optional() });
export type ReadRequest = z.infer<typeof readRequest>;

/** A change of an order, as one of its two parties is told: `seq` is the number of the event in that party's room. */
export const orderStatusPush = z.strictObject({
  role,
  seq: z.int().min(1),
  orderId: z.string(),
  version: z.int().min(1),
  status: orderStatus,
  previous: orderStatus.nullable(),
  storeId: field.id,
  buyerId: field.id,
  sellerId: field.id,
  total: field.total,
  by: z.string(),
  at: field.time,
  carrier: z.string().optional(),
  trackingNo: z.string().optional(),
  cancelReason: z.string().optional(),
});
export type OrderStatusPush = z.infer<typeof orderStatusPush>;

export const roomEvents = z.strictObject({ events: z.array(orderStatusPush), head: seq, complete: z.boolean() });
export type RoomEvents = z.infer<typeof roomEvents>;

const roomState = z.strictObject({ head: seq, complete: z.boolean() });
export const roomReadyPush = z.strictObject({
  userId: field.id,
  rooms: z.strictObject({ buyer: roomState, seller: roomState }),
  serverTime: field.time,
});
export type RoomReadyPush = z.infer<typeof roomReadyPush>;

export const bookStockPush = z.strictObject({
  storeId: field.id,
  bookId: field.id,
  stock: z.int().min(0),
  at: field.time,
});
export type BookStockPush = z.infer<typeof bookStockPush>;

export const sessionEndedReasons = ['logout', 'password', 'unregistered', 'expired'] as const;
export const sessionEndedPush = z.strictObject({ reason: z.enum(sessionEndedReasons) });
export type SessionEndedReason = (typeof sessionEndedReasons)[number];

export const hubDrainingPush = z.strictObject({ reconnectAfterMs: z.int().min(0) });
