import type { DataSource, EntityMetadata } from 'typeorm';
import type { Dialect } from './dialect.js';

/** A column as the database describes it; what does not apply there is null. */
export interface FoundColumn {
  tableName: string;
  columnName: string;
  type: string;
  length: number | null;
  isNullable: number;
  /** Whether an INSERT must name it. */
  isRequired: number;
  collation: string | null;
  engine: string | null;
}

/** A column of a primary or unique key. */
export interface FoundKey {
  tableName: string;
  keyName: string;
  columnName: string;
}

interface Found {
  columns: FoundColumn[];
  keys: FoundKey[];
}

/**
 * Throws, with the first difference, unless the database has all tables, columns and unique keys of the entities. More than those
 * is of a later release, with which this one may share the database.
 */
export async function checkSchema(dialect: Dialect, dataSource: DataSource): Promise<void> {
  const found: Found = {
    columns: await dataSource.query(dialect.columnsSql),
    keys: await dataSource.query(dialect.uniqueKeysSql),
  };
  const differences = dataSource.entityMetadatas.flatMap((entity) => differencesOf(entity, found, dialect));
  if (differences.length === 0) return;
  const more = differences.length > 1 ? ` (and ${differences.length - 1} more differences)` : '';
  throw new Error(
    `The database does not have the schema of this hub: ${differences[0]}${more}. Restore a backup, or let its migrations create it in an empty database.`,
  );
}

function differencesOf(entity: EntityMetadata, found: Found, dialect: Dialect): string[] {
  const { tableName } = entity;
  const columns = found.columns.filter((column) => column.tableName === tableName);
  if (columns.length === 0)
    return [`the table ${tableName} is missing, or this account has no rights on it (ops/grants.sql)`];
  const { engine } = dialect;
  const isOfEngine = engine === undefined || columns[0]?.engine === engine;
  return [
    ...(isOfEngine ? [] : [`the table ${tableName} must have the engine ${engine}`]),
    ...entity.columns.flatMap((column) => {
      const name = `${tableName}.${column.databaseName}`;
      const actual = columns.find(({ columnName }) => columnName === column.databaseName);
      if (!actual) return [`the column ${name} is missing`];
      const { collation } = dialect;
      const length = Number(column.length || 0);
      if (actual.type.toLowerCase() !== column.type)
        return [`the column ${name} is ${actual.type}, not ${column.type}`];
      if (actual.length !== null && actual.length < length) return [`the column ${name} is shorter than ${length}`];
      if (column.isNullable && !Number(actual.isNullable)) return [`the column ${name} must allow NULL`];
      if (actual.collation !== null && actual.collation !== collation)
        return [`the column ${name} must have the collation ${collation}`];
      return [];
    }),
    ...columns
      .filter(({ columnName, isRequired }) => Number(isRequired) && !entity.columns.some(hasName(columnName)))
      .map(({ columnName }) => `the column ${tableName}.${columnName} is unknown, and has no default value`),
    ...missingKeys(entity, found.keys),
  ];
}

const hasName = (name: string) => (column: { databaseName: string }) => column.databaseName === name;

function missingKeys({ tableName, primaryColumns, indices }: EntityMetadata, found: readonly FoundKey[]): string[] {
  const keys = new Map<string, string[]>();
  for (const { keyName, columnName } of found.filter((key) => key.tableName === tableName)) {
    keys.set(keyName, [...(keys.get(keyName) ?? []), columnName]);
  }
  const unique = indices.filter(({ isUnique }) => isUnique).map(({ columns }) => columns);
  return [primaryColumns, ...unique].flatMap((columns) => {
    const expected = columns.map(({ databaseName }) => databaseName);
    const exists = [...keys.values()].some((names) => names.join() === expected.join());
    return exists ? [] : [`the table ${tableName} has no unique key on (${expected.join(', ')})`];
  });
}
