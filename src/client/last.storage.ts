import { handshake, type Last } from '../contract/rooms.js';

/**
 * Where a client keeps the number of the last event that it has heard of each room, so that one that is started anew goes
 * on from there. `save` is called after the listeners of an event have run.
 */
export interface LastStorage {
  /** What was saved last; nothing for somebody who is here for the first time, who then starts at the present. */
  load(): Last | undefined;
  save(last: Last): void;
}

interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/**
 * Keeps `last` in the browser's `localStorage`, for each user apart. Where there is none, or the browser forbids it or has
 * no room, nothing is kept: a page that is loaded then starts at the present.
 */
export function localStorageOf(userId: string): LastStorage {
  const key = `order-hub:last:${userId}`;
  // Asked for each time, because a browser that forbids it throws at the mere name.
  const storage = () => (globalThis as { localStorage?: WebStorage }).localStorage;
  return {
    load() {
      try {
        return handshake.shape.last.parse(JSON.parse(storage()?.getItem(key) ?? ''));
      } catch {
        return undefined;
      }
    },
    save(last) {
      try {
        storage()?.setItem(key, JSON.stringify(last));
      } catch {
        // An event that is not remembered is only heard again.
      }
    },
  };
}
