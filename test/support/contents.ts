import type { TestHub } from './hub.js';

const TABLES = {
  orders: 'order_id',
  book_stock: 'book_no',
  wallets: 'user_id',
  wallet_entries: 'user_id, entry_no',
  rooms: 'role, user_id',
  room_events: 'role, user_id, seq',
};

/** Every committed row that a command can change, as JSON lines by table: unchanged after a refusal. */
export async function contents(hub: TestHub): Promise<Record<string, string[]>> {
  const read = async ([table, key]: [string, string]) => {
    const rows = await hub.rows(`SELECT * FROM ${table} ORDER BY ${key}`);
    return [table, rows.map((row) => JSON.stringify(row))] as const;
  };
  return Object.fromEntries(await Promise.all(Object.entries(TABLES).map(read)));
}
