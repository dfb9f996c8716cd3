import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';

const TABLE = 'orders';
const COLUMN = 'number';

/** An order's number for people, null in the orders that exist. Last in the row: a server then adds it without a rewrite. */
export function orderNumbers1700000008000({ ddl }: Dialect): new () => MigrationInterface {
  return class OrderNumbers1700000008000 implements MigrationInterface {
    readonly name = 'OrderNumbers1700000008000';

    async up(runner: QueryRunner): Promise<void> {
      if (await runner.hasColumn(TABLE, COLUMN)) return;
      await runner.query(`ALTER TABLE ${TABLE} ADD COLUMN ${ddl.quote(COLUMN)} ${ddl.integer} NULL`);
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`ALTER TABLE ${TABLE} DROP COLUMN ${ddl.quote(COLUMN)}`);
    }
  };
}
