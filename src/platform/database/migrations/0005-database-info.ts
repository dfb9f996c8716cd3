import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';
import { hasIndex } from './has.index.js';

const TABLE = 'database_info';

/**
 * One row: which hubs may use the database, and the number beyond which new rooms begin. Also completes databases that an
 * earlier text of the initial migration has created, which had no `ended_sessions` and another `hub_batches`.
 */
export function databaseInfo1700000004000({ ddl }: Dialect): new () => MigrationInterface {
  const integer = `${ddl.integer} NOT NULL`;
  const text = (characters: number) => `${ddl.text(characters)} NOT NULL`;

  const completeInitial = async (runner: QueryRunner) => {
    const batches = await runner.getTable('hub_batches');
    if (!batches?.findColumnByName('rooms')) {
      // Its rows were for hubs that have stopped.
      if (batches) await runner.query('DROP TABLE hub_batches');
      await runner.query(`CREATE TABLE hub_batches (node_id ${text(36)}, batch_no ${integer}, rooms ${ddl.longText} NOT NULL, at ${integer},
        PRIMARY KEY (node_id, batch_no)) ${ddl.table}`);
    }
    if (!(await runner.hasTable('ended_sessions')))
      await runner.query(`CREATE TABLE ended_sessions (token_hash ${text(64)}, user_id ${text(64)}, reason ${text(16)}, at ${integer},
        PRIMARY KEY (token_hash)) ${ddl.table}`);
    if (!(await hasIndex(runner, 'ended_sessions', 'ended_sessions_by_time')))
      await runner.query('CREATE INDEX ended_sessions_by_time ON ended_sessions (at)');
  };

  return class DatabaseInfo1700000004000 implements MigrationInterface {
    readonly name = 'DatabaseInfo1700000004000';

    async up(runner: QueryRunner): Promise<void> {
      await completeInitial(runner);
      if (!(await runner.hasTable(TABLE)))
        await runner.query(`CREATE TABLE ${TABLE} (id ${integer}, schema_version ${integer}, oldest_hub ${integer}, room_floor ${integer},
          PRIMARY KEY (id)) ${ddl.table}`);
      const rows: unknown[] = await runner.query(`SELECT id FROM ${TABLE}`);
      if (rows.length === 0)
        await runner.query(`INSERT INTO ${TABLE} (id, schema_version, oldest_hub, room_floor) VALUES (1, 5, 0, 0)`);
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`DROP TABLE ${TABLE}`);
    }
  };
}
