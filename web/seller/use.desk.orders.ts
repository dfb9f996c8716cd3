import { useEffect, useMemo, useRef, useState } from 'react';
import { PAGE_LIMIT_MAX, type Page } from '../../src/contract/fields.js';
import { ORDER_QUERY_CHARACTERS_MIN } from '../../src/contract/order.filters.js';
import type { OrderStatus } from '../../src/contract/transitions.js';
import { useOrderLists } from '../../src/react/use.order.lists.js';
import { useLoadedOrders } from '../../src/react/use.orders.js';
import { usePages } from '../../src/react/use.pages.js';
import { hub, request } from '../hub.js';
import type { LoadedOrder } from '../loaded.order.js';
import { missedSales, missedWith } from '../missed.js';
import { longestWaitFirst, ordersOf } from '../orders.js';
import { useStore } from '../store.js';
import { unseen, unseenOf } from '../unseen.js';

export type DeskView = OrderStatus | 'new';

interface DeskSearch {
  q: string;
  /** Only what has come into this status during a break of the connection. */
  missed: OrderStatus | undefined;
}

interface DeskOrders {
  orders: LoadedOrder[];
  isLoading: boolean;
  hasMore: boolean;
  error: unknown;
  loadMore: () => void;
  reload: () => void;
}

/**
 * The orders of a view: all that wait for somebody, longest wait first, and of the others the newest first. Or what a search
 * finds, or those that were missed.
 */
export function useDeskOrders(view: DeskView, { q, missed }: DeskSearch): DeskOrders {
  const isSearch = isQuery(q) || missed !== undefined;
  const status = view === 'new' ? 'paid' : view;
  const isWaiting = status === 'paid' || status === 'placed';
  const all = useLoadedOrders('seller');
  const unseenNow = useStore(unseen);
  const list = useOrderLists('seller', isSearch ? [] : [status], isWaiting);
  const search = useSearch({ q, missed });
  const { items } = search;
  const { loadedDownTo } = list;
  // Thousands may wait, and moving from one to the next renders the list.
  const orders = useMemo(() => {
    if (isSearch) return latestOf(items, all);
    const unseenIds = new Set(unseenOf(unseenNow));
    const ofView = all.filter(
      (order) =>
        order.status === status &&
        (isWaiting || order.orderId >= loadedDownTo) &&
        (view !== 'new' || unseenIds.has(order.orderId)),
    );
    return isWaiting ? longestWaitFirst(ofView) : ofView;
  }, [all, items, unseenNow, isSearch, isWaiting, loadedDownTo, status, view]);
  return { ...(isSearch ? search : list), orders };
}

export function isQuery(q: string): boolean {
  return withoutSign(q).length >= ORDER_QUERY_CHARACTERS_MIN;
}

/** Orders are called `#1042`; the hub knows the number. */
function withoutSign(q: string): string {
  return q.replace(/^#/, '');
}

/** What a search found, as events have changed it since. */
function latestOf(found: readonly LoadedOrder[], all: readonly LoadedOrder[]): LoadedOrder[] {
  const loaded = new Map(all.map((order) => [order.orderId, order]));
  return found.map((order) => loaded.get(order.orderId) ?? order);
}

function useSearch({ q, missed }: DeskSearch) {
  const missedIds = useStore(missedSales) && missed ? missedWith(missed) : [];
  return usePages<LoadedOrder>(`search ${q} ${missedIds}`, async (after) => {
    const page = isQuery(q)
      ? await hub().list({
          ...{ role: 'seller', q: withoutSign(q), limit: PAGE_LIMIT_MAX },
          ...(after ? { after } : {}),
        })
      : await pageOf(missedIds, Number(after ?? 0));
    ordersOf.seller.upsert(...page.items);
    return page;
  });
}

/** The orders with these ids, from one of them on. */
async function pageOf(orderIds: readonly string[], start: number): Promise<Page<LoadedOrder>> {
  const end = start + PAGE_LIMIT_MAX;
  const ids = orderIds.slice(start, end).join(',');
  if (ids === '') return { items: [], next: null };
  const { items } = await request('orders', { role: 'seller', ids, limit: PAGE_LIMIT_MAX });
  return { items, next: end < orderIds.length ? String(end) : null };
}

/** The order that the keyboard is at. When it leaves the list, the one that takes its place. */
export function useCurrentOrder(orders: readonly LoadedOrder[]) {
  const [currentId, setCurrent] = useState<string>();
  const lastIndex = useRef(0);
  const found = orders.findIndex(({ orderId }) => orderId === currentId);
  const index = found >= 0 ? found : Math.min(lastIndex.current, orders.length - 1);
  useEffect(() => {
    lastIndex.current = Math.max(0, index);
  }, [index]);
  return { index, current: orders[index], setCurrent };
}
