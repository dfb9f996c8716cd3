import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';
import { hasIndex } from './has.index.js';

const TABLE = 'known_addresses';
const INDEX = 'known_addresses_by_time';

/** Where users have logged in, which a hub used to forget at every restart. */
export function knownAddresses1700000006000({ ddl }: Dialect): new () => MigrationInterface {
  return class KnownAddresses1700000006000 implements MigrationInterface {
    readonly name = 'KnownAddresses1700000006000';

    async up(runner: QueryRunner): Promise<void> {
      const columns = `user_id ${ddl.text(64)} NOT NULL, fingerprint ${ddl.text(8)} NOT NULL, seen_at ${ddl.integer} NOT NULL`;
      if (!(await runner.hasTable(TABLE))) {
        await runner.query(`CREATE TABLE ${TABLE} (${columns}, PRIMARY KEY (user_id, fingerprint)) ${ddl.clustered}`);
      }
      if (!(await hasIndex(runner, TABLE, INDEX))) await runner.query(`CREATE INDEX ${INDEX} ON ${TABLE} (seen_at)`);
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`DROP TABLE ${TABLE}`);
    }
  };
}
