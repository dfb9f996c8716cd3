import { persistedStore } from './store.js';

export interface Session {
  userId: string;
  token: string;
}

/** The logged-in user, or null. Shared by the browser's tabs and kept across page loads. */
export const session = persistedStore<Session | null>('session', null);

/** The hub's base URL: the folder of this page, including any path prefix that a proxy adds. */
export const hubUrl = new URL('./', location.href.replace(/#.*/, '')).href;
