import { useEffect, useRef, useState } from 'react';
import type { Role } from '../contract/transitions.js';
import { useHub } from './hub.provider.js';
import type { ListName } from './order.cache.js';
import { useStore } from './store.js';

/** The loading state of one or several lists of orders. */
export interface OrderLists {
  /** The lists are complete down to this order id. */
  loadedDownTo: string;
  hasMore: boolean;
  isLoading: boolean;
  error: unknown;
  loadMore: () => void;
  reload: () => void;
}

/**
 * Loads lists of orders into the page's cache: the first page of each on mount and after an invalidation, further pages on
 * demand, or all of them with `loadAll`. Events keep what is loaded up to date.
 */
export function useOrderLists(role: Role, lists: readonly ListName[], loadAll = false): OrderLists {
  const orders = useHub().orders[role];
  const cursors = useStore(orders.cursors);
  const generation = useStore(orders.generation);
  const [isFetching, setFetching] = useState(false);
  const [error, setError] = useState<unknown>();
  const unfinished = lists.filter((list) => cursors.get(list) !== null);
  const toLoad = loadAll ? unfinished : lists.filter((list) => !cursors.has(list));

  function loadMore(): void {
    setFetching(true);
    setError(undefined);
    Promise.all(unfinished.map((list) => (loadAll ? orders.loadAll(list) : orders.loadNextPage(list))))
      .catch(setError)
      .finally(() => setFetching(false));
  }
  const latestLoadMore = useRef(loadMore);
  latestLoadMore.current = loadMore;
  const toLoadKey = toLoad.join(' ');
  useEffect(() => {
    if (orders.generation.get() >= generation && toLoadKey !== '') latestLoadMore.current();
  }, [orders, generation, toLoadKey]);

  const ends = lists.map((list) => cursors.get(list) ?? '').sort();
  return {
    loadedDownTo: ends.at(-1) ?? '',
    hasMore: unfinished.length > 0,
    isLoading: isFetching || (toLoad.length > 0 && error === undefined),
    error,
    loadMore,
    reload: loadMore,
  };
}
