import { persistedStore, useStore } from './store.js';

export interface Session {
  userId: string;
  token: string;
  /** The seller for whom the user works, as a member of the staff. */
  for?: string;
}

/** The logged-in user, or null. Shared by the browser's tabs and kept across page loads. */
export const session = persistedStore<Session | null>('session', null);

/** The hub's base URL: the folder of this page, including any path prefix that a proxy adds. */
export const hubUrl = new URL('./', location.href.replace(/#.*/, '')).href;

/** Whose stores, orders and money the pages show: the user's own, or the seller's for whom the user works. */
export function accountOf(user: Session | null): string {
  return user?.for ?? user?.userId ?? '';
}

/** Tells what the user does alone from what the user does for a seller. Ids hold no line breaks. */
export function identityOf(user: Session | null): string {
  return user?.for === undefined ? (user?.userId ?? '') : `${user.userId}\n${user.for}`;
}

/** Works for a seller from now on, or for oneself. */
export function workFor(ownerId: string | undefined): void {
  const user = session.get();
  if (!user || user.for === ownerId) return;
  const { userId, token } = user;
  session.set({ userId, token, ...(ownerId === undefined ? {} : { for: ownerId }) });
}

export function useAccount(): string {
  return accountOf(useStore(session));
}
