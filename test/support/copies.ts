import type { TestHub } from './hub.js';

type Row = Record<string, unknown>;

/** Adds copies of a stored row, each with other values in some columns: a lot of large data in a moment. */
export async function addCopies(hub: TestHub, table: string, row: Row, copies: readonly Row[]): Promise<void> {
  const columns = Object.keys(row);
  const rows = copies.map((changes) => columns.map((column) => ({ ...row, ...changes })[column]));
  const [sql, parameters] = hub.database.dialect.write({ table, columns, rows });
  await hub.database.transaction((tx) => tx.query(sql, parameters));
}
