import { isDeepStrictEqual } from 'node:util';
import { isoTime } from '../../src/contract/fields.js';
import { type Role, roles } from '../../src/contract/lifecycle.js';
import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import { readPush } from '../../src/rooms/event.body.js';
import type { Books } from './audit.js';
import type { History, Sitting } from './history.js';

const PAGE = 2_000;

/** A room as it is kept: its events by number, as the JSON that sockets are sent. */
interface StoredRoom {
  role: Role;
  userId: string;
  head: number;
  bodies: Map<number, string>;
}
type StoredRooms = Map<string, StoredRoom>;

interface StoredTimeline {
  orderId: string;
  storeId: string;
  buyerId: string;
  sellerId: string;
  total: number;
  timeline: string;
}

/** Whether rooms tell of what happened and of nothing else, and every socket was told what its rooms hold. */
export async function roomFaults(history: History, books: Books): Promise<string[]> {
  const rooms = await storedRooms(books);
  const faults = [...storedFaults(rooms, await books.rows<StoredTimeline>(TIMELINES)), ...toldFaults(history, rooms)];
  const clients = new Map<string, Sitting[]>();
  for (const sitting of history.sittings) {
    clients.set(sitting.clientId, [...(clients.get(sitting.clientId) ?? []), sitting]);
  }
  for (const sittings of clients.values()) {
    const found = sittings.flatMap((sitting) => sittingFaults(sitting, rooms));
    // Joined, they have the same faults again, so only those are told that are of the joining.
    faults.push(...(found.length > 0 ? found : joinedFaults(sittings)));
  }
  return faults;
}

const TIMELINES = `SELECT order_id AS orderId, store_id AS storeId, buyer_id AS buyerId, seller_id AS sellerId, total, timeline FROM orders`;

async function storedRooms(books: Books): Promise<StoredRooms> {
  const rooms: StoredRooms = new Map();
  const heads = await books.rows<Omit<StoredRoom, 'bodies'>>('SELECT role, user_id AS userId, head FROM rooms');
  for (const { role, userId, head } of heads) {
    const bodies = new Map<number, string>();
    for (let after = 0; ; ) {
      const page = await books.rows<{ seq: number; body: string }>(
        `SELECT seq, body FROM room_events WHERE role = ? AND user_id = ? AND seq > ? ORDER BY seq LIMIT ${PAGE}`,
        [role, userId, after],
      );
      for (const { seq, body } of page) bodies.set(seq, JSON.stringify(readPush(role, seq, body)));
      if (page.length < PAGE) break;
      after = page.at(-1)?.seq ?? after;
    }
    rooms.set(`${role}\n${userId}`, { role, userId, head, bodies });
  }
  return rooms;
}

/** Each change of an order is told once to each of its parties, in the order of its versions; and nothing else is told. */
function storedFaults(rooms: StoredRooms, orders: readonly StoredTimeline[]): string[] {
  const faults: string[] = [];
  const timelines = new Map(orders.map((order) => [order.orderId, { order, steps: stepsOf(order) }]));
  const reached = new Map<string, number>();
  for (const { role, userId, head, bodies } of rooms.values()) {
    if (head > 0 && bodies.size !== head) faults.push(`gap: room ${role} of ${userId} holds ${bodies.size} of ${head}`);
    for (const [seq, body] of bodies) {
      const push = JSON.parse(body) as OrderStatusPush;
      const where = `event ${seq} of room ${role} of ${userId}`;
      const known = timelines.get(push.orderId);
      const place = `${role}\n${push.orderId}`;
      const expected = known?.steps[push.version - 1];
      if (!known || !expected) faults.push(`phantom event: ${where}: order ${push.orderId} has no such change`);
      else if ((role === 'buyer' ? known.order.buyerId : known.order.sellerId) !== userId) {
        faults.push(`wrong person: ${where}: it is of somebody else's order`);
      } else if (!isStepOf(push, expected, role, seq)) {
        faults.push(`event differs: ${where}: ${body}, but the order says ${JSON.stringify(expected)}`);
      }
      const before = reached.get(place) ?? 0;
      if (push.version <= before) faults.push(`repeated event: ${where}: version ${push.version} was told before`);
      else if (push.version > before + 1)
        faults.push(`lost event: ${where}: version ${before + 1} was not told before`);
      reached.set(place, push.version);
    }
  }
  for (const { order, steps } of timelines.values()) {
    for (const role of roles) {
      const told = reached.get(`${role}\n${order.orderId}`) ?? 0;
      if (told < steps.length) faults.push(`lost event: order ${order.orderId}: the ${role} room ends with ${told}`);
    }
  }
  return faults;
}

/** The events that the timeline of an order asks for, but for what differs by party. */
function stepsOf({ orderId, storeId, buyerId, sellerId, total, timeline }: StoredTimeline): Partial<OrderStatusPush>[] {
  const steps = JSON.parse(timeline) as { version: number; status: Order['status']; by: string; at: number }[];
  return steps.map(({ version, status, by, at }, index) => ({
    ...{ orderId, version, status, previous: steps[index - 1]?.status ?? null },
    ...{ storeId, buyerId, sellerId, total, by, at: isoTime(at) },
  }));
}

function isStepOf(push: OrderStatusPush, step: Partial<OrderStatusPush>, role: Role, seq: number): boolean {
  if (push.role !== role || push.seq !== seq) return false;
  return Object.entries(step).every(([field, value]) => push[field as keyof OrderStatusPush] === value);
}

/** The number that an acknowledgement gives is that of the caller's own event about it. */
function toldFaults({ sent }: History, rooms: StoredRooms): string[] {
  return sent.flatMap(({ userId, message, request, answers }) =>
    answers.flatMap(({ answer }) => {
      if (!answer.ok || answer.seq === undefined) return [];
      const { orderId, version, buyerId } = answer.data as Order;
      const role: Role = buyerId === userId ? 'buyer' : 'seller';
      const body = rooms.get(`${role}\n${userId}`)?.bodies.get(answer.seq);
      const push = body === undefined ? undefined : (JSON.parse(body) as OrderStatusPush);
      if (push?.orderId === orderId && push.version === version) return [];
      return [`lost: ${message} of ${userId} with key ${request.key} has no event ${answer.seq} in the ${role} room`];
    }),
  );
}

function sittingFaults(sitting: Sitting, rooms: StoredRooms): string[] {
  const { userId, clientId, url, last, ready, events, replayed, cut } = sitting;
  const faults: string[] = [];
  const where = `${clientId} at ${url}`;
  if (ready && ready.userId !== userId) faults.push(`wrong person: ${where}: was greeted as ${ready.userId}`);
  for (const push of events) {
    if ((push.role === 'buyer' ? push.buyerId : push.sellerId) !== userId) {
      faults.push(`wrong person: ${where}: was told of order ${push.orderId}, ${push.role} event ${push.seq}`);
    }
  }
  for (const role of roles) {
    const room = rooms.get(`${role}\n${userId}`);
    const state = ready?.rooms[role];
    const from = last?.[role] ?? state?.head;
    const mine = events.filter((push) => push.role === role);
    if (state && !state.complete) faults.push(`gap: ${where}: the ${role} room was resumed incomplete`);
    for (const push of mine) faults.push(...eventFaults(push, room, `${where}: ${role} event ${push.seq}`));
    const numbers = mine.map(({ seq }) => seq);
    if (from === undefined) {
      if (numbers.length > 0) faults.push(`phantom event: ${where}: ${role} event ${numbers[0]} before room:ready`);
      continue;
    }
    faults.push(...orderingFaults(numbers, from, `${where}: ${role} room`));
    const before = events.slice(0, replayed).filter((push) => push.role === role).length;
    if (state && from + before < state.head) {
      faults.push(`gap: ${where}: the ${role} room was ready at ${state.head}, with ${before} events after ${from}`);
    }
    const reached = Math.max(from, ...numbers.slice(-1));
    if (ready && !cut && room && reached < room.head) {
      faults.push(
        `lost event: ${where}: the ${role} room has ${room.head} events, the socket stayed and has ${reached}`,
      );
    }
  }
  return faults;
}

function eventFaults(push: OrderStatusPush, room: StoredRoom | undefined, where: string): string[] {
  const body = room?.bodies.get(push.seq);
  if (body === undefined)
    return [`phantom event: ${where}: ${push.status} of order ${push.orderId} is not in the room`];
  if (JSON.stringify(push) === body || isDeepStrictEqual(push, JSON.parse(body))) return [];
  return [`event differs: ${where}: told ${JSON.stringify(push)}, kept ${body}`];
}

/** Numbers that were given after `from`: each once, in order, without a gap. One line a kind of fault. */
function orderingFaults(numbers: readonly number[], from: number, where: string): string[] {
  if (numbers.every((seq, index) => seq === from + 1 + index)) return [];
  const faults: string[] = [];
  const seen = new Set<number>();
  const repeated = numbers.filter((seq) => seq <= from || seen.size === seen.add(seq).size);
  if (repeated.length > 0) faults.push(`repeated event: ${where}: ${inShort(repeated)}`);
  const highest = Math.max(from, ...seen);
  const missing: number[] = [];
  for (let seq = from + 1; seq <= highest; seq++) if (!seen.has(seq)) missing.push(seq);
  if (missing.length > 0) faults.push(`gap: ${where}: after ${from}, without ${inShort(missing)}`);
  const order = [...seen];
  const early = order.filter((seq, index) => seq < (order[index - 1] ?? 0));
  if (early.length > 0) faults.push(`out of order: ${where}: ${inShort(early)} came late`);
  return faults;
}

function inShort(numbers: readonly number[]): string {
  return `${numbers.slice(0, 5).join(', ')}${numbers.length > 5 ? ` and ${numbers.length - 5} more` : ''}`;
}

/** All that one client was given, by whichever hub: each event once, in order, from where it began. */
function joinedFaults(sittings: readonly Sitting[]): string[] {
  const begun = sittings.findIndex(({ last, ready }) => last !== undefined || ready !== undefined);
  const first = sittings[begun];
  if (!first) return [];
  return roles.flatMap((role) => {
    const from = first.last?.[role] ?? first.ready?.rooms[role].head;
    if (from === undefined) return [];
    const numbers = sittings.slice(begun).flatMap(({ events }) => events.filter((push) => push.role === role));
    return orderingFaults(
      numbers.map(({ seq }) => seq),
      from,
      `${first.clientId}, in all its sittings: ${role} room`,
    );
  });
}
