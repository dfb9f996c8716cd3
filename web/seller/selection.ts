import { useLoadedOrders } from '../../src/react/use.orders.js';
import { subscribe } from '../hub.js';
import type { LoadedOrder } from '../loaded.order.js';
import { ordersOf } from '../orders.js';
import { Store, useStore } from '../store.js';

/** The orders to ship or to print: kept while the seller goes from the list to the screens that do it. */
export const selection = new Store<ReadonlySet<string>>(new Set());

subscribe('invalidate', () => selection.set(new Set()));

export function select(orderIds: readonly string[], isSelected: boolean): void {
  selection.update((before) => {
    const { byId } = ordersOf.seller;
    // Those that were shipped meanwhile are left behind.
    const next = new Set([...before].filter((orderId) => byId.get().get(orderId)?.status === 'paid'));
    for (const orderId of orderIds) {
      if (isSelected) next.add(orderId);
      else next.delete(orderId);
    }
    return next;
  });
}

/** The selected orders that wait to be shipped. */
export function useSelectedOrders(): LoadedOrder[] {
  const selected = useStore(selection);
  return useLoadedOrders('seller').filter(({ orderId, status }) => status === 'paid' && selected.has(orderId));
}
