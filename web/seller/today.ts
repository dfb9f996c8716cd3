import type { Order } from '../../src/contract/orders.js';
import type { OrderStatusPush } from '../../src/contract/rooms.js';
import { startOfToday } from '../clock.js';
import { hear, hub } from '../hub.js';
import { ordersOf } from '../orders.js';
import { Store } from '../store.js';

const PAGE = 100;
const A_MINUTE_MS = 60_000;
/** An order that was paid today may have been placed the day before. */
const LOOK_BACK_MS = 24 * 3_600_000;
/** A store that sells more in a day is shown what it sold last. */
const PAGES_MAX = 20;

export interface Hour {
  orders: number;
  revenue: number;
}

const NOTHING: Hour[] = Array.from({ length: 24 }, () => ({ orders: 0, revenue: 0 }));

/** What was paid today, by the hour: sums only, so that it is as large after 10,000 orders as after one. */
export const today = new Store<Hour[]>(NOTHING);

let day = startOfToday();
/** Events that came while the orders of today were being read; null when they count at once. */
let waiting: OrderStatusPush[] | null = null;
let latest = 0;

export function startToday(): () => void {
  // Counting fails when the person logs out meanwhile; whoever logs in next is counted anew.
  const recount = () => void count(++latest).catch(() => undefined);
  const off = [hear('fresh', recount), hear('order', heard)];
  const atMidnight = setInterval(() => startOfToday() !== day && recount(), A_MINUTE_MS);
  recount();
  return () => {
    latest++;
    clearInterval(atMidnight);
    for (const stop of off) stop();
  };
}

/** Counts what the lists know, then what was told meanwhile and is not in them. */
async function count(mine: number): Promise<void> {
  waiting = [];
  const versions = new Map<string, number>();
  day = startOfToday();
  const hours = NOTHING.map((hour) => ({ ...hour }));
  let after: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const { items, next }: { items: Order[]; next: string | null } = await hub().list({
      role: 'seller',
      limit: PAGE,
      ...(after ? { after } : {}),
    });
    if (mine !== latest) return;
    for (const { orderId, version, status, paidAt, total } of items) {
      versions.set(orderId, version);
      if (paidAt && status !== 'cancelled') add(hours, paidAt, 1, total);
    }
    after = next;
    if (!after || items.some(({ placedAt }) => Date.parse(placedAt) < day - LOOK_BACK_MS)) break;
  }
  const told = waiting ?? [];
  waiting = null;
  today.set(hours);
  for (const event of told) if (event.version > (versions.get(event.orderId) ?? 0)) heard(event);
}

function heard(event: OrderStatusPush): void {
  if (event.role !== 'seller') return;
  if (waiting) return void waiting.push(event);
  const { orderId, status, previous, at, total } = event;
  const sign = status === 'paid' ? 1 : status === 'cancelled' && previous === 'paid' ? -1 : 0;
  if (sign === 0) return;
  const hours = today.get().map((hour) => ({ ...hour }));
  // What is cancelled was counted when it was paid: today, or on a day before.
  const paidAt = ordersOf.seller.known.get().get(orderId)?.paidAt;
  add(hours, sign > 0 ? at : (paidAt ?? at), sign, sign * total);
  today.set(hours);
}

function add(hours: Hour[], at: string, orders: number, revenue: number): void {
  const time = new Date(at);
  const hour = hours[time.getHours()];
  if (!hour || time.getTime() < day) return;
  hour.orders += orders;
  hour.revenue += revenue;
}
