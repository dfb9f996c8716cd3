import type { OrderStatus } from '../src/contract/transitions.js';
import { Store } from './store.js';

export interface MissedSales {
  /** When this device last knew of everything, if it ever did. */
  since: string | undefined;
  /** What became of each order that changed its status meanwhile. */
  statuses: ReadonlyMap<string, OrderStatus>;
}

/** The seller's orders that changed during a break of the connection, or while no page was open; until they are dismissed. */
export const missedSales = new Store<MissedSales | null>(null);

/** The missed orders that are in this status since. */
export function missedWith(status: OrderStatus): string[] {
  const entries = [...(missedSales.get()?.statuses ?? [])];
  return entries.filter(([, became]) => became === status).map(([orderId]) => orderId);
}
