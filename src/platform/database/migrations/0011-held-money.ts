import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';

const TABLE = 'wallets';
const COLUMN = 'held';

/**
 * What the hub holds for a seller. Last in the row and without a CHECK, so that a server adds it without a rewrite; with a default,
 * so that older hubs need not know it.
 */
export function heldMoney1700000010000({ ddl }: Dialect): new () => MigrationInterface {
  return class HeldMoney1700000010000 implements MigrationInterface {
    readonly name = 'HeldMoney1700000010000';

    async up(runner: QueryRunner): Promise<void> {
      if (await runner.hasColumn(TABLE, COLUMN)) return;
      await runner.query(`ALTER TABLE ${TABLE} ADD COLUMN ${COLUMN} ${ddl.integer} NOT NULL DEFAULT 0`);
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`ALTER TABLE ${TABLE} DROP COLUMN ${COLUMN}`);
    }
  };
}
