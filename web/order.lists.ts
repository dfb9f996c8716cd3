import { useEffect, useRef, useState } from 'react';
import type { Role } from '../src/contract/lifecycle.js';
import { type ListName, ordersOf } from './orders.js';
import { useStore } from './store.js';

/** What is shown of the hub's lists of orders, and how to see more. */
interface ShownLists {
  /** Orders down to this one are known. */
  downTo: string;
  /** Whether there are more; what is shown is not all. */
  hasMore: boolean;
  isReading: boolean;
  error: unknown;
  more: () => void;
  again: () => void;
}

/**
 * Reads lists of orders into the known ones: the first page of each now, and whenever all is read anew; the next when asked
 * for, or at once where they are wanted to their end. What happens meanwhile is told by events.
 */
export function useLists(role: Role, lists: readonly ListName[], isWhole = false): ShownLists {
  const orders = ordersOf[role];
  const reach = useStore(orders.reach);
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
  const unfinished = lists.filter((list) => reach.get(list) !== null);
  const due = isWhole ? unfinished : lists.filter((list) => !reach.has(list));

  function more(): void {
    setAsking(true);
    setError(undefined);
    Promise.all(unfinished.map((list) => orders.read(list, isWhole)))
      .catch(setError)
      .finally(() => setAsking(false));
  }
  const reader = useRef(more);
  reader.current = more;
  const dueNow = due.join(' ');
  useEffect(() => {
    if (reach && dueNow !== '') reader.current();
  }, [reach, dueNow]);

  const ends = lists.map((list) => reach.get(list) ?? '').sort();
  return {
    downTo: ends.at(-1) ?? '',
    hasMore: unfinished.length > 0,
    isReading: asking || (due.length > 0 && error === undefined),
    error,
    more,
    again: more,
  };
}
