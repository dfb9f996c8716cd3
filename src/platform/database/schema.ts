import type { DataSource } from 'typeorm';
import type { Dialect } from './dialect.js';
import { isUnreachable } from './driver.errors.js';
import { MigrationLease } from './migration.lease.js';
import { upgrade } from './schema.version.js';

const LOCK_SQL = "SELECT GET_LOCK(CONCAT('order-hub:', DATABASE()), 60) AS taken";
const UNLOCK_SQL = "SELECT RELEASE_LOCK(CONCAT('order-hub:', DATABASE()))";

/**
 * Maps the portable types of the entities to the column types of the migrations. The embedded database has STRICT tables, whose
 * columns are INTEGER or TEXT without a length: the contract checks lengths.
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

/**
 * Runs pending migrations. Of several hubs that start at once, one runs them while the others wait. `writer` has time limits, which
 * `migrator` must not have.
 */
export async function migrate(dialect: Dialect, writer: DataSource, migrator: DataSource): Promise<void> {
  if (dialect.singleWriter) {
    await upgrade(writer, 'all');
    return;
  }
  // Read before, because the account of a hub may have no right to create the lease's table.
  if (!(await hasPending(migrator))) {
    await upgrade(migrator, 'none');
    return;
  }
  const lease = await MigrationLease.acquire(dialect, writer);
  try {
    await withNamedLock(migrator, () => upgrade(migrator, 'none'));
  } finally {
    await lease.release();
  }
}

async function hasPending(dataSource: DataSource): Promise<boolean> {
  try {
    const done: { name: string }[] = await dataSource.query('SELECT name FROM migrations');
    const names = new Set(done.map(({ name }) => name));
    return dataSource.migrations.some(({ name }) => name === undefined || !names.has(name));
  } catch (error) {
    if (isUnreachable(error)) throw error;
    return true;
  }
}

/** Waits for hubs of earlier versions, which migrate under this lock alone. Some clusters refuse it. */
async function withNamedLock(dataSource: DataSource, work: () => Promise<void>): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    const take = async () => Number((await runner.query(LOCK_SQL))[0]?.taken) === 1;
    let isTaken = false;
    while (!isTaken) isTaken = await take().catch(() => true);
    await work();
    await runner.query(UNLOCK_SQL).catch(() => {});
  } finally {
    await runner.release();
  }
}
