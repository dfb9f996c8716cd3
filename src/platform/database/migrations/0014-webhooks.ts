import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { Dialect } from '../dialect.js';

/** Receivers of a room's events over HTTP, each with its position in the room. */
export function webhooks1700000013000({ ddl }: Dialect): new () => MigrationInterface {
  const text = (characters: number) => `${ddl.text(characters)} NOT NULL`;
  const integer = `${ddl.integer} NOT NULL`;

  return class Webhooks1700000013000 implements MigrationInterface {
    readonly name = 'Webhooks1700000013000';

    async up(runner: QueryRunner): Promise<void> {
      // On a server, an interrupted attempt may have left the table behind.
      await runner.query('DROP TABLE IF EXISTS webhooks');
      await runner.query(
        `CREATE TABLE webhooks (webhook_id ${text(36)}, user_id ${text(64)}, role ${text(6)}, url ${text(2_000)}, secret ${text(100)},
           paused ${integer}, created_at ${integer}, delivered ${integer}, complete ${integer}, epoch ${integer}, attempts ${integer},
           next_at ${integer}, failing_since ${ddl.integer} NULL, last_status ${ddl.integer} NULL,
           holder ${text(36)}, leased_until ${integer}, PRIMARY KEY (webhook_id)) ${ddl.table}`,
      );
      await runner.query('CREATE INDEX webhooks_by_user ON webhooks (user_id, webhook_id)');
      await runner.query('CREATE INDEX webhooks_by_failure ON webhooks (failing_since)');
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.dropTable('webhooks');
    }
  };
}
