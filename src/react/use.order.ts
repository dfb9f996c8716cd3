import { useEffect } from 'react';
import type { Role } from '../contract/transitions.js';
import { useHub } from './hub.provider.js';
import type { LoadedOrder } from './loaded.order.js';
import { useStore } from './store.js';
import { useRequest } from './use.request.js';

/** One order, kept up to date by events, with its timeline. */
export function useOrder(
  role: Role,
  orderId: string,
): { order: LoadedOrder | undefined; error: unknown; reload: () => void } {
  const orders = useHub().orders[role];
  const { error, reload } = useRequest(orderId, () => orders.load(orderId));
  const order = useStore(orders.byId).get(orderId);
  const lacksTimeline = order !== undefined && order.timeline === undefined;
  const version = order?.version;
  useEffect(() => {
    // The answer of a command came before its event, and is without a timeline.
    if (lacksTimeline && version !== undefined) orders.load(orderId).catch(() => undefined);
  }, [orders, orderId, lacksTimeline, version]);
  return { order, error, reload };
}
