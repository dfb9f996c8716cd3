import type { CommandName, CommandRequests } from '../../src/commands/command.js';
import type { Role } from '../../src/contract/lifecycle.js';
import type { Order } from '../../src/contract/orders.js';
import type { Last, OrderStatusPush, RoomReadyPush } from '../../src/contract/rooms.js';
import type { BookView } from '../../src/contract/stores.js';
import type { Wallet } from '../../src/contract/wallet.js';
import type { Answer } from '../../src/contract/wire.js';
import type { Books } from './audit.js';
import { effectFaults } from './history.effects.js';
import { roomFaults } from './history.rooms.js';

/** The commands that a client can give, by whichever way in. */
export type ClientCommand = Exclude<CommandName, 'order:due'>;
export type ClientRequest<Name extends ClientCommand> = CommandRequests[Name] & { key?: string };
export type ClientData<Name extends ClientCommand> = Name extends `order:${string}`
  ? Order
  : Name extends `wallet:${string}`
    ? Wallet
    : BookView;

/** A command, as often as it was sent, and all that it was answered. */
export interface Sent {
  userId: string;
  message: ClientCommand;
  request: ClientRequest<ClientCommand>;
  at: number;
  answers: { answer: Answer<unknown>; ms: number }[];
  attempts: number;
  /** Attempts that were not answered in time although the line stayed. */
  silent: number;
}

/** A socket, from its handshake to its end. */
export interface Sitting {
  clientId: string;
  userId: string;
  url: string;
  last: Last | undefined;
  ready: RoomReadyPush | undefined;
  /** In the order in which they came; so many of them before `room:ready`. */
  events: OrderStatusPush[];
  replayed: number;
  /** It was cut. One that was not must have been told everything in the end. */
  cut: boolean;
}

/** How far things were before the history began. */
export interface Beginning {
  heads: Record<Role, Map<string, number>>;
  entries: Map<string, number>;
  versions: Map<string, number>;
}

/** What clients did and were told, to be held against what the database says. */
export class History {
  readonly sent: Sent[] = [];
  readonly sittings: Sitting[] = [];
  /** What no client should have met: connections that were refused for good. */
  readonly refusals: string[] = [];
  /** The highest number that anybody was told of each room, by an event or an answer. */
  readonly told: Record<Role, Map<string, number>> = { buyer: new Map(), seller: new Map() };
  /** When each user last had a command answered for good. */
  readonly settledAt = new Map<string, number>();
  beginning: Beginning = {
    heads: { buyer: new Map(), seller: new Map() },
    entries: new Map(),
    versions: new Map(),
  };

  /** A history that begins now: what the books hold already was done by others. */
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
    return history;
  }

  sends<Name extends ClientCommand>(userId: string, message: Name, request: ClientRequest<Name>): Sent {
    const sent: Sent = { userId, message, request, at: Date.now(), answers: [], attempts: 0, silent: 0 };
    this.sent.push(sent);
    return sent;
  }

  isAnswered(sent: Sent, answer: Answer<unknown>, ms: number): void {
    sent.answers.push({ answer, ms });
    if (answer.ok || !answer.error.retryable) this.settledAt.set(sent.userId, performance.now());
    if (!answer.ok || answer.seq === undefined) return;
    const { buyerId } = answer.data as Order;
    this.tells(buyerId === sent.userId ? 'buyer' : 'seller', sent.userId, answer.seq);
  }

  sits(clientId: string, userId: string, url: string, last: Last | undefined): Sitting {
    const sitting: Sitting = { clientId, userId, url, last, ready: undefined, events: [], replayed: 0, cut: false };
    this.sittings.push(sitting);
    return sitting;
  }

  isReady(sitting: Sitting, ready: RoomReadyPush): void {
    sitting.ready ??= ready;
    sitting.replayed = sitting.events.length;
  }

  hears(sitting: Sitting, push: OrderStatusPush): void {
    sitting.events.push(push);
    this.tells(push.role, sitting.userId, push.seq);
  }

  /** How many commands came to what, by message. */
  counts(): Record<string, Record<string, number>> {
    const counts: Record<string, Record<string, number>> = {};
    for (const { message, answers } of this.sent) {
      const answer = answers.at(-1)?.answer;
      const code = answer === undefined ? 'none' : answer.ok ? 'OK' : answer.error.code;
      counts[message] ??= {};
      counts[message][code] = (counts[message][code] ?? 0) + 1;
    }
    return counts;
  }

  private tells(role: Role, userId: string, seq: number): void {
    const told = this.told[role];
    if (seq > (told.get(userId) ?? 0)) told.set(userId, seq);
  }
}

/**
 * Replays what clients did and were told against the books, when all is still. Gives a line for each fault, which begins
 * with its kind.
 */
export async function verify(history: History, books: Books): Promise<string[]> {
  const refused = history.refusals.map((refusal) => `refused at the door: ${refusal}`);
  return [...refused, ...(await effectFaults(history, books)), ...(await roomFaults(history, books))];
}
