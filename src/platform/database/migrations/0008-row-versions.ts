import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';

const TABLES = ['users', 'wallets', 'rooms', 'books'];
const COLUMN = 'version';

/** A column for `lockRows` to write. NULL until then, so that no row is rewritten and older hubs need not know it. */
export function rowVersions1700000007000({ ddl }: Dialect): new () => MigrationInterface {
  return class RowVersions1700000007000 implements MigrationInterface {
    readonly name = 'RowVersions1700000007000';

    async up(runner: QueryRunner): Promise<void> {
      for (const table of TABLES) {
        // A server cannot roll back DDL: an interrupted run leaves some columns behind.
        if (!(await runner.hasColumn(table, COLUMN)))
          await runner.query(`ALTER TABLE ${table} ADD COLUMN ${COLUMN} ${ddl.integer} NULL`);
      }
    }

    async down(runner: QueryRunner): Promise<void> {
      for (const table of TABLES) await runner.query(`ALTER TABLE ${table} DROP COLUMN ${COLUMN}`);
    }
  };
}
