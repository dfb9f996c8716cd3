import { useEffect } from 'react';
import { LISTED_IDS_MAX } from '../../src/contract/order.filters.js';
import type { Order } from '../../src/contract/orders.js';
import { useNow } from '../clock.js';
import { hub, subscribe } from '../hub.js';
import { ordersOf } from '../orders.js';
import { session } from '../session.js';
import { useStore } from '../store.js';

/** Of the orders to ship, those whose claims are read again after a break: it is they that are worked on. */
const READ_AGAIN_MAX = 500;

type Claim = NonNullable<Order['claim']>;

/** Shows who works on which order, while the panel is open. Claims have no events to catch up with. */
export function useClaims(isTeam: boolean): void {
  useEffect(() => {
    if (!isTeam) return;
    readClaims();
    const unsubscribes = [
      subscribe('ready', readClaims),
      subscribe('claimed', ({ orderId, by, until }) => {
        const order = ordersOf.seller.byId.get().get(orderId);
        const claim = by === null || until === null ? null : { by, until };
        if (order) ordersOf.seller.upsert({ ...order, claim });
      }),
    ];
    return () => {
      for (const unsubscribe of unsubscribes) unsubscribe();
    };
  }, [isTeam]);
}

async function readClaims(): Promise<void> {
  const { seller } = ordersOf;
  const toShip = [...seller.byId.get().values()].filter(({ status }) => status === 'paid').slice(0, READ_AGAIN_MAX);
  const ids = toShip.map(({ orderId }) => orderId);
  try {
    for (let start = 0; start < ids.length; start += LISTED_IDS_MAX) {
      const some = ids.slice(start, start + LISTED_IDS_MAX);
      const { items } = await hub().list({ role: 'seller', ids: some.join(','), limit: LISTED_IDS_MAX });
      seller.upsert(...items);
    }
  } catch {
    // The session has ended.
  }
}

/** Who works on an order now, if anybody does. */
export function useClaim({ claim }: Pick<Order, 'claim'>): (Claim & { isMine: boolean }) | undefined {
  const now = useNow();
  const userId = useStore(session)?.userId;
  if (claim === null || Date.parse(claim.until) <= now) return undefined;
  return { ...claim, isMine: claim.by === userId };
}
