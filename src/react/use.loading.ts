import { useEffect } from 'react';

/** Says when what was loaded from it is stale. */
export interface Invalidating {
  subscribe(name: 'invalidate', handler: () => void): () => void;
}

/** Loads on mount, when `key` changes and after an invalidation. */
export function useLoading(source: Invalidating, key: string, load: () => void): void {
  useEffect(() => {
    let isMounted = key !== undefined;
    // After StrictMode has mounted the component again, so that it loads once.
    queueMicrotask(() => isMounted && load());
    const unsubscribe = source.subscribe('invalidate', load);
    return () => {
      isMounted = false;
      unsubscribe();
    };
  }, [source, key, load]);
}
