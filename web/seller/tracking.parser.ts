import { CARRIER_CHARACTERS_MAX } from '../../src/contract/order.requests.js';
import type { LoadedOrder } from '../loaded.order.js';
import { orderName } from '../orders.js';

/** What was typed, scanned or pasted for an order. */
export interface Tracking {
  carrier: string;
  trackingNo: string;
}

export interface PastedTracking {
  found: ReadonlyMap<string, Partial<Tracking>>;
  /** Orders that the rows name, and that are not to be shipped. */
  unmatched: string[];
  /** Numbers for which no order was left. */
  spare: number;
}

const SEPARATOR = /[,;\t]/;
const HEADER = /^(order|订单)/i;

/**
 * Reads one tracking number a line, for the orders in their turn, or rows of order, carrier and tracking number, or of order and
 * tracking number, matched by the order's number, its id or the end of it.
 */
export function readTracking(text: string, orders: readonly LoadedOrder[]): PastedTracking {
  const rows = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => line.split(SEPARATOR).map(unquoted));
  const isTable = rows.some((cells) => cells.length > 1);
  return isTable ? matchRows(rows, orders) : oneEach(rows.flat(), orders);
}

function unquoted(cell: string): string {
  return cell
    .trim()
    .replace(/^"(.*)"$/, '$1')
    .trim()
    .slice(0, CARRIER_CHARACTERS_MAX);
}

function oneEach(numbers: string[], orders: readonly LoadedOrder[]): PastedTracking {
  const found = new Map<string, Partial<Tracking>>();
  orders.forEach(({ orderId }, index) => {
    const trackingNo = numbers[index];
    if (trackingNo !== undefined) found.set(orderId, { trackingNo });
  });
  return { found, unmatched: [], spare: Math.max(0, numbers.length - orders.length) };
}

function matchRows(rows: string[][], orders: readonly LoadedOrder[]): PastedTracking {
  const idByName = new Map<string, string>();
  for (const order of orders) {
    const name = orderName(order);
    for (const known of [name, name.replace('#', ''), order.orderId, order.orderId.slice(-6)])
      if (!idByName.has(known)) idByName.set(known, order.orderId);
  }
  const found = new Map<string, Partial<Tracking>>();
  const unmatched: string[] = [];
  rows.forEach(([name = '', ...cells], index) => {
    const orderId = idByName.get(name);
    if (orderId === undefined) {
      if (index > 0 || !HEADER.test(name)) unmatched.push(name);
      return;
    }
    const [one = '', other] = cells;
    found.set(orderId, other === undefined ? { trackingNo: one } : { carrier: one, trackingNo: other });
  });
  return { found, unmatched, spare: 0 };
}
