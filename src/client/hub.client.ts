import type { RefusalCode } from '../contract/errors.js';
import type { Role } from '../contract/lifecycle.js';
import type { BookStockPush, OrderStatusPush, RoomReadyPush, SessionEndedReason } from '../contract/rooms.js';
import type { Data, MessageName, Request } from '../contract/wire.js';
import type { LastStorage } from './last.storage.js';

/** What `connect` needs. */
export interface ConnectOptions {
  /** Where the hub is, absolute, with the path prefix behind which a proxy serves it: `https://shop.example/hub`. */
  url: string;
  /** From logging in: `createApi({ url }).call('login', { userId, password })`. */
  token: string;
  /** What is remembered across page loads and restarts. Without it, a client begins at the present each time. */
  storage?: LastStorage;
  /** The path of Socket.IO, where it is not `socket.io` below `url`. */
  path?: string;
}

/**
 * - `offline`: there is no connection. The client tries to come back by itself, unless it was closed or its session ended.
 * - `catching up`: connected, and hearing what it has missed.
 * - `live`: all that has happened is heard, and what happens is heard at once.
 */
export type ClientState = 'live' | 'catching up' | 'offline';

export interface CallOptions {
  /**
   * The idempotency key of a command, 1 to 64 characters from `!` to `~`: the same key with the same request gives the first
   * answer again, for 7 days. One is made where none is given. Give one that you have kept, to ask after a page load what
   * became of a command.
   */
  key?: string;
  /**
   * Gives the call up: its promise rejects with the signal's reason, and it is not sent again. A command that was sent may
   * have taken effect all the same; then an event tells. `AbortSignal.timeout(30_000)` gives up after 30 seconds.
   */
  signal?: AbortSignal;
}

/** Why a client has ended: the reason that the hub gave, or the code with which it refused to let the client in. */
export type EndedReason = SessionEndedReason | RefusalCode;

export interface ClientEvents {
  /** A change of one of the user's orders: each once, in the order of its room. */
  order: [event: OrderStatusPush];
  /** `missed`: how many changes came in since the client was last live. 0 where that makes no sense. */
  state: [state: ClientState, info: { missed: number }];
  /** The hub has sent all that came before; `serverTime` is its clock. */
  ready: [push: RoomReadyPush];
  /** Changes of this room are no longer kept, and were missed: read the lists of orders anew. */
  reset: [push: { role: Role }];
  /** A book of one of the user's stores runs low, or out. */
  stock: [push: BookStockPush];
  /** The session is over: log in again, and connect with the new token. Nothing comes after this. */
  ended: [end: { reason: EndedReason }];
  /** How many commands are not answered yet. */
  pending: [count: number];
}

type Fields<Name extends MessageName> = Omit<Request<Name>, 'key'>;
type Reply<Name extends MessageName> = Promise<Data<Name>>;

/**
 * A connection to the hub that keeps what the hub promises.
 *
 * **A call is sent until it is answered**: over lost connections, restarts of the hub and refusals that are for the moment
 * only, always with the same key, so that it takes effect once. It resolves with what the hub answers, and rejects with a
 * `HubError` for what the hub refuses for good, when the session ends, or with the code `CLOSED` when the client is closed. It
 * can thus wait for as long as the hub is away; a `signal` ends the wait.
 *
 * **Calls about one order are carried out in the order in which they were made**, and so are all others while the hub takes
 * them; one that the hub refuses for the moment may be carried out after others that were under way with it.
 *
 * **Each event is heard once and in order**, from `storage`'s last one on, or from the present.
 */
export interface HubClient {
  readonly state: ClientState;
  /** The number of the last event heard of each room. 0 until the first `ready` of a client that had nothing stored. */
  readonly last: { buyer: number; seller: number };

  /** Places an order with one store. With `expectedTotal`, only if this is what it comes to (`PRICE_CHANGED`). Money is in minor units. */
  place(request: Fields<'order:place'>, options?: CallOptions): Reply<'order:place'>;
  /** Pays an order that the user has placed, before its `expiresAt` (`ORDER_STATE`), from the wallet (`INSUFFICIENT_FUNDS`). */
  pay(request: Fields<'order:pay'>, options?: CallOptions): Reply<'order:pay'>;
  /** Tells that an order to the user's store is on its way. */
  ship(request: Fields<'order:ship'>, options?: CallOptions): Reply<'order:ship'>;
  /** Tells that an order has arrived. */
  receive(request: Fields<'order:receive'>, options?: CallOptions): Reply<'order:receive'>;
  /** Cancels an order that is not shipped yet; what was paid goes back. */
  cancel(request: Fields<'order:cancel'>, options?: CallOptions): Reply<'order:cancel'>;

  /** An order of the user's, with its timeline. */
  get(orderId: string, options?: Pick<CallOptions, 'signal'>): Reply<'order:get'>;
  /** The user's orders, newest first, page by page: `next` goes into `after`. */
  list(request: Request<'order:list'>, options?: Pick<CallOptions, 'signal'>): Reply<'order:list'>;
  /** The events of a room after a number. Only for those who want the past: `on('order')` misses nothing. */
  read(request: Request<'room:read'>, options?: Pick<CallOptions, 'signal'>): Reply<'room:read'>;

  /**
   * Listens. Gives what ends the listening. Listeners that are there when `connect` returns hear everything.
   *
   * An event counts as heard, and its number is stored, when all listeners have returned: a page that dies in a listener
   * hears the event again when it comes back. A promise that a listener gives is not waited for.
   */
  on<Name extends keyof ClientEvents>(name: Name, listener: (...values: ClientEvents[Name]) => void): () => void;
  /**
   * Disconnects for good; no listener is called any more. What is not answered rejects with `CLOSED`: a command that was sent
   * may have taken effect all the same.
   */
  close(): void;
}
