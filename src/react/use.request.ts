import { useCallback, useRef, useState } from 'react';
import { useHub } from './hub.provider.js';
import type { HubSource } from './hub.source.js';
import { useLoading } from './use.loading.js';

export interface RequestState<T> {
  data: T | undefined;
  error: unknown;
  isLoading: boolean;
  reload: () => void;
}

/** Sends a request on mount, when `key` changes and after an invalidation. An answer to an outdated request is dropped. */
export function useRequest<T>(key: string, send: () => Promise<T>): RequestState<T> {
  const source = useHub();
  const [state, setState] = useState<Omit<RequestState<T>, 'reload'> & { source?: HubSource }>({
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
    if (requestId === latestRequest.current) setState({ ...next, isLoading: false, source });
  }, [source]);
  useLoading(source, key, reload);
  // Another user's is not shown.
  const data = state.source === source ? state.data : undefined;
  return { data, error: state.error, isLoading: state.isLoading, reload };
}
