import type { Tx } from '../platform/database/database.js';
import type { Dialect } from '../platform/database/dialect.js';
import type { RowLocker } from './row.locker.js';
import { type BookRow, distinctPairs, type StorePolicy, type StoreRow } from './rows.js';
import { policyColumns, storeColumns } from './store.columns.js';
import type { UnitOfWork } from './unit.of.work.js';

type BookColumns = Omit<BookRow, 'stock'>;
const bookColumns =
  'book_no AS bookNo, books.store_id AS storeId, book_id AS bookId, title, price, low_mark AS lowMark, listed';

/** Locks the stores that commands change: what one of them says counts for the rest of the batch, also for orders in it. */
export async function lockStores(
  dialect: Dialect,
  locker: RowLocker,
  storeIds: readonly string[],
  unit: UnitOfWork,
): Promise<void> {
  const rows = await locker.select<StoreRow, string>({
    table: 'stores',
    columns: storeColumns,
    values: [...new Set(storeIds)],
    where: (some) => dialect.inCondition.values('store_id', some),
    keyOf: String,
    keyOfRow: ({ storeId }) => storeId,
  });
  for (const row of rows) unit.addChangedStore(row);
}

/** Reads the stores that none of the books was found in. */
export async function loadStores(
  tx: Tx,
  dialect: Dialect,
  storeIds: readonly string[],
  unit: UnitOfWork,
): Promise<void> {
  const missing = [...new Set(storeIds)].filter((storeId) => !unit.stores.has(storeId));
  if (missing.length === 0) return;
  const [where, parameters] = dialect.inCondition.values('store_id', missing);
  const sql = `SELECT store_id AS storeId, ${policyColumns} FROM stores WHERE ${where}`;
  const rows: (StorePolicy & { storeId: string })[] = await tx.query(sql, parameters);
  for (const { storeId, ...policy } of rows) unit.stores.set(storeId, policy);
}

/**
 * Reads books with the owners and policies of their stores, unlocked: a store never changes hands, and an order keeps the price and
 * the terms it read.
 */
export async function loadBooks(
  tx: Tx,
  dialect: Dialect,
  keys: readonly (readonly [string, string])[],
  unit: UnitOfWork,
): Promise<void> {
  const distinct = distinctPairs(keys);
  if (distinct.length === 0) return;
  const [where, parameters] = dialect.inCondition.pairs(['books.store_id', 'book_id'], distinct);
  const sql = `SELECT ${bookColumns}, ${policyColumns} FROM books JOIN stores ON stores.store_id = books.store_id`;
  const rows: (BookColumns & StorePolicy)[] = await tx.query(`${sql} WHERE ${where}`, parameters);
  for (const book of rows) {
    // Of a store that the batch changes, the locked row counts.
    if (!unit.stores.has(book.storeId)) unit.stores.set(book.storeId, book);
    addBook(book, unit);
  }
}

export async function loadBooksByNo(
  tx: Tx,
  dialect: Dialect,
  numbers: readonly number[],
  unit: UnitOfWork,
): Promise<void> {
  if (numbers.length === 0) return;
  const [where, parameters] = dialect.inCondition.values('book_no', [...new Set(numbers)]);
  const rows: BookColumns[] = await tx.query(`SELECT ${bookColumns} FROM books WHERE ${where}`, parameters);
  for (const book of rows) addBook(book, unit);
}

function addBook({ bookNo, storeId, bookId, title, price, lowMark, listed }: BookColumns, unit: UnitOfWork): void {
  if (unit.booksByNo.has(bookNo)) return;
  unit.addBook({ bookNo, storeId, bookId, title, price, lowMark, listed, stock: 0 });
}
