import { orderStatuses } from '../../src/contract/transitions.js';
import { acceptanceFaults } from './audit.acceptance.js';
import { HAS_LINES, type LinedOrder, linedOrders, lineFaults } from './audit.lines.js';
import { staffChecks } from './audit.staff.js';
import { wordFaults } from './audit.words.js';

/** A read-only view of a hub's database, through the hub itself or a separate connection. */
export interface Books {
  rows<Row = Record<string, unknown>>(sql: string, parameters?: unknown[]): Promise<Row[]>;
}

/** Copies ever stocked, by book number: the current stock plus what orders hold or have sold. */
export type Shelf = Map<number, number>;

interface AuditOptions {
  /** Copies ever stocked; when set, every copy must be accounted for. */
  shelf?: Shelf;
  /** What the provider says, and what was deposited by hand; when set, every unit must be accounted for. */
  paid?: { paidIn: number; paidOut: number; deposited?: number };
  /** Retention has deleted nothing: every room still holds its events from 1. */
  whole?: boolean;
  /** Addresses and notes may have been erased. */
  erased?: boolean;
}

interface Check {
  /** What a returned row proves. */
  violation: string;
  sql: string;
}

/** Whether the hub holds the money of an order until it is received. A text of a user's has its quotes escaped there. */
const IS_HELD = `timeline LIKE '%"settleAt":"received"%'`;

/** The changes of an order that leave its status as it is: how often the timeline names their commands. */
const AMENDMENTS = ['note', 'readdress', 'accept', 'seen']
  .map((command) => `"command":"${command}"`)
  .map((text) => `(LENGTH(timeline) - LENGTH(REPLACE(timeline, '${text}', ''))) / ${text.length}`)
  .join(' + ');

/** Ledger movements per order, by kind and party. */
const MOVEMENTS = `
  SUM(CASE WHEN e.kind = 'payment' AND e.user_id = o.buyer_id AND e.amount = -o.total THEN 1 ELSE 0 END) AS payments,
  SUM(CASE WHEN e.kind = 'sale' AND e.user_id = o.seller_id AND e.amount = o.total THEN 1 ELSE 0 END) AS sales,
  SUM(CASE WHEN e.kind = 'refund' AND e.user_id = o.buyer_id AND e.amount = o.total THEN 1 ELSE 0 END) AS refunds,
  SUM(CASE WHEN e.kind = 'refunded' AND e.user_id = o.seller_id AND e.amount = -o.total THEN 1 ELSE 0 END) AS refundeds`;

const money: Check[] = [
  { violation: 'a balance is negative', sql: 'SELECT * FROM wallets WHERE balance < 0 OR held < 0' },
  {
    violation: 'a balance differs from the sum of its entries',
    sql: `SELECT w.user_id, w.balance, w.entries, COALESCE(SUM(e.amount), 0) AS total, COUNT(e.entry_no) AS entry_count FROM wallets w
      LEFT JOIN wallet_entries e ON e.user_id = w.user_id GROUP BY w.user_id, w.balance, w.entries
      HAVING w.balance <> COALESCE(SUM(e.amount), 0) OR w.entries <> COUNT(e.entry_no) OR w.entries <> COALESCE(MAX(e.entry_no), 0)`,
  },
  {
    violation: 'the balances differ from the deposits and withdrawals',
    sql: `SELECT d.money AS deposited, w.money AS held FROM
      (SELECT COALESCE(SUM(amount), 0) AS money FROM wallet_entries WHERE kind IN ('deposit', 'withdrawal', 'returned')) d
      JOIN (SELECT COALESCE(SUM(balance + held), 0) AS money FROM wallets) w ON d.money <> w.money`,
  },
  {
    violation: "an order's payments do not match its status",
    // Held money is no sale until it is received, and is given back from there.
    sql: `SELECT * FROM (SELECT o.order_id, o.status, o.total, MAX(CASE WHEN o.${IS_HELD} THEN 1 ELSE 0 END) AS is_held, ${MOVEMENTS}, COUNT(*) AS entries
      FROM wallet_entries e JOIN orders o ON o.order_id = e.order_id WHERE NOT o.${HAS_LINES} GROUP BY o.order_id, o.status, o.total) m
      WHERE payments <> 1 OR sales <> CASE WHEN is_held = 1 AND status <> 'received' THEN 0 ELSE 1 END
      OR refunds <> CASE WHEN status = 'cancelled' THEN 1 ELSE 0 END OR refundeds <> CASE WHEN is_held = 1 THEN 0 ELSE refunds END
      OR entries <> payments + sales + refunds + refundeds`,
  },
  {
    violation: 'the numbers of payments and paid orders differ',
    sql: `SELECT o.orders, e.entries FROM (SELECT COUNT(*) AS orders FROM orders WHERE paid_at IS NOT NULL) o
      JOIN (SELECT COUNT(*) AS entries FROM wallet_entries WHERE kind = 'payment') e ON o.orders <> e.entries`,
  },
];

/** Entries are matched to what caused them by user, amount and time: both are written in one transaction. */
const payments: Check[] = [
  {
    violation: 'a succeeded top-up was not credited once',
    sql: `SELECT t.user_id, t.amount, t.topups, COUNT(e.entry_no) AS credits FROM
      (SELECT user_id, amount, settled_at, COUNT(*) AS topups FROM topups WHERE status = 'succeeded' GROUP BY user_id, amount, settled_at) t
      LEFT JOIN wallet_entries e ON e.user_id = t.user_id AND e.kind = 'deposit' AND e.amount = t.amount AND e.at = t.settled_at
      GROUP BY t.user_id, t.amount, t.settled_at, t.topups HAVING COUNT(e.entry_no) < t.topups`,
  },
  {
    violation: 'a top-up is in an impossible state',
    sql: `SELECT topup_id, status, event_id, settled_at, due_at FROM topups WHERE CASE WHEN status = 'pending'
      THEN event_id IS NOT NULL OR settled_at IS NOT NULL OR due_at IS NULL
      ELSE event_id IS NULL OR settled_at IS NULL OR due_at IS NOT NULL END`,
  },
  {
    violation: 'an event has settled two top-ups',
    sql: 'SELECT event_id FROM topups WHERE event_id IS NOT NULL GROUP BY event_id HAVING COUNT(*) > 1',
  },
  {
    violation: 'a payout was not debited once',
    sql: `SELECT p.payout_id, COUNT(e.entry_no) AS debits FROM payouts p
      LEFT JOIN wallet_entries e ON e.user_id = p.user_id AND e.kind = 'withdrawal' AND e.amount = -p.amount AND e.at = p.created_at
      GROUP BY p.payout_id HAVING COUNT(e.entry_no) < 1`,
  },
  {
    violation: 'the returned payouts differ from what wallets got back',
    sql: `SELECT p.money AS returned, e.money AS credited FROM
      (SELECT COALESCE(SUM(amount), 0) AS money FROM payouts WHERE status = 'returned') p
      JOIN (SELECT COALESCE(SUM(amount), 0) AS money FROM wallet_entries WHERE kind = 'returned') e ON p.money <> e.money`,
  },
];

const orders: Check[] = [
  { violation: 'a stock is negative', sql: 'SELECT * FROM book_stock WHERE stock < 0' },
  {
    violation: 'an order is in an impossible state',
    sql: `SELECT order_id, status, version, paid_at, shipped_at, received_at, cancelled_at FROM orders WHERE NOT ${HAS_LINES} AND version - (${AMENDMENTS}) <> CASE
      WHEN status = 'placed' AND paid_at IS NULL AND shipped_at IS NULL AND received_at IS NULL AND cancelled_at IS NULL THEN 1
      WHEN status = 'paid' AND paid_at IS NOT NULL AND shipped_at IS NULL AND received_at IS NULL AND cancelled_at IS NULL THEN 2
      WHEN status = 'shipped' AND paid_at IS NOT NULL AND shipped_at IS NOT NULL AND received_at IS NULL AND cancelled_at IS NULL THEN 3
      WHEN status = 'received' AND paid_at IS NOT NULL AND shipped_at IS NOT NULL AND received_at IS NOT NULL AND cancelled_at IS NULL THEN 4
      WHEN status = 'cancelled' AND paid_at IS NULL AND shipped_at IS NULL AND received_at IS NULL AND cancelled_at IS NOT NULL THEN 2
      WHEN status = 'cancelled' AND paid_at IS NOT NULL AND shipped_at IS NULL AND received_at IS NULL AND cancelled_at IS NOT NULL THEN 3
      ELSE 0 END`,
  },
  {
    violation: "an order's timeline does not match its version",
    sql: `SELECT order_id, status, version, timeline FROM orders
      WHERE LENGTH(timeline) - LENGTH(REPLACE(timeline, '"version":', '')) <> version * LENGTH('"version":')`,
  },
];

const counts = orderStatuses.map((status) => `SUM(status = '${status}') AS are_${status}`).join(', ');
const rooms: Check[] = [
  {
    violation: 'a room has a gap',
    sql: `SELECT r.role, r.user_id, r.head, COUNT(e.seq) AS events, MIN(e.seq) AS first, MAX(e.seq) AS last FROM rooms r
      LEFT JOIN room_events e ON e.role = r.role AND e.user_id = r.user_id GROUP BY r.role, r.user_id, r.head
      HAVING COUNT(e.seq) <> COALESCE(MAX(e.seq) - MIN(e.seq) + 1, 0) OR COALESCE(MAX(e.seq), r.head) <> r.head`,
  },
  ...['buyer', 'seller'].map((role) => ({
    violation: "a room's counts differ from its user's orders",
    sql: `SELECT r.role, r.user_id, r.placed, r.paid, r.shipped, r.received, r.cancelled, o.* FROM rooms r LEFT JOIN
      (SELECT ${role}_id AS party, ${counts} FROM orders GROUP BY ${role}_id) o ON o.party = r.user_id
      WHERE r.role = '${role}' AND (${orderStatuses.map((status) => `r.${status} <> COALESCE(o.are_${status}, 0)`).join(' OR ')})`,
  })),
  // Compared by head, because retention deletes old events and keeps the head; after a restore it says no longer what was counted.
  ...['buyer', 'seller'].map((role) => ({
    violation: "a room's head differs from the versions of its orders",
    sql: `SELECT r.role, r.user_id, r.head, o.versions FROM rooms r
      LEFT JOIN (SELECT ${role}_id AS user_id, SUM(version) AS versions FROM orders GROUP BY ${role}_id) o ON o.user_id = r.user_id
      WHERE r.role = '${role}' AND r.head <> COALESCE(o.versions, 0) AND (SELECT room_floor FROM database_info) = 0`,
  })),
];

const webhooks: Check[] = [
  {
    violation: 'a webhook is beyond its room',
    sql: `SELECT w.webhook_id, w.delivered, r.head FROM webhooks w
      LEFT JOIN rooms r ON r.role = w.role AND r.user_id = w.user_id WHERE w.delivered > COALESCE(r.head, -1)`,
  },
  {
    violation: 'an unregistered user has a webhook',
    sql: `SELECT w.webhook_id FROM webhooks w LEFT JOIN users u ON u.user_id = w.user_id
      WHERE u.user_id IS NULL OR u.unregistered_at IS NOT NULL`,
  },
];

const wholeRooms: Check[] = [
  {
    violation: 'a room has lost its oldest events',
    sql: `SELECT r.role, r.user_id, r.head, COUNT(e.seq) AS events FROM rooms r
      LEFT JOIN room_events e ON e.role = r.role AND e.user_id = r.user_id GROUP BY r.role, r.user_id, r.head
      HAVING COUNT(e.seq) <> r.head - (SELECT room_floor FROM database_info)`,
  },
];

/**
 * Checks every invariant of a hub's database and returns a line per violation. The queries only sum and count, so they are
 * cheap enough to repeat under load; there, run them in one snapshot.
 */
export async function audit(
  books: Books,
  { shelf, paid, whole = false, erased = false }: AuditOptions = {},
): Promise<string[]> {
  const violations: string[] = [];
  for (const { violation, sql } of [
    ...money,
    ...payments,
    ...orders,
    ...rooms,
    ...webhooks,
    ...staffChecks,
    ...(whole ? wholeRooms : []),
  ]) {
    const rows = await books.rows(sql);
    if (rows.length > 0) violations.push(`${violation}: ${JSON.stringify(rows.slice(0, 3))}`);
  }
  const lined = await linedOrders(books);
  violations.push(...(await lineFaults(books, lined)));
  if (paid) violations.push(...(await unaccountedMoney(books, paid)));
  violations.push(...(await wordFaults(books, erased)), ...(await acceptanceFaults(books)));
  if (shelf) violations.push(...(await unaccountedStock(books, shelf, lined)));
  return violations;
}

/** Derives the copies stocked so far from the current stock and orders. */
export async function readShelf(books: Books): Promise<Shelf> {
  const shelf = await copiesHeld(books, await linedOrders(books));
  for (const { bookNo, stock } of await stockLeft(books)) shelf.set(bookNo, (shelf.get(bookNo) ?? 0) + Number(stock));
  return shelf;
}

async function unaccountedStock(books: Books, shelf: Shelf, lined: readonly LinedOrder[]): Promise<string[]> {
  const [held, left] = [await copiesHeld(books, lined), await stockLeft(books)];
  return left.flatMap(({ bookNo, stock }) => {
    const [stocked, inOrders] = [shelf.get(bookNo) ?? 0, held.get(bookNo) ?? 0];
    if (Number(stock) + inOrders === stocked) return [];
    return [`a stock is not accounted for: book ${bookNo}: ${stock} left and ${inOrders} in orders of ${stocked}`];
  });
}

/** Balances = what was paid in and deposited − what was paid out or is still to be. */
async function unaccountedMoney(
  books: Books,
  { paidIn, paidOut, deposited = 0 }: NonNullable<AuditOptions['paid']>,
): Promise<string[]> {
  const one = async (sql: string) => Number((await books.rows<{ money: number }>(sql))[0]?.money);
  const balances = await one('SELECT COALESCE(SUM(balance + held), 0) AS money FROM wallets');
  const pending = await one("SELECT COALESCE(SUM(amount), 0) AS money FROM payouts WHERE status = 'pending'");
  const expected = paidIn + deposited - paidOut - pending;
  if (balances === expected) return [];
  return [`the balances differ from what was paid in and out: ${balances}, not ${expected}`];
}

function stockLeft(books: Books): Promise<{ bookNo: number; stock: number }[]> {
  return books.rows('SELECT book_no AS bookNo, stock FROM book_stock');
}

/** Copies in orders, but those given back, and those withdrawn by cancelling. Whole orders are grouped by items: many are identical, so few rows are read. */
async function copiesHeld(books: Books, lined: readonly LinedOrder[]): Promise<Shelf> {
  const held: Shelf = new Map();
  const rows = await books.rows<{ items: string; orderCount: number }>(
    `SELECT items, COUNT(*) AS orderCount FROM orders WHERE status <> 'cancelled' AND NOT ${HAS_LINES} GROUP BY items`,
  );
  for (const { bookNo, count, cancelled, putBack } of lined.flatMap(({ lines }) => lines)) {
    held.set(bookNo, (held.get(bookNo) ?? 0) + count - cancelled - putBack);
  }
  for (const { items, orderCount } of rows) {
    for (const { bookNo, count } of JSON.parse(items) as { bookNo: number; count: number }[]) {
      held.set(bookNo, (held.get(bookNo) ?? 0) + count * Number(orderCount));
    }
  }
  const withdrawing = await books.rows<{ timeline: string }>(
    `SELECT timeline FROM orders WHERE timeline LIKE '%"withdrawn":[%'`,
  );
  for (const { timeline } of withdrawing) {
    const entries = JSON.parse(timeline) as { changes?: { withdrawn?: { bookNo: number; copies: number }[] } }[];
    for (const { bookNo, copies } of entries.flatMap(({ changes }) => changes?.withdrawn ?? [])) {
      held.set(bookNo, (held.get(bookNo) ?? 0) + copies);
    }
  }
  return held;
}

/** Copies of a book that orders hold or have sold. With the current stock, they add up to what was stocked. */
export async function copiesInOrders(books: Books, storeId: string, bookId: string): Promise<number> {
  const found = await books.rows<{ items: string }>(
    "SELECT items FROM orders WHERE store_id = ? AND status <> 'cancelled'",
    [storeId],
  );
  const items = found.flatMap((order) => JSON.parse(order.items) as { bookId: string; count: number }[]);
  return items.filter((item) => item.bookId === bookId).reduce((sum, { count }) => sum + count, 0);
}
