import {
  type Api,
  type ConnectOptions,
  connect,
  createApi,
  type EndedReason,
  type HubClient,
  HubError,
} from '../client/connect.js';
import type { BookStockPush, OrderStatusPush, RoomReadyPush } from '../contract/rooms.js';
import { type RouteRow, rightsFor, takesKey } from '../contract/row.js';
import type { OrderClaimedPush } from '../contract/staff.js';
import type { WalletChangedPush } from '../contract/wallet.js';
import { type RouteName, routes } from '../contract/wire.js';
import { OrderCache } from './order.cache.js';
import { Store } from './store.js';

export interface ConnectionStatus {
  state: HubClient['state'];
  /** Events missed while offline and since received, until the user has dismissed the notice. */
  missed: number;
  /** Commands that the hub has not answered yet. */
  pending: number;
  /** Why the session has ended: somebody has to log in again. */
  ended?: EndedReason;
}

export interface HubEvents {
  ready: [push: RoomReadyPush];
  order: [event: OrderStatusPush];
  stock: [push: BookStockPush];
  /** Somebody of the shop claimed an order, or freed it. */
  claimed: [push: OrderClaimedPush];
  /** The wallet changed, or may have changed while the page was offline. */
  wallet: [push?: WalletChangedPush];
  /** All loaded data is stale: another user logged in, or events were missed that the hub can no longer replay. */
  invalidate: [];
  ended: [reason: EndedReason];
}
type Handler<Name extends keyof HubEvents> = (...values: HubEvents[Name]) => void;

/** The hub, and who is logged in there. Without a token only stores and books can be read. */
export type HubSession = Omit<ConnectOptions, 'token'> & { token?: string | undefined };

/** What concerns the user alone, also while the user works for a seller, besides what needs no right. */
const ownRoutes: readonly RouteName[] = ['staffOf', 'subscribe', 'unsubscribe'];

const OFFLINE: ConnectionStatus = { state: 'offline', missed: 0, pending: 0 };

/** What a page's components share: one connection, one cache of orders, the commands that have no answer yet. */
export class HubSource {
  readonly orders: { readonly buyer: OrderCache; readonly seller: OrderCache };
  private readonly handlers: { [Name in keyof HubEvents]: Set<Handler<Name>> } = {
    ...{ ready: new Set(), order: new Set(), stock: new Set(), claimed: new Set() },
    ...{ wallet: new Set(), invalidate: new Set(), ended: new Set() },
  };
  private api: Api;
  /** Without the seller for whom the user works. */
  private ownApi: Api;
  private connection: HubClient | undefined;
  private inFlight = new Map<string, Promise<unknown>>();
  private holders = 0;
  private closing: ReturnType<typeof setTimeout> | undefined;
  private isClosed = false;

  /** Opens nothing: React makes a value twice under StrictMode, and drops one of them. */
  constructor(
    private session: HubSession,
    readonly status = new Store<ConnectionStatus>(OFFLINE),
  ) {
    this.api = createApi(session);
    this.ownApi = ownApiOf(session);
    this.orders = { buyer: new OrderCache('buyer', this), seller: new OrderCache('seller', this) };
  }

  /** The user's client, opened at its first use. Its commands are retried until the hub answers, and take effect once. */
  get client(): HubClient {
    const { token } = this.session;
    if (token === undefined) throw new HubError('UNAUTHENTICATED');
    this.connection ??= this.open({ ...this.session, token });
    return this.connection;
  }

  /** Subscribes across logins and reconnects. Returns the function that unsubscribes. */
  subscribe<Name extends keyof HubEvents>(name: Name, handler: Handler<Name>): () => void {
    this.handlers[name].add(handler);
    return () => void this.handlers[name].delete(handler);
  }

  /**
   * Calls a route of the contract by its name. A command that repeats one in flight shares its promise: submitting the same
   * form again while the hub is unreachable must not take effect twice. Reads always make a new request, because the data may
   * have changed since.
   */
  readonly request: Api['call'] = (...args) => {
    const [name, fields] = args;
    const route: RouteRow = routes[name];
    const isOwn = ownRoutes.includes(name) || rightsFor(route).length === 0;
    const api = isOwn ? this.ownApi : this.api;
    if (!takesKey(route)) return api.call(...args);
    return this.once(JSON.stringify([name, fields]), () => api.call(...args));
  };

  /** Makes a call unless the same one waits for its answer. */
  once<T>(key: string, call: () => Promise<T>): Promise<T> {
    const { inFlight } = this;
    // The key names the call, and with it the type of its answer.
    const existing = inFlight.get(key) as Promise<T> | undefined;
    if (existing) return existing;
    const answer = call().finally(() => inFlight.delete(key));
    inFlight.set(key, answer);
    return answer;
  }

  /** Keeps the connection open. Let go and held again at once, as under StrictMode, it stays the same one. */
  hold(): () => void {
    clearTimeout(this.closing);
    this.holders++;
    if (this.isClosed) this.switchTo(this.session);
    else if (this.session.token !== undefined) void this.client;
    return () => {
      if (--this.holders === 0) this.closing = setTimeout(() => this.close());
    };
  }

  /** Closes the connection, and opens another one if somebody is logged in. */
  switchTo(session: HubSession): void {
    this.connection?.close();
    this.connection = undefined;
    this.session = session;
    this.isClosed = false;
    this.status.set(OFFLINE);
    this.api = createApi(session);
    this.ownApi = ownApiOf(session);
    this.inFlight = new Map();
    if (session.token !== undefined) void this.client;
    this.emit('invalidate');
  }

  private close(): void {
    // Kept, so that a late call is refused and opens no other one.
    this.connection?.close();
    this.isClosed = true;
    this.status.set(OFFLINE);
  }

  private open(options: ConnectOptions): HubClient {
    const connection = connect(options);
    const { status } = this;
    connection.on('state', (state, { missed }) =>
      status.update((before) => ({ ...before, state, missed: before.missed + missed })),
    );
    connection.on('pending', (pending) => status.update((before) => ({ ...before, pending })));
    connection.on('ready', (push) => {
      this.emit('ready', push);
      this.emit('wallet');
    });
    connection.on('order', (event) => this.emit('order', event));
    connection.on('stock', (push) => this.emit('stock', push));
    connection.on('claimed', (push) => this.emit('claimed', push));
    connection.on('wallet', (push) => this.emit('wallet', push));
    connection.on('reset', () => this.emit('invalidate'));
    connection.on('ended', ({ reason }) => {
      status.update((before) => ({ ...before, ended: reason }));
      this.emit('ended', reason);
    });
    return connection;
  }

  private emit<Name extends keyof HubEvents>(name: Name, ...values: HubEvents[Name]): void {
    for (const handler of this.handlers[name]) handler(...values);
  }
}

function ownApiOf({ for: _, ...session }: HubSession): Api {
  return createApi(session);
}
