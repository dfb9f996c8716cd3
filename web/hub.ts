import { type Api, createApi } from '../src/client/api.js';
import { connect, type HubClient, localStorageOf } from '../src/client/connect.js';
import type { BookStockPush, OrderStatusPush } from '../src/contract/rooms.js';
import { type RouteRow, takesKey } from '../src/contract/row.js';
import { routes } from '../src/contract/wire.js';
import { setHubTime } from './clock.js';
import { hubUrl, session } from './session.js';
import { Store } from './store.js';

/** How the page stands with the hub, always shown. */
export interface Line {
  state: HubClient['state'];
  /** How many changes came in while the page was cut off; told until the person has read it. */
  missed: number;
  /** Commands that the hub has not answered yet. */
  pending: number;
}

interface Hearers {
  order: (event: OrderStatusPush) => void;
  stock: (push: BookStockPush) => void;
  /** What is shown must be read anew: somebody logged in, or events were missed that the hub no longer has. */
  fresh: () => void;
}

const OFF: Line = { state: 'offline', missed: 0, pending: 0 };
export const line = new Store<Line>(OFF);
/** The session was ended elsewhere: said on the page where one logs in. */
export const wasEnded = new Store(false);

const hearers: { [Name in keyof Hearers]: Set<Hearers[Name]> } = {
  order: new Set(),
  stock: new Set(),
  fresh: new Set(),
};
let client: HubClient | undefined;
let api = createApi({ url: hubUrl });
let unanswered = new Map<string, Promise<unknown>>();

/** Hears what the hub says of the person's orders and shelf, whoever is logged in and however often the line breaks. */
export function hear<Name extends keyof Hearers>(name: Name, hearer: Hearers[Name]): () => void {
  hearers[name].add(hearer);
  return () => void hearers[name].delete(hearer);
}

/** Commands of the person who is logged in; each is sent again until it is answered, and takes effect once. */
export function hub(): HubClient {
  if (!client) throw new Error('Nobody is logged in');
  return client;
}

/**
 * Everything else that the hub can be asked, by the name of its route in the contract. A command that is given again before it
 * is answered is given once: whoever leaves a form while the hub is away, and fills it in once more, means one thing. A read is
 * made each time: what it is asked for again may have changed since.
 */
export const ask: Api['call'] = (...asked) => {
  const [name, request] = asked;
  const route: RouteRow = routes[name];
  if (!takesKey(route)) return api.call(...asked);
  const what = JSON.stringify([name, request]);
  const there = unanswered.get(what) as ReturnType<typeof api.call<typeof name>> | undefined;
  if (there) return there;
  const mine = unanswered;
  const answer = api.call(...asked).finally(() => mine.delete(what));
  mine.set(what, answer);
  return answer;
};

export async function logIn(userId: string, password: string): Promise<void> {
  const { token } = await createApi({ url: hubUrl }).call('login', { userId, password, terminal: 'browser' });
  wasEnded.set(false);
  session.set({ userId, token });
}

export async function logOut(): Promise<void> {
  const leaving = api;
  session.set(null);
  // The person has left this page whether or not the hub hears of it: a session that is not ended expires.
  await leaving.call('logout', {}).catch(() => undefined);
}

function follow(): void {
  client?.close();
  client = undefined;
  line.set(OFF);
  const who = session.get();
  api = createApi({ url: hubUrl, ...(who ? { token: who.token } : {}) });
  unanswered = new Map();
  if (who) client = listen(who.userId, who.token);
  for (const hearer of hearers.fresh) hearer();
}

function listen(userId: string, token: string): HubClient {
  const opened = connect({ url: hubUrl, token, storage: localStorageOf(userId) });
  opened.on('state', (state, { missed }) => line.change((now) => ({ ...now, state, missed: now.missed + missed })));
  opened.on('pending', (pending) => line.change((now) => ({ ...now, pending })));
  opened.on('ready', ({ serverTime }) => setHubTime(serverTime));
  opened.on('order', (event) => {
    for (const hearer of hearers.order) hearer(event);
  });
  opened.on('stock', (push) => {
    for (const hearer of hearers.stock) hearer(push);
  });
  opened.on('reset', () => {
    for (const hearer of hearers.fresh) hearer();
  });
  opened.on('ended', () => {
    wasEnded.set(true);
    session.set(null);
  });
  return opened;
}

/** Begins to follow the person who is logged in, now and whenever that changes. */
export function startListening(): void {
  session.subscribe(follow);
  follow();
}
