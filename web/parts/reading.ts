import { useCallback, useEffect, useRef, useState } from 'react';
import { hear } from '../hub.js';

/** What is read from the hub for a screen. */
export interface Reading<T> {
  value: T | undefined;
  error: unknown;
  isReading: boolean;
  again: () => void;
}

/**
 * Reads something now, when `about` changes, and when what is shown must be read anew. An answer that comes after the
 * question has changed is dropped.
 */
export function useReading<T>(about: string, read: () => Promise<T>): Reading<T> {
  const [state, setState] = useState<Omit<Reading<T>, 'again'>>({
    value: undefined,
    error: undefined,
    isReading: true,
  });
  const asked = useRef(0);
  const reader = useRef(read);
  reader.current = read;
  const again = useCallback(async () => {
    const mine = ++asked.current;
    setState((before) => ({ ...before, isReading: true }));
    const next = await reader.current().then(
      (value) => ({ value, error: undefined }),
      (error: unknown) => ({ value: undefined, error }),
    );
    if (mine === asked.current) setState({ ...next, isReading: false });
  }, []);
  useEffect(() => {
    if (about !== undefined) again();
    return hear('fresh', again);
  }, [about, again]);
  return { ...state, again };
}
