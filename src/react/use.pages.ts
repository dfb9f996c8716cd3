import { useCallback, useRef, useState } from 'react';
import type { Page } from '../contract/fields.js';
import { useHub } from './hub.provider.js';
import type { HubSource } from './hub.source.js';
import { useLoading } from './use.request.js';

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
  source?: HubSource;
}

/** Loads a paginated list: the first page on mount, when `key` changes and after an invalidation; further ones on demand. */
export function usePages<Item>(key: string, loadPage: (after?: string) => Promise<Page<Item>>): Pages<Item> {
  const source = useHub();
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
