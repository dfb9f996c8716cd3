import type { DataSource } from 'typeorm';
import type { Dialect } from './dialect.js';

const LOCK_SQL = "SELECT GET_LOCK(CONCAT('order-hub:', DATABASE()), 60) AS taken";
const UNLOCK_SQL = "SELECT RELEASE_LOCK(CONCAT('order-hub:', DATABASE()))";

/**
 * Entities name types that every database knows; this makes them the ones that the migrations give the columns.
 * On the embedded database every column is INTEGER or TEXT, and its tables are STRICT; lengths are the contract's business.
 */
export function adaptColumns(dialect: Dialect, dataSource: DataSource): void {
  for (const column of dataSource.entityMetadatas.flatMap((metadata) => metadata.columns)) {
    if (!dialect.singleWriter) {
      if (column.type === 'text') column.type = 'mediumtext';
      continue;
    }
    column.type = column.type === 'bigint' ? 'integer' : 'text';
    column.length = '';
  }
}

/** Runs the migrations that are missing; of several hubs that start at once, one does and the others wait. */
export async function migrate(dialect: Dialect, dataSource: DataSource): Promise<void> {
  if (dialect.singleWriter) {
    await dataSource.runMigrations({ transaction: 'all' });
    return;
  }
  const runner = dataSource.createQueryRunner();
  try {
    let taken = false;
    while (!taken) taken = Number((await runner.query(LOCK_SQL))[0]?.taken) === 1;
    await dataSource.runMigrations({ transaction: 'none' });
    await runner.query(UNLOCK_SQL);
  } finally {
    await runner.release();
  }
}
