import { useState } from 'react';
import { stopRinging } from '../bell.js';
import { hub } from '../hub.js';
import type { LoadedOrder } from '../loaded.order.js';
import { ordersOf } from '../orders.js';
import type { Tracking } from './tracking.parser.js';

/** So that shipping hundreds keeps the hub's queue filled, and leaves room for others. */
const CONCURRENT = 50;

export interface ShipResult {
  state: 'sending' | 'done' | 'failed';
  error?: unknown;
}

/** Ships each order with its own command. An order that was refused can be tried again, alone. */
export function useShipMany(orders: readonly LoadedOrder[]) {
  const [results, setResults] = useState<ReadonlyMap<string, ShipResult>>(new Map());
  const [isRunning, setRunning] = useState(false);
  const toShip = orders.filter(({ orderId }) => results.get(orderId)?.state !== 'done');

  async function run(trackingOf: (orderId: string) => Tracking): Promise<void> {
    setRunning(true);
    // Rendered together: a render for each of hundreds of answers would hold the page up.
    const next = new Map(results);
    for (const { orderId } of toShip) next.set(orderId, { state: 'sending' });
    const show = () => setResults(new Map(next));
    show();
    const timer = setInterval(show, 200);
    stopRinging(toShip.map(({ orderId }) => orderId));
    const shipped: LoadedOrder[] = [];
    const queue = toShip.values();
    const worker = async () => {
      for (const { orderId } of queue) {
        const { carrier, trackingNo } = trackingOf(orderId);
        try {
          shipped.push(
            await hub().ship({ orderId, ...(carrier ? { carrier } : {}), ...(trackingNo ? { trackingNo } : {}) }),
          );
          next.set(orderId, { state: 'done' });
        } catch (error) {
          next.set(orderId, { state: 'failed', error });
        }
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT }, worker));
    clearInterval(timer);
    ordersOf.seller.upsert(...shipped);
    show();
    setRunning(false);
  }

  return { results, isRunning, toShip, run };
}
