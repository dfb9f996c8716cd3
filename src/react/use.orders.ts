import { useMemo } from 'react';
import type { OrderStatus, Role } from '../contract/transitions.js';
import { useHub } from './hub.provider.js';
import { type LoadedOrder, newestFirst } from './loaded.order.js';
import { useStore, useThrottledStore } from './store.js';
import { type OrderLists, useOrderLists } from './use.order.lists.js';

interface OrdersOptions {
  /** Orders of all statuses by default. */
  status?: OrderStatus | undefined;
  /** Loads the list to its end, as far as that is: for orders that somebody waits for. */
  all?: boolean;
}

/** The user's orders as buyer or seller, newest first: the first page, more on demand, kept up to date by events. */
export function useOrders(
  role: Role,
  { status, all = false }: OrdersOptions = {},
): Omit<OrderLists, 'loadedDownTo'> & { orders: LoadedOrder[] } {
  const { loadedDownTo, ...list } = useOrderLists(role, [status ?? 'all'], all);
  const loaded = useLoadedOrders(role);
  const orders = useMemo(
    // Older orders may be loaded too, from events or by themselves, but with gaps between.
    () => loaded.filter((order) => (!status || order.status === status) && order.orderId >= loadedDownTo),
    [loaded, status, loadedDownTo],
  );
  return { ...list, orders };
}

/** The loaded orders of a role, newest first. */
export function useLoadedOrders(role: Role): LoadedOrder[] {
  const { byId, cursors } = useHub().orders[role];
  // Orders appear together with the cursor of their page, so that a list shown as complete is complete.
  useStore(cursors);
  const orders = useThrottledStore(byId);
  return useMemo(() => [...orders.values()].sort(newestFirst), [orders]);
}
