import { createApi, type HubClient, localStorageOf } from '../src/client/connect.js';
import { type HubSession, HubSource } from '../src/react/hub.source.js';
import { setHubTime } from './clock.js';
import { connectionStatus } from './connection.js';
import { readAll } from './pages.js';
import { pushSubscription } from './push.subscription.js';
import { hubUrl, identityOf, type Session, session, workFor } from './session.js';
import { Store } from './store.js';

/** The connection and the loaded orders of the logged-in user. */
export const source = new HubSource({ url: hubUrl }, connectionStatus);
export const { request } = source;
export { connectionStatus };
/** Whether an order must say where it is to be delivered. */
export const needsAddress = new Store(false);
/** The session was ended elsewhere; the login page says so. */
export const sessionEnded = new Store(false);
/** The seller who has removed the user from the staff. */
export const noLongerFor = new Store<string | undefined>(undefined);

export const subscribe: HubSource['subscribe'] = (...args) => source.subscribe(...args);

/** The logged-in user's client. */
export function hub(): HubClient {
  return source.client;
}

export async function logIn(userId: string, password: string): Promise<void> {
  const { token } = await createApi({ url: hubUrl }).call('login', { userId, password, terminal: 'browser' });
  sessionEnded.set(false);
  session.set({ userId, token });
}

export async function logOut(): Promise<void> {
  const { token } = session.get() ?? {};
  const previousApi = createApi({ url: hubUrl, token });
  const subscribed = pushSubscription.get();
  pushSubscription.set(null);
  session.set(null);
  // Who uses this browser next must not read of this user's orders.
  if (subscribed)
    await previousApi.call('unsubscribe', { subscriptionId: subscribed.subscriptionId }).catch(() => undefined);
  // Logging out works offline too: a session that the hub was not asked to end expires.
  await previousApi.call('logout', {}).catch(() => undefined);
}

function switchSession(): void {
  const user = session.get();
  source.switchTo({ url: hubUrl, ...(user ? connectionOf(user) : {}) });
}

function connectionOf(user: Session): Pick<HubSession, 'token' | 'storage' | 'for'> {
  const { token, for: ownerId } = user;
  return { token, storage: localStorageOf(identityOf(user)), ...(ownerId === undefined ? {} : { for: ownerId }) };
}

/** A membership that ended may have been replaced, with other rights: then the user goes on working for the seller. */
async function readMembership(ownerId: string): Promise<void> {
  const ended = session.get();
  const memberships = await readAll((after) => request('staffOf', after)).catch(() => []);
  if (session.get() !== ended) return;
  if (memberships.some((membership) => membership.ownerId === ownerId)) return switchSession();
  noLongerFor.set(ownerId);
  workFor(undefined);
}

/** Keeps a connection open for the logged-in user, now and after every login and logout. */
export function startConnection(): void {
  source.subscribe('ready', (push) => {
    setHubTime(push.serverTime);
    needsAddress.set(push.needsAddress ?? false);
  });
  source.subscribe('ended', (reason) => {
    const ownerId = session.get()?.for;
    if (ownerId !== undefined && (reason === 'staff' || reason === 'FORBIDDEN')) return void readMembership(ownerId);
    sessionEnded.set(true);
    session.set(null);
  });
  session.subscribe(switchSession);
  switchSession();
}
