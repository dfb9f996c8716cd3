import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';
import { hasIndex } from './has.index.js';

/** Indexes for lists of what is listed: a store may hold any number of books that are not. */
const INDEXES = { books_by_listing: 'listed, book_no', books_by_store_listing: 'store_id, listed, book_no' };

/**
 * Whether and how a store takes orders, and which of its books it shows. With defaults, so that older hubs need not know them and
 * a server adds them without a rewrite.
 */
export function storePolicy1700000014000({ ddl }: Dialect): new () => MigrationInterface {
  const columns = [
    ['stores', 'accept_within_seconds', 'NOT NULL DEFAULT 0'],
    ['stores', 'is_open', 'NOT NULL DEFAULT 1'],
    ['stores', 'paused_until', 'NULL'],
    ['stores', 'version', 'NOT NULL DEFAULT 0'],
    ['books', 'listed', 'NOT NULL DEFAULT 1'],
  ] as const;

  return class StorePolicy1700000014000 implements MigrationInterface {
    readonly name = 'StorePolicy1700000014000';

    async up(runner: QueryRunner): Promise<void> {
      for (const [table, column, rest] of columns) {
        // A server cannot roll back DDL: an interrupted run leaves some columns behind.
        if (!(await runner.hasColumn(table, column)))
          await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${ddl.integer} ${rest}`);
      }
      for (const [index, indexed] of Object.entries(INDEXES)) {
        if (!(await hasIndex(runner, 'books', index)))
          await runner.query(`CREATE INDEX ${index} ON books (${indexed})`);
      }
    }

    async down(runner: QueryRunner): Promise<void> {
      for (const index of Object.keys(INDEXES)) {
        // A server's foreign key needs an index that begins with its column: the one by store stays.
        if (await hasIndex(runner, 'books', index)) await runner.dropIndex('books', index);
      }
      for (const [table, column] of columns) await runner.query(`ALTER TABLE ${table} DROP COLUMN ${column}`);
    }
  };
}
