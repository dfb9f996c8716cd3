import { PAGE_LIMIT_MAX } from '../../src/contract/fields.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import { startOfToday } from '../clock.js';
import { hub, subscribe } from '../hub.js';
import { ordersOf } from '../orders.js';
import { forEachPage } from '../pages.js';
import { Store } from '../store.js';

const A_MINUTE_MS = 60_000;
/** An order paid today may have been placed the day before. */
const LOOK_BACK_MS = 24 * 3_600_000;

export interface Hour {
  orders: number;
  /** In minor units. */
  revenue: number;
}

const EMPTY_DAY: Hour[] = Array.from({ length: 24 }, () => ({ orders: 0, revenue: 0 }));

/** What was paid today, by the hour. Sums only, so that memory does not grow with the number of orders. */
export const today = new Store<Hour[]>(EMPTY_DAY);

let dayStart = startOfToday();
/** Events that arrive during a recount; null when none is running and events count at once. */
let buffered: OrderStatusPush[] | null = null;
let latestRecount = 0;

/** Counts today's orders and keeps the sums up to date. Returns the function that stops. */
export function startToday(): () => void {
  // A recount fails when the user logs out; the next login starts another.
  const startRecount = () => void recount(++latestRecount).catch(() => undefined);
  const unsubscribes = [subscribe('invalidate', startRecount), subscribe('order', applyEvent)];
  const midnightTimer = setInterval(() => startOfToday() !== dayStart && startRecount(), A_MINUTE_MS);
  startRecount();
  return () => {
    latestRecount++;
    clearInterval(midnightTimer);
    for (const unsubscribe of unsubscribes) unsubscribe();
  };
}

/** Counts the orders of the lists, then the buffered events that the lists do not include. */
async function recount(recountId: number): Promise<void> {
  buffered = [];
  const versions = new Map<string, number>();
  dayStart = startOfToday();
  const hours = EMPTY_DAY.map((hour) => ({ ...hour }));
  await forEachPage(
    (after) => hub().list({ role: 'seller', limit: PAGE_LIMIT_MAX, ...after }),
    ({ items }) => {
      if (recountId !== latestRecount) return false;
      for (const { orderId, version, status, paidAt, total } of items) {
        versions.set(orderId, version);
        if (paidAt && status !== 'cancelled') add(hours, paidAt, 1, total);
      }
      return items.every(({ placedAt }) => Date.parse(placedAt) >= dayStart - LOOK_BACK_MS);
    },
  );
  if (recountId !== latestRecount) return;
  const events = buffered ?? [];
  buffered = null;
  today.set(hours);
  for (const event of events) if (event.version > (versions.get(event.orderId) ?? 0)) applyEvent(event);
}

function applyEvent(event: OrderStatusPush): void {
  if (event.role !== 'seller') return;
  if (buffered) return void buffered.push(event);
  const { orderId, status, previous, at, total } = event;
  const sign = status === 'paid' ? 1 : status === 'cancelled' && previous === 'paid' ? -1 : 0;
  if (sign === 0 || status === previous) return;
  const hours = today.get().map((hour) => ({ ...hour }));
  // A cancelled order was counted in the hour of its payment, which may be on a day before.
  const paidAt = ordersOf.seller.byId.get().get(orderId)?.paidAt;
  add(hours, sign > 0 ? at : (paidAt ?? at), sign, sign * total);
  today.set(hours);
}

function add(hours: Hour[], at: string, orders: number, revenue: number): void {
  const time = new Date(at);
  const hour = hours[time.getHours()];
  if (!hour || time.getTime() < dayStart) return;
  hour.orders += orders;
  hour.revenue += revenue;
}
