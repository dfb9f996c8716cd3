import type { Books } from './audit.js';

/** Orders of which a part was shipped, cancelled or refunded: what happened to their lines is in their timelines only. */
export const HAS_LINES = `timeline LIKE '%"lines":%'`;
const IS_HELD = '"settleAt":"received"';

interface Entry {
  status: string;
  command?: string;
  by: string;
  changes?: {
    cancelReason?: string | null;
    lines?: { copies?: [number, number][]; parcels?: number[]; money?: number; restocked?: [number, number][] };
  };
}
interface StoredOrder {
  orderId: string;
  buyerId: string;
  sellerId: string;
  status: string;
  total: number;
  items: string;
  timeline: string;
}
interface Line {
  bookNo: number;
  count: number;
  shipped: number;
  cancelled: number;
  refunded: number;
  putBack: number;
}
interface Parcel {
  isReceived: boolean;
}

/** Such an order as its timeline tells it. Shares no code with the hub's own fold. */
export class LinedOrder {
  readonly lines: Line[];
  private readonly parcels: Parcel[] = [];
  private readonly entries: Entry[];
  readonly isHeld: boolean;
  refunded = 0;
  /** What its ledger entries must be, oldest first. */
  readonly expected: string[] = [];

  constructor(readonly row: StoredOrder) {
    const items = JSON.parse(row.items) as { bookNo: number; count: number }[];
    this.lines = items.map(({ bookNo, count }) => {
      return { bookNo, count, shipped: 0, cancelled: 0, refunded: 0, putBack: 0 };
    });
    this.isHeld = row.timeline.includes(IS_HELD);
    this.entries = JSON.parse(row.timeline) as Entry[];
    this.entries.forEach((entry, index) => {
      this.apply(entry, this.entries[index - 1]?.status ?? '');
    });
  }

  /** What of it cannot be. */
  get faults(): string[] {
    const { row, lines, refunded } = this;
    const faults: string[] = [];
    for (const { count, shipped, cancelled, refunded: paidBack, putBack } of lines) {
      if (count - shipped - cancelled < 0) faults.push("an order's lines do not add up");
      if (paidBack > count || putBack > Math.min(paidBack, shipped)) faults.push('a copy was given back twice');
    }
    if (refunded > Number(row.total)) faults.push('an order has given back more than its total');
    if (row.status !== this.status) faults.push('an order is in an impossible state');
    return faults;
  }

  /** What its lines and parcels say that it is. */
  private get status(): string {
    if (this.lines.some(({ count, shipped, cancelled }) => count > shipped + cancelled)) return 'paid';
    if (this.parcels.length === 0) return 'cancelled';
    return this.parcels.every(({ isReceived }) => isReceived) ? 'received' : 'shipped';
  }

  private apply({ status, command, by, changes = {} }: Entry, previous: string): void {
    const { copies, parcels, money, restocked = [] } = changes.lines ?? {};
    const { row } = this;
    const total = Number(row.total);
    const isCancel = changes.cancelReason !== undefined;
    if (command === undefined && status === 'paid' && by !== 'hub') {
      this.expected.push(`${row.buyerId} payment ${-total}`);
      if (!this.isHeld) this.expected.push(`${row.sellerId} sale ${total}`);
    } else if (command === 'ship' || (command === undefined && status === 'shipped' && !isCancel)) {
      this.count(copies ?? this.left(), 'shipped');
      this.parcels.push({ isReceived: false });
    } else if (isCancel || command === 'refund') {
      this.count(command === 'refund' ? (copies ?? []) : (copies ?? this.left()), isCancel ? 'cancelled' : 'refunded');
      this.count(restocked, 'putBack');
      this.giveBack(money ?? total - this.refunded, previous);
    } else if (command === 'receive' || (command === undefined && (by === 'hub' || status === 'received'))) {
      this.parcels.forEach((parcel, index) => {
        if (parcels?.includes(index + 1) ?? true) parcel.isReceived = true;
      });
    }
    const isDone = status === 'received' && previous !== status;
    if (isDone && this.isHeld) this.expected.push(`${row.sellerId} sale ${total - this.refunded}`);
  }

  private giveBack(money: number, previous: string): void {
    const { buyerId, sellerId } = this.row;
    this.refunded += money;
    if (!this.isHeld || previous === 'received') this.expected.push(`${sellerId} refunded ${-money}`);
    this.expected.push(`${buyerId} refund ${money}`);
  }

  private left(): [number, number][] {
    return this.lines.map(({ count, shipped, cancelled }, index) => [index, count - shipped - cancelled]);
  }

  private count(copies: readonly [number, number][], what: 'shipped' | 'cancelled' | 'refunded' | 'putBack'): void {
    for (const [index, count] of copies) {
      const line = this.lines[index];
      if (line) line[what] += count;
    }
  }
}

export async function linedOrders(books: Books): Promise<LinedOrder[]> {
  const rows = await books.rows<StoredOrder>(
    `SELECT order_id AS orderId, buyer_id AS buyerId, seller_id AS sellerId, status, total, items, timeline FROM orders
     WHERE ${HAS_LINES}`,
  );
  return rows.map((row) => new LinedOrder(row));
}

/** Faults of these orders: of their lines, of their entries in the ledger, and of what is held for their sellers. */
export async function lineFaults(books: Books, orders: readonly LinedOrder[]): Promise<string[]> {
  const faults = orders.flatMap(({ row, faults }) => faults.map((fault) => `${fault}: order ${row.orderId}`));
  const booked = new Map<string, string[]>();
  if (orders.length > 0) {
    const entries = await books.rows<{ orderId: string; userId: string; kind: string; amount: number }>(
      `SELECT e.order_id AS orderId, e.user_id AS userId, e.kind, e.amount FROM wallet_entries e
       JOIN orders o ON o.order_id = e.order_id WHERE o.${HAS_LINES}`,
    );
    for (const { orderId, userId, kind, amount } of entries) {
      booked.set(orderId, [...(booked.get(orderId) ?? []), `${userId} ${kind} ${amount}`]);
    }
  }
  for (const { row, expected } of orders) {
    const [has, needs] = [booked.get(row.orderId) ?? [], expected].map((all) => JSON.stringify([...all].sort()));
    if (has !== needs)
      faults.push(`an order's payments do not match its status: ${row.orderId} has ${has} for ${needs}`);
  }
  return [...faults, ...(await heldFaults(books, orders))];
}

/** What is held for each seller: the totals of the orders on their way, without what they have given back. */
async function heldFaults(books: Books, orders: readonly LinedOrder[]): Promise<string[]> {
  const expected = new Map<string, number>();
  const add = (sellerId: string, money: number) => expected.set(sellerId, (expected.get(sellerId) ?? 0) + money);
  const whole = await books.rows<{ sellerId: string; money: number }>(
    `SELECT seller_id AS sellerId, SUM(total) AS money FROM orders
     WHERE status IN ('paid', 'shipped') AND timeline LIKE '%${IS_HELD}%' AND NOT ${HAS_LINES} GROUP BY seller_id`,
  );
  for (const { sellerId, money } of whole) add(sellerId, Number(money));
  for (const { row, isHeld, refunded } of orders) {
    if (isHeld && ['paid', 'shipped'].includes(row.status)) add(row.sellerId, Number(row.total) - refunded);
  }
  const wallets = await books.rows<{ userId: string; held: number }>('SELECT user_id AS userId, held FROM wallets');
  return wallets.flatMap(({ userId, held }) => {
    const money = expected.get(userId) ?? 0;
    if (Number(held) === money) return [];
    return [`what is held for a seller differs from the orders on their way: ${held} for ${userId}, not ${money}`];
  });
}
