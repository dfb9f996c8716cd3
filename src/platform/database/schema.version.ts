import type { DataSource, EntityManager } from 'typeorm';
import { migrationNumber, OLDEST_HUB } from './migrations/all.js';

const INFO = 'SELECT schema_version AS schemaVersion, oldest_hub AS oldestHub FROM database_info';

interface Versions {
  schemaVersion: number;
  oldestHub: number;
}

/**
 * Runs pending migrations, unless the database is for newer hubs only. The version is raised before and after, for the hubs that are
 * running: one that is too old for the new schema stops using it, and any other continues.
 */
export async function upgrade(dataSource: DataSource, transaction: 'all' | 'none'): Promise<void> {
  const { manager } = dataSource;
  const known = dataSource.migrations.map(({ name = '' }) => name);
  const version = Math.max(...known.map(migrationNumber));
  const executed = await executedMigrations(dataSource);
  const infoExists = executed.some((name) => name.startsWith('DatabaseInfo'));
  const found = infoExists ? await readVersions(manager) : undefined;
  const refusal = refusalOf(version, found) ?? unknownMigration(executed, known, found);
  if (refusal !== undefined) throw new Error(refusal);
  const isNewer = version > (found?.schemaVersion ?? 0);
  if (found && isNewer) await raise(manager, 'oldest_hub', OLDEST_HUB, found.oldestHub);
  await dataSource.runMigrations({ transaction });
  if (!isNewer) return;
  const now = await readVersions(manager);
  if (!now) throw new Error('The table database_info has no row: run the migrations again, or restore a backup.');
  await raise(manager, 'oldest_hub', OLDEST_HUB, now.oldestHub);
  await raise(manager, 'schema_version', version, now.schemaVersion);
}

/** Why a hub that knows the migrations of this data source may no longer use its database, if it may not. */
export async function findRefusal({ manager, migrations }: DataSource): Promise<string | undefined> {
  const version = Math.max(...migrations.map(({ name = '' }) => migrationNumber(name)));
  return refusalOf(version, await readVersions(manager));
}

function refusalOf(version: number, found: Versions | undefined): string | undefined {
  if (!found || found.oldestHub <= version) return undefined;
  return `The database was upgraded for newer hubs: its schema needs version ${found.oldestHub}, and this hub has ${version}. Start the newer release.`;
}

/** A migration of a later release that does not say which hubs it is for, because it was interrupted. */
function unknownMigration(executed: string[], known: string[], found: Versions | undefined): string | undefined {
  const name = executed.find((other) => !known.includes(other) && migrationNumber(other) > (found?.schemaVersion ?? 0));
  if (name === undefined) return undefined;
  return `The database has the migration ${name}, which this hub does not know. Start the newer release that ran it.`;
}

async function executedMigrations(dataSource: DataSource): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    if (!(await runner.hasTable('migrations'))) return [];
    const rows: { name: string }[] = await runner.query('SELECT name FROM migrations');
    return rows.map(({ name }) => name);
  } finally {
    await runner.release();
  }
}

async function readVersions(manager: EntityManager): Promise<Versions | undefined> {
  const rows: Versions[] = await manager.query(INFO);
  return rows[0];
}

/** Only if it is lower: the hub's account may read the row, and not write it. */
async function raise(manager: EntityManager, column: string, to: number, from: number): Promise<void> {
  if (from < to) await manager.query(`UPDATE database_info SET ${column} = ?`, [to]);
}
