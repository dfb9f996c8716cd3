import { accountOf, session } from './session.js';
import { persistedStore } from './store.js';

interface Unseen {
  /** The seller. */
  userId: string;
  orderIds: string[];
}

/** Paid orders that the seller has not looked at yet. Persisted, so that the bell keeps ringing after a page load. */
export const unseen = persistedStore<Unseen>('unseen', { userId: '', orderIds: [] });

/** The unseen orders of the logged-in user, or of the seller for whom the user works. */
export function unseenOf({ userId, orderIds }: Unseen): string[] {
  return userId === accountOf(session.get()) ? orderIds : [];
}
