import type { EntitySchema, MixedList } from 'typeorm';
import { audit } from '../test/support/audit.js';
import { TestHub } from '../test/support/hub.js';
import { createTestDatabase, type TestDatabase } from '../test/support/test.database.js';

export type Entities = MixedList<Function | string | EntitySchema>;

/** Who takes part and what is for sale: all that a load needs to know of a database. */
export interface Market {
  buyers: Party[];
  sellers: (Party & { storeId: string })[];
  /** Books of each store: `book-1` to `book-<books>`. */
  books: number;
}

export interface Party {
  userId: string;
  token: string;
}

export interface MarketSize {
  buyers: number;
  sellers: number;
  books: number;
}

const BALANCE = 10 ** 12;
const STOCK = 1_000_000;

/** Books, buyers with money and sellers, put into a new database by a hub that is gone again. */
export async function furnish(server: string | undefined, size: MarketSize): Promise<[TestDatabase, Market]> {
  const database = await createTestDatabase(server);
  const hub = await TestHub.start({}, database);
  const market: Market = { buyers: [], sellers: [], books: size.books };
  const shelf = Array.from({ length: size.books }, () => ({ stock: STOCK }));
  for (let index = 0; index < size.sellers; index++) {
    const { userId, token, storeId } = await hub.seller(shelf);
    market.sellers.push({ userId, token, storeId });
  }
  for (let index = 0; index < size.buyers; index++) {
    const { userId, token } = await hub.buyer(BALANCE);
    market.buyers.push({ userId, token });
  }
  await hub.leave();
  return [database, market];
}

/** What the load was told, to be held against the database. */
export interface Told {
  /** Acknowledged commands, by message. */
  done: Record<string, number>;
  /** Pushes heard, by role. */
  pushes: { buyer: number; seller: number };
}

/**
 * A run counts only if the database says what the load was told: as many orders, changes and sold copies. The hub's own
 * books are audited to the last unit besides; the baselines keep none that could be.
 */
export async function faultsOf(
  database: TestDatabase,
  { sellers, books }: Market,
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
  expect('orders', await count('SELECT COUNT(*) AS n FROM orders'), placed);
  expect('changes of orders', await count('SELECT COALESCE(SUM(version), 0) AS n FROM orders'), commands);
  const copies = sellers.length * books * STOCK;
  expect('copies left', await count('SELECT SUM(stock) AS n FROM book_stock'), copies - placed);
  for (const role of ['buyer', 'seller'] as const) expect(`pushes to ${role}s`, pushes[role], commands);
  if (keepsBooks) faults.push(...(await audit(hub, { whole: true })));
  await hub.leave();
  return faults;
}
