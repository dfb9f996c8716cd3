import type { DataSource } from 'typeorm';
import type { Dialect } from './dialect.js';

const MIGRATION_LOCK_SECONDS = 60;

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
    await runner.query("SELECT GET_LOCK(CONCAT('order-hub:', DATABASE()), ?)", [MIGRATION_LOCK_SECONDS]);
    await dataSource.runMigrations({ transaction: 'none' });
    await runner.query("SELECT RELEASE_LOCK(CONCAT('order-hub:', DATABASE()))");
  } finally {
    await runner.release();
  }
}
