import type { QueryRunner } from 'typeorm';

/** For migrations that may have been interrupted: a server cannot roll back DDL. */
export async function hasIndex(runner: QueryRunner, table: string, index: string): Promise<boolean> {
  return (await runner.getTable(table))?.indices.some(({ name }) => name === index) ?? false;
}
