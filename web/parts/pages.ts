import { useEffect, useRef, useState } from 'react';
import type { Page } from '../../src/contract/fields.js';
import { hear } from '../hub.js';

interface Pages<Item> {
  items: Item[];
  /** Whether there are more; what is shown is not all. */
  hasMore: boolean;
  isReading: boolean;
  error: unknown;
  more: () => void;
  again: () => void;
}

/** A list that the hub gives page by page: the first one now and whenever `about` changes, the others when asked for. */
export function usePages<Item>(about: string, readPage: (after?: string) => Promise<Page<Item>>): Pages<Item> {
  const [state, setState] = useState<{ items: Item[]; next: string | null }>({ items: [], next: null });
  const [isReading, setReading] = useState(true);
  const [error, setError] = useState<unknown>();
  const asked = useRef(0);
  const reader = useRef(readPage);
  reader.current = readPage;

  async function read(before: Item[], after?: string) {
    const mine = ++asked.current;
    setReading(true);
    setError(undefined);
    try {
      const { items, next } = await reader.current(after);
      // The question may have changed meanwhile.
      if (mine === asked.current) setState({ items: [...before, ...items], next });
    } catch (thrown) {
      if (mine === asked.current) setError(thrown);
    }
    if (mine === asked.current) setReading(false);
  }
  const again = () => void read([]);
  const first = useRef(again);
  first.current = again;

  useEffect(() => {
    if (about !== undefined) first.current();
    return hear('fresh', () => first.current());
  }, [about]);

  return {
    items: state.items,
    hasMore: state.next !== null,
    isReading,
    error,
    again,
    more: () => void read(state.items, state.next ?? undefined),
  };
}
