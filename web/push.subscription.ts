import { persistedStore } from './store.js';

/** This browser's subscription to push messages, as the hub knows it. */
export const pushSubscription = persistedStore<{ subscriptionId: string; userId: string } | null>('push', null);

/** After the page has loaded: nothing on it waits for the worker. */
export function startServiceWorker(): void {
  addEventListener('load', () => {
    navigator.serviceWorker?.register('./sw.js').catch(() => undefined);
  });
}
