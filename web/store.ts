import { useCallback, useSyncExternalStore } from 'react';
import { Store } from '../src/react/store.js';

export { Store, useStore, useThrottledStore } from '../src/react/store.js';

/** Values by key. A change notifies the subscribers of its key alone: thousands of cards may each show one value. */
export class KeyedStore<T> {
  private readonly values = new Map<string, T>();
  private readonly listeners = new Map<string, Set<() => void>>();

  get(key: string): T | undefined {
    return this.values.get(key);
  }

  set(key: string, value: T): void {
    this.values.set(key, value);
    this.notify(key);
  }

  delete(key: string): void {
    if (this.values.delete(key)) this.notify(key);
  }

  subscribe(key: string, listener: () => void): () => void {
    const listeners = this.listeners.get(key) ?? new Set();
    this.listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.listeners.get(key) === listeners) this.listeners.delete(key);
    };
  }

  private notify(key: string): void {
    for (const listener of this.listeners.get(key) ?? []) listener();
  }
}

export function useKeyedStore<T>(store: KeyedStore<T>, key: string): T | undefined {
  const subscribe = useCallback((listener: () => void) => store.subscribe(key, listener), [store, key]);
  return useSyncExternalStore(subscribe, () => store.get(key));
}

/**
 * A store kept in localStorage: it survives page loads and is shared by the browser's tabs. A stored value that cannot be
 * parsed (another version wrote it) is replaced by the initial one.
 */
export function persistedStore<T>(name: string, initial: T): Store<T> {
  const key = `order-hub:${name}`;
  const store = new Store<T>(readItem(key) ?? initial);
  store.subscribe(() => writeItem(key, store.get()));
  // Another tab changed the value. Writing the same text back fires no further `storage` event.
  addEventListener('storage', (event) => {
    if (event.key === key) store.set(readItem(key) ?? initial);
  });
  return store;
}

function writeItem(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // The storage is full or forbidden: the value lives as long as the page.
  }
}

function readItem<T>(key: string): T | undefined {
  try {
    const json = localStorage.getItem(key);
    return json === null ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}
