import { useCallback, useSyncExternalStore } from 'react';

/** Imperceptible, and enough to render a burst of changes once. */
const RENDER_INTERVAL_MS = 50;

/** An observable value that components subscribe to: all the state management that the hooks need. */
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
