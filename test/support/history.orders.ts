import { isDeepStrictEqual } from 'node:util';
import type { Books } from './audit.js';

const PAGE = 2_000;

/** The columns that follow from the timeline. The others are set when the order is placed, but for `due_at`, the hub's own alarm. */
const timelineColumns = {
  status: 'status',
  version: 'version',
  paidAt: 'paid_at',
  shippedAt: 'shipped_at',
  receivedAt: 'received_at',
  cancelledAt: 'cancelled_at',
  carrier: 'carrier',
  trackingNo: 'tracking_no',
  cancelReason: 'cancel_reason',
} as const;
type Columns = Record<keyof typeof timelineColumns, unknown>;

interface Entry {
  version: number;
  status: string;
  at: number;
  changes?: Partial<Columns> & { note?: number; lines?: object; readyAt?: number; withdrawn?: unknown };
}

const selected = Object.entries(timelineColumns).map(([field, column]) => `${column} AS ${field}`);
const SELECT = `SELECT order_id AS orderId, timeline, ${selected.join(', ')} FROM orders WHERE order_id > ? ORDER BY order_id LIMIT ${PAGE}`;

/** Checks that every order's row is the fold of its timeline. Shares no code with the hub's own. */
export async function timelineFaults(books: Books): Promise<string[]> {
  const faults: string[] = [];
  for (let after = ''; ; ) {
    const page = await books.rows<{ orderId: string; timeline: string } & Columns>(SELECT, [after]);
    for (const { orderId, timeline, ...row } of page) {
      const expected = fold(JSON.parse(timeline) as Entry[]);
      if (isDeepStrictEqual({ ...row }, expected)) continue;
      const difference = `${JSON.stringify(row)}, but its timeline says ${JSON.stringify(expected)}`;
      faults.push(`an order differs from its timeline: order ${orderId} is ${difference}`);
    }
    if (page.length < PAGE) return faults;
    after = page.at(-1)?.orderId ?? '';
  }
}

function fold(timeline: readonly Entry[]): Columns {
  const expected: Record<string, unknown> = Object.fromEntries(
    Object.keys(timelineColumns).map((field) => [field, null]),
  );
  for (const { version, status, at, changes } of timeline) {
    if (status !== expected.status && status !== 'placed') expected[`${status}At`] = at;
    // The first entry's are the order's terms, which have no columns; nor has a note's number, nor what lines tell.
    const { note: _note, lines: _lines, readyAt: _ready, withdrawn: _withdrawn, ...columns } = changes ?? {};
    Object.assign(expected, { status, version }, version === 1 ? {} : columns);
    if (status === 'received') expected.shippedAt ??= at;
  }
  return expected as Columns;
}
