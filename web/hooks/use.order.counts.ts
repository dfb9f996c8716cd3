import { useEffect } from 'react';
import type { StatusCounts } from '../../src/contract/finding.js';
import { useRequest } from '../../src/react/use.request.js';
import { request, subscribe } from '../hub.js';

const RECOUNT_AFTER_MS = 1_000;

/** How many orders the seller has in each status: counted by the hub, again within a second after a change. */
export function useOrderCounts(): StatusCounts | undefined {
  const { data, reload } = useRequest('counts', () => request('orderCounts', { role: 'seller' }));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = subscribe('order', ({ role, status, previous }) => {
      if (role !== 'seller' || status === previous) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        reload();
      }, RECOUNT_AFTER_MS);
    });
    return () => {
      clearTimeout(timer);
      unsubscribe();
    };
  }, [reload]);
  return data;
}
