import { hubNow } from './clock.js';
import { connectionStatus, subscribe } from './hub.js';
import { missedSales } from './missed.js';
import { identityOf, session } from './session.js';
import { persistedStore } from './store.js';

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
