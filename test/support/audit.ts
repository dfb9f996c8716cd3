/** Whatever reads the rows of a hub's database: the hub itself, or a connection beside it. */
export interface Books {
  rows<Row = Record<string, unknown>>(sql: string, parameters?: unknown[]): Promise<Row[]>;
}

/** Copies of each book, by its number, that were ever put on a shelf: what is left, and what orders hold or have sold. */
export type Shelf = Map<number, number>;

interface AuditOptions {
  /** What was put on the shelves. With it, every copy is accounted for. */
  shelf?: Shelf;
  /** Nothing was pruned: every room still holds its events from number 1 on. */
  whole?: boolean;
}

interface Check {
  what: string;
  sql: string;
}

/** An order that has been paid and was not undone; and what a ledger says of each order, by party. */
const MOVEMENTS = `
  SUM(CASE WHEN e.kind = 'payment' AND e.user_id = o.buyer_id AND e.amount = -o.total THEN 1 ELSE 0 END) AS payments,
  SUM(CASE WHEN e.kind = 'sale' AND e.user_id = o.seller_id AND e.amount = o.total THEN 1 ELSE 0 END) AS sales,
  SUM(CASE WHEN e.kind = 'refund' AND e.user_id = o.buyer_id AND e.amount = o.total THEN 1 ELSE 0 END) AS refunds,
  SUM(CASE WHEN e.kind = 'refunded' AND e.user_id = o.seller_id AND e.amount = -o.total THEN 1 ELSE 0 END) AS refundeds`;

const money: Check[] = [
  { what: 'a balance is below zero', sql: 'SELECT * FROM wallets WHERE balance < 0' },
  {
    what: 'a balance is not the sum of its entries',
    sql: `SELECT w.user_id, w.balance, w.entries, COALESCE(SUM(e.amount), 0) AS total, COUNT(e.entry_no) AS entry_count FROM wallets w
      LEFT JOIN wallet_entries e ON e.user_id = w.user_id GROUP BY w.user_id, w.balance, w.entries
      HAVING w.balance <> COALESCE(SUM(e.amount), 0) OR w.entries <> COUNT(e.entry_no) OR w.entries <> COALESCE(MAX(e.entry_no), 0)`,
  },
  {
    what: 'money that came in by deposits is not what wallets hold',
    sql: `SELECT d.money AS deposited, w.money AS held FROM
      (SELECT COALESCE(SUM(amount), 0) AS money FROM wallet_entries WHERE kind IN ('deposit', 'withdrawal')) d
      JOIN (SELECT COALESCE(SUM(balance), 0) AS money FROM wallets) w ON d.money <> w.money`,
  },
  {
    what: 'an order was not paid and refunded as its status says',
    sql: `SELECT o.order_id, o.status, o.total, ${MOVEMENTS}, COUNT(*) AS entries
      FROM wallet_entries e JOIN orders o ON o.order_id = e.order_id GROUP BY o.order_id, o.status, o.total
      HAVING payments <> 1 OR sales <> 1 OR refunds <> CASE WHEN o.status = 'cancelled' THEN 1 ELSE 0 END
      OR refundeds <> refunds OR entries <> payments + sales + refunds + refundeds`,
  },
  {
    what: 'there are not as many payments as paid orders',
    sql: `SELECT o.orders, e.entries FROM (SELECT COUNT(*) AS orders FROM orders WHERE paid_at IS NOT NULL) o
      JOIN (SELECT COUNT(*) AS entries FROM wallet_entries WHERE kind = 'payment') e ON o.orders <> e.entries`,
  },
];

const orders: Check[] = [
  { what: 'stock is below zero', sql: 'SELECT * FROM book_stock WHERE stock < 0' },
  {
    what: 'an order is in a state that no order can reach',
    sql: `SELECT order_id, status, version, paid_at, shipped_at, received_at, cancelled_at FROM orders WHERE version <> CASE
      WHEN status = 'placed' AND paid_at IS NULL AND shipped_at IS NULL AND received_at IS NULL AND cancelled_at IS NULL THEN 1
      WHEN status = 'paid' AND paid_at IS NOT NULL AND shipped_at IS NULL AND received_at IS NULL AND cancelled_at IS NULL THEN 2
      WHEN status = 'shipped' AND paid_at IS NOT NULL AND shipped_at IS NOT NULL AND received_at IS NULL AND cancelled_at IS NULL THEN 3
      WHEN status = 'received' AND paid_at IS NOT NULL AND shipped_at IS NOT NULL AND received_at IS NOT NULL AND cancelled_at IS NULL THEN 4
      WHEN status = 'cancelled' AND paid_at IS NULL AND shipped_at IS NULL AND received_at IS NULL AND cancelled_at IS NOT NULL THEN 2
      WHEN status = 'cancelled' AND paid_at IS NOT NULL AND shipped_at IS NULL AND received_at IS NULL AND cancelled_at IS NOT NULL THEN 3
      ELSE 0 END`,
  },
  {
    what: 'the timeline of an order has not one entry a version',
    sql: `SELECT order_id, status, version, timeline FROM orders
      WHERE LENGTH(timeline) - LENGTH(REPLACE(timeline, '"version":', '')) <> version * LENGTH('"version":')`,
  },
];

const rooms: Check[] = [
  {
    what: 'a room has a gap',
    sql: `SELECT r.role, r.user_id, r.head, COUNT(e.seq) AS events, MIN(e.seq) AS first, MAX(e.seq) AS last FROM rooms r
      LEFT JOIN room_events e ON e.role = r.role AND e.user_id = r.user_id GROUP BY r.role, r.user_id, r.head
      HAVING COUNT(e.seq) <> COALESCE(MAX(e.seq) - MIN(e.seq) + 1, 0) OR COALESCE(MAX(e.seq), r.head) <> r.head`,
  },
  // By the heads, which stay when old events are forgotten.
  ...['buyer', 'seller'].map((role) => ({
    what: 'an order has not one event a version for each of its parties',
    sql: `SELECT r.role, r.user_id, r.head, o.versions FROM rooms r
      LEFT JOIN (SELECT ${role}_id AS user_id, SUM(version) AS versions FROM orders GROUP BY ${role}_id) o ON o.user_id = r.user_id
      WHERE r.role = '${role}' AND r.head <> COALESCE(o.versions, 0)`,
  })),
];

const wholeRooms: Check[] = [
  {
    what: 'a room has lost its oldest events',
    sql: `SELECT r.role, r.user_id, r.head, COUNT(e.seq) AS events FROM rooms r
      LEFT JOIN room_events e ON e.role = r.role AND e.user_id = r.user_id GROUP BY r.role, r.user_id, r.head
      HAVING COUNT(e.seq) <> r.head`,
  },
];

/**
 * Everything that must hold in the books of a hub at any moment. Gives a line for each thing that does not. Sums and counts
 * only, so that it can be asked again and again of a database at work; there, of one snapshot.
 */
export async function audit(books: Books, { shelf, whole = false }: AuditOptions = {}): Promise<string[]> {
  const faults: string[] = [];
  for (const { what, sql } of [...money, ...orders, ...rooms, ...(whole ? wholeRooms : [])]) {
    const rows = await books.rows(sql);
    if (rows.length > 0) faults.push(`${what}: ${JSON.stringify(rows.slice(0, 3))}`);
  }
  if (shelf) faults.push(...(await unaccountedStock(books, shelf)));
  return faults;
}

/** What was put on the shelves until now, if every copy is accounted for. */
export async function readShelf(books: Books): Promise<Shelf> {
  const shelf = await copiesHeld(books);
  for (const { bookNo, stock } of await stockLeft(books)) shelf.set(bookNo, (shelf.get(bookNo) ?? 0) + Number(stock));
  return shelf;
}

async function unaccountedStock(books: Books, shelf: Shelf): Promise<string[]> {
  const [held, left] = [await copiesHeld(books), await stockLeft(books)];
  return left.flatMap(({ bookNo, stock }) => {
    const [put, inOrders] = [shelf.get(bookNo) ?? 0, held.get(bookNo) ?? 0];
    if (Number(stock) + inOrders === put) return [];
    return [`stock is not accounted for: book ${bookNo}: ${stock} left and ${inOrders} in orders of ${put}`];
  });
}

function stockLeft(books: Books): Promise<{ bookNo: number; stock: number }[]> {
  return books.rows('SELECT book_no AS bookNo, stock FROM book_stock');
}

/** Copies in orders that were not cancelled. Many orders are of the same things, so there are few rows to read. */
async function copiesHeld(books: Books): Promise<Shelf> {
  const held: Shelf = new Map();
  const rows = await books.rows<{ items: string; orderCount: number }>(
    "SELECT items, COUNT(*) AS orderCount FROM orders WHERE status <> 'cancelled' GROUP BY items",
  );
  for (const { items, orderCount } of rows) {
    for (const { bookNo, count } of JSON.parse(items) as { bookNo: number; count: number }[]) {
      held.set(bookNo, (held.get(bookNo) ?? 0) + count * Number(orderCount));
    }
  }
  return held;
}

/** Copies of a book that orders hold or have sold: what was put on the shelf is these and the stock that is left. */
export async function copiesInOrders(books: Books, storeId: string, bookId: string): Promise<number> {
  const found = await books.rows<{ items: string }>(
    "SELECT items FROM orders WHERE store_id = ? AND status <> 'cancelled'",
    [storeId],
  );
  const items = found.flatMap((order) => JSON.parse(order.items) as { bookId: string; count: number }[]);
  return items.filter((item) => item.bookId === bookId).reduce((sum, { count }) => sum + count, 0);
}
