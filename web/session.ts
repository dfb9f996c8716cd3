import { keptStore } from './store.js';

export interface Session {
  userId: string;
  token: string;
}

/** Who is logged in here; null is nobody. Shared by the tabs of a browser, and kept across page loads. */
export const session = keptStore<Session | null>('session', null);

/** Where the hub is: the page's own folder, whatever prefix a proxy has put before it. */
export const hubUrl = new URL('./', location.href.replace(/#.*/, '')).href;
