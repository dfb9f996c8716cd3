import type { OrderStatusPush } from '../contract/rooms.js';
import { commandInto, type Role } from '../contract/transitions.js';

/** An event without what differs between the two rooms of its order. */
export type EventBody = Omit<OrderStatusPush, 'role' | 'seq'>;

/** The order of the fields in a stored body. New ones go to the end, where older bodies have none. */
const FIELDS = [
  'orderId',
  'version',
  'status',
  'previous',
  'storeId',
  'buyerId',
  'sellerId',
  'total',
  'by',
  'at',
  'carrier',
  'trackingNo',
  'cancelReason',
  'command',
] as const satisfies (keyof EventBody)[];
const COMMAND = FIELDS.indexOf('command');

/**
 * Encodes a body as a JSON list of values. Events are most of what a hub writes: without the field names a body is half as long,
 * which saves a tenth of a command's CPU and of the database's disk.
 */
export function encodeEvent(body: EventBody): string {
  const values: unknown[] = FIELDS.map((field) => body[field]);
  // Most commands follow from the status: without those, an event is no longer than before it named its command.
  if (body.command === commandInto(body)) values[COMMAND] = undefined;
  while (values.at(-1) === undefined) values.pop();
  return JSON.stringify(values);
}

/** The push of a stored event. The first releases stored whole pushes. */
export function decodeEvent(role: Role, seq: number, stored: string): OrderStatusPush {
  const body = JSON.parse(stored) as unknown[] | OrderStatusPush;
  if (!Array.isArray(body)) return withCommand(body);
  // A missing value is null where others follow. Only `previous` can be null itself, and it is never missing.
  const given = FIELDS.flatMap((field, index) =>
    body[index] === undefined || (body[index] === null && field !== 'previous') ? [] : [[field, body[index]]],
  );
  return withCommand({ role, seq, ...Object.fromEntries(given) });
}

function withCommand(push: OrderStatusPush): OrderStatusPush {
  return { ...push, command: push.command ?? commandInto(push) };
}
