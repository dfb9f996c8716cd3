import { audit } from '../test/support/audit.js';
import { TestHub } from '../test/support/hub.js';
import { createTestDatabase, type TestDatabase } from '../test/support/test.database.js';
import { writeEvents, writeIdle, writeOrders } from './history.js';
import type { Market, Told } from './wire.js';

export interface MarketSize {
  buyers: number;
  sellers: number;
  books: number;
  idle?: number;
  /** Orders that are there already. */
  orders?: number;
  /** Events that a buyer has missed. */
  missed?: number;
}

const BALANCE = 10 ** 12;
const STOCK = 1_000_000;

/** Books, buyers with money and sellers, put into a new database by a hub that is gone again. */
export async function furnish(server: string | undefined, size: MarketSize): Promise<[TestDatabase, Market]> {
  const database = await createTestDatabase(server);
  const hub = await TestHub.start({}, database);
  const market: Market = {
    buyers: [],
    sellers: [],
    books: size.books,
    idle: [],
    missed: size.missed ?? 0,
    before: { orders: 0, changes: 0 },
  };
  const shelf = Array.from({ length: size.books }, () => ({ stock: STOCK }));
  for (let index = 0; index < size.sellers; index++) {
    const { userId, token, storeId } = await hub.seller(shelf);
    market.sellers.push({ userId, token, storeId });
  }
  for (let index = 0; index < size.buyers; index++) {
    const { userId, token } = await hub.buyer(BALANCE);
    market.buyers.push({ userId, token });
  }
  if (size.idle) market.idle = await writeIdle(hub, size.idle);
  if (size.orders) await writeOrders(hub, market, size.orders);
  if (size.missed) {
    const { userId, token } = await hub.person();
    market.returning = { userId, token };
    await writeEvents(hub, market.returning, market, size.missed);
  }
  const [before] = await hub.rows('SELECT COUNT(*) AS orders, COALESCE(SUM(version), 0) AS changes FROM orders');
  market.before = { orders: Number(before?.orders), changes: Number(before?.changes) };
  await hub.leave();
  return [database, market];
}

/**
 * A run counts only if the database says what the load was told: as many orders, changes and sold copies. The hub's own
 * books are audited to the last unit besides; the baselines keep none that could be.
 */
export async function faultsOf(
  database: TestDatabase,
  { sellers, books, before }: Market,
  { done, pushes }: Told,
  keepsBooks: boolean,
): Promise<string[]> {
  const hub = await TestHub.start({}, database);
  const count = async (sql: string) => Number((await hub.rows<{ n: number }>(sql))[0]?.n ?? 0);
  const faults: string[] = [];
  const expect = (what: string, found: number, expected: number) => {
    if (found !== expected) faults.push(`${what}: ${found} instead of ${expected}`);
  };
  const placed = done['order:place'] ?? 0;
  const commands = Object.values(done).reduce((sum, n) => sum + n, 0);
  expect('orders', await count('SELECT COUNT(*) AS n FROM orders'), before.orders + placed);
  expect('changes', await count('SELECT COALESCE(SUM(version), 0) AS n FROM orders'), before.changes + commands);
  const copies = sellers.length * books * STOCK;
  expect('copies left', await count('SELECT SUM(stock) AS n FROM book_stock'), copies - placed);
  for (const role of ['buyer', 'seller'] as const) expect(`pushes to ${role}s`, pushes[role], commands);
  if (keepsBooks) faults.push(...(await audit(hub, { whole: before.orders === 0 })));
  await hub.leave();
  return faults;
}
