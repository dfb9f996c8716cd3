import type { ErrorCode } from '../contract/errors.js';
import type {
  BookStockPush,
  OrderStatusPush,
  RoomReadyPush,
  SessionEndedReason,
  StoreStatusPush,
} from '../contract/rooms.js';
import type { OrderClaimedPush } from '../contract/staff.js';
import type { Role } from '../contract/transitions.js';
import type { WalletChangedPush } from '../contract/wallet.js';
import type { Data, MessageName, Request } from '../contract/wire.js';
import type { CursorStorage } from './cursor.storage.js';

export interface ConnectOptions {
  /** The absolute URL of the hub, with the path prefix of a reverse proxy if it has one: `https://shop.example/hub`. */
  url: string;
  /** The session's token: `(await createApi({ url }).call('login', { userId, password })).token`. */
  token: string;
  /**
   * The seller for whom the user acts, as a member of the staff: the client then hears the seller's room, and all that it does is the
   * seller's. Rejected with `FORBIDDEN` where the user is none, and ended with `staff` when that ends.
   */
  for?: string;
  /** Persists the cursors across page loads and restarts. Without it, every client starts with the next new event. */
  storage?: CursorStorage;
  /** The path of Socket.IO, if it is not `socket.io` below `url`: for example `/socket.io`. */
  path?: string;
}

/**
 * - `offline`: not connected. The client keeps reconnecting, unless it was closed or its session has ended.
 * - `catching up`: connected, and receiving missed events.
 * - `live`: every past event is delivered, and new ones are delivered as they happen.
 */
export type ClientState = 'live' | 'catching up' | 'offline';

export interface CallOptions {
  /**
   * The idempotency key of a command: 1 to 64 characters from `!` to `~`, a random one by default. For at least 7 days, the
   * same key with the same request returns the first answer, and with another request fails with `KEY_REUSED`. Pass a key that
   * you have stored to find out, after a page load, whether a command took effect.
   */
  key?: string;
  /**
   * Cancels the call: its promise rejects with the signal's reason, and it is not sent again. A command that was already sent
   * may still take effect; an `order` event then reports it. `AbortSignal.timeout(30_000)` limits the call to 30 seconds.
   */
  signal?: AbortSignal;
}

/** The codes of a call's `HubError`: the hub's, and `CLOSED` if the client was closed before the answer arrived. */
export type ClientErrorCode = ErrorCode | 'CLOSED';

/** Why the client has ended: the reason that the hub sent, or the code with which it rejected the connection. */
export type EndedReason = SessionEndedReason | ErrorCode;

/** The arguments of each event's listeners. */
export interface ClientEvents {
  /** An order of the user changed: `{ role, seq, orderId, status, … }`. Delivered once, in the order of its room. */
  order: [event: OrderStatusPush];
  /** The state changed. With `live`, `missed` is the number of `order` events since the client was last live. */
  state: [state: ClientState, info: { missed: number }];
  /** Connected, and the hub has sent every missed event. `serverTime` is the hub's clock, ISO 8601 in UTC. */
  ready: [push: RoomReadyPush];
  /** Events of this room were missed that the hub no longer keeps: reload the lists of orders. */
  reset: [push: { role: Role }];
  /** The stock of a book in one of the user's stores fell to its low mark, or to 0: `{ storeId, bookId, stock, at }`. */
  stock: [push: BookStockPush];
  /** A store of the user's opened, closed, paused or went on: `{ storeId, open, pausedUntil, at }`. The latest is what counts. */
  store: [push: StoreStatusPush];
  /** Somebody of the shop claimed an order or freed it: `{ orderId, by, until }`, null where it was freed. The latest is what counts. */
  claimed: [push: OrderClaimedPush];
  /** The balance, or what is on its way to the user as a seller, changed: `{ balance, held, at }`. The latest is what counts. */
  wallet: [push: WalletChangedPush];
  /** The session has ended: log in again and connect with the new token. No event follows. */
  ended: [end: { reason: EndedReason }];
  /** The number of commands without an answer changed. */
  pending: [count: number];
}

type Fields<Name extends MessageName> = Omit<Request<Name>, 'key'>;
type Reply<Name extends MessageName> = Promise<Data<Name>>;

/**
 * A connection to the hub. Amounts of money are whole numbers of minor units (fen, cents); times are ISO 8601 in UTC.
 *
 * **A call is retried until it is answered**: across lost connections, restarts of the hub and retryable errors, always with
 * the same key, so that a command takes effect once. Its promise may therefore stay pending for as long as the hub is away; a
 * `signal` limits that. It rejects with a `HubError`:
 * - at once, without sending, with `BAD_MESSAGE` if the request is invalid (`details: { path, problem }[]`);
 * - with the hub's code and `details` if the hub rejects the request for good;
 * - with `UNAUTHENTICATED` if the session ends first, and with `CLOSED` if the client is closed first.
 *
 * **Calls about one order take effect in the order in which they were made.** So do all other calls, unless the hub answers
 * one of them with a retryable error: calls in flight with it may then take effect first.
 *
 * **Each event is delivered once, in order**, starting after the cursor in `storage`, or with the next new event.
 */
export interface HubClient {
  /** The current state. Every change emits `state`. */
  readonly state: ClientState;
  /** The number of the last delivered event of each room; 0 until the first `ready` if there was no stored cursor. */
  readonly last: { buyer: number; seller: number };

  /**
   * Places an order with one store: `{ storeId, items: { bookId, count }[], expectedTotal?, deliverTo?, note? }`. Resolves with
   * the order, without what was written into it: `get` shows that.
   * `PRICE_CHANGED` if `expectedTotal` differs from the total; `STORE_PAUSED` if the store takes no orders now; `OUT_OF_STOCK`,
   * `STORE_NOT_FOUND`, `BOOK_NOT_FOUND`, `USER_NOT_FOUND` if the store's owner has unregistered, `FORBIDDEN` in the user's own store.
   */
  place(request: Fields<'order:place'>, options?: CallOptions): Reply<'order:place'>;
  /**
   * Pays an order from the buyer's wallet: `{ orderId, expectedTotal? }`. Resolves with the order. `INSUFFICIENT_FUNDS` if the
   * balance is too low; `ORDER_STATE` from its `expiresAt` on or if it is not `placed`; `PRICE_CHANGED`, `ORDER_NOT_FOUND`,
   * `FORBIDDEN`.
   */
  pay(request: Fields<'order:pay'>, options?: CallOptions): Reply<'order:pay'>;
  /**
   * Accepts a paid order to the user's store, or moves the time at which it will be ready: `{ orderId, readyAt? }`. Resolves with
   * the order. `ORDER_STATE` from its `acceptBy` on or if it is not `paid`; `ORDER_NOT_FOUND`, `FORBIDDEN`.
   */
  accept(request: Fields<'order:accept'>, options?: CallOptions): Reply<'order:accept'>;
  /**
   * Ships an order to the user's store, or a parcel of it: `{ orderId, items?, carrier?, trackingNo? }`; without `items`, all
   * that is left. Resolves with the order. `ORDER_STATE` if it is not `paid`, or has fewer copies left (`details.left`);
   * `BOOK_NOT_FOUND`, `ORDER_NOT_FOUND`, `FORBIDDEN`.
   */
  ship(request: Fields<'order:ship'>, options?: CallOptions): Reply<'order:ship'>;
  /**
   * Confirms, as its buyer, that an order has arrived, or one of its parcels: `{ orderId, parcel? }`. Resolves with the order.
   * `ORDER_STATE` if nothing of it is on its way; `ORDER_NOT_FOUND`, `FORBIDDEN`.
   */
  receive(request: Fields<'order:receive'>, options?: CallOptions): Reply<'order:receive'>;
  /**
   * Cancels what of an order has not been shipped, as its buyer or seller, and refunds what was paid for it: `{ orderId, items?,
   * reason?, unavailable? }`; with `items`, only these copies of a paid order; a seller's `unavailable` books have no stock then.
   * Resolves with the order. `ORDER_STATE` if it can no longer be
   * cancelled; `BOOK_NOT_FOUND`, `ORDER_NOT_FOUND`, `FORBIDDEN`. If the seller's balance does not cover the refund, the seller
   * gets `INSUFFICIENT_FUNDS` and the buyer `ORDER_STATE`.
   */
  cancel(request: Fields<'order:cancel'>, options?: CallOptions): Reply<'order:cancel'>;
  /**
   * Gives money of an order back to its buyer: `{ orderId, items, restock?, reason? }` for copies, or `{ orderId, amount,
   * reason? }`. Resolves with the order. `INSUFFICIENT_FUNDS` if the user's balance is too low; `ORDER_STATE` if nothing can be
   * given back; `BAD_MESSAGE` beyond the order's total; `BOOK_NOT_FOUND`, `ORDER_NOT_FOUND`, `FORBIDDEN`.
   */
  refund(request: Fields<'order:refund'>, options?: CallOptions): Reply<'order:refund'>;
  /**
   * Corrects the carrier or the tracking number of a parcel on its way: `{ orderId, parcel?, carrier?, trackingNo? }`. Resolves
   * with the order. `ORDER_STATE` if it has been received; `ORDER_NOT_FOUND`, `FORBIDDEN`.
   */
  track(request: Fields<'order:track'>, options?: CallOptions): Reply<'order:track'>;
  /**
   * Writes a note on an order, as its buyer or seller: `{ orderId, text }`. Resolves with the order; `get` shows its `notes`.
   * `ORDER_STATE` after 200 notes, or 90 days after the order's end; `ORDER_NOT_FOUND`, `FORBIDDEN`.
   */
  note(request: Fields<'order:note'>, options?: CallOptions): Reply<'order:note'>;
  /**
   * Changes the delivery address of an order: `{ orderId, deliverTo }`, as its buyer while it is `placed`, as its seller
   * while it is `paid`. Resolves with the order; `get` shows its `deliverTo`. `ORDER_STATE`, `ORDER_NOT_FOUND`, `FORBIDDEN`.
   */
  readdress(request: Fields<'order:readdress'>, options?: CallOptions): Reply<'order:readdress'>;

  /**
   * Says, as the seller's side, that somebody has seen orders: `{ orderIds }`. Resolves with `{ orders }`; the first to see one
   * counts, and sets its `seenAt`. `ORDER_NOT_FOUND`, `FORBIDDEN`.
   */
  seen(request: Fields<'order:seen'>, options?: CallOptions): Reply<'order:seen'>;
  /**
   * Claims an order, as the seller's side, so that no other member of the staff ships, accepts, cancels or refunds it: `{ orderId,
   * seconds }`, at most 900; 0 frees it. Resolves with the order. `CLAIMED` while another member works on it (`details.by`,
   * `details.until`); `ORDER_NOT_FOUND`, `FORBIDDEN`.
   */
  claim(request: Fields<'order:claim'>, options?: CallOptions): Reply<'order:claim'>;

  /** Reads one of the user's orders with its `timeline`, `deliverTo` and `notes`. `ORDER_NOT_FOUND`, `FORBIDDEN`. */
  get(orderId: string, options?: Pick<CallOptions, 'signal'>): Reply<'order:get'>;
  /**
   * Lists the user's orders as buyer or seller, newest first: `{ role, status?, storeId?, after?, limit? }`. Resolves with
   * `{ items, next }`, 20 orders by default and at most 100; `next` is the `after` of the next page, or null.
   */
  list(request: Request<'order:list'>, options?: Pick<CallOptions, 'signal'>): Reply<'order:list'>;
  /**
   * Reads past events of a room: `{ role, after, limit? }`. Resolves with `{ events, head, complete }`; `complete` is false
   * if events after `after` are no longer kept or `after` is beyond `head`. For history only: `on('order')` misses nothing.
   */
  read(request: Request<'room:read'>, options?: Pick<CallOptions, 'signal'>): Reply<'room:read'>;

  /**
   * Adds a listener and returns the function that removes it. A listener added in the same turn as `connect` receives every
   * event.
   *
   * An `order` event counts as delivered, and its cursor is saved, once every listener has returned without throwing: a page
   * that dies in a listener receives the event again. Errors are reported as uncaught, and promises are not awaited.
   */
  on<Name extends keyof ClientEvents>(name: Name, listener: (...values: ClientEvents[Name]) => void): () => void;
  /**
   * Disconnects for good and removes all listeners. Unanswered calls reject with `CLOSED`; a command that was already sent may
   * still take effect.
   */
  close(): void;
}
