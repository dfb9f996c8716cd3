import { type Api, createApi } from '../src/client/api.js';
import { connect, type HubClient, localStorageOf } from '../src/client/connect.js';
import type { BookStockPush, OrderStatusPush } from '../src/contract/rooms.js';
import { type RouteRow, takesKey } from '../src/contract/row.js';
import type { WalletChangedPush } from '../src/contract/wallet.js';
import { routes } from '../src/contract/wire.js';
import { setHubTime } from './clock.js';
import { hubUrl, session } from './session.js';
import { Store } from './store.js';

export interface ConnectionStatus {
  state: HubClient['state'];
  /** Events missed while offline and since received; shown until the user dismisses the notice. */
  missed: number;
  /** Commands that the hub has not answered yet. */
  pending: number;
}

interface Handlers {
  order: (event: OrderStatusPush) => void;
  stock: (push: BookStockPush) => void;
  /** The wallet changed, or may have changed while the page was offline. */
  wallet: (push?: WalletChangedPush) => void;
  /** All loaded data is stale: another user logged in, or events were missed that the hub can no longer replay. */
  invalidate: () => void;
}

const OFFLINE: ConnectionStatus = { state: 'offline', missed: 0, pending: 0 };
export const connectionStatus = new Store<ConnectionStatus>(OFFLINE);
/** Whether an order must say where it is to be delivered. */
export const needsAddress = new Store(false);
/** The session was ended elsewhere; the login page says so. */
export const sessionEnded = new Store(false);

const handlers: { [Name in keyof Handlers]: Set<Handlers[Name]> } = {
  order: new Set(),
  stock: new Set(),
  wallet: new Set(),
  invalidate: new Set(),
};
let client: HubClient | undefined;
let api = createApi({ url: hubUrl });
let inFlight = new Map<string, Promise<unknown>>();

/** Subscribes across logins and reconnects. Returns the function that unsubscribes. */
export function subscribe<Name extends keyof Handlers>(name: Name, handler: Handlers[Name]): () => void {
  handlers[name].add(handler);
  return () => void handlers[name].delete(handler);
}

/** The logged-in user's client. Its commands are retried until the hub answers, and take effect once. */
export function hub(): HubClient {
  if (!client) throw new Error('Nobody is logged in');
  return client;
}

/**
 * Calls a route of the contract by its name. A command that repeats one in flight shares its promise: submitting the same
 * form again while the hub is unreachable must not take effect twice. Reads always make a new request, because the data may
 * have changed since.
 */
export const request: Api['call'] = (...args) => {
  const [name, fields] = args;
  const route: RouteRow = routes[name];
  if (!takesKey(route)) return api.call(...args);
  const requestKey = JSON.stringify([name, fields]);
  const existing = inFlight.get(requestKey) as ReturnType<typeof api.call<typeof name>> | undefined;
  if (existing) return existing;
  const requests = inFlight;
  const answer = api.call(...args).finally(() => requests.delete(requestKey));
  requests.set(requestKey, answer);
  return answer;
};

export async function logIn(userId: string, password: string): Promise<void> {
  const { token } = await createApi({ url: hubUrl }).call('login', { userId, password, terminal: 'browser' });
  sessionEnded.set(false);
  session.set({ userId, token });
}

export async function logOut(): Promise<void> {
  const previousApi = api;
  session.set(null);
  // Logging out works offline too: a session that the hub was not asked to end expires.
  await previousApi.call('logout', {}).catch(() => undefined);
}

function switchSession(): void {
  client?.close();
  client = undefined;
  connectionStatus.set(OFFLINE);
  const user = session.get();
  api = createApi({ url: hubUrl, ...(user ? { token: user.token } : {}) });
  inFlight = new Map();
  if (user) client = openConnection(user.userId, user.token);
  for (const handler of handlers.invalidate) handler();
}

function openConnection(userId: string, token: string): HubClient {
  const connection = connect({ url: hubUrl, token, storage: localStorageOf(userId) });
  connection.on('state', (state, { missed }) =>
    connectionStatus.update((status) => ({ ...status, state, missed: status.missed + missed })),
  );
  connection.on('pending', (pending) => connectionStatus.update((status) => ({ ...status, pending })));
  connection.on('ready', (push) => {
    setHubTime(push.serverTime);
    needsAddress.set(push.needsAddress ?? false);
    for (const handler of handlers.wallet) handler();
  });
  connection.on('order', (event) => {
    for (const handler of handlers.order) handler(event);
  });
  connection.on('stock', (push) => {
    for (const handler of handlers.stock) handler(push);
  });
  connection.on('wallet', (push) => {
    for (const handler of handlers.wallet) handler(push);
  });
  connection.on('reset', () => {
    for (const handler of handlers.invalidate) handler();
  });
  connection.on('ended', () => {
    sessionEnded.set(true);
    session.set(null);
  });
  return connection;
}

/** Keeps a connection open for the logged-in user, now and after every login and logout. */
export function startConnection(): void {
  session.subscribe(switchSession);
  switchSession();
}
