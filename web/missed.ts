import type { OrderStatus } from '../src/contract/transitions.js';
import { hubNow } from './clock.js';
import { connectionStatus, subscribe } from './hub.js';
import { identityOf, session } from './session.js';
import { persistedStore, Store } from './store.js';

export interface MissedSales {
  /** When this device last knew of everything, if it ever did. */
  since: string | undefined;
  /** What became of each order that changed its status meanwhile. */
  statuses: ReadonlyMap<string, OrderStatus>;
}

/** The seller's orders that changed during a break of the connection, or while no page was open; until they are dismissed. */
export const missedSales = new Store<MissedSales | null>(null);
/** The missed orders that are in this status since. */
export function missedWith(status: OrderStatus): string[] {
  const entries = [...(missedSales.get()?.statuses ?? [])];
  return entries.filter(([, became]) => became === status).map(([orderId]) => orderId);
}

const lastLive = persistedStore('last-live', { identity: '', at: '' });

function rememberLive(): void {
  lastLive.set({ identity: identityOf(session.get()), at: new Date(hubNow()).toISOString() });
}

/** Notes what arrives while the page catches up. */
export function startMissedSales(): void {
  let state = connectionStatus.get().state;
  connectionStatus.subscribe(() => {
    const before = state;
    state = connectionStatus.get().state;
    if (before === 'live' && state !== 'live' && session.get()) rememberLive();
  });
  addEventListener('pagehide', () => state === 'live' && rememberLive());
  subscribe('invalidate', () => missedSales.set(null));
  subscribe('order', ({ role, orderId, status, previous }) => {
    if (role !== 'seller' || status === previous || state === 'live') return;
    missedSales.update((missed) => {
      const { identity, at } = lastLive.get();
      const since = identity === identityOf(session.get()) ? at : undefined;
      return { since, ...missed, statuses: new Map(missed?.statuses).set(orderId, status) };
    });
  });
}
