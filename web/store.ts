import { useSyncExternalStore } from 'react';

/** A value that the page shows, and who wants to know when it changes. All the state management that there is. */
export class Store<T> {
  private readonly listeners = new Set<() => void>();

  constructor(private value: T) {}

  readonly get = (): T => this.value;

  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const listener of this.listeners) listener();
  }

  change(next: (value: T) => T): void {
    this.set(next(this.value));
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** A store whose value outlives the page, and is the same in all tabs of a browser. What cannot be read back (another version wrote it) is forgotten. */
export function keptStore<T>(name: string, initial: T): Store<T> {
  const key = `order-hub:${name}`;
  const store = new Store<T>(read(key) ?? initial);
  store.subscribe(() => localStorage.setItem(key, JSON.stringify(store.get())));
  // Another tab has changed it. What is written back then is the same, of which nobody is told.
  addEventListener('storage', (event) => {
    if (event.key === key) store.set(read(key) ?? initial);
  });
  return store;
}

function read<T>(key: string): T | undefined {
  try {
    const kept = localStorage.getItem(key);
    return kept === null ? undefined : JSON.parse(kept);
  } catch {
    return undefined;
  }
}
