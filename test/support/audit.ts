import type { TestHub } from './hub.js';

/** Everything that must hold in the books of a hub at any moment. Gives a line for each thing that does not. */
export async function audit(hub: TestHub): Promise<string[]> {
  const faults: string[] = [];
  const check = async (what: string, sql: string) => {
    const rows = await hub.rows(sql);
    if (rows.length > 0) faults.push(`${what}: ${JSON.stringify(rows.slice(0, 3))}`);
  };
  await check('a balance is below zero', 'SELECT * FROM wallets WHERE balance < 0');
  await check('stock is below zero', 'SELECT * FROM book_stock WHERE stock < 0');
  await check(
    'a balance is not the sum of its entries',
    `SELECT w.user_id, w.balance, w.entries, COALESCE(SUM(e.amount), 0) AS total, COUNT(e.entry_no) AS entry_count FROM wallets w
     LEFT JOIN wallet_entries e ON e.user_id = w.user_id GROUP BY w.user_id, w.balance, w.entries
     HAVING w.balance <> COALESCE(SUM(e.amount), 0) OR w.entries <> COUNT(e.entry_no)`,
  );
  await check(
    'money that came in by deposits is not what wallets hold',
    `SELECT d.money AS deposited, w.money AS held FROM (SELECT COALESCE(SUM(amount), 0) AS money FROM wallet_entries WHERE kind IN ('deposit', 'withdrawal')) d
     JOIN (SELECT COALESCE(SUM(balance), 0) AS money FROM wallets) w ON d.money <> w.money`,
  );
  await check(
    'a room has a gap',
    `SELECT r.role, r.user_id, r.head, COUNT(e.seq) AS events, MAX(e.seq) AS last FROM rooms r
     LEFT JOIN room_events e ON e.role = r.role AND e.user_id = r.user_id GROUP BY r.role, r.user_id, r.head
     HAVING COUNT(e.seq) <> r.head OR COALESCE(MAX(e.seq), 0) <> r.head`,
  );
  await check(
    'an order has not one event a version for each of its parties',
    `SELECT o.version_sum, e.event_count FROM (SELECT COALESCE(SUM(version), 0) * 2 AS version_sum FROM orders) o
     JOIN (SELECT COUNT(*) AS event_count FROM room_events) e ON o.version_sum <> e.event_count`,
  );
  await check(
    'an order was not paid and refunded as its status says',
    `SELECT o.order_id, o.status, o.total, p.paid FROM orders o JOIN
     (SELECT order_id, SUM(CASE kind WHEN 'payment' THEN 1 WHEN 'refund' THEN -1 ELSE 0 END) AS paid FROM wallet_entries WHERE order_id IS NOT NULL GROUP BY order_id) p
     ON p.order_id = o.order_id WHERE p.paid <> CASE WHEN o.status IN ('paid', 'shipped', 'received') THEN 1 ELSE 0 END`,
  );
  return faults;
}

/** Copies of a book that orders hold or have sold: what was put on the shelf is these and the stock that is left. */
export async function copiesInOrders(hub: TestHub, storeId: string, bookId: string): Promise<number> {
  const orders = await hub.rows<{ items: string }>(
    "SELECT items FROM orders WHERE store_id = ? AND status <> 'cancelled'",
    [storeId],
  );
  const items = orders.flatMap((order) => JSON.parse(order.items) as { bookId: string; count: number }[]);
  return items.filter((item) => item.bookId === bookId).reduce((sum, { count }) => sum + count, 0);
}
