import { z } from 'zod';
import * as auth from './auth.js';
import { type ErrorBody, errorBody } from './errors.js';
import { page } from './fields.js';
import * as orders from './orders.js';
import * as rooms from './rooms.js';
import * as stores from './stores.js';
import * as wallet from './wallet.js';

/** The version of this contract. A change of a shape that an old client would not understand raises it. */
export const CONTRACT_VERSION = 1;
/** The largest frame over a socket, and the largest body over HTTP. */
export const FRAME_BYTES_MAX = 65_536;

/** What a client may say over a socket: each message is answered through its acknowledgement. The rest are commands. */
export const messages = {
  'order:place': { request: orders.placeRequest, data: orders.order },
  'order:pay': { request: orders.payRequest, data: orders.order },
  'order:ship': { request: orders.shipRequest, data: orders.order },
  'order:receive': { request: orders.receiveRequest, data: orders.order },
  'order:cancel': { request: orders.cancelRequest, data: orders.order },
  'order:get': { request: orders.getRequest, data: orders.orderWithTimeline, read: true },
  'order:list': { request: orders.listRequest, data: page(orders.order), read: true },
  'room:read': { request: rooms.readRequest, data: rooms.roomEvents, read: true },
} as const;

/** What the hub says by itself. `order:error` tells the failure of a message that came without an acknowledgement. */
export const pushes = {
  'order:status': rooms.orderStatusPush,
  'book:stock': rooms.bookStockPush,
  'room:ready': rooms.roomReadyPush,
  'session:ended': rooms.sessionEndedPush,
  'hub:draining': rooms.hubDrainingPush,
  'order:error': z.strictObject({ message: z.string(), error: errorBody }),
} as const;

export type MessageName = keyof typeof messages;
export type Request<Name extends MessageName> = z.infer<(typeof messages)[Name]['request']>;
export type Data<Name extends MessageName> = z.infer<(typeof messages)[Name]['data']>;
export type PushName = keyof typeof pushes;
export type Push<Name extends PushName> = z.infer<(typeof pushes)[Name]>;

/** A yes, and what it carries besides the data: the number of the caller's own event, and whether it is told again. */
export interface Result<T> {
  data: T;
  seq?: number;
  replayed?: true;
}
/** What the acknowledgement of every message holds. */
export type Answer<T> = ({ ok: true } & Result<T>) | { ok: false; error: ErrorBody; replayed?: true };

/** The types that Socket.IO's server and client take, derived from the tables above. */
export type ClientToServer = {
  [Name in MessageName]: (request: Request<Name>, acknowledge?: (answer: Answer<Data<Name>>) => void) => void;
};
export type ServerToClient = { [Name in PushName]: (push: Push<Name>) => void };

interface Route {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  /** Open to callers without a token. */
  open?: true;
  /** Asked by those who run the hub: answered also while it shuts down. */
  probe?: true;
  /** The status of success: 200 unless told. */
  status?: 201 | 204;
  /** Path parameters, query and body together, as one message. */
  request?: z.ZodType;
  /** Query parameters that are numbers. */
  numbers?: readonly string[];
  /** The body may name again what the path names, as the same message does over a socket. */
  wordForWord?: true;
  data?: z.ZodType;
}

/** What a client may say over HTTP. A body, a query parameter or a path parameter that is not in `request` is refused. */
export const routes = {
  register: {
    method: 'POST',
    path: '/auth/register',
    open: true,
    status: 201,
    request: auth.registerRequest,
    data: auth.registered,
  },
  login: { method: 'POST', path: '/auth/login', open: true, request: auth.loginRequest, data: auth.loggedIn },
  logout: { method: 'POST', path: '/auth/logout', status: 204 },
  session: { method: 'GET', path: '/auth/session', data: auth.session },
  password: { method: 'POST', path: '/auth/password', status: 204, request: auth.passwordRequest },
  unregister: { method: 'POST', path: '/auth/unregister', status: 204, request: auth.unregisterRequest },

  wallet: { method: 'GET', path: '/wallet', data: wallet.wallet },
  deposit: { method: 'POST', path: '/wallet/deposits', request: wallet.movementRequest, data: wallet.wallet },
  withdraw: { method: 'POST', path: '/wallet/withdrawals', request: wallet.movementRequest, data: wallet.wallet },
  entries: {
    method: 'GET',
    path: '/wallet/entries',
    request: wallet.entriesRequest,
    numbers: ['limit'],
    data: page(wallet.entry),
  },

  openStore: { method: 'POST', path: '/stores', status: 201, request: stores.openStoreRequest, data: stores.store },
  stores: {
    method: 'GET',
    path: '/stores',
    open: true,
    request: stores.storesRequest,
    numbers: ['limit'],
    data: page(stores.store),
  },
  store: { method: 'GET', path: '/stores/:storeId', open: true, request: stores.storeRequest, data: stores.store },
  addBook: {
    method: 'POST',
    path: '/stores/:storeId/books',
    status: 201,
    request: stores.addBookRequest,
    data: stores.book,
  },
  changeBook: {
    method: 'PATCH',
    path: '/stores/:storeId/books/:bookId',
    request: stores.changeBookRequest,
    data: stores.book,
  },
  addStock: {
    method: 'POST',
    path: '/stores/:storeId/books/:bookId/stock',
    request: stores.addStockRequest,
    data: stores.book,
  },
  book: {
    method: 'GET',
    path: '/stores/:storeId/books/:bookId',
    open: true,
    request: stores.bookRequest,
    data: stores.book,
  },
  storeBooks: {
    method: 'GET',
    path: '/stores/:storeId/books',
    open: true,
    request: stores.searchStoreRequest,
    numbers: ['limit'],
    data: page(stores.book),
  },
  books: {
    method: 'GET',
    path: '/books',
    open: true,
    request: stores.searchRequest,
    numbers: ['limit'],
    data: page(stores.book),
  },

  orders: { method: 'GET', path: '/orders', request: orders.listRequest, numbers: ['limit'], data: page(orders.order) },
  order: { method: 'GET', path: '/orders/:orderId', request: orders.getRequest, data: orders.orderWithTimeline },
  place: { method: 'POST', path: '/orders', status: 201, request: orders.placeRequest, data: orders.order },
  pay: {
    method: 'POST',
    path: '/orders/:orderId/pay',
    wordForWord: true,
    request: orders.payRequest,
    data: orders.order,
  },
  ship: {
    method: 'POST',
    path: '/orders/:orderId/ship',
    wordForWord: true,
    request: orders.shipRequest,
    data: orders.order,
  },
  receive: {
    method: 'POST',
    path: '/orders/:orderId/receive',
    wordForWord: true,
    request: orders.receiveRequest,
    data: orders.order,
  },
  cancel: {
    method: 'POST',
    path: '/orders/:orderId/cancel',
    wordForWord: true,
    request: orders.cancelRequest,
    data: orders.order,
  },
  roomEvents: {
    method: 'GET',
    path: '/rooms/:role/events',
    request: rooms.readRequest,
    numbers: ['after', 'limit'],
    data: rooms.roomEvents,
  },

  live: { method: 'GET', path: '/health/live', open: true, probe: true },
  ready: { method: 'GET', path: '/health/ready', open: true, probe: true },
  metrics: { method: 'GET', path: '/metrics', open: true, probe: true },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;
export type RouteRow = Route;

/** The header that carries a command's `key` over HTTP, and those that carry `seq` and `replayed` back. */
export const KEY_HEADER = 'Idempotency-Key';
export const SEQ_HEADER = 'Event-Seq';
export const REPLAYED_HEADER = 'Idempotency-Replayed';
