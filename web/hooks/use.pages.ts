import { useEffect, useRef, useState } from 'react';
import type { Page } from '../../src/contract/fields.js';
import { subscribe } from '../hub.js';

interface Pages<Item> {
  items: Item[];
  hasMore: boolean;
  isLoading: boolean;
  error: unknown;
  loadMore: () => void;
  reload: () => void;
}

/** Loads a paginated list: the first page on mount, when `key` changes and after an invalidation; further ones on demand. */
export function usePages<Item>(key: string, loadPage: (after?: string) => Promise<Page<Item>>): Pages<Item> {
  const [state, setState] = useState<{ items: Item[]; next: string | null }>({ items: [], next: null });
  const [isLoading, setLoading] = useState(true);
  const [error, setError] = useState<unknown>();
  const latestRequest = useRef(0);
  const latestLoadPage = useRef(loadPage);
  latestLoadPage.current = loadPage;

  async function load(before: Item[], after?: string) {
    const requestId = ++latestRequest.current;
    setLoading(true);
    setError(undefined);
    try {
      const { items, next } = await latestLoadPage.current(after);
      // A newer request has replaced this one: drop the answer.
      if (requestId === latestRequest.current) setState({ items: [...before, ...items], next });
    } catch (thrown) {
      if (requestId === latestRequest.current) setError(thrown);
    }
    if (requestId === latestRequest.current) setLoading(false);
  }
  const reload = () => void load([]);
  const latestReload = useRef(reload);
  latestReload.current = reload;

  useEffect(() => {
    if (key !== undefined) latestReload.current();
    return subscribe('invalidate', () => latestReload.current());
  }, [key]);

  return {
    items: state.items,
    hasMore: state.next !== null,
    isLoading,
    error,
    reload,
    loadMore: () => void load(state.items, state.next ?? undefined),
  };
}
