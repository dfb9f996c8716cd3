import type { QueryRunner } from 'typeorm';

/** For migrations that change several indexes: a server cannot take one back if the process dies before all is noted. */
export async function hasIndex(runner: QueryRunner, table: string, index: string): Promise<boolean> {
  return (await runner.getTable(table))?.indices.some(({ name }) => name === index) ?? false;
}
