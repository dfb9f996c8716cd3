import { useCallback, useEffect, useRef, useState } from 'react';
import { subscribe } from '../hub.js';

export interface RequestState<T> {
  data: T | undefined;
  error: unknown;
  isLoading: boolean;
  reload: () => void;
}

/** Sends a request on mount, when `key` changes and after an invalidation. An answer to an outdated request is dropped. */
export function useRequest<T>(key: string, send: () => Promise<T>): RequestState<T> {
  const [state, setState] = useState<Omit<RequestState<T>, 'reload'>>({
    data: undefined,
    error: undefined,
    isLoading: true,
  });
  const latestRequest = useRef(0);
  const latestSend = useRef(send);
  latestSend.current = send;
  const reload = useCallback(async () => {
    const requestId = ++latestRequest.current;
    setState((before) => ({ ...before, isLoading: true }));
    const next = await latestSend.current().then(
      (data) => ({ data, error: undefined }),
      (error: unknown) => ({ data: undefined, error }),
    );
    if (requestId === latestRequest.current) setState({ ...next, isLoading: false });
  }, []);
  useEffect(() => {
    if (key !== undefined) reload();
    return subscribe('invalidate', reload);
  }, [key, reload]);
  return { ...state, reload };
}
