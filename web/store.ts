import { useCallback, useSyncExternalStore } from 'react';

/** Imperceptible, and enough to render a burst of changes once. */
const RENDER_INTERVAL_MS = 50;

/** An observable value that components subscribe to: all the state management these pages need. */
export class Store<T> {
  private readonly listeners = new Set<() => void>();

  constructor(private value: T) {}

  readonly get = (): T => this.value;

  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const listener of this.listeners) listener();
  }

  update(next: (value: T) => T): void {
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

/** Like `useStore`, for stores that change many times a second: pauses between renders, twice as long as the last one took. */
export function useThrottledStore<T>(store: Store<T>): T {
  const subscribe = useCallback(
    (listener: () => void) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      let pauseMs = RENDER_INTERVAL_MS;
      const render = () => {
        timer = undefined;
        const start = performance.now();
        listener();
        // The next task runs after the render.
        setTimeout(() => {
          pauseMs = Math.max(RENDER_INTERVAL_MS, 2 * (performance.now() - start));
        });
      };
      const unsubscribe = store.subscribe(() => {
        timer ??= setTimeout(render, pauseMs);
      });
      return () => {
        clearTimeout(timer);
        unsubscribe();
      };
    },
    [store],
  );
  return useSyncExternalStore(subscribe, store.get);
}

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
