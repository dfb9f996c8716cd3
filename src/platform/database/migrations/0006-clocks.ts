import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';

/** Numbers the ended sessions, which hubs follow by number rather than by time, and adds the leases. */
export function clocks1700000005000({ singleWriter, ddl }: Dialect): new () => MigrationInterface {
  const text = (characters: number) => `${ddl.text(characters)} NOT NULL`;
  const columns = 'token_hash, user_id, reason, at';
  const definitions = `token_hash ${text(64)}, user_id ${text(64)}, reason ${text(16)}, at ${ddl.integer} NOT NULL`;
  const numbered = `${ddl.quote('ended_no')} ${ddl.serial}`;

  /** SQLite can neither add nor drop a primary key. */
  const rebuild = async (runner: QueryRunner, key: string, ending: string) => {
    await runner.query(`CREATE TABLE new_ended_sessions (${key}${definitions}${ending}) ${ddl.table}`);
    await runner.query(`INSERT INTO new_ended_sessions (${columns}) SELECT ${columns} FROM ended_sessions ORDER BY at`);
    await runner.query('DROP TABLE ended_sessions');
    await runner.query('ALTER TABLE new_ended_sessions RENAME TO ended_sessions');
    await runner.query('CREATE INDEX ended_sessions_by_time ON ended_sessions (at)');
  };

  return class Clocks1700000005000 implements MigrationInterface {
    readonly name = 'Clocks1700000005000';

    async up(runner: QueryRunner): Promise<void> {
      if (singleWriter) {
        await rebuild(runner, `${numbered}, `, '');
        await runner.query('CREATE UNIQUE INDEX ended_sessions_by_token ON ended_sessions (token_hash)');
      } else if (!(await runner.hasColumn('ended_sessions', 'ended_no'))) {
        await runner.query(
          `ALTER TABLE ended_sessions DROP PRIMARY KEY, ADD COLUMN ${numbered} FIRST,
             ADD UNIQUE INDEX ended_sessions_by_token (token_hash)`,
        );
      }
      if (await runner.hasTable('leases')) return;
      await runner.query(
        `CREATE TABLE leases (name ${text(64)}, holder ${text(64)}, expires_at ${ddl.integer} NOT NULL,
           PRIMARY KEY (name)) ${ddl.table}`,
      );
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query('DROP TABLE leases');
      if (singleWriter) {
        await rebuild(runner, '', ', PRIMARY KEY (token_hash)');
        return;
      }
      await runner.query(
        `ALTER TABLE ended_sessions DROP COLUMN ended_no, DROP INDEX ended_sessions_by_token, ADD PRIMARY KEY (token_hash)`,
      );
    }
  };
}
