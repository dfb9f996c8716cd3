import { useEffect, useState } from 'react';

export interface Computed<T> {
  /** The latest result; the one before while the next is computed. */
  value: T | undefined;
  error: unknown;
  isBusy: boolean;
}

/** Computes a value asynchronously whenever the (memoized) function changes, and aborts what it replaces. */
export function useComputed<T>(compute: (signal: AbortSignal) => Promise<T>): Computed<T> {
  const [state, setState] = useState<Computed<T>>({ value: undefined, error: undefined, isBusy: true });
  useEffect(() => {
    const abort = new AbortController();
    setState(({ value }) => ({ value, error: undefined, isBusy: true }));
    compute(abort.signal).then(
      (value) => abort.signal.aborted || setState({ value, error: undefined, isBusy: false }),
      (error: unknown) => abort.signal.aborted || setState({ value: undefined, error, isBusy: false }),
    );
    return () => abort.abort();
  }, [compute]);
  return state;
}
