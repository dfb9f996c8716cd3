import { isDeepStrictEqual } from 'node:util';
import { isoTime } from '../../src/contract/fields.js';
import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import { type ChangeCommand, type OrderStatus, type Role, roles } from '../../src/contract/transitions.js';
import { decodeEvent } from '../../src/rooms/event.codec.js';
import type { Books } from './audit.js';
import { type Beginning, type History, resumedFrom, roomsOf, type SocketSession } from './history.js';
import { actorFaults } from './history.staff.js';

const PAGE = 2_000;

/** A stored room: its events by number, as the JSON that sockets receive. */
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
  number: number | null;
}

/** Checks that rooms hold exactly the changes of orders, and that every socket received what its rooms hold. */
export async function roomFaults(history: History, books: Books): Promise<string[]> {
  const rooms = await storedRooms(books);
  const { beginning } = history;
  const orders = await books.rows<StoredTimeline>(TIMELINES);
  const faults = [...storedFaults(rooms, orders, beginning), ...ackFaults(history, rooms)];
  for (const { role, bodies } of rooms.values()) {
    if (role !== 'seller') continue;
    for (const body of bodies.values()) faults.push(...actorFaults(history, JSON.parse(body), beginning.floor));
  }
  const clients = new Map<string, SocketSession[]>();
  for (const session of history.sessions) {
    clients.set(session.clientId, [...(clients.get(session.clientId) ?? []), session]);
  }
  for (const sessions of clients.values()) {
    const found = sessions.flatMap((session) => sessionFaults(session, rooms, beginning));
    // A session's faults would reappear in the client's whole history.
    faults.push(...(found.length > 0 ? found : clientFaults(sessions, beginning)));
  }
  return faults;
}

const TIMELINES = `SELECT order_id AS orderId, store_id AS storeId, buyer_id AS buyerId, seller_id AS sellerId, total, timeline, number FROM orders`;

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
      for (const { seq, body } of page) bodies.set(seq, JSON.stringify(decodeEvent(role, seq, body)));
      if (page.length < PAGE) break;
      after = page.at(-1)?.seq ?? after;
    }
    rooms.set(`${role}\n${userId}`, { role, userId, head, bodies });
  }
  return rooms;
}

/** Each change of an order is stored once in both rooms, in version order, and nothing else is. */
function storedFaults(rooms: StoredRooms, orders: readonly StoredTimeline[], { floor, versions }: Beginning): string[] {
  const faults: string[] = [];
  const timelines = new Map(orders.map((order) => [order.orderId, { order, changes: expectedEvents(order) }]));
  const reached = new Map<string, number>();
  /** A restored database has no events of before. */
  const versionBefore = (orderId: string) => (floor > 0 ? (versions.get(orderId) ?? 0) : 0);
  for (const { role, userId, head, bodies } of rooms.values()) {
    if (head > floor && bodies.size !== head - floor)
      faults.push(`gap: room ${role} of ${userId} holds ${bodies.size} of ${head - floor}`);
    for (const [seq, body] of bodies) {
      const push = JSON.parse(body) as OrderStatusPush;
      const where = `event ${seq} of room ${role} of ${userId}`;
      const known = timelines.get(push.orderId);
      const key = `${role}\n${push.orderId}`;
      const expected = known?.changes[push.version - 1];
      if (!known || !expected) faults.push(`phantom event: ${where}: order ${push.orderId} has no such change`);
      else if ((role === 'buyer' ? known.order.buyerId : known.order.sellerId) !== userId) {
        faults.push(`wrong user: ${where}: it belongs to another user's order`);
      } else if (!matches(push, expected, role, seq)) {
        faults.push(`event differs: ${where}: ${body}, but the order says ${JSON.stringify(expected)}`);
      }
      if (known && role === 'seller' && push.version === 1 && known.order.number !== seq)
        faults.push(`number differs: ${where}: order ${push.orderId} has the number ${known.order.number}`);
      const before = reached.get(key) ?? versionBefore(push.orderId);
      if (push.version <= before) faults.push(`duplicate event: ${where}: version ${push.version}`);
      else if (push.version > before + 1)
        faults.push(`lost event: ${where}: version ${before + 1} is missing before it`);
      reached.set(key, push.version);
    }
  }
  for (const { order, changes } of timelines.values()) {
    for (const role of roles) {
      const delivered = reached.get(`${role}\n${order.orderId}`) ?? versionBefore(order.orderId);
      if (delivered < changes.length)
        faults.push(`lost event: order ${order.orderId}: the ${role} room ends with version ${delivered}`);
    }
  }
  return faults;
}

interface StoredChange {
  version: number;
  status: OrderStatus;
  /** Stored where it does not follow from the status and the actor. */
  command?: ChangeCommand;
  by: string;
  at: number;
}

const commandOf: Record<OrderStatus | 'hub', ChangeCommand> = {
  placed: 'place',
  paid: 'pay',
  shipped: 'ship',
  received: 'receive',
  cancelled: 'cancel',
  hub: 'timeout',
};

/** The events that an order's timeline implies, without the fields that differ by party. */
function expectedEvents({
  orderId,
  storeId,
  buyerId,
  sellerId,
  total,
  timeline,
}: StoredTimeline): Partial<OrderStatusPush>[] {
  const changes = JSON.parse(timeline) as StoredChange[];
  return changes.map(({ version, status, command, by, at }, index) => ({
    ...{ orderId, version, status, previous: changes[index - 1]?.status ?? null },
    command: command ?? commandOf[by === 'hub' ? by : status],
    ...{ storeId, buyerId, sellerId, total, by, at: isoTime(at) },
  }));
}

function matches(push: OrderStatusPush, expected: Partial<OrderStatusPush>, role: Role, seq: number): boolean {
  if (push.role !== role || push.seq !== seq) return false;
  return Object.entries(expected).every(([field, value]) => push[field as keyof OrderStatusPush] === value);
}

/** An acknowledgement's `seq` is the number of the caller's own event. */
function ackFaults({ sent }: History, rooms: StoredRooms): string[] {
  return sent.flatMap(({ userId, actingFor, message, request, answers }) =>
    answers.flatMap(({ answer }) => {
      if (!answer.ok || answer.seq === undefined) return [];
      const orders = message === 'order:seen' ? (answer.data as { orders: Order[] }).orders : [answer.data as Order];
      const role: Role = orders.every(({ buyerId }) => buyerId === userId) ? 'buyer' : 'seller';
      const body = rooms.get(`${role}\n${actingFor ?? userId}`)?.bodies.get(answer.seq);
      const push = body === undefined ? undefined : (JSON.parse(body) as OrderStatusPush);
      if (orders.some(({ orderId, version }) => push?.orderId === orderId && push.version === version)) return [];
      return [`lost: ${message} of ${userId} with key ${request.key} has no event ${answer.seq} in the ${role} room`];
    }),
  );
}

function sessionFaults(session: SocketSession, rooms: StoredRooms, { floor }: Beginning): string[] {
  const { userId, actingFor, clientId, url, last, ready, events, replayed, cut } = session;
  const faults: string[] = [];
  const where = `${clientId} at ${url}`;
  if (ready && ready.userId !== userId) faults.push(`wrong user: ${where}: got the room:ready of ${ready.userId}`);
  for (const push of events) {
    const isOwn = actingFor === undefined ? push[`${push.role}Id`] === userId : push.sellerId === actingFor;
    if (!isOwn || (actingFor !== undefined && push.role === 'buyer')) {
      faults.push(`wrong user: ${where}: received order ${push.orderId}, ${push.role} event ${push.seq}`);
    }
  }
  if (actingFor !== undefined && ready?.rooms.buyer) faults.push(`wrong user: ${where}: joined a buyer room`);
  for (const { role, userId: owner } of roomsOf(session)) {
    const room = rooms.get(`${role}\n${owner}`);
    const state = ready?.rooms[role];
    const from = resumedFrom(session, role);
    const received = events.filter((push) => push.role === role);
    const isLost = (last?.[role] ?? floor) < floor;
    if (state && state.complete === isLost)
      faults.push(`gap: ${where}: the ${role} room was resumed ${state.complete ? 'as if complete' : 'incomplete'}`);
    for (const push of received) faults.push(...eventFaults(push, room, `${where}: ${role} event ${push.seq}`));
    const numbers = received.map(({ seq }) => seq);
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
      faults.push(`lost event: ${where}: the ${role} room has ${room.head} events, the open socket has ${reached}`);
    }
  }
  return faults;
}

function eventFaults(push: OrderStatusPush, room: StoredRoom | undefined, where: string): string[] {
  const body = room?.bodies.get(push.seq);
  if (body === undefined)
    return [`phantom event: ${where}: ${push.status} of order ${push.orderId} is not in the room`];
  if (JSON.stringify(push) === body || isDeepStrictEqual(push, JSON.parse(body))) return [];
  return [`event differs: ${where}: received ${JSON.stringify(push)}, stored ${body}`];
}

/** Checks that numbers follow `from` once each, in order and without a gap. Returns a line per kind of fault. */
function orderingFaults(numbers: readonly number[], from: number, where: string): string[] {
  if (numbers.every((seq, index) => seq === from + 1 + index)) return [];
  const faults: string[] = [];
  const seen = new Set<number>();
  const repeated = numbers.filter((seq) => seq <= from || seen.size === seen.add(seq).size);
  if (repeated.length > 0) faults.push(`duplicate event: ${where}: ${summarize(repeated)}`);
  const highest = Math.max(from, ...seen);
  const missing: number[] = [];
  for (let seq = from + 1; seq <= highest; seq++) if (!seen.has(seq)) missing.push(seq);
  if (missing.length > 0) faults.push(`gap: ${where}: after ${from}, without ${summarize(missing)}`);
  const order = [...seen];
  const early = order.filter((seq, index) => seq < (order[index - 1] ?? 0));
  if (early.length > 0) faults.push(`out of order: ${where}: ${summarize(early)} arrived late`);
  return faults;
}

function summarize(numbers: readonly number[]): string {
  return `${numbers.slice(0, 5).join(', ')}${numbers.length > 5 ? ` and ${numbers.length - 5} more` : ''}`;
}

/** Across all its sessions, on any hub, a client receives each event once, in order. */
function clientFaults(sessions: readonly SocketSession[], { floor }: Beginning): string[] {
  const begun = sessions.findIndex(({ last, ready }) => (last !== undefined && floor === 0) || ready !== undefined);
  const first = sessions[begun];
  if (!first) return [];
  return roomsOf(first).flatMap(({ role }) => {
    const from = resumedFrom(first, role);
    if (from === undefined) return [];
    const numbers = sessions.slice(begun).flatMap(({ events }) => events.filter((push) => push.role === role));
    return orderingFaults(
      numbers.map(({ seq }) => seq),
      from,
      `${first.clientId}, across its sessions: ${role} room`,
    );
  });
}
