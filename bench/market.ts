import { audit } from '../test/support/audit.js';
import { DatabaseReader } from '../test/support/database.reader.js';
import { TestHub } from '../test/support/hub.js';
import { createTestDatabase, type TestDatabase } from '../test/support/test.database.js';
import { History } from './history.js';
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

/** What a database holds, as far as a run changes it. */
export interface Stand {
  orders: number;
  changes: number;
  copies: number;
  /** Of the file, where it is one. */
  bytes?: number;
}

const BALANCE = 10 ** 12;
const STOCK = 1_000_000;
const EVENTS_AN_ORDER = 2;
/** So many of the orders that are there already have all of their events still. */
const WITH_EVENTS_MAX = 25_000;

/** Books, buyers with money and sellers, put into a new database by a hub that is gone again. */
export async function furnish(server: string | undefined, size: MarketSize): Promise<[TestDatabase, Market]> {
  const database = await createTestDatabase(server);
  const hub = await TestHub.start({}, database);
  const history = new History(hub);
  const shelf = Array.from({ length: size.books }, () => ({ stock: STOCK }));
  const sellers: Market['sellers'] = [];
  for (let index = 0; index < size.sellers; index++) {
    const { userId, token, storeId } = await hub.seller(shelf);
    sellers.push({ userId, token, storeId });
  }
  const { orders = 0, missed = 0 } = size;
  const market: Market = {
    ...{ sellers, books: size.books, missed },
    buyers: await history.people('buyer', size.buyers, BALANCE),
    idle: await history.people('idle', size.idle ?? 0, 0),
  };
  if (missed > 0) {
    const back = await history.people('back', 1, 0);
    market.returning = back[0];
    const missedOrders = missed / EVENTS_AN_ORDER;
    await history.orders(back, sellers.slice(0, 1), missedOrders, { count: missedOrders, roles: ['buyer'] });
  }
  const withEvents = Math.min(orders, WITH_EVENTS_MAX);
  await history.orders(market.buyers, sellers, orders, { count: withEvents, roles: ['buyer', 'seller'] });
  await history.close();
  await hub.leave();
  return [database, market];
}

/** Looks into a database from beside, as it is committed. */
export async function lookInto<T>(database: TestDatabase, look: (reader: DatabaseReader) => Promise<T>): Promise<T> {
  const reader = new DatabaseReader(database);
  try {
    return await look(reader);
  } finally {
    await reader.close();
  }
}

export async function standOf(reader: DatabaseReader, url: string): Promise<Stand> {
  const [orders] = await reader.rows('SELECT COUNT(*) AS orders, COALESCE(SUM(version), 0) AS changes FROM orders');
  const [stock] = await reader.rows('SELECT SUM(stock) AS copies FROM book_stock');
  const stand = { orders: Number(orders?.orders), changes: Number(orders?.changes), copies: Number(stock?.copies) };
  if (!url.startsWith('sqlite:')) return stand;
  const [file] = await reader.rows('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size');
  return { ...stand, bytes: Number(file?.bytes) };
}

/** A run counts only if the database says what the load was told: as many orders, changes and sold copies. */
export async function faultsOf(
  reader: DatabaseReader,
  before: Stand,
  { done, pushes }: Told,
  url: string,
): Promise<string[]> {
  const after = await standOf(reader, url);
  const faults = pushFaults({ done, pushes });
  const expect = (what: string, found: number, expected: number) => {
    if (found !== expected) faults.push(`${what}: ${found} instead of ${expected}`);
  };
  const placed = done['order:place'] ?? 0;
  expect('orders', after.orders, before.orders + placed);
  expect('changes', after.changes, before.changes + commandsOf(done));
  expect('copies left', after.copies, before.copies - placed);
  return faults;
}

/** What can be said of a system that keeps nothing: both parties must have heard of every change, once. */
export function pushFaults({ done, pushes }: Told): string[] {
  const commands = commandsOf(done);
  return (['buyer', 'seller'] as const)
    .filter((role) => pushes[role] !== commands)
    .map((role) => `pushes to ${role}s: ${pushes[role]} instead of ${commands}`);
}

/** The hub's own books, to the last unit; the baselines keep none that could be audited so. */
export function auditHub(reader: DatabaseReader, { orders = 0, missed = 0 }: MarketSize): Promise<string[]> {
  return audit(reader, { whole: orders + missed === 0 });
}

export function commandsOf(done: Told['done']): number {
  return Object.values(done).reduce((sum, n) => sum + n, 0);
}
