import { audit } from '../test/support/audit.js';
import { DatabaseReader } from '../test/support/database.reader.js';
import { TestHub } from '../test/support/hub.js';
import { createTestDatabase, type TestDatabase } from '../test/support/test.database.js';
import { HistorySeeder } from './history.seeder.js';
import type { Market, Observed } from './wire.js';

export interface MarketSize {
  buyers: number;
  sellers: number;
  books: number;
  idle?: number;
  /** Existing orders. */
  orders?: number;
  /** Events missed by the returning buyer. */
  missed?: number;
}

/** Totals of a database that a run changes. */
export interface Snapshot {
  orders: number;
  changes: number;
  copies: number;
  /** Size of the database file; undefined on a server. */
  bytes?: number;
}

const BALANCE = 10 ** 12;
const STOCK = 1_000_000;
const EVENTS_PER_ORDER = 2;
/** Existing orders whose events are still within retention, at most. */
const ORDERS_WITH_EVENTS_MAX = 25_000;

/** Creates a database with stores, sellers and funded buyers; the hub that migrates it is stopped again. */
export async function seed(server: string | undefined, size: MarketSize): Promise<[TestDatabase, Market]> {
  const database = await createTestDatabase(server);
  const hub = await TestHub.start({}, database);
  const history = new HistorySeeder(hub);
  const books = Array.from({ length: size.books }, () => ({ stock: STOCK }));
  const sellers: Market['sellers'] = [];
  for (let index = 0; index < size.sellers; index++) {
    const { userId, token, storeId } = await hub.seller(books);
    sellers.push({ userId, token, storeId });
  }
  const { orders = 0, missed = 0 } = size;
  const market: Market = {
    ...{ sellers, books: size.books, missed },
    buyers: await history.addUsers('buyer', size.buyers, BALANCE),
    idle: await history.addUsers('idle', size.idle ?? 0, 0),
  };
  if (missed > 0) {
    const returning = await history.addUsers('back', 1, 0);
    market.returning = returning[0];
    const missedOrders = missed / EVENTS_PER_ORDER;
    await history.addOrders(returning, sellers.slice(0, 1), missedOrders, { count: missedOrders, roles: ['buyer'] });
  }
  const withEvents = Math.min(orders, ORDERS_WITH_EVENTS_MAX);
  await history.addOrders(market.buyers, sellers, orders, { count: withEvents, roles: ['buyer', 'seller'] });
  await history.writeRooms();
  await hub.leave();
  return [database, market];
}

/** Reads committed data over a separate connection. */
export async function withReader<T>(database: TestDatabase, read: (reader: DatabaseReader) => Promise<T>): Promise<T> {
  const reader = new DatabaseReader(database);
  try {
    return await read(reader);
  } finally {
    await reader.close();
  }
}

export async function takeSnapshot(reader: DatabaseReader, url: string): Promise<Snapshot> {
  const [orders] = await reader.rows('SELECT COUNT(*) AS orders, COALESCE(SUM(version), 0) AS changes FROM orders');
  const [stock] = await reader.rows('SELECT SUM(stock) AS copies FROM book_stock');
  const snapshot = { orders: Number(orders?.orders), changes: Number(orders?.changes), copies: Number(stock?.copies) };
  if (!url.startsWith('sqlite:')) return snapshot;
  const [file] = await reader.rows('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size');
  return { ...snapshot, bytes: Number(file?.bytes) };
}

/** Differences between the database and what clients observed: orders, changes, sold copies and pushes must match exactly. */
export async function findMismatches(
  reader: DatabaseReader,
  before: Snapshot,
  { done, pushes }: Observed,
  url: string,
): Promise<string[]> {
  const after = await takeSnapshot(reader, url);
  const mismatches = findPushMismatches({ done, pushes });
  const expect = (name: string, found: number, expected: number) => {
    if (found !== expected) mismatches.push(`${name}: ${found} instead of ${expected}`);
  };
  const placed = done['order:place'] ?? 0;
  expect('orders', after.orders, before.orders + placed);
  expect('changes', after.changes, before.changes + countCommands(done));
  expect('copies left', after.copies, before.copies - placed);
  return mismatches;
}

/** The only check for a system without a database: each party received every change once. */
export function findPushMismatches({ done, pushes }: Observed): string[] {
  const commands = countCommands(done);
  return (['buyer', 'seller'] as const)
    .filter((role) => pushes[role] !== commands)
    .map((role) => `pushes to ${role}s: ${pushes[role]} instead of ${commands}`);
}

/** Audits the hub's ledger; the baselines keep none. */
export function auditHub(reader: DatabaseReader, { orders = 0, missed = 0 }: MarketSize): Promise<string[]> {
  return audit(reader, { whole: orders + missed === 0 });
}

export function countCommands(done: Observed['done']): number {
  return Object.values(done).reduce((sum, n) => sum + n, 0);
}
