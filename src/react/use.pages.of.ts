import { useCallback, useRef, useState } from 'react';
import type { Page } from '../contract/fields.js';
import { type Invalidating, useLoading } from './use.loading.js';

export interface Pages<Item> {
  items: Item[];
  hasMore: boolean;
  isLoading: boolean;
  error: unknown;
  loadMore: () => void;
  reload: () => void;
}

interface Loaded<Item> {
  items: Item[];
  next: string | null;
  /** The session in which it was loaded: another user's is not shown. */
  source?: Invalidating;
}

/** `usePages` of any source: of the hub's, or of what is read before its client has loaded. */
export function usePagesOf<Item>(
  source: Invalidating,
  key: string,
  loadPage: (after?: string) => Promise<Page<Item>>,
): Pages<Item> {
  const [state, setState] = useState<Loaded<Item>>({ items: [], next: null });
  const [isLoading, setLoading] = useState(true);
  const [error, setError] = useState<unknown>();
  const latestRequest = useRef(0);
  const latestLoadPage = useRef(loadPage);
  latestLoadPage.current = loadPage;

  const load = useCallback(
    async (before: Item[], after?: string) => {
      const requestId = ++latestRequest.current;
      setLoading(true);
      setError(undefined);
      try {
        const { items, next } = await latestLoadPage.current(after);
        // A newer request has replaced this one: drop the answer.
        if (requestId === latestRequest.current) setState({ items: [...before, ...items], next, source });
      } catch (thrown) {
        if (requestId === latestRequest.current) setError(thrown);
      }
      if (requestId === latestRequest.current) setLoading(false);
    },
    [source],
  );
  const reload = useCallback(() => void load([]), [load]);
  useLoading(source, key, reload);

  const { items, next } = state.source === source ? state : { items: [], next: null };
  return {
    items,
    hasMore: next !== null,
    isLoading,
    error,
    reload,
    loadMore: () => void load(items, next ?? undefined),
  };
}
