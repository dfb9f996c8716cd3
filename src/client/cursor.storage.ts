import { handshake, type Last } from '../contract/rooms.js';

/**
 * Persists the client's cursors: the number of the last delivered event of each room, `{ buyer?: number, seller?: number }`.
 * A client that starts with a stored cursor receives every event after it. Both methods are synchronous.
 */
export interface CursorStorage {
  /** The cursors saved last, or `undefined` if there are none: the client then receives only new events. */
  load(): Last | undefined;
  /** Called after every listener of an event has completed, and on every `ready`. */
  save(last: Last): void;
}

interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/**
 * Keeps the cursors of one user in the browser's `localStorage`. Never throws: where storage is missing, blocked or full, it
 * keeps nothing, and the page receives only new events after it reloads.
 */
export function localStorageOf(userId: string): CursorStorage {
  const key = `order-hub:last:${userId}`;
  // Looked up on every use, inside the try: a browser that blocks storage throws on reading the property.
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
        // A cursor that is not saved only means that the event is delivered again.
      }
    },
  };
}
