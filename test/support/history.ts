import type { CommandData, CommandName, CommandRequest } from '../../src/contract/commands.js';
import type { Order } from '../../src/contract/orders.js';
import type { Last, OrderStatusPush, RoomReadyPush } from '../../src/contract/rooms.js';
import type { OrderClaimedPush } from '../../src/contract/staff.js';
import { type Role, roles } from '../../src/contract/transitions.js';
import type { Answer } from '../../src/contract/wire.js';
import type { Books } from './audit.js';
import { effectFaults } from './history.effects.js';
import { timelineFaults } from './history.orders.js';
import { roomFaults } from './history.rooms.js';

/** The commands that a client can send, over Socket.IO or HTTP. */
export type ClientCommand = Exclude<CommandName, 'order:timeout' | 'store:change' | 'topup:settle' | 'payout:settle'>;
export type ClientRequest<Name extends ClientCommand> = CommandRequest<Name> & { key?: string };
export type ClientData<Name extends ClientCommand> = CommandData<Name>;

/** A command with all its attempts and answers. */
export interface Sent {
  userId: string;
  /** The seller for whom a member of the staff gave it. */
  actingFor: string | undefined;
  message: ClientCommand;
  request: ClientRequest<ClientCommand>;
  at: number;
  answers: { answer: Answer<unknown>; ms: number }[];
  attempts: number;
  /** Attempts that timed out on an open connection. */
  timeouts: number;
}

/** A socket's life, from its handshake to its disconnect. */
export interface SocketSession {
  clientId: string;
  userId: string;
  /** The seller whose room it joined, as a member of the staff. */
  actingFor: string | undefined;
  url: string;
  last: Last | undefined;
  ready: RoomReadyPush | undefined;
  /** In order of arrival; the first `replayed` of them came before `room:ready`. */
  events: OrderStatusPush[];
  replayed: number;
  claims: OrderClaimedPush[];
  /** Whether it was disconnected. One that was not must have received everything in the end. */
  cut: boolean;
}

/**
 * The number after which a session's events of a room begin: its `last`, unless the hub has answered that this is no longer kept.
 * Undefined if it was never answered.
 */
export function resumedFrom({ last, ready }: SocketSession, role: Role): number | undefined {
  const state = ready?.rooms[role];
  return state && !state.complete ? state.head : (last?.[role] ?? state?.head);
}

/** The rooms that a session joins: its user's, or the seller's for whom its user acts. */
export function roomsOf({ userId, actingFor }: SocketSession): { role: Role; userId: string }[] {
  if (actingFor !== undefined) return [{ role: 'seller', userId: actingFor }];
  return roles.map((role) => ({ role, userId }));
}

/**
 * When somebody was on a seller's staff, by the events of the seller's room: only with those between them the member can have acted. No
 * clock is compared.
 */
export interface Membership {
  ownerId: string;
  userId: string;
  /** The room's head before the member was hired. */
  after: number;
  /** Its head once the removal was answered. */
  until: number;
}

/** Room heads, wallet entries and order versions before the history began. */
export interface Beginning {
  /** Event numbers up to this one are of before a restored backup, and lost; 0 if none was restored. */
  floor: number;
  heads: Record<Role, Map<string, number>>;
  entries: Map<string, number>;
  versions: Map<string, number>;
}

/** What clients sent and received, to be verified against the database. */
export class History {
  readonly sent: Sent[] = [];
  readonly sessions: SocketSession[] = [];
  readonly memberships: Membership[] = [];
  /** Handshakes refused with an error that is not retryable; there should be none. */
  readonly refusals: string[] = [];
  /** The highest event number that a client knows of each room, from an event or an answer. */
  readonly latest: Record<Role, Map<string, number>> = { buyer: new Map(), seller: new Map() };
  /** When each user last received a final answer. */
  readonly settledAt = new Map<string, number>();
  beginning: Beginning = {
    floor: 0,
    heads: { buyer: new Map(), seller: new Map() },
    entries: new Map(),
    versions: new Map(),
  };

  /** A history that begins now: what the database already holds was done by others. */
  static async begin(books: Books): Promise<History> {
    const history = new History();
    const { heads, entries, versions } = history.beginning;
    const rooms = await books.rows<{ role: Role; userId: string; head: number }>(
      'SELECT role, user_id AS userId, head FROM rooms',
    );
    for (const { role, userId, head } of rooms) heads[role].set(userId, head);
    const wallets = await books.rows<{ userId: string; entries: number }>(
      'SELECT user_id AS userId, entries FROM wallets',
    );
    for (const wallet of wallets) entries.set(wallet.userId, wallet.entries);
    const orders = await books.rows<{ orderId: string; version: number }>(
      'SELECT order_id AS orderId, version FROM orders',
    );
    for (const { orderId, version } of orders) versions.set(orderId, version);
    const [info] = await books.rows<{ floor: number }>('SELECT room_floor AS floor FROM database_info');
    history.beginning.floor = Number(info?.floor ?? 0);
    return history;
  }

  recordCommand<Name extends ClientCommand>(
    userId: string,
    message: Name,
    request: ClientRequest<Name>,
    actingFor?: string,
  ): Sent {
    const sent: Sent = { userId, actingFor, message, request, at: Date.now(), answers: [], attempts: 0, timeouts: 0 };
    this.sent.push(sent);
    return sent;
  }

  recordAnswer(sent: Sent, answer: Answer<unknown>, ms: number): void {
    sent.answers.push({ answer, ms });
    if (answer.ok || !answer.error.retryable) this.settledAt.set(sent.userId, performance.now());
    if (!answer.ok || answer.seq === undefined) return;
    const { buyerId } = answer.data as Order;
    this.advance(buyerId === sent.userId ? 'buyer' : 'seller', sent.actingFor ?? sent.userId, answer.seq);
  }

  openSession(opened: Pick<SocketSession, 'clientId' | 'userId' | 'actingFor' | 'url' | 'last'>): SocketSession {
    const session: SocketSession = {
      ...opened,
      ready: undefined,
      events: [],
      replayed: 0,
      claims: [],
      cut: false,
    };
    this.sessions.push(session);
    return session;
  }

  recordReady(session: SocketSession, ready: RoomReadyPush): void {
    session.ready ??= ready;
    session.replayed = session.events.length;
  }

  recordEvent(session: SocketSession, push: OrderStatusPush): void {
    session.events.push(push);
    this.advance(push.role, session.actingFor ?? session.userId, push.seq);
  }

  /** Commands by message and result code. */
  counts(): Record<string, Record<string, number>> {
    const counts: Record<string, Record<string, number>> = {};
    for (const { message, answers } of this.sent) {
      const code = outcomeOf({ answers });
      counts[message] ??= {};
      counts[message][code] = (counts[message][code] ?? 0) + 1;
    }
    return counts;
  }

  private advance(role: Role, userId: string, seq: number): void {
    const latest = this.latest[role];
    if (seq > (latest.get(userId) ?? 0)) latest.set(userId, seq);
  }
}

/** What a command was answered in the end: `OK`, the code of its refusal, or `none`. */
export function outcomeOf({ answers }: Pick<Sent, 'answers'>): string {
  const answer = answers.at(-1)?.answer;
  if (answer === undefined) return 'none';
  return answer.ok ? 'OK' : answer.error.code;
}

/** Verifies a finished history against the database. Returns a line per fault, which begins with its kind. */
export async function verify(history: History, books: Books): Promise<string[]> {
  const refused = history.refusals.map((refusal) => `handshake refused: ${refusal}`);
  const effects = await effectFaults(history, books);
  return [...refused, ...effects, ...(await timelineFaults(books)), ...(await roomFaults(history, books))];
}
